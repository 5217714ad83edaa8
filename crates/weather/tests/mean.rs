//! Time-weighted means: cases, real hourly data, and properties against a second-by-second model.

use jiff::{SignedDuration, Timestamp};
use pampero_weather::mean::{HOLD, Mean, Sample, Series, Window, time_weighted};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn window(from_s: i64, to_s: i64) -> Window {
    Window { from: at(from_s), to: at(to_s) }
}

fn samples(pairs: &[(i64, f64)]) -> Vec<Sample> {
    pairs.iter().map(|(second, value)| Sample { at: at(*second), value: *value }).collect()
}

/// Takes the mean of series of (second, value), each value held for at most 100 s.
fn mean(series: &[&[(i64, f64)]], window: Window) -> Mean {
    let samples: Vec<_> = series.iter().map(|pairs| samples(pairs)).collect();
    let series: Vec<_> = samples.iter().map(|samples| Series { samples }).collect();
    time_weighted(&series, window, SignedDuration::from_secs(100))
}

#[test]
fn value_counts_for_the_time_it_holds() {
    let day = window(0, 1000);
    check(&[], day, None, 0, 0);
    check(&[&[]], day, None, 0, 0);
    check(&[&[(0, 7.0)]], day, Some(7.0), 100, 1);
    check(&[&[(0, 1.0), (30, 2.0)]], day, Some((30.0 + 200.0) / 130.0), 130, 2);
    check(&[&[(0, 1.0), (500, 2.0)]], day, Some(1.5), 200, 2);
    // Held into the window, and cut at its end, which does not belong to it.
    check(&[&[(-40, 3.0)]], day, Some(3.0), 60, 1);
    check(&[&[(-100, 3.0)]], day, None, 0, 0);
    check(&[&[(990, 3.0)]], day, Some(3.0), 10, 1);
    check(&[&[(1000, 3.0)]], day, None, 0, 0);
    // A value before the window ends the hold of an earlier one.
    check(&[&[(-60, 3.0), (-20, 5.0)]], day, Some(5.0), 80, 1);
}

#[test]
fn earlier_series_is_preferred_and_later_ones_fill_its_gaps() {
    let day = window(0, 1000);
    let first: &[(i64, f64)] = &[(100, 1.0), (300, 1.0)];
    check(&[first, &[(100, 9.0)]], day, Some(1.0), 200, 2);
    check(&[first, &[(150, 9.0)]], day, Some((200.0 + 450.0) / 250.0), 250, 3);
    check(&[&[(150, 9.0)], first], day, Some((900.0 + 150.0) / 250.0), 250, 3);
    check(&[first, &[(50, 4.0)], &[(0, 8.0)]], day, Some((200.0 + 200.0 + 400.0) / 300.0), 300, 4);
    // One value that speaks on both sides of a preferred one counts once.
    check(&[&[(40, 1.0), (60, 1.0)], &[(0, 2.0)]], day, Some((120.0 + 80.0) / 160.0), 160, 3);
}

#[test]
fn order_repetition_and_what_is_no_number_do_not_matter() {
    let day = window(0, 1000);
    let expected = mean(&[&[(0, 1.0), (50, 2.0), (90, 3.0)]], day);
    assert_eq!(mean(&[&[(90, 3.0), (0, 1.0), (50, 2.0)]], day), expected);
    assert_eq!(mean(&[&[(0, 1.0), (50, 2.0), (90, 3.0), (50, 2.0), (0, 1.0)]], day), expected);
    assert_eq!(mean(&[&[(0, 1.0), (50, 8.0), (50, 2.0), (90, 3.0)]], day), expected);
    assert_eq!(mean(&[&[(0, 1.0), (20, f64::NAN), (50, 2.0), (90, 3.0)]], day), expected);
    assert_eq!(mean(&[&[(0, f64::INFINITY)]], day).value, None);
}

#[test]
fn windows_at_the_edges_do_no_harm() {
    check(&[&[(0, 1.0)]], window(10, 10), None, 0, 0);
    check(&[&[(0, 1.0)]], window(20, 10), None, 0, 0);
    let ever = Window { from: Timestamp::MIN, to: Timestamp::MAX };
    let last =
        [Sample { at: Timestamp::MAX, value: 1.0 }, Sample { at: Timestamp::MIN, value: 2.0 }];
    let mean = time_weighted(&[Series { samples: &last }], ever, SignedDuration::MAX);
    assert_eq!((mean.value, mean.coverage), (Some(2.0), 1.0));
    let mean = time_weighted(&[Series { samples: &last }], ever, SignedDuration::MIN);
    assert_eq!((mean.value, mean.coverage), (None, 0.0));
    assert_eq!(Window::rolling(at(100), SignedDuration::from_secs(60)), window(40, 100));
    assert_eq!(Window::rolling(Timestamp::MIN, HOLD).length(), SignedDuration::ZERO);
}

