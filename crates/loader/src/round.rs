//! One round: asks the chain for some places, stores what came, then serves it.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use pampero_providers::{Answer, Ask, CachedAnswer, ProviderError};
use pampero_resilience::{CallError, Clock, Failure, FailureClass};
use pampero_store::{Batch, KeptAnswer, Recorded, Selection, Store};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::observation::Observation;
use pampero_weather::place::{Place, PlaceId};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::{self, Flag};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::{Board, Role, Served, Source, Sources, Timeline};

/// A place that is not covered by a provider is not asked of it again for this long.
const NOT_COVERED_PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// Up to this many places of one answer are written to the log one by one.
const LOGGED_PLACES_MAX: usize = 8;

/// Asks the chain; shared by all rounds.
pub(crate) struct Chain {
    pub(crate) sources: Sources,
    pub(crate) board: Arc<Board>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) timeline: Timeline,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cancel: CancellationToken,
    pub(crate) kept_answers: Mutex<HashMap<(ProviderId, PlaceId), CachedAnswer>>,
    pub(crate) not_covered: Mutex<HashMap<(ProviderId, PlaceId), Timestamp>>,
    /// Places that rounds ended for without an answer of any provider.
    pub(crate) unanswered: AtomicU64,
}

/// A place in a round, with how far down the chain it may go.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) place: Place,
    /// Providers from this rank on are not asked; the length of the chain for all.
    pub(crate) ranks: usize,
}

/// A place for which no provider has answered yet.
struct Open {
    wanted: Wanted,
    /// What each provider so far said, as in `open_meteo: breaker open`.
    reasons: Vec<String>,
    /// A readable but too old answer, served should nobody give a better one.
    last_resort: Option<LastResort>,
}

/// A readable but too old answer, with what stood before it in the chain.
struct LastResort {
    answer: Accepted,
    reasons: Vec<String>,
}

/// An answer that passed the checks.
struct Accepted {
    observation: Observation,
    findings: Vec<quality::Finding>,
}

/// What a provider's answer was good for.
enum Judgement {
    Accepted(Accepted),
    TooOld(Accepted, String),
    Refused(String),
}

impl Chain {
    /// Asks the chain for `wanted`, in order, until every place has an answer or nobody is left.
    ///
    /// Returns the places that the first provider answered.
    pub(crate) async fn ask(&self, wanted: Vec<Wanted>) -> Vec<PlaceId> {
        let mut open: Vec<Open> = wanted.into_iter().map(Open::new).collect();
        let mut first_answered = Vec::new();
        for (rank, source) in self.sources.chain().iter().enumerate() {
            let (asked, passed): (Vec<Open>, Vec<Open>) =
                open.into_iter().partition(|open| rank < open.wanted.ranks);
            if asked.is_empty() {
                open = passed;
                break;
            }
            let asked_ids: Vec<PlaceId> = asked.iter().map(|open| open.id().clone()).collect();
            open = self.ask_source(source, asked).await;
            if rank == 0 {
                let missing = |id: &PlaceId| open.iter().any(|open| open.id() == id);
                first_answered.extend(asked_ids.into_iter().filter(|id| !missing(id)));
            }
            open.extend(passed);
        }
        self.give_up(open).await;
        first_answered
    }

