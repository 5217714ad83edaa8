//! Timelines: what evaluations bring about, and how much the book can hold.

mod model;
mod scene;

use std::collections::HashSet;

use self::scene::{Scene, check};
use super::*;

#[test]
fn an_alert_is_told_when_it_begins_and_when_it_ends_and_not_in_between() {
    check(
        "",
        "0:00  -        |
         1:00  a        | a=active slack:fired(a)
         2:00  a        |
         3:00  a        |
         4:00  -        | a=completed slack:recovered(a)
         5:00  -        |
         6:00  a        | a=active slack:fired(a)",
    );
    check(
        "recovery=no",
        "0:00  a        | a=active slack:fired(a)
         1:00  -        | a=completed",
    );
}

#[test]
fn groups_that_change_together_are_told_together() {
    check(
        "",
        "0:00  a b      | a=active b=active slack:fired(a b)
         1:00  a b c    | c=active slack:fired(c)
         2:00  b        | a=completed c=completed slack:recovered(a c)
         3:00  -        | b=completed slack:recovered(b)",
    );
}

#[test]
fn each_action_is_told() {
    check(
        "action=slack action=mail/throttle=1h",
        "0:00  a        | a=active slack:fired(a) mail:fired(a)
         1:00  -        | a=completed mail:recovered(a) slack:recovered(a)
         2:00  a        | a=active slack:fired(a) throttled
         3:00  -        | a=completed slack:recovered(a)
         60:00 a        | a=active slack:fired(a) mail:fired(a)+1",
    );
}

#[test]
fn the_throttle_holds_over_groups_and_over_ended_and_new_alerts() {
    check(
        "throttle=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  -        | a=completed slack:recovered(a)
         2:00  a        | a=active throttled
         3:00  -        | a=completed
         4:00  a        | a=active throttled
         5:00  a b      | b=active throttled
         6:00  a b      |
         10:00 a b      | slack:fired(a b)+3
         11:00 a b      |
         12:00 b        | a=completed slack:recovered(a)
         20:00 -        | b=completed slack:recovered(b)",
    );
}

#[test]
fn what_the_throttle_held_back_is_told_when_it_ends_and_not_if_it_is_over() {
    check(
        "throttle=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  a b c    | b=active c=active throttled
         2:00  a b      | c=completed
         9:59  tick     |
         10:00 tick     | slack:fired(b)+1
         10:01 tick     |",
    );
}

#[test]
fn the_throttle_is_kept_over_a_restart() {
    check(
        "throttle=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  a b      | b=active throttled
         1:30  restart  |
         1:40  tick     |
         2:00  a b      |
         3:00  b c      | a=completed c=active throttled slack:recovered(a)
         4:00  restart  |
         10:00 b c      | slack:fired(b c)+2",
    );
}

#[test]
fn reminders_come_at_their_interval_and_never_closer() {
    check(
        "reminder=10m",
        "0:00  a        | a=active slack:fired(a)
         5:00  a b      | b=active slack:fired(b)
         9:59  a b      |
         10:00 a b      | slack:reminder(a b)
         15:00 a b      |
         20:00 tick     | slack:reminder(a b)
         21:00 a b      |
         25:00 b        | a=completed slack:recovered(a)
         30:00 b        | slack:reminder(b)",
    );
}

#[test]
fn escalations_come_once_each_while_nobody_acknowledges() {
    check(
        "escalate=30m:pager escalate=60m:boss",
        "0:00  a        | a=active slack:fired(a)
         29:59 tick     |
         30:00 tick     | pager:escalated(a)
         31:00 a        |
         60:00 a        | boss:escalated(a)
         90:00 a        |
         91:00 -        | a=completed pager:recovered(a) boss:recovered(a) slack:recovered(a)",
    );
    check(
        "escalate=30m:pager",
        "0:00  a        | a=active slack:fired(a)
         10:00 ack a    | a=acknowledged
         30:00 a        |
         31:00 -        | a=completed slack:recovered(a)",
    );
    check(
        "escalate=30m:pager hold=5m",
        "0:00  a        | a=pending
         5:00  a        | a=active slack:fired(a)
         30:00 a        |
         35:00 a        | pager:escalated(a)",
    );
}

#[test]
fn acknowledged_alerts_are_quiet_until_they_end() {
    check(
        "reminder=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  ack a    | a=acknowledged
         2:00  ack a    | refused: Alert has already been acknowledged.
         20:00 a        |
         21:00 restart  |
         30:00 a b      | b=active slack:fired(b)
         40:00 a b      | slack:reminder(b)
         41:00 -        | a=completed b=completed slack:recovered(a b)
         42:00 a        | a=active slack:fired(a)",
    );
    check(
        "throttle=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  a b      | b=active throttled
         2:00  ack b    | b=acknowledged
         10:00 a b      |
         11:00 -        | a=completed b=completed slack:recovered(a)",
    );
}

