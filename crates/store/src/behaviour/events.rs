//! Facts about the timeline.

use pampero_weather::event::{Event, EventKind};
use pampero_weather::provider::ProviderId;

use super::{EVENTS_MAX, bare_event, full_event, minute, place_id};
use crate::{EventFilter, EventId, Order, Store, StoredEvent};

async fn append(store: &impl Store, events: impl Into<Vec<Event>>) {
    store.append_events(events.into()).await.expect("events can be appended");
}

async fn found(store: &impl Store, filter: EventFilter) -> Vec<StoredEvent> {
    store.events(&filter).await.expect("events can be read")
}

fn every_event() -> EventFilter {
    EventFilter { limit: 1000, ..EventFilter::default() }
}

fn minutes(events: &[StoredEvent]) -> Vec<i64> {
    events.iter().map(|one| (one.event.at.as_second() - minute(0).as_second()) / 60).collect()
}

/// Nothing of an event gets lost, and numbers go up in the order of appending.
pub async fn events_come_back_as_they_were_appended(store: &impl Store) {
    append(store, []).await;
    assert_eq!(found(store, every_event()).await, []);
    let first = full_event(EventKind::AttemptFailed, ProviderId::OpenMeteo, "azul", 5);
    let second = bare_event(EventKind::BreakerOpened, 4);
    let third = Event { elapsed: Some(std::time::Duration::ZERO), ..second.clone() };
    append(store, [first.clone(), second.clone()]).await;
    append(store, [third.clone()]).await;
    let events = found(store, every_event()).await;
    let said: Vec<Event> = events.iter().map(|one| one.event.clone()).collect();
    assert_eq!(said, [first, second, third]);
    assert!(events.is_sorted_by(|one, next| one.id < next.id), "{events:?}");
}

/// Each filter narrows the listing, and together they narrow it further.
pub async fn events_are_found_by_what_they_are_about(store: &impl Store) {
    use EventKind::{AttemptFailed, GaveUp};
    use ProviderId::{MetNorway, OpenMeteo};
    let events = [
        full_event(AttemptFailed, OpenMeteo, "azul", 0),
        full_event(AttemptFailed, MetNorway, "azul", 1),
        full_event(GaveUp, OpenMeteo, "azul", 2),
        full_event(GaveUp, OpenMeteo, "moron", 3),
        bare_event(GaveUp, 4),
    ];
    append(store, events).await;
    let check = async |filter: EventFilter, expected: &[i64]| {
        let told = format!("{filter:?}");
        assert_eq!(minutes(&found(store, filter).await), expected, "{told}");
    };
    let any = every_event;
    check(any(), &[0, 1, 2, 3, 4]).await;
    check(EventFilter { provider: Some(OpenMeteo), ..any() }, &[0, 2, 3]).await;
    check(EventFilter { place: Some(place_id("azul")), ..any() }, &[0, 1, 2]).await;
    check(EventFilter { kind: Some(GaveUp), ..any() }, &[2, 3, 4]).await;
    check(EventFilter { from: Some(minute(1)), to: Some(minute(4)), ..any() }, &[1, 2, 3]).await;
    let place = Some(place_id("azul"));
    let narrow = EventFilter { provider: Some(OpenMeteo), place, kind: Some(GaveUp), ..any() };
    check(narrow, &[2]).await;
}

/// Pages joined together are the whole, in both directions.
pub async fn events_are_listed_in_pages(store: &impl Store) {
    append(store, (0..7).map(|nth| bare_event(EventKind::GaveUp, nth)).collect::<Vec<_>>()).await;
    for (order, whole) in
        [(Order::Ascending, [0, 1, 2, 3, 4, 5, 6]), (Order::Descending, [6, 5, 4, 3, 2, 1, 0])]
    {
        let mut joined = Vec::new();
        let mut after: Option<EventId> = None;
        loop {
            let page = found(store, EventFilter { order, after, limit: 3, ..every_event() }).await;
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 3);
            after = Some(last.id);
            joined.extend(minutes(&page));
        }
        assert_eq!(joined, whole, "{order:?}");
    }
}

/// The timeline stays within its limit, and a number is never given twice.
pub async fn oldest_events_are_dropped_and_numbers_go_on(store: &impl Store) {
    let events_max = i64::from(EVENTS_MAX);
    let events = |from: i64, to: i64| -> Vec<Event> {
        (from..to).map(|nth| bare_event(EventKind::GaveUp, nth)).collect()
    };
    append(store, events(0, events_max)).await;
    let full = found(store, every_event()).await;
    assert_eq!(minutes(&full), (0..events_max).collect::<Vec<_>>(), "the limit may be reached");

    append(store, events(events_max, events_max + 7)).await;
    let kept = found(store, every_event()).await;
    assert_eq!(minutes(&kept), (7..events_max + 7).collect::<Vec<_>>());
    let last = full.last().expect("it is full").id;
    assert_eq!(kept.last().expect("it is full").id, EventId(last.0 + 7));

    append(store, events(0, 3 * events_max)).await;
    let kept = found(store, every_event()).await;
    assert_eq!(minutes(&kept), (2 * events_max..3 * events_max).collect::<Vec<_>>());
    assert!(kept.is_sorted_by(|one, next| one.id < next.id));
}