    /// Asks one provider in batches; returns the places that it left open.
    async fn ask_source(&self, source: &Arc<Source>, asked: Vec<Open>) -> Vec<Open> {
        let now = self.clock.now();
        let mut left = Vec::new();
        let mut replayed = Vec::new();
        let mut calls = Vec::new();
        for mut open in asked {
            let ask = self.ask_for(source.id(), &open.wanted.place);
            if let Some(until) = self.not_covered_until(source.id(), open.id(), now) {
                open.note(
                    source.id(),
                    format!("does not cover the place, asked again after {until}"),
                );
                left.push(open);
            } else if let Some(answer) = source.provider.replay(&ask, now) {
                replayed.push((open, answer));
            } else {
                calls.push((open, ask));
            }
        }
        if !replayed.is_empty() {
            left.extend(self.take_answers(source, replayed, None).await);
        }
        let batch_max = source.profile().batch_max.max(1);
        let mut batches = Vec::new();
        while !calls.is_empty() {
            let rest = calls.split_off(calls.len().min(batch_max));
            batches.push(std::mem::replace(&mut calls, rest));
        }
        let in_parallel = source.stack.policy().concurrency.get() as usize;
        let mut answered = stream::iter(batches)
            .map(|batch| {
                let span = call_span(source, &batch);
                self.call(source, batch).instrument(span)
            })
            .buffer_unordered(in_parallel);
        while let Some(unanswered) = answered.next().await {
            left.extend(unanswered);
        }
        left
    }

    /// Makes one call for one batch; returns the places that it left open.
    async fn call(&self, source: &Arc<Source>, batch: Vec<(Open, Ask)>) -> Vec<Open> {
        let (mut places, asks): (Vec<Open>, Vec<Ask>) = batch.into_iter().unzip();
        let provider = source.id();
        let place = (asks.len() == 1).then(|| asks[0].place.id.clone());
        let place_name = place.as_ref().map(PlaceId::as_str);
        tracing::info!(
            provider = provider.as_str(),
            places = asks.len(),
            place = place_name,
            "polling"
        );
        let observer =
            |decision| self.timeline.publish_decision(provider, place.as_ref(), decision);
        source.note_batch(asks.len());
        let started = Instant::now();
        let call = source.stack.call(source.provider.cost(&asks), &observer, |_attempt| {
            source.provider.current(&asks)
        });
        let outcome = tokio::select! {
            biased;
            outcome = call => outcome,
            () = self.cancel.cancelled() => return places,
        };
        let now = self.clock.now();
        match outcome {
            Ok(answers) => {
                Span::current().record("outcome", "ok");
                let answered = places.into_iter().zip(answers).collect();
                self.take_answers(source, answered, Some(started.elapsed())).await
            }
            Err(error) => {
                Span::current()
                    .record("outcome", error.class().as_str())
                    .record("attempted", error.was_attempted())
                    .record("otel.status_code", "error");
                if error.was_attempted() {
                    source.note_failure(now, error.class(), causes(&error));
                }
                let reason = reason_of(&error);
                for open in &mut places {
                    self.note_not_covered(provider, open.id(), error.class(), now);
                    open.note(provider, reason.clone());
                }
                places
            }
        }
    }

    /// Checks, stores and serves what a provider answered; returns the places that stay open.
    async fn take_answers(
        &self,
        source: &Arc<Source>,
        answered: Vec<(Open, Answer)>,
        elapsed: Option<Duration>,
    ) -> Vec<Open> {
        let now = self.clock.now();
        let mut left = Vec::new();
        let mut accepted = Vec::new();
        let mut answers = Vec::new();
        for (mut open, answer) in answered {
            if let Some(cache) = &answer.cache {
                answers.push(kept_answer(source.id(), open.id(), cache));
            }
            match self.judge(source, &open.wanted.place, answer.outcome, now) {
                Judgement::Accepted(good) => accepted.push((open, good)),
                Judgement::TooOld(old, reason) => {
                    open.keep_newest(old);
                    open.note(source.id(), reason);
                    left.push(open);
                }
                Judgement::Refused(reason) => {
                    open.note(source.id(), reason);
                    left.push(open);
                }
            }
        }
        if !accepted.is_empty() {
            source.note_success(now);
        }
        left.extend(self.store_and_serve(source, accepted, answers, elapsed).await);
        left
    }