#[test]
fn only_active_alerts_can_be_acknowledged() {
    check(
        "hold=1m",
        "0:00 a | a=pending\n 0:01 ack a | refused: Alert is pending and can not be acknowledged.",
    );
    check(
        "",
        "0:00 error     | !=error slack:failed(!)
         0:01 ack !     | refused: Alert is in an error state and can not be acknowledged.",
    );
}

#[test]
fn findings_wait_for_as_long_as_they_must_hold() {
    check(
        "hold=2m",
        "0:00  a        | a=pending
         1:00  -        | a=completed
         2:00  a        | a=pending
         3:00  a        |
         3:30  restart  |
         4:00  a        | a=active slack:fired(a)
         5:00  -        | a=completed slack:recovered(a)",
    );
}

#[test]
fn the_source_may_wait_itself() {
    check(
        "",
        "0:00  a?       | a=pending
         1:00  a?       |
         2:00  a        | a=active slack:fired(a)
         3:00  a?       |
         4:00  -        | a=completed slack:recovered(a)",
    );
}

#[test]
fn alerts_go_on_firing_for_a_while_after_the_last_finding() {
    check(
        "keep=5m",
        "0:00  a        | a=active slack:fired(a)
         1:00  -        |
         3:00  a        |
         4:00  -        |
         5:00  restart  |
         8:59  -        |
         9:00  -        | a=completed slack:recovered(a)",
    );
    check("keep=5m hold=1m", "0:00 a | a=pending\n 1:00 - | a=completed");
}

#[test]
fn an_error_is_a_state_of_the_source_and_alerts_stay_as_they_are() {
    check(
        "",
        "0:00  a        | a=active slack:fired(a)
         1:00  error    | !=error slack:failed(!)
         2:00  error    |
         2:30  restart  |
         3:00  error    |
         4:00  a        | !=completed slack:recovered(!)
         5:00  error    | !=error slack:failed(!)
         6:00  -        | !=completed a=completed slack:recovered(a) slack:recovered(!)",
    );
    check(
        "hold=2m",
        "0:00  error    | !=error
         1:00  -        | !=completed
         2:00  error    | !=error
         4:00  error    | slack:failed(!)",
    );
    check(
        "throttle=10m",
        "0:00  error    | !=error slack:failed(!)
         1:00  -        | !=completed slack:recovered(!)
         2:00  error    | !=error throttled
         3:00  -        | !=completed
         4:00  error a  | !=error throttled
         10:00 error    | slack:failed(!)
         11:00 a        | !=completed a=active slack:recovered(!) slack:fired(a)",
    );
}

#[test]
fn no_data_is_told_apart_from_nothing_and_from_failure() {
    check(
        "nodata=tell",
        "0:00  a        | a=active slack:fired(a)
         1:00  nodata   | !=nodata slack:nodata(!)
         2:00  nodata   |
         3:00  error    | !=error
         4:00  -        | !=completed a=completed slack:recovered(a) slack:recovered(!)",
    );
    check(
        "nodata=keep",
        "0:00  a        | a=active slack:fired(a)
         1:00  nodata   |
         2:00  error    | !=error slack:failed(!)
         3:00  nodata   | !=completed slack:recovered(!)
         4:00  -        | a=completed slack:recovered(a)",
    );
    check(
        "nodata=quiet",
        "0:00  a        | a=active slack:fired(a)
         1:00  nodata   | a=completed slack:recovered(a)
         2:00  nodata   |",
    );
}

#[test]
fn muted_alerts_are_tracked_and_told_when_the_mute_ends_if_they_still_are() {
    check(
        "",
        "0:00  mute group=a 0:00-10:00 |
         1:00  a b      | a=active b=active slack:fired(b)
         2:00  -        | a=completed b=completed slack:recovered(b)
         3:00  a        | a=active
         9:59  tick     |
         10:00 tick     | slack:fired(a)
         11:00 -        | a=completed slack:recovered(a)",
    );
    check(
        "reminder=10m escalate=5m:pager",
        "0:00  a        | a=active slack:fired(a)
         1:00  mute alertname=count_error 1:00-30:00 |
         12:00 a        |
         13:00 restart  |
         20:00 a        |
         30:00 a        | pager:escalated(a) slack:reminder(a)",
    );
}

#[test]
fn what_was_told_and_ends_under_a_mute_is_told_as_over_after_it() {
    check(
        "",
        "0:00  a        | a=active slack:fired(a)
         1:00  mute alertname=count_error 1:00-10:00 |
         2:00  -        | a=completed
         3:00  restart  |
         4:00  a        | a=active
         5:00  -        | a=completed
         6:00  a        | a=active
         10:00 a        | slack:recovered(a) slack:fired(a)",
    );
}

