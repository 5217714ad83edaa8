//! Disks that fail while alerts go on.

use pampero_alerting::{AlertState, HistoryFilter};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::kit::{Bed, pass, policy, source};

#[tokio::test(start_paused = true)]
async fn everything_goes_on_in_memory_while_the_disk_fails_and_is_kept_afterwards() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let (a, b) = (source("a"), source("b"));
    bed.observe(&b, &policy("b", "slack"), &["x"]);
    let foreign = Connection::open(folder.path().join("alerts.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    bed.run(async {
        bed.observe(&a, &policy("a", "slack"), &["x", "y"]);
        bed.observe(&a, &policy("a", "slack"), &["x"]);
        bed.observe(&b, &policy("b", "slack"), &[]);
        pass(2).await;
        assert_eq!(bed.receivers.take().len(), 4, "told without a disk");
        let statistics = bed.alerting.statistics();
        assert!(!statistics.is_kept && statistics.store_failures > 0);
        foreign.execute_batch("ROLLBACK").unwrap();
        pass(10).await;
        assert!(bed.alerting.statistics().is_kept);
    })
    .await;
    let bed = bed.restart(folder.path());
    let states: Vec<AlertState> =
        bed.alerting.alerts_of(&a).iter().map(|alert| alert.state).collect();
    assert_eq!(states, [AlertState::Active]);
    assert!(bed.alerting.alerts_of(&b).is_empty());
    let history = bed.alerting.history(&HistoryFilter { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(history.len(), 4);
    bed.run(pass(60)).await;
    assert!(bed.receivers.take().is_empty(), "nothing is told twice");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_damaged_at_work_is_put_aside_and_nothing_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let bed = Bed::open(folder.path());
    let a = source("a");
    bed.observe(&a, &policy("a", "slack"), &["x"]);
    let foreign = Connection::open(folder.path().join("alerts.db")).unwrap();
    foreign.execute_batch("DROP TABLE alerts; DROP TABLE outbox;").unwrap();
    drop(foreign);
    bed.observe(&a, &policy("a", "slack"), &["x", "y"]);
    assert!(bed.alerting.statistics().is_kept);
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<String> =
        names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("alerts.db.damaged-")), "{names:?}");
    let bed = bed.restart(folder.path());
    assert_eq!(bed.alerting.alerts_of(&a).len(), 2);
    let history = bed.alerting.history(&HistoryFilter { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(history.len(), 1, "what the damage did not take");
    bed.run(pass(60)).await;
    assert_eq!(bed.receivers.take().len(), 2);
}