    /// Checks one answer.
    fn judge(
        &self,
        source: &Source,
        place: &Place,
        outcome: Result<Observation, ProviderError>,
        now: Timestamp,
    ) -> Judgement {
        let observation = match outcome {
            Ok(observation) => observation,
            Err(error) => {
                source.note_failure(now, error.class(), causes(&error));
                self.note_not_covered(source.id(), &place.id, error.class(), now);
                return Judgement::Refused(format!(
                    "{}: {}",
                    error.class().as_str(),
                    causes(&error)
                ));
            }
        };
        if !quality::is_not_ahead(observation.observed_at, now) {
            let reason = format!(
                "answer rejected: it speaks of {}, which is still to come",
                observation.observed_at
            );
            self.reject(source, place, &reason, now);
            return Judgement::Refused(reason);
        }
        let age = now.duration_since(observation.observed_at);
        let checked = quality::check(observation, place.elevation);
        let accepted = Accepted { observation: checked.observation, findings: checked.findings };
        if age.unsigned_abs() > source.stale_after {
            let limit = source.stale_after.as_secs();
            let reason = format!(
                "answer rejected: it is {} s old, and the limit is {limit} s",
                age.as_secs()
            );
            self.reject(source, place, &reason, now);
            return Judgement::TooOld(accepted, reason);
        }
        Judgement::Accepted(accepted)
    }

    fn reject(&self, source: &Source, place: &Place, reason: &str, now: Timestamp) {
        source.note_failure(now, FailureClass::Stale, reason);
        self.publish(
            EventKind::AnswerRejected,
            Some(source.id()),
            Some(&place.id),
            Some(reason.to_owned()),
        );
    }

    /// Stores what was accepted and then serves it; returns all of it when the store refuses.
    async fn store_and_serve(
        &self,
        source: &Source,
        accepted: Vec<(Open, Accepted)>,
        answers: Vec<KeptAnswer>,
        elapsed: Option<Duration>,
    ) -> Vec<Open> {
        let now = self.clock.now();
        let batch = Batch {
            observations: accepted.iter().map(|(_, good)| good.observation.clone()).collect(),
            selections: accepted.iter().map(|(open, good)| open.selection(good, now)).collect(),
            answers: answers.clone(),
        };
        let span = tracing::trace_span!("store", observations = batch.observations.len());
        let recorded = match self.store.record(batch).instrument(span).await {
            Ok(recorded) => recorded,
            Err(error) => {
                let cause = causes(&error);
                self.publish(EventKind::StoreFailed, Some(source.id()), None, Some(cause.clone()));
                let refused = accepted.into_iter().map(|(mut open, _)| {
                    open.note(source.id(), format!("answered, but the store refused it: {cause}"));
                    open
                });
                return refused.collect();
            }
        };
        self.keep_answers(answers);
        self.log_answers(source, &recorded, elapsed);
        let told = accepted.len() <= LOGGED_PLACES_MAX;
        for ((open, good), recorded) in accepted.into_iter().zip(recorded) {
            if told && recorded_is_news(&recorded) {
                log_weather(&good.observation);
            }
            self.serve(open, good, &recorded, now);
        }
        Vec::new()
    }

    /// Puts a stored observation on the board and tells what changed.
    fn serve(&self, open: Open, good: Accepted, recorded: &Recorded, now: Timestamp) {
        let Accepted { mut observation, findings, .. } = good;
        let place = open.id().clone();
        let provider = observation.provider;
        if recorded_is_news(recorded) {
            for finding in findings.iter().filter(|finding| finding.flag == Flag::Rejected) {
                let cause = format!("{}: {}", finding.quantity.as_str(), finding.reason);
                self.publish(EventKind::ReadingRejected, Some(provider), Some(&place), Some(cause));
            }
        }
        match recorded {
            Recorded::Revised { revision } => {
                let cause = format!("revision {revision} of {}", observation.observed_at);
                self.publish(EventKind::RevisionStored, Some(provider), Some(&place), Some(cause));
            }
            Recorded::Unchanged { first_fetched_at } => observation.fetched_at = *first_fetched_at,
            Recorded::Inserted => {}
        }
        let role = open.role();
        let Some(slot) = self.board.slot(&place) else { return };
        if let Some(source) = self.sources.get(provider) {
            let age = Duration::try_from(now.duration_since(observation.observed_at));
            source.note_served(&role, age.unwrap_or_default());
        }
        let before = slot.serve(Served { observation, role: role.clone(), decided_at: now });
        self.tell_role_change(&place, provider, &role, before.as_deref());
    }

