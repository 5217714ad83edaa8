//! Which mutes hold when, and what they match.

use jiff::civil::time;

use super::*;
use crate::alert::AlertState;
use crate::{SourceId, SourceKind};

fn alert() -> Alert {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    Alert {
        id: "a".to_owned(),
        version: 1,
        source: SourceId {
            kind: SourceKind::Rule,
            definition: "weather.yml;weather".to_owned(),
            trigger: "Frost".to_owned(),
        },
        key: [("place", "jfk")].into_iter().collect(),
        definition_name: "weather".to_owned(),
        name: "Frost".to_owned(),
        severity: 2,
        state: AlertState::Active,
        since: at,
        started: Some(at),
        ended: None,
        acknowledged: None,
        seen: at,
        told: None,
        value: None,
        error: None,
        annotations: Vec::new(),
    }
}

#[track_caller]
fn check_matchers(matchers: &[&str], expected: bool) {
    let from: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
    let mute = Mute {
        id: "m".to_owned(),
        matchers: matchers.iter().map(|text| matcher(text).unwrap()).collect(),
        window: MuteWindow::Once { from, until },
        comment: String::new(),
        author: String::new(),
        created: from,
    };
    let kept: Mute = serde_json::from_str(&serde_json::to_string(&mute).unwrap()).unwrap();
    assert_eq!(kept, mute);
    let mutes = Mutes::new(vec![kept]);
    let covered = |at: &str| mutes.at(at.parse().unwrap()).cover(&alert(), None);
    assert_eq!(covered("2026-11-24T12:00:00Z"), expected, "{matchers:?}");
    assert!(!covered("2026-11-25T00:00:00Z"), "it is over");
}

#[test]
fn all_matchers_of_a_mute_have_to_hold() {
    check_matchers(&["alertname=Frost"], true);
    check_matchers(&["alertname=\"Frost\"", "place=lga"], false);
    check_matchers(&["alertname=~F.*", "place!=lga"], true);
    check_matchers(&["severity=~1|2"], true);
    check_matchers(&["severity=1"], false);
    check_matchers(&["group=weather"], true);
    check_matchers(&["source=rule/weather.yml;weather/Frost"], true);
    check_matchers(&["station=\"\""], true);
    check_matchers(&["station!~.+"], true);
    check_matchers(&["place!~j.*"], false);
}

#[test]
fn what_is_no_matcher_is_refused() {
    for text in ["", "alertname", "=x", "a b=x", "place=~(", "a!x", "place!"] {
        let error = matcher(text).unwrap_err().to_string();
        assert!(error.contains("is no matcher"), "{text}: {error}");
    }
}

#[test]
fn weekly_windows_follow_the_clock_on_the_wall() {
    // New York puts its clocks back on 2026-11-01: 22:00 is 02:00 UTC before, 03:00 UTC after.
    let nights = MuteWindow::Weekly {
        days: vec![Day::Sat, Day::Sun],
        from: time(22, 0, 0, 0),
        until: time(6, 0, 0, 0),
        zone: "America/New_York".to_owned(),
    };
    check_window(&nights, "2026-11-01T01:59:59Z", false);
    check_window(&nights, "2026-11-01T02:00:00Z", true);
    check_window(&nights, "2026-11-01T10:59:59Z", true);
    check_window(&nights, "2026-11-01T11:00:00Z", false);
    check_window(&nights, "2026-11-02T02:59:59Z", false);
    check_window(&nights, "2026-11-02T03:00:00Z", true);
    // Monday morning belongs to Sunday night, Monday night to nobody.
    check_window(&nights, "2026-11-02T10:00:00Z", true);
    check_window(&nights, "2026-11-03T04:00:00Z", false);
    let whole_day = MuteWindow::Weekly {
        days: vec![Day::Tue],
        from: time(0, 0, 0, 0),
        until: time(0, 0, 0, 0),
        zone: "UTC".to_owned(),
    };
    check_window(&whole_day, "2026-11-24T00:00:00Z", true);
    check_window(&whole_day, "2026-11-24T23:59:59Z", true);
    check_window(&whole_day, "2026-11-25T00:00:00Z", false);
}

#[track_caller]
fn check_window(window: &MuteWindow, at: &str, expected: bool) {
    window.check().unwrap();
    assert_eq!(window.holds(at.parse().unwrap()), expected, "{at}");
}

#[test]
fn windows_that_make_no_sense_are_refused() {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let weekly = |days: &[Day], zone: &str| MuteWindow::Weekly {
        days: days.to_vec(),
        from: time(1, 0, 0, 0),
        until: time(2, 0, 0, 0),
        zone: zone.to_owned(),
    };
    assert_eq!(MuteWindow::Once { from: at, until: at }.check(), Err(MuteError::EmptyWindow));
    assert_eq!(weekly(&[], "UTC").check(), Err(MuteError::NoDay));
    let zone = "Atlantis/Capital".to_owned();
    assert_eq!(weekly(&[Day::Mon], &zone).check(), Err(MuteError::Zone { zone }));
}
