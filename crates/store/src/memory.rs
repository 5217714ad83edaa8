//! A store in memory, for tests: the plainest thing that keeps the promises of [`Store`].
//!
//! It never waits, so it fits under virtual time, and it can be told to refuse writes.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_resilience::{LedgerError, QuotaLedger, QuotaUsage};
use pampero_weather::event::Event;
use pampero_weather::mean::Sample;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;

use crate::plan::kept_form;
use crate::{
    Batch, EventFilter, EventId, KeptAnswer, ObservationFilter, Order, ProviderSample, Recorded,
    Selection, Store, StoreError, StoreStats, StoredEvent, StoredPlace, StoredRevision,
};

/// Keeps everything in plain lists, and answers every question by looking through all of them.
#[derive(Debug)]
pub struct MemoryStore {
    lists: Mutex<Lists>,
    events_max: usize,
}

#[derive(Clone, Debug, Default)]
struct Lists {
    places: Vec<(StoredPlace, bool)>,
    observations: Vec<Answers>,
    selections: Vec<Selection>,
    answers: Vec<KeptAnswer>,
    events: Vec<StoredEvent>,
    events_appended: i64,
    quota: Vec<(String, QuotaUsage)>,
    refusal: Option<fn() -> StoreError>,
}

/// All that was said under one key, oldest first; the last one counts.
#[derive(Clone, Debug)]
struct Answers(Vec<Observation>);

impl Answers {
    fn newest(&self) -> &Observation {
        self.0.last().expect("an answer made the list")
    }

    fn is_of(&self, place: &PlaceId, provider: ProviderId, observed_at: Timestamp) -> bool {
        let newest = self.newest();
        &newest.place == place && newest.provider == provider && newest.observed_at == observed_at
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_events_max(100_000)
    }
}

impl MemoryStore {
    /// Makes an empty store that keeps at most `events_max` events.
    pub fn with_events_max(events_max: usize) -> Self {
        Self { lists: Mutex::default(), events_max }
    }

    /// Refuses every write from now on with what `refusal` returns; `None` takes writes again.
    pub fn refuse_writes(&self, refusal: Option<fn() -> StoreError>) {
        self.read().refusal = refusal;
    }

    fn read(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().expect("no test panics while it holds the lists")
    }

    fn write(&self) -> Result<MutexGuard<'_, Lists>, StoreError> {
        let lists = self.read();
        match lists.refusal {
            Some(refusal) => Err(refusal()),
            None => Ok(lists),
        }
    }
}

impl Lists {
    fn is_listed(&self, place: &PlaceId) -> bool {
        self.places.iter().any(|(kept, removed)| &kept.id == place && !removed)
    }

    fn require_known(&self, place: &PlaceId) -> Result<(), StoreError> {
        let known = self.places.iter().any(|(kept, _)| &kept.id == place);
        if known { Ok(()) } else { Err(StoreError::UnknownPlace(place.clone())) }
    }

    fn require_observation(&self, selection: &Selection) -> Result<(), StoreError> {
        let Selection { place, provider, observed_at, .. } = selection;
        let known = self.observations.iter().any(|kept| kept.is_of(place, *provider, *observed_at));
        let refusal = || StoreError::Write {
            what: "a selection",
            source: "there is no such observation".into(),
        };
        known.then_some(()).ok_or_else(refusal)
    }

    fn take_observation(&mut self, incoming: Observation) -> Recorded {
        let Observation { place, provider, observed_at, .. } = &incoming;
        let same_key =
            self.observations.iter_mut().find(|kept| kept.is_of(place, *provider, *observed_at));
        let Some(kept) = same_key else {
            self.observations.push(Answers(vec![incoming]));
            return Recorded::Inserted;
        };
        if kept.newest().says_the_same_as(&incoming) {
            return Recorded::Unchanged { first_fetched_at: kept.newest().fetched_at };
        }
        kept.0.push(incoming);
        let corrections = kept.0.len() - 1;
        Recorded::Revised { revision: u32::try_from(corrections).expect("tests correct seldom") }
    }