#[track_caller]
fn check(
    series: &[&[(i64, f64)]],
    window: Window,
    expected: Option<f64>,
    covered_s: i64,
    sample_count: usize,
) {
    let mean = mean(series, window);
    match (mean.value, expected) {
        (Some(value), Some(expected)) => assert!((value - expected).abs() < 1e-12, "{mean:?}"),
        (value, expected) => assert_eq!(value, expected),
    }
    assert_eq!(mean.covered, SignedDuration::from_secs(covered_s));
    assert_eq!(mean.samples, sample_count);
    assert_eq!(mean.window, window);
    let length_s = window.length().as_secs_f64();
    let coverage = if length_s > 0.0 { covered_s as f64 / length_s } else { 0.0 };
    assert!((mean.coverage - coverage).abs() < 1e-12, "{mean:?}");
}

/// Hourly values on full hours weigh the same, so that the mean equals the plain one, which was
/// worked out elsewhere from the same data.
#[test]
fn means_of_real_hourly_data_agree_with_the_plain_mean() {
    // The civil day of a place with summer time; in March and November it is not 24 hours long.
    check_newark("2013-07-15T04:00Z", "2013-07-16T04:00Z", 87.7025, 24, 24);
    check_newark("2013-03-10T05:00Z", "2013-03-11T04:00Z", 39.6696, 23, 23);
    check_newark("2013-11-03T04:00Z", "2013-11-04T05:00Z", 46.5350, 24, 25);
    check_newark("2013-10-25T04:00Z", "2013-10-26T04:00Z", 45.9950, 20, 24);
    // The UTC day.
    check_newark("2013-07-15T00:00Z", "2013-07-16T00:00Z", 86.9900, 24, 24);
    check_newark("2013-03-10T00:00Z", "2013-03-11T00:00Z", 40.7600, 24, 24);
    check_newark("2013-11-03T00:00Z", "2013-11-04T00:00Z", 48.7779, 19, 24);
    check_newark("2013-10-25T00:00Z", "2013-10-26T00:00Z", 45.6650, 24, 24);
}

