//! One run of a monitor: what the search answered, and what came of each trigger.
//!
//! Where OpenSearch takes a condition that fails for triggered, here nothing is told that is not known: the
//! evaluation failed, which is a state of its own. A condition that meets null has no data.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind};
use pampero_painless::{Limits, RunError};
use pampero_series::Labels;
use serde_json::{Map, Value, json};

use super::value::watched;
use crate::monitor::tell::Scene;
use crate::monitor::{Monitor, RenderedSearch, StoredFacts, Trigger};
use crate::{
    Alert, Finding, LogSearch, NoDataRule, Observation, Outcome, Phase, SourceId, SourceKind,
};

/// What a search gave, or why it gave nothing.
pub(crate) type Answer = Result<Arc<Value>, String>;

/// One run of a monitor.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The name of the monitor.
    pub monitor_name: String,
    /// Where the period begins that the run looks back on.
    pub period_start: Timestamp,
    /// Where it ends: when the run was due.
    pub period_end: Timestamp,
    /// What the search answered; `None` when it failed, or when the monitor has none.
    pub answer: Option<Arc<Value>>,
    /// Why the search gave nothing; `None` when it did not fail.
    pub input_error: Option<String>,
    /// What came of each trigger, in their order.
    pub triggers: Vec<TriggerRun>,
}

/// What came of one trigger.
#[derive(Clone, Debug)]
pub struct TriggerRun {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What was found.
    pub outcome: Outcome,
    /// Why it cannot be told; `None` when it can.
    pub error: Option<String>,
    /// What the actions would say, when it is triggered and that was asked for.
    pub actions: Vec<ActionRun>,
}

/// What an action would say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionRun {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The subject; empty when it cannot be rendered.
    pub subject: String,
    /// The text; empty when it cannot be rendered.
    pub message: String,
    /// Why it cannot be rendered; `None` when it can.
    pub error: Option<String>,
}

impl TriggerRun {
    /// Tells whether the condition holds.
    pub fn is_triggered(&self) -> bool {
        matches!(&self.outcome, Outcome::Known(findings) if !findings.is_empty())
    }
}

impl Execution {
    /// Returns what a trigger observed.
    pub fn observation(&self, run: &TriggerRun) -> Observation {
        Observation {
            at: self.period_end,
            outcome: run.outcome.clone(),
            answer: self.answer.clone(),
        }
    }

    /// Returns the answer of `_execute`.
    pub fn to_json(&self) -> Value {
        let results: Vec<&Value> = self.answer.iter().map(|answer| &**answer).collect();
        let triggers = self.triggers.iter().map(|run| (run.id.clone(), self.trigger_json(run)));
        json!({
            "monitor_name": self.monitor_name,
            "period_start": self.period_start.as_millisecond(),
            "period_end": self.period_end.as_millisecond(),
            "error": null,
            "input_results": {
                "results": results,
                "ppl_query_results": [],
                "ppl_num_results": null,
                "error": self.input_error,
            },
            "trigger_results": triggers.collect::<Map<_, _>>(),
        })
    }

    fn trigger_json(&self, run: &TriggerRun) -> Value {
        let actions = run.actions.iter().map(|action| {
            let shown = json!({
                "id": action.id,
                "name": action.name,
                "output": { "subject": action.subject, "message": action.message },
                "throttled": false,
                "executionTime": self.period_end.as_millisecond(),
                "error": action.error,
            });
            (action.id.clone(), shown)
        });
        json!({
            "name": run.name,
            "triggered": run.is_triggered(),
            "error": run.error,
            "action_results": actions.collect::<Map<_, _>>(),
            "ppl_query_results": [],
        })
    }
}

/// A run that is to be made.
pub(crate) struct Run<'r> {
    pub(crate) monitor: &'r Monitor,
    pub(crate) facts: &'r StoredFacts,
    /// When it was due.
    pub(crate) at: Timestamp,
    /// Returns the live alert of a trigger.
    pub(crate) alert: &'r dyn Fn(&str) -> Option<Alert>,
    /// Tells whether the indices hold any document at all.
    pub(crate) has_documents: &'r dyn Fn() -> Result<bool, String>,
    /// Whether it is told what the actions would say.
    pub(crate) renders: bool,
}

