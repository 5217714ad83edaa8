//! The breaker against a plain model of its rules, over random histories.

use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::{
    Breaker, BreakerPolicy, BreakerState, Decision, DecisionKind, FailureRate, Permit, VirtualClock,
};
use proptest::prelude::*;

use crate::trial::{START, positive};

/// What somebody does with the breaker. A number picks one of the calls under way.
#[derive(Clone, Debug)]
enum Step {
    Admit,
    Succeed(prop::sample::Index),
    SucceedSlowly(prop::sample::Index),
    Fail(prop::sample::Index),
    StayNeutral(prop::sample::Index),
    Cancel(prop::sample::Index),
    AdvanceSeconds(u64),
    ForceOpen,
    ForceClosed,
    Release,
}

/// The rules in their plainest form: every outcome is kept and looked through.
struct Model {
    policy: BreakerPolicy,
    now_s: u64,
    began_s: u64,
    generation: u64,
    mode: Mode,
    /// Outcomes since the breaker last began anew: the second, whether it failed, whether a probe.
    outcomes: Vec<(u64, bool, bool)>,
    consecutive: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Closed,
    Open { until_s: u64 },
    HalfOpen { in_flight: u32, good: u32 },
    ForcedOpen,
    ForcedClosed,
}

/// A call that the model admitted.
#[derive(Clone, Copy, Debug)]
struct Admitted {
    generation: u64,
    probe: bool,
}