    fn tell_role_change(
        &self,
        place: &PlaceId,
        provider: ProviderId,
        role: &Role,
        before: Option<&Served>,
    ) {
        let fell_back_to = |served: &Served| {
            matches!(served.role, Role::Fallback { .. }).then_some(served.observation.provider)
        };
        match (role, before.and_then(fell_back_to)) {
            (Role::Fallback { cause }, before) if before != Some(provider) => {
                self.publish(
                    EventKind::FallbackStarted,
                    Some(provider),
                    Some(place),
                    Some(cause.clone()),
                );
            }
            (Role::Primary, Some(before)) => {
                let cause = format!("{provider} answers again, instead of {before}");
                self.publish(EventKind::FallbackEnded, Some(provider), Some(place), Some(cause));
            }
            (Role::Fallback { .. } | Role::Primary, _) => {}
        }
    }

    /// Notes the places for which nobody answered, and serves an old answer where that is the newest.
    async fn give_up(&self, open: Vec<Open>) {
        for mut open in open {
            // A place that was only asked of its better providers goes on with what it has.
            if open.reasons.is_empty() || open.wanted.ranks < self.sources.chain().len() {
                continue;
            }
            let cause = open.reasons.join("; ");
            let place = open.id().clone();
            let Some(slot) = self.board.slot(&place) else { continue };
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            if let Some(LastResort { answer, reasons }) = open.last_resort.take() {
                let observation = &answer.observation;
                let newer = slot
                    .served()
                    .is_none_or(|served| served.observation.observed_at < observation.observed_at);
                let source = self.sources.get(observation.provider).map(Arc::clone);
                if let (true, Some(source)) = (newer, source) {
                    open.reasons = reasons;
                    self.store_and_serve(&source, vec![(open, answer)], Vec::new(), None).await;
                }
            }
            let now = self.clock.now();
            if !self.cancel.is_cancelled() && slot.note_trouble(now, cause.clone()) {
                self.publish(EventKind::ChainExhausted, None, Some(&place), Some(cause));
            }
        }
    }

    fn ask_for(&self, provider: ProviderId, place: &Place) -> Ask {
        let kept = self.kept_answers.lock().expect("no code panics while it holds the answers");
        let cached = kept.get(&(provider, place.id.clone())).cloned();
        Ask { place: place.clone(), cached }
    }

    fn keep_answers(&self, answers: Vec<KeptAnswer>) {
        let mut kept = self.kept_answers.lock().expect("no code panics while it holds the answers");
        kept.extend(answers.into_iter().map(cached_answer));
    }

    fn not_covered_until(
        &self,
        provider: ProviderId,
        place: &PlaceId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let pauses = self.not_covered.lock().expect("no code panics while it holds the pauses");
        pauses.get(&(provider, place.clone())).copied().filter(|until| now < *until)
    }

    fn note_not_covered(
        &self,
        provider: ProviderId,
        place: &PlaceId,
        class: FailureClass,
        now: Timestamp,
    ) {
        if class == FailureClass::NotCovered {
            let until = now.saturating_add(NOT_COVERED_PAUSE).unwrap_or(Timestamp::MAX);
            let mut pauses =
                self.not_covered.lock().expect("no code panics while it holds the pauses");
            pauses.insert((provider, place.clone()), until);
        }
    }

    fn publish(
        &self,
        kind: EventKind,
        provider: Option<ProviderId>,
        place: Option<&PlaceId>,
        cause: Option<String>,
    ) {
        let at = self.clock.now();
        let place = place.cloned();
        self.timeline.publish(Event {
            at,
            kind,
            provider,
            place,
            cause,
            attempt: None,
            elapsed: None,
        });
    }

