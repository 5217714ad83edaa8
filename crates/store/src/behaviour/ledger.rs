//! Facts about the quota ledger.

use pampero_resilience::{QuotaUsage, QuotaWindow};

use super::minute;
use crate::Store;

fn used(window: QuotaWindow, started_at_minute: i64, used: u64) -> QuotaUsage {
    QuotaUsage { window, started_at: minute(started_at_minute), used }
}

async fn save(store: &impl Store, service: &str, usage: &[QuotaUsage]) {
    store.save(service, usage).await.expect("the ledger can be written");
}

async fn load(store: &impl Store, service: &str) -> Vec<QuotaUsage> {
    let mut usage = store.load(service).await.expect("the ledger can be read");
    usage.sort_by_key(|usage| usage.window);
    usage
}

/// A late write of an older count does not give calls back.
pub async fn quota_count_never_goes_down_within_a_window(store: &impl Store) {
    use QuotaWindow::{Day, Month};
    assert_eq!(load(store, "openweathermap").await, []);
    save(store, "openweathermap", &[used(Day, 0, 10), used(Month, 0, 100)]).await;
    save(store, "openweathermap", &[used(Day, 0, 7), used(Month, 0, 101)]).await;
    assert_eq!(load(store, "openweathermap").await, [used(Day, 0, 10), used(Month, 0, 101)]);
}

/// A new window begins with its own count, and an old one does not come back.
pub async fn newest_quota_window_of_each_kind_is_kept(store: &impl Store) {
    use QuotaWindow::{Day, Month};
    const DAY_MINUTES: i64 = 24 * 60;
    save(store, "weatherstack", &[used(Day, 0, 90), used(Month, 0, 90)]).await;
    save(store, "weatherstack", &[used(Day, DAY_MINUTES, 1), used(Month, 0, 91)]).await;
    assert_eq!(load(store, "weatherstack").await, [used(Day, DAY_MINUTES, 1), used(Month, 0, 91)]);
    save(store, "weatherstack", &[used(Day, 0, 95)]).await;
    assert_eq!(load(store, "weatherstack").await[0], used(Day, DAY_MINUTES, 1));
}

/// One service does not use up the allowance of another.
pub async fn quota_counts_of_services_are_kept_apart(store: &impl Store) {
    save(store, "openweathermap", &[used(QuotaWindow::Day, 0, 5)]).await;
    save(store, "weatherstack", &[used(QuotaWindow::Day, 0, 6)]).await;
    save(store, "open_meteo", &[]).await;
    assert_eq!(load(store, "openweathermap").await, [used(QuotaWindow::Day, 0, 5)]);
    assert_eq!(load(store, "weatherstack").await, [used(QuotaWindow::Day, 0, 6)]);
    assert_eq!(load(store, "open_meteo").await, []);
}