#[test]
fn the_end_of_a_definition_ends_what_was_told() {
    check(
        "throttle=10m",
        "0:00  a        | a=active slack:fired(a)
         1:00  a b      | b=active throttled
         2:00  remove   | a=deleted b=deleted slack:recovered(a)
         3:00  a        | a=active slack:fired(a)",
    );
}

#[test]
fn flapping_is_told_no_more_often_than_the_throttle_lets_it() {
    let mut scene = Scene::new("throttle=10m");
    let mut fired = 0;
    for half_minute in 0..120 {
        let finding = if half_minute % 2 == 0 { "a" } else { "-" };
        let said = scene.play(half_minute * 30, finding);
        fired += usize::from(said.contains("slack:fired"));
    }
    assert_eq!(fired, 6);
}

#[test]
fn sixty_groups_and_six_hundred_repeats_do_not_break_the_throttle() {
    let mut scene = Scene::new("throttle=10m");
    let mut fired = Vec::new();
    // Each second one of 60 groups is new, over, or there again, ten times over: an hour in all.
    for round in 0..600_i64 {
        let groups: Vec<String> =
            (0..60).filter(|group| (group + round) % 7 != 0).map(|g| format!("g{g:02}")).collect();
        let said = scene.play(round * 6, &groups.join(" "));
        if said.contains("slack:fired") {
            fired.push(round * 6);
        }
    }
    assert_eq!(fired.len(), 6, "{fired:?}");
    assert!(fired.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{fired:?}");
}

#[test]
fn forgetful_receivers_are_told_every_minute_and_get_every_alert() {
    let mut scene = Scene::new("");
    let channels: HashSet<String> = [String::from("slack")].into();
    scene.book.set_repeating(channels, Duration::from_secs(60));
    let groups: Vec<String> = (0..250).map(|group| format!("g{group:03}")).collect();
    let groups = groups.join(" ");
    scene.play(0, &groups);
    assert_eq!(scene.named_per_notice(), [100, 100, 50]);
    scene.play(30, &groups);
    assert!(scene.named_per_notice().is_empty());
    scene.play(45, "ack g000");
    scene.play(60, &groups);
    assert_eq!(scene.named_per_notice(), [100, 100, 50]);
}

#[test]
fn forgetful_receivers_are_reminded_of_what_cannot_be_told() {
    let mut scene = Scene::new("");
    scene.book.set_repeating([String::from("slack")].into(), Duration::from_secs(60));
    assert_eq!(scene.play(0, "error"), "!=error slack:failed(!)");
    assert_eq!(scene.play(30, "error"), "");
    assert_eq!(scene.play(60, "tick"), "slack:reminder(!)");
}

#[test]
fn a_definition_that_is_renamed_renames_its_alerts() {
    let mut scene = Scene::new("");
    scene.play(0, "a");
    scene.policy.name = "other".to_owned();
    scene.policy.severity = 4;
    assert_eq!(scene.play(60, "a"), "");
    let alert = scene.book.alerts().next().unwrap();
    assert_eq!((alert.name.as_str(), alert.severity), ("other", 4));
    assert_eq!(scene.last.rows.live.len(), 1);
}

#[test]
fn a_notice_names_a_hundred_and_counts_all_and_the_book_has_an_end() {
    let mut scene = Scene::new("");
    scene.book.limits.keys_max = 250;
    let groups: Vec<String> = (0..300).map(|group| format!("g{group:03}")).collect();
    scene.play(0, &groups.join(" "));
    let notice = &scene.last.notices[0];
    assert_eq!((notice.alerts.len(), notice.count, notice.active_count), (100, 250, 250));
    assert_eq!(scene.last.ignored, 50);
}

#[test]
fn an_evaluation_that_changes_nothing_keeps_nothing() {
    let mut scene = Scene::new("throttle=10m reminder=1h");
    scene.play(0, "a b");
    scene.play(60, "a b c");
    assert!(!scene.last.is_empty());
    for minute in 2..9 {
        scene.play(minute * 60, "a b c");
        assert!(scene.last.is_empty(), "minute {minute}: {:?}", scene.last);
    }
}

#[test]
fn ids_follow_from_what_they_name() {
    let mut scenes = [Scene::new(""), Scene::new("")];
    let ids = scenes.each_mut().map(|scene| {
        scene.play(0, "a");
        scene.last.changes[0].alert.id.clone()
    });
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 20);
    scenes[0].play(60, "-");
    scenes[0].play(120, "a");
    assert_ne!(scenes[0].last.changes[0].alert.id, ids[0]);
}