    fn log_answers(&self, source: &Source, recorded: &[Recorded], elapsed: Option<Duration>) {
        let count =
            |wanted: fn(&Recorded) -> bool| recorded.iter().filter(|row| wanted(row)).count();
        tracing::info!(
            provider = source.id().as_str(),
            places = recorded.len(),
            new = count(|row| matches!(row, Recorded::Inserted)),
            revised = count(|row| matches!(row, Recorded::Revised { .. })),
            unchanged = count(|row| matches!(row, Recorded::Unchanged { .. })),
            elapsed_ms = elapsed.map(|elapsed| elapsed.as_millis() as u64),
            from_kept_answer = elapsed.is_none().then_some(true),
            "answered"
        );
    }
}

impl Open {
    fn new(wanted: Wanted) -> Self {
        Self { wanted, reasons: Vec::new(), last_resort: None }
    }

    fn id(&self) -> &PlaceId {
        &self.wanted.place.id
    }

    fn note(&mut self, provider: ProviderId, reason: impl Into<String>) {
        self.reasons.push(format!("{provider}: {}", reason.into()));
    }

    fn keep_newest(&mut self, answer: Accepted) {
        let newer = self.last_resort.as_ref().is_none_or(|kept| {
            kept.answer.observation.observed_at < answer.observation.observed_at
        });
        if newer {
            self.last_resort = Some(LastResort { answer, reasons: self.reasons.clone() });
        }
    }

    /// Returns the part that an answer plays which comes after the reasons noted so far.
    fn role(&self) -> Role {
        if self.reasons.is_empty() {
            return Role::Primary;
        }
        Role::Fallback { cause: self.reasons.join("; ") }
    }

    fn selection(&self, good: &Accepted, decided_at: Timestamp) -> Selection {
        Selection {
            place: self.id().clone(),
            provider: good.observation.provider,
            observed_at: good.observation.observed_at,
            fallback_cause: self.role().fallback_cause().map(str::to_owned),
            decided_at,
        }
    }
}

/// Begins the span of a call, all its attempts and what becomes of the answer included.
fn call_span(source: &Source, batch: &[(Open, Ask)]) -> Span {
    tracing::trace_span!(
        "call",
        provider.id = source.id().as_str(),
        places = batch.len(),
        place = (batch.len() == 1).then(|| batch[0].1.place.id.as_str()),
        outcome = tracing::field::Empty,
        attempted = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    )
}

fn recorded_is_news(recorded: &Recorded) -> bool {
    !matches!(recorded, Recorded::Unchanged { .. })
}

fn log_weather(observation: &Observation) {
    let readings = &observation.readings;
    tracing::info!(
        place = observation.place.as_str(),
        provider = observation.provider.as_str(),
        temperature_c = readings.temperature.map(|value| value.0),
        humidity_percent = readings.relative_humidity.map(|value| value.0),
        pressure_hpa = readings.pressure_msl.map(|value| value.0),
        wind_ms = readings.wind_speed.map(|value| value.0),
        observed_at = %observation.observed_at,
        "weather"
    );
}

fn kept_answer(provider: ProviderId, place: &PlaceId, cache: &CachedAnswer) -> KeptAnswer {
    KeptAnswer {
        provider,
        place: place.clone(),
        fetched_at: cache.fetched_at,
        expires_at: cache.expires_at,
        last_modified: cache.last_modified.clone(),
        body: cache.body.clone(),
    }
}

pub(crate) fn cached_answer(kept: KeptAnswer) -> ((ProviderId, PlaceId), CachedAnswer) {
    let KeptAnswer { provider, place, fetched_at, expires_at, last_modified, body } = kept;
    ((provider, place), CachedAnswer { fetched_at, expires_at, last_modified, body })
}

/// Says in a few words why a call gave nothing.
fn reason_of(error: &CallError<ProviderError>) -> String {
    if error.was_attempted() {
        return format!("{}: {}", error.class().as_str(), causes(error));
    }
    error.to_string()
}

/// Joins an error and its causes, as in `the store cannot be written: the disk is full`.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
