//! Measures what the store costs: time per batch, bytes per row, resident memory.
//!
//! Takes the number of places (1000 unless told otherwise) and of rounds (96) as arguments; each
//! round brings one observation of every place.

#![expect(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

use std::path::Path;
use std::time::{Duration, Instant};

use pampero_store::behaviour::{batch_of, full_observation, minute, place_id, ready_place};
use pampero_store::{
    Batch, ObservationFilter, Order, SqliteOptions, SqliteStore, Store, StoreError,
};
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::QualityFlags;
use pampero_weather::unit::{Celsius, Percent, SeaLevelPressure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BATCH_SIZE: usize = 1000;
const ROUND_MINUTES: i64 = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let numbers: Vec<i64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let place_count = numbers.first().copied().unwrap_or(1000);
    let round_count = numbers.get(1).copied().unwrap_or(96);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(place_count, round_count))?;
    Ok(())
}

async fn measure(place_count: i64, round_count: i64) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::TempDir::new()?;
    let path = folder.path().join("weather.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).await?;
    for nth in 0..place_count {
        store.put_place(ready_place(&format!("place-{nth}"))).await?;
    }
    let mut chance = StdRng::seed_from_u64(7);
    let mut times = Vec::new();
    let begun = Instant::now();
    for round in 0..round_count {
        let said = round_of(place_count, round, &mut chance);
        record(&store, &said, &mut times).await?;
    }
    let rows = place_count * round_count;
    println!("{rows} rows in {:.1} s", begun.elapsed().as_secs_f64());
    report("new", &mut times);

    let said = round_of(place_count, round_count, &mut chance);
    record(&store, &said, &mut Vec::new()).await?;
    times.clear();
    for _ in 0..10 {
        record(&store, &said, &mut times).await?;
    }
    report("unchanged", &mut times);
    single_batches(&store, &said).await?;

    read(&store, place_count, round_count).await?;
    println!("{:?}", store.stats());
    println!("resident memory {} KiB", resident_kib()?);
    store.close().await?;
    println!("{:.1} bytes a row", file_size(&path)? / rows as f64);
    Ok(())
}

/// Makes one observation of each place, with numbers as providers give them.
fn round_of(place_count: i64, round: i64, chance: &mut StdRng) -> Vec<Observation> {
    let tenths = |chance: &mut StdRng, low: i32, high: i32| {
        f64::from(chance.random_range(10 * low..10 * high)) / 10.0
    };
    let one = |nth: i64| {
        let place = format!("place-{nth}");
        let mut said = full_observation(&place, ProviderId::OpenMeteo, ROUND_MINUTES * round);
        said.readings.temperature = Some(Celsius(tenths(chance, -20, 40)));
        said.readings.dew_point = Some(Celsius(tenths(chance, -25, 25)));
        said.readings.relative_humidity = Some(Percent(f64::from(chance.random_range(5..=100))));
        said.readings.pressure_msl = Some(SeaLevelPressure(tenths(chance, 970, 1045)));
        said.flags = QualityFlags::default();
        said
    };
    (0..place_count).map(one).collect()
}

async fn record(
    store: &SqliteStore,
    said: &[Observation],
    times: &mut Vec<Duration>,
) -> Result<(), StoreError> {
    for piece in said.chunks(BATCH_SIZE) {
        let batch = batch_of(piece);
        let begun = Instant::now();
        store.record(batch).await?;
        times.push(begun.elapsed());
    }
    Ok(())
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let (median, late, worst) = (at(0.5), at(0.99), at(1.0));
    println!(
        "batch of {BATCH_SIZE} {what}: median {median:.2} ms, p99 {late:.2} ms, worst {worst:.2} ms"
    );
}

/// Records one observation at a time, as after polls of single places.
async fn single_batches(store: &SqliteStore, said: &[Observation]) -> Result<(), StoreError> {
    let begun = Instant::now();
    let count = said.len().min(200);
    for observation in &said[..count] {
        let mut observation = observation.clone();
        observation.observed_at += jiff::SignedDuration::from_mins(ROUND_MINUTES);
        let batch = Batch { observations: vec![observation], ..Batch::default() };
        store.record(batch).await?;
    }
    let each = begun.elapsed().as_secs_f64() * 1e3 / count as f64;
    println!("single observation: {each:.3} ms each");
    Ok(())
}

async fn read(store: &SqliteStore, place_count: i64, round_count: i64) -> Result<(), StoreError> {
    let begun = Instant::now();
    const READS: i64 = 200;
    for nth in 0..READS {
        let place = place_id(&format!("place-{}", nth * 7919 % place_count));
        let to = minute(ROUND_MINUTES * round_count);
        store.samples(&place, Quantity::Temperature, minute(0), to).await?;
    }
    println!("samples of a place: {:.3} ms", begun.elapsed().as_secs_f64() * 1e3 / READS as f64);
    let filter = ObservationFilter {
        provider: None,
        from: None,
        to: None,
        after: None,
        order: Order::Descending,
        limit: 100,
    };
    let begun = Instant::now();
    for nth in 0..READS {
        let place = place_id(&format!("place-{}", nth * 7919 % place_count));
        store.observations(&place, &filter).await?;
    }
    println!("page of 100: {:.3} ms", begun.elapsed().as_secs_f64() * 1e3 / READS as f64);
    Ok(())
}

fn file_size(path: &Path) -> std::io::Result<f64> {
    Ok(std::fs::metadata(path)?.len() as f64)
}

/// Returns the resident memory of this process; Linux alone tells it this way.
fn resident_kib() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    Ok(number.unwrap_or_default())
}
