//! A book against a slow model of one group, over random timelines.

use proptest::prelude::*;

use super::scene::Scene;
use crate::AlertState;

/// What the model knows of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    since: Option<i64>,
    absent: Option<i64>,
    is_active: bool,
    is_acknowledged: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    hold: i64,
    keep: i64,
}

/// Returns the state of a group after an evaluation at `now`.
fn step(group: Group, found: bool, now: i64, rules: Rules) -> Group {
    if found {
        let since = group.since.unwrap_or(now);
        let is_active = group.is_active || now - since >= rules.hold;
        return Group { since: Some(since), absent: None, is_active, ..group };
    }
    if group.is_active && rules.keep > 0 {
        let absent = group.absent.unwrap_or(now);
        if now - absent < rules.keep {
            return Group { absent: Some(absent), ..group };
        }
    }
    Group::default()
}

fn state(group: Group) -> Option<AlertState> {
    match group {
        Group { since: None, .. } => None,
        Group { is_active: false, .. } => Some(AlertState::Pending),
        Group { is_acknowledged: true, .. } => Some(AlertState::Acknowledged),
        _ => Some(AlertState::Active),
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// Bit `n` says whether group `n` is found.
    Evaluation(u8),
    Failure,
    Acknowledge(u8),
    Restart,
    Tick,
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        8 => any::<u8>().prop_map(Event::Evaluation),
        1 => Just(Event::Failure),
        1 => (0_u8..4).prop_map(Event::Acknowledge),
        1 => Just(Event::Restart),
        2 => Just(Event::Tick),
    ];
    prop::collection::vec((1_i64..200, event), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_are_those_of_the_model_and_messages_keep_their_distance(
        events in events(),
        hold in 0_i64..3,
        keep in 0_i64..3,
        throttle in 1_i64..10,
    ) {
        let rules = Rules { hold: hold * 60, keep: keep * 60 };
        let text = format!("throttle={throttle}m hold={hold}m keep={keep}m");
        let mut scene = Scene::new(&text);
        let mut groups = [Group::default(); 4];
        let names = ["g0", "g1", "g2", "g3"];
        let (mut now, mut fired, mut told) = (0, None::<i64>, [false; 4]);
        for (wait, event) in events {
            now += wait;
            let said = match event {
                Event::Evaluation(bits) => {
                    let found = |n: usize| bits & (1 << n) != 0;
                    let list: Vec<&str> =
                        names.iter().enumerate().filter(|(n, _)| found(*n)).map(|(_, g)| *g).collect();
                    for (n, group) in groups.iter_mut().enumerate() {
                        *group = step(*group, found(n), now, rules);
                    }
                    let list = if list.is_empty() { "-".to_owned() } else { list.join(" ") };
                    scene.play(now, &list)
                }
                Event::Failure => scene.play(now, "error"),
                Event::Acknowledge(n) => {
                    let group = &mut groups[usize::from(n)];
                    if group.since.is_none() {
                        continue;
                    }
                    group.is_acknowledged |= group.is_active;
                    scene.play(now, &format!("ack {}", names[usize::from(n)]))
                }
                Event::Restart => scene.play(now, "restart"),
                Event::Tick => scene.play(now, "tick"),
            };
            for (n, group) in groups.iter().enumerate() {
                let found = scene.book.alerts().find(|alert| super::scene::name(&alert.key) == names[n]);
                prop_assert_eq!(found.map(|alert| alert.state), state(*group), "{} at {}", names[n], now);
            }
            for notice in &scene.last.notices {
                let of = |alert: &crate::Alert| {
                    names.iter().position(|name| super::scene::name(&alert.key) == *name)
                };
                for n in notice.alerts.iter().filter_map(of) {
                    match notice.kind {
                        crate::NoticeKind::Fired => {
                            prop_assert!(!told[n], "{said} at {now}: told twice");
                            prop_assert!(!groups[n].is_acknowledged);
                            told[n] = true;
                        }
                        crate::NoticeKind::Recovered => {
                            prop_assert!(told[n], "{said} at {now}: over without a beginning");
                            told[n] = false;
                        }
                        _ => {}
                    }
                }
                if notice.kind == crate::NoticeKind::Fired {
                    let distance = fired.map(|fired| now - fired);
                    prop_assert!(distance.is_none_or(|d| d >= throttle * 60), "{said} at {now}");
                    fired = Some(now);
                }
            }
            // What is active and may be told is told at once, and nothing else waits.
            let may_tell = fired.is_none_or(|fired| now - fired >= throttle * 60);
            let was_asked = matches!(event, Event::Evaluation(_) | Event::Failure);
            for (n, group) in groups.iter().enumerate() {
                let waits = group.is_active && !group.is_acknowledged && !told[n];
                prop_assert!(!(waits && may_tell && was_asked), "{} waits at {now}", names[n]);
            }
        }
    }
}