impl Run<'_> {
    /// Looks at the answer of the search; `None` for a monitor without one.
    pub(crate) fn evaluate(&self, answer: Option<Answer>) -> Execution {
        let (period_start, period_end) = self.monitor.schedule().period_ending(self.at);
        let (answer, input_error) = match answer {
            None => (None, None),
            Some(Ok(answer)) => (Some(answer), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        let scene = Scene { monitor: self.monitor, facts: self.facts, at: self.at };
        let results = answer.iter().map(|answer| Value::clone(answer)).collect();
        let mut ctx = scene.ctx(results, input_error.as_deref());
        let verdict = self.verdict_before_conditions(answer.as_deref(), input_error.as_deref());
        let triggers = self.monitor.triggers().iter().map(|trigger| {
            let alert = (self.alert)(&trigger.id);
            scene.turn_to(&mut ctx, trigger, alert.as_ref());
            let (outcome, error) = match &verdict {
                Some((outcome, error)) => (outcome.clone(), Some(error.clone())),
                None => self.judge(trigger, &ctx, answer.as_deref()),
            };
            let mut run = TriggerRun {
                id: trigger.id.clone(),
                name: trigger.name.clone(),
                outcome,
                error,
                actions: Vec::new(),
            };
            if self.renders && run.is_triggered() {
                run.actions = self.render(trigger, &ctx);
            }
            run
        });
        let triggers = triggers.collect();
        let monitor_name = self.monitor.name().to_owned();
        Execution { monitor_name, period_start, period_end, answer, input_error, triggers }
    }

    /// Returns what holds for all triggers, whatever their conditions are.
    fn verdict_before_conditions(
        &self,
        answer: Option<&Value>,
        input_error: Option<&str>,
    ) -> Option<(Outcome, String)> {
        if let Some(reason) = input_error {
            return Some((Outcome::Failed(reason.to_owned()), reason.to_owned()));
        }
        let found = answer?.pointer("/hits/total/value").and_then(Value::as_u64);
        let may_be_empty = found.is_none_or(|count| count == 0);
        if self.monitor.extension().no_data == NoDataRule::Quiet || !may_be_empty {
            return None;
        }
        match (self.has_documents)() {
            Ok(true) => None,
            Ok(false) => {
                Some((Outcome::NoData, "no data: the indices hold no documents".to_owned()))
            }
            Err(reason) => Some((Outcome::Failed(reason.clone()), reason)),
        }
    }

    fn judge(
        &self,
        trigger: &Trigger,
        ctx: &Value,
        answer: Option<&Value>,
    ) -> (Outcome, Option<String>) {
        let variables = [("ctx", &ctx["ctx"]), ("params", &trigger.params)];
        match trigger.condition.condition(&variables, &Limits::default()) {
            Ok(true) => {
                let source = trigger.condition.source();
                let finding = Finding {
                    key: Labels::empty(),
                    phase: Phase::Firing { since: self.at },
                    value: answer.and_then(|answer| watched(source, answer)),
                    annotations: Vec::new(),
                };
                (Outcome::Known(vec![finding]), None)
            }
            Ok(false) => (Outcome::Known(Vec::new()), None),
            Err(error @ RunError::Null { .. }) => {
                (Outcome::NoData, Some(format!("no data: {error}")))
            }
            Err(error) => {
                let reason = format!("the condition failed: {error}");
                (Outcome::Failed(reason.clone()), Some(reason))
            }
        }
    }

    fn render(&self, trigger: &Trigger, ctx: &Value) -> Vec<ActionRun> {
        let actions = trigger.actions.iter().map(|action| {
            let (told, error) = match action.tell(ctx, self.monitor, trigger) {
                Ok(told) => (Some(told), None),
                Err(error) => (None, Some(error)),
            };
            let (subject, message) = told.map(|told| (told.subject, told.text)).unwrap_or_default();
            ActionRun { id: action.id.clone(), name: action.name.clone(), subject, message, error }
        });
        actions.collect()
    }
}

/// Searches, and tells a failure in OpenSearch Alerting's words.
pub(crate) fn ask(search: &dyn LogSearch, what: &RenderedSearch, at: Timestamp) -> Answer {
    let answer = search.search(&what.indices, &what.body, at);
    answer.map(Arc::new).map_err(|error| reason(&error, &what.indices))
}

/// Tells whether the indices hold any document, before `at` where the field is known that tells it.
pub(crate) fn has_documents(
    search: &dyn LogSearch,
    indices: &[String],
    time_field: Option<&str>,
    at: Timestamp,
) -> Result<bool, String> {
    let body = json!({ "size": 0, "track_total_hits": 1, "terminate_after": 1 });
    let all = RenderedSearch { indices: indices.to_vec(), body };
    let asked = time_field.map_or_else(|| all.clone(), |field| all.before(field, at));
    let answer = ask(search, &asked, at)?;
    Ok(answer.pointer("/hits/total/value").and_then(Value::as_u64).is_some_and(|count| 0 < count))
}

fn reason(error: &Exception, indices: &[String]) -> String {
    if error.kind() == ExceptionKind::IndexNotFound {
        let named = error.metadata().get("index").and_then(Value::as_str);
        let named = named.map_or_else(|| indices.join(", "), str::to_owned);
        return format!("Configured indices are not found: [{named}]");
    }
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Returns the source that a trigger of a monitor is.
pub(crate) fn source(monitor: &str, trigger: &str) -> SourceId {
    SourceId {
        kind: SourceKind::Monitor,
        definition: monitor.to_owned(),
        trigger: trigger.to_owned(),
    }
}