    fn take_batch(&mut self, batch: Batch) -> Result<Vec<Recorded>, StoreError> {
        let mut results = Vec::new();
        for observation in batch.observations.into_iter().map(kept_form) {
            self.require_known(&observation.place)?;
            results.push(self.take_observation(observation));
        }
        for selection in batch.selections {
            self.require_known(&selection.place)?;
            self.require_observation(&selection)?;
            self.selections.retain(|kept| kept.place != selection.place);
            self.selections.push(selection);
        }
        for answer in batch.answers {
            self.require_known(&answer.place)?;
            let key = (answer.provider, &answer.place);
            self.answers.retain(|kept| (kept.provider, &kept.place) != key);
            self.answers.push(answer);
        }
        Ok(results)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn places(&self) -> Result<Vec<StoredPlace>, StoreError> {
        let lists = self.read();
        let listed = lists.places.iter().filter(|(_, removed)| !removed);
        Ok(listed.map(|(place, _)| place.clone()).collect())
    }

    async fn put_place(&self, place: StoredPlace) -> Result<(), StoreError> {
        let mut lists = self.write()?;
        match lists.places.iter_mut().find(|(kept, _)| kept.id == place.id) {
            Some(kept) => *kept = (place, false),
            None => lists.places.push((place, false)),
        }
        Ok(())
    }

    async fn remove_place(&self, place: &PlaceId) -> Result<bool, StoreError> {
        let mut lists = self.write()?;
        let listed = lists.is_listed(place);
        for (kept, removed) in &mut lists.places {
            *removed |= &kept.id == place;
        }
        Ok(listed)
    }

    async fn record(&self, batch: Batch) -> Result<Vec<Recorded>, StoreError> {
        let mut lists = self.write()?;
        let mut changed = lists.clone();
        let results = changed.take_batch(batch)?;
        *lists = changed;
        Ok(results)
    }

    async fn served(&self) -> Result<Vec<(Selection, Observation)>, StoreError> {
        let lists = self.read();
        let mut served = Vec::new();
        for (place, _) in lists.places.iter().filter(|(_, removed)| !removed) {
            let selection = lists.selections.iter().find(|selection| selection.place == place.id);
            let Some(selection) = selection else { continue };
            let Selection { place, provider, observed_at, .. } = selection;
            let kept =
                lists.observations.iter().find(|kept| kept.is_of(place, *provider, *observed_at));
            served.extend(kept.map(|kept| (selection.clone(), kept.newest().clone())));
        }
        Ok(served)
    }

    async fn observations(
        &self,
        place: &PlaceId,
        filter: &ObservationFilter,
    ) -> Result<Vec<Observation>, StoreError> {
        let key = |one: &Observation| (one.observed_at, one.provider.as_str());
        let after = filter.after.map(|(at, provider)| (at, provider.as_str()));
        let lists = self.read();
        let newest = lists.observations.iter().map(Answers::newest);
        let mut found: Vec<Observation> = newest
            .filter(|one| &one.place == place)
            .filter(|one| filter.provider.is_none_or(|provider| one.provider == provider))
            .filter(|one| filter.from.is_none_or(|from| from <= one.observed_at))
            .filter(|one| filter.to.is_none_or(|to| one.observed_at < to))
            .filter(|one| after.is_none_or(|after| comes_after(key(one), after, filter.order)))
            .cloned()
            .collect();
        found.sort_by(|one, other| in_order(key(one).cmp(&key(other)), filter.order));
        found.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn revisions(
        &self,
        place: &PlaceId,
        provider: ProviderId,
        observed_at: Timestamp,
    ) -> Result<Vec<StoredRevision>, StoreError> {
        let lists = self.read();
        let found = lists.observations.iter().find(|kept| kept.is_of(place, provider, observed_at));
        let answers = found.map_or(&[][..], |kept| &kept.0);
        let pairs = (0..).zip(answers.windows(2));
        let revision = |(revision, pair): (u32, &[Observation])| StoredRevision {
            revision,
            replaced_at: pair[1].fetched_at,
            observation: pair[0].clone(),
        };
        Ok(pairs.map(revision).collect())
    }

    async fn samples(
        &self,
        place: &PlaceId,
        quantity: Quantity,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ProviderSample>, StoreError> {
        let lists = self.read();
        let newest = lists.observations.iter().map(Answers::newest);
        let mut samples: Vec<ProviderSample> = newest
            .filter(|one| &one.place == place && from <= one.observed_at && one.observed_at < to)
            .filter_map(|one| {
                let value = one.readings.get(quantity)?;
                let sample = Sample { at: one.observed_at, value };
                Some(ProviderSample { provider: one.provider, sample })
            })
            .collect();
        samples.sort_by_key(|one| (one.sample.at, one.provider.as_str()));
        Ok(samples)
    }

    async fn kept_answers(&self) -> Result<Vec<KeptAnswer>, StoreError> {
        let lists = self.read();
        let of_listed = lists.answers.iter().filter(|answer| lists.is_listed(&answer.place));
        Ok(of_listed.cloned().collect())
    }

    async fn append_events(&self, events: Vec<Event>) -> Result<(), StoreError> {
        let mut lists = self.write()?;
        for event in events {
            lists.events_appended += 1;
            let id = EventId(lists.events_appended);
            lists.events.push(StoredEvent { id, event });
        }
        let surplus = lists.events.len().saturating_sub(self.events_max);
        lists.events.drain(..surplus);
        Ok(())
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let lists = self.read();
        let mut found: Vec<StoredEvent> = lists
            .events
            .iter()
            .filter(|one| filter.provider.is_none() || one.event.provider == filter.provider)
            .filter(|one| filter.place.is_none() || one.event.place == filter.place)
            .filter(|one| filter.kind.is_none_or(|kind| one.event.kind == kind))
            .filter(|one| filter.from.is_none_or(|from| from <= one.event.at))
            .filter(|one| filter.to.is_none_or(|to| one.event.at < to))
            .filter(|one| filter.after.is_none_or(|after| comes_after(one.id, after, filter.order)))
            .cloned()
            .collect();
        found.sort_by(|one, other| in_order(one.id.cmp(&other.id), filter.order));
        found.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl QuotaLedger for MemoryStore {
    async fn load(&self, service: &str) -> Result<Vec<QuotaUsage>, LedgerError> {
        let lists = self.read();
        let kept = lists.quota.iter().filter(|(kept, _)| kept == service);
        let mut usage: Vec<QuotaUsage> = kept.map(|(_, usage)| *usage).collect();
        usage.sort_by_key(|usage| usage.window);
        Ok(usage)
    }

    async fn save(&self, service: &str, usage: &[QuotaUsage]) -> Result<(), LedgerError> {
        let mut lists = self.write().map_err(|error| LedgerError(Box::new(error)))?;
        for usage in usage {
            let kept = lists.quota.iter_mut().find(|(kept_service, kept)| {
                kept_service == service && kept.window == usage.window
            });
            match kept {
                None => lists.quota.push((service.to_owned(), *usage)),
                Some((_, kept)) if kept.started_at < usage.started_at => *kept = *usage,
                Some((_, kept)) if kept.started_at == usage.started_at => {
                    kept.used = kept.used.max(usage.used);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

fn comes_after<K: Ord>(key: K, after: K, order: Order) -> bool {
    in_order(key.cmp(&after), order).is_gt()
}

fn in_order(ordering: std::cmp::Ordering, order: Order) -> std::cmp::Ordering {
    match order {
        Order::Ascending => ordering,
        Order::Descending => ordering.reverse(),
    }
}