#[track_caller]
fn check_newark(from: &str, to: &str, expected_f: f64, covered_h: i64, length_h: i64) {
    let samples: Vec<Sample> = include_str!("data/newark-temperature.csv")
        .lines()
        .filter(|line| line.starts_with("2013"))
        .map(|line| {
            let (time, value) = line.split_once(',').expect("two columns");
            Sample { at: instant(time), value: value.parse().expect("a number") }
        })
        .collect();
    let window = Window { from: instant(from), to: instant(to) };
    let mean = time_weighted(&[Series { samples: &samples }], window, HOLD);
    let value = mean.value.expect("there are data");
    assert!((value - expected_f).abs() < 0.000_051, "{value} °F should be {expected_f} °F");
    assert_eq!(mean.covered, SignedDuration::from_hours(covered_h));
    assert_eq!(window.length(), SignedDuration::from_hours(length_h));
    assert!((mean.coverage - covered_h as f64 / length_h as f64).abs() < 1e-12);
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The rule, spelled out for every second: the mean and the number of covered seconds.
fn second_by_second(series: &[Vec<Sample>], window: Window, hold_s: i64) -> (Option<f64>, i64) {
    let value_at = |second: i64, samples: &[Sample]| {
        let newest =
            samples.iter().filter(|sample| sample.at <= at(second)).max_by_key(|s| s.at)?;
        (second - newest.at.as_second() < hold_s).then_some(newest.value)
    };
    let seconds = window.from.as_second()..window.to.as_second();
    let values: Vec<f64> = seconds
        .filter_map(|second| series.iter().find_map(|samples| value_at(second, samples)))
        .collect();
    let sum: f64 = values.iter().sum();
    let mean = (!values.is_empty()).then(|| sum / values.len() as f64);
    (mean, values.len() as i64)
}

/// One series: instants round the windows of the properties, distinct, in any order.
fn any_series() -> impl Strategy<Value = Vec<Sample>> {
    let instants = prop::collection::btree_map(-200_i64..600, -50.0..50.0, 0..12);
    let in_order = instants.prop_map(|samples| {
        let pairs = samples.into_iter();
        pairs.map(|(second, value)| Sample { at: at(second), value }).collect::<Vec<_>>()
    });
    in_order.prop_shuffle()
}

fn any_chain() -> impl Strategy<Value = Vec<Vec<Sample>>> {
    prop::collection::vec(any_series(), 0..4)
}

fn mean_of(chain: &[Vec<Sample>], window: Window, hold_s: i64) -> Mean {
    let series: Vec<_> = chain.iter().map(|samples| Series { samples }).collect();
    time_weighted(&series, window, SignedDuration::from_secs(hold_s))
}

proptest! {
    #[test]
    fn mean_agrees_with_the_rule_for_every_second(
        chain in any_chain(), to in 1_i64..500, hold_s in 0_i64..150
    ) {
        let window = window(0, to);
        let mean = mean_of(&chain, window, hold_s);
        let (expected, covered_s) = second_by_second(&chain, window, hold_s);
        prop_assert_eq!(mean.covered, SignedDuration::from_secs(covered_s));
        prop_assert_eq!(mean.value.is_some(), expected.is_some());
        let apart = mean.value.zip(expected).map_or(0.0, |(value, expected)| value - expected);
        prop_assert!(apart.abs() < 1e-9, "{:?} should be {:?}", mean, expected);
    }

    #[test]
    fn mean_lies_between_the_values_and_coverage_between_0_and_1(
        chain in any_chain(), to in 1_i64..500
    ) {
        let mean = mean_of(&chain, window(0, to), 60);
        prop_assert!((0.0..=1.0).contains(&mean.coverage));
        prop_assert_eq!(mean.value.is_some(), mean.coverage > 0.0);
        prop_assert_eq!(mean.value.is_some(), mean.samples > 0);
        let values = || chain.iter().flatten().map(|sample| sample.value);
        let (min, max) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        prop_assert!(mean.value.is_none_or(|value| (min..=max).contains(&value)));
    }

    #[test]
    fn mean_of_a_constant_is_the_constant(chain in any_chain(), value in -1e6..1e6, to in 1_i64..500) {
        let constant: Vec<Vec<Sample>> = chain
            .iter()
            .map(|samples| samples.iter().map(|sample| Sample { value, ..*sample }).collect())
            .collect();
        let mean = mean_of(&constant, window(0, to), 60);
        prop_assert!(mean.value.is_none_or(|mean| mean == value));
    }

    #[test]
    fn parts_of_a_window_compose(chain in any_chain(), cut in 1_i64..499) {
        let whole = mean_of(&chain, window(0, 500), 60);
        let parts = [mean_of(&chain, window(0, cut), 60), mean_of(&chain, window(cut, 500), 60)];
        prop_assert_eq!(whole.covered, parts[0].covered + parts[1].covered);
        let weigh = |mean: &Mean| mean.value.unwrap_or(0.0) * mean.covered.as_secs_f64();
        prop_assert!((weigh(&whole) - weigh(&parts[0]) - weigh(&parts[1])).abs() < 1e-6);
    }

    #[test]
    fn same_series_twice_changes_nothing(chain in any_chain(), to in 1_i64..500) {
        let once = mean_of(&chain, window(0, to), 60);
        let again: Vec<Vec<Sample>> = chain.iter().chain(&chain).cloned().collect();
        prop_assert_eq!(mean_of(&again, window(0, to), 60), once);
        let repeated: Vec<Vec<Sample>> =
            chain.iter().map(|samples| samples.iter().chain(samples).copied().collect()).collect();
        prop_assert_eq!(mean_of(&repeated, window(0, to), 60), once);
    }

    #[test]
    fn preferred_series_without_gaps_silences_the_others(
        chain in any_chain(), value in -50.0..50.0
    ) {
        let gapless: Vec<Sample> =
            (0..10).map(|step| Sample { at: at(step * 50), value }).collect();
        let mut with_gapless = vec![gapless];
        with_gapless.extend(chain);
        let mean = mean_of(&with_gapless, window(0, 500), 60);
        prop_assert_eq!((mean.value, mean.coverage, mean.samples), (Some(value), 1.0, 10));
    }
}