impl Model {
    fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            now_s: 0,
            began_s: 0,
            generation: 0,
            mode: Mode::Closed,
            outcomes: Vec::new(),
            consecutive: 0,
        }
    }

    fn admit(&mut self) -> (Option<Admitted>, Option<DecisionKind>) {
        let mut decision = None;
        if matches!(self.mode, Mode::Open { until_s } if until_s <= self.now_s) {
            self.turn(Mode::HalfOpen { in_flight: 0, good: 0 });
            decision = Some(DecisionKind::BreakerHalfOpened);
        }
        let probe = match &mut self.mode {
            Mode::Closed | Mode::ForcedClosed => false,
            Mode::HalfOpen { in_flight, .. } if *in_flight < self.policy.probes_max.get() => {
                *in_flight += 1;
                true
            }
            _ => return (None, decision),
        };
        (Some(Admitted { generation: self.generation, probe }), decision)
    }

    fn end(&mut self, call: Admitted, failed: Option<bool>) -> Option<DecisionKind> {
        if call.generation != self.generation {
            return None;
        }
        if let Mode::HalfOpen { in_flight, good } = &mut self.mode {
            *in_flight -= 1;
            *good += u32::from(failed == Some(false));
        }
        let failed = failed?;
        self.outcomes.push((self.now_s, failed, call.probe));
        self.consecutive = if failed { self.consecutive + 1 } else { 0 };
        match self.mode {
            Mode::HalfOpen { .. } if failed => Some(self.open()),
            Mode::HalfOpen { good, .. } if good >= self.policy.probes_to_close.get() => {
                self.begin_anew(Mode::Closed);
                Some(DecisionKind::BreakerClosed)
            }
            Mode::Closed if failed && self.is_failing() => Some(self.open()),
            _ => None,
        }
    }

    fn is_failing(&self) -> bool {
        let (calls, failures) = self.window();
        let rate = self.policy.failure_rate.as_ref();
        let too_many = rate.is_some_and(|rate| {
            calls >= u64::from(rate.calls_min) && failures as f64 / calls as f64 >= rate.share
        });
        too_many || self.consecutive >= self.policy.consecutive_failures.get()
    }

    /// Calls and failures in the present tenth of the window and in the nine before it.
    fn window(&self) -> (u64, u64) {
        let Some(rate) = &self.policy.failure_rate else { return (0, 0) };
        let tenth = |second: u64| (second - self.began_s) * 10 / rate.window.as_secs();
        let recent =
            |outcome: &&(u64, bool, bool)| !outcome.2 && tenth(outcome.0) + 10 > tenth(self.now_s);
        let recent: Vec<_> = self.outcomes.iter().filter(recent).collect();
        let failures = recent.iter().filter(|outcome| outcome.1).count();
        (recent.len() as u64, failures as u64)
    }

    fn open(&mut self) -> DecisionKind {
        let until_s = self.now_s + self.policy.open_for.as_secs();
        self.turn(Mode::Open { until_s });
        DecisionKind::BreakerOpened
    }

    fn force(&mut self, mode: Mode, kind: DecisionKind) -> Option<DecisionKind> {
        if self.mode == mode {
            return None;
        }
        if mode == Mode::ForcedOpen {
            self.turn(mode)
        } else {
            self.begin_anew(mode)
        }
        Some(kind)
    }

    fn release(&mut self) -> Option<DecisionKind> {
        let forced = matches!(self.mode, Mode::ForcedOpen | Mode::ForcedClosed);
        if forced {
            self.begin_anew(Mode::Closed);
        }
        forced.then_some(DecisionKind::BreakerReleased)
    }

    fn begin_anew(&mut self, mode: Mode) {
        self.turn(mode);
        self.outcomes.clear();
        self.consecutive = 0;
        self.began_s = self.now_s;
    }

    fn turn(&mut self, mode: Mode) {
        self.mode = mode;
        self.generation += 1;
    }

    fn state(&self) -> BreakerState {
        match self.mode {
            Mode::Closed | Mode::ForcedClosed => BreakerState::Closed,
            Mode::Open { .. } | Mode::ForcedOpen => BreakerState::Open,
            Mode::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

/// Takes every step with the breaker and with the model, and compares after each.
async fn agree(policy: BreakerPolicy, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let clock = Arc::new(VirtualClock::starting_at(START.parse().unwrap()));
    let breaker = Breaker::new(policy.clone(), clock);
    let mut model = Model::new(policy.clone());
    let mut under_way: Vec<(Permit<'_>, Admitted)> = Vec::new();
    for step in steps {
        let (seen, expected) = take(&step, &breaker, &mut model, &mut under_way).await?;
        prop_assert_eq!(seen, expected, "{:?}", step);

        let snapshot = breaker.snapshot();
        prop_assert_eq!(snapshot.state, model.state(), "{:?}", step);
        prop_assert_eq!(snapshot.generation, model.generation);
        prop_assert_eq!(snapshot.consecutive_failures, model.consecutive);
        prop_assert_eq!((snapshot.window_calls, snapshot.window_failures), model.window());
        let probes = under_way.iter().filter(|(permit, call)| permit.is_current() && call.probe);
        prop_assert_eq!(snapshot.probes_in_flight as usize, probes.count());
        prop_assert!(snapshot.probes_in_flight <= policy.probes_max.get());
    }
    Ok(())
}

/// Returns the transition of the breaker and the one of the model.
async fn take<'a>(
    step: &Step,
    breaker: &'a Breaker,
    model: &mut Model,
    under_way: &mut Vec<(Permit<'a>, Admitted)>,
) -> Result<(Option<DecisionKind>, Option<DecisionKind>), TestCaseError> {
    let kind = |decision: Option<Decision>| decision.map(|decision| decision.kind);
    let mut pick = |index: &prop::sample::Index| {
        let chosen = (!under_way.is_empty()).then(|| index.index(under_way.len()));
        chosen.map(|chosen| under_way.swap_remove(chosen))
    };
    let (quick, slow) = (Duration::from_secs(1), Duration::from_secs(9));
    let transitions = match step {
        Step::Admit => {
            let (expected, transition) = model.admit();
            let seen = breaker.admit();
            prop_assert_eq!(seen.is_ok(), expected.is_some());
            let seen = seen.ok().zip(expected).map(|(admission, expected)| {
                under_way.push((admission.permit, expected));
                admission.decision
            });
            (kind(seen.flatten()), transition)
        }
        Step::Succeed(index) => pick(index).map_or((None, None), |(permit, call)| {
            (kind(permit.succeed(quick)), model.end(call, Some(false)))
        }),
        Step::SucceedSlowly(index) => pick(index).map_or((None, None), |(permit, call)| {
            let failed = model.policy.slow_call.is_some();
            (kind(permit.succeed(slow)), model.end(call, Some(failed)))
        }),
        Step::Fail(index) => pick(index).map_or((None, None), |(permit, call)| {
            (kind(permit.fail("down")), model.end(call, Some(true)))
        }),
        Step::StayNeutral(index) => pick(index).map_or((None, None), |(permit, call)| {
            permit.stay_neutral();
            (None, model.end(call, None))
        }),
        Step::Cancel(index) => pick(index).map_or((None, None), |(permit, call)| {
            drop(permit);
            (None, model.end(call, None))
        }),
        Step::AdvanceSeconds(seconds) => {
            tokio::time::advance(Duration::from_secs(*seconds)).await;
            model.now_s += seconds;
            (None, None)
        }
        Step::ForceOpen => {
            let expected = model.force(Mode::ForcedOpen, DecisionKind::BreakerForcedOpen);
            (kind(breaker.force_open(None)), expected)
        }
        Step::ForceClosed => {
            let expected = model.force(Mode::ForcedClosed, DecisionKind::BreakerForcedClosed);
            (kind(breaker.force_closed(None)), expected)
        }
        Step::Release => (kind(breaker.release(None)), model.release()),
    };
    Ok(transitions)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        12 => Just(Step::Admit),
        4 => index().prop_map(Step::Succeed),
        1 => index().prop_map(Step::SucceedSlowly),
        6 => index().prop_map(Step::Fail),
        1 => index().prop_map(Step::StayNeutral),
        1 => index().prop_map(Step::Cancel),
        4 => (0_u64..40).prop_map(Step::AdvanceSeconds),
        1 => prop_oneof![Just(Step::ForceOpen), Just(Step::ForceClosed), Just(Step::Release)],
    ];
    prop::collection::vec(step, 1..200)
}

fn policies() -> impl Strategy<Value = BreakerPolicy> {
    let rate = (1_u32..=10, 2_u32..12).prop_map(|(tenths, calls_min)| FailureRate {
        share: f64::from(tenths) / 10.0,
        window: Duration::from_secs(60),
        calls_min,
    });
    let parts = (1_u32..6, prop::option::of(rate), any::<bool>(), 1_u64..60, 1_u32..4, 1_u32..4);
    parts.prop_map(|(failures, failure_rate, is_slow_bad, open_s, probes, to_close)| {
        BreakerPolicy {
            consecutive_failures: positive(failures),
            failure_rate,
            slow_call: is_slow_bad.then_some(Duration::from_secs(5)),
            open_for: Duration::from_secs(open_s),
            probes_max: positive(probes),
            probes_to_close: positive(to_close),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn breaker_does_what_the_model_does(policy in policies(), steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(agree(policy, steps))?;
    }
}
