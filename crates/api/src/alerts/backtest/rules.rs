//! Plays the alerting rules of a file over the recorded metrics.

use std::ops::ControlFlow;
use std::sync::Arc;

use http::StatusCode;
use pampero_alerting::{
    Backtest, BacktestError, DefaultTeller, Observation, Outcome, backtest_observations,
};
use pampero_metrics::{
    History, Replay, ReplayError, Rule, RuleEvaluation, RuleFileError, RuleGroup, RuleGroupState,
    RuleSource,
};

use super::{EVALUATIONS_MAX, Played, Stage};
use crate::problem::ApiError;

/// How the file is called that the rules would be written in, unless a group of the same name is at work.
const FILE: &str = "rules.yml";

/// Most alerts over all evaluations that are held in memory.
const FINDINGS_MAX: usize = 200_000;

/// Most reasons for failures of one rule.
const REASONS_MAX: usize = 100;

/// Why not everything was played.
const TOO_MANY_FINDINGS: &str = "the rules find too many alerts; choose a shorter stretch";

/// What the evaluations of one rule observed.
struct Observed {
    source: Arc<RuleSource>,
    policy: pampero_alerting::Policy,
    observations: Vec<Observation>,
    errors: Vec<BacktestError>,
}

/// Plays all groups of a file, one after another.
pub(super) fn play(stage: &Stage<'_>, text: &str) -> Result<Vec<Played>, ApiError> {
    let (history, _) = stage.state.history.as_ref().ok_or_else(|| {
        let detail = "no metrics are kept over which rules could be played; see [metrics]";
        ApiError::new(StatusCode::NOT_FOUND, "no_metrics", detail)
    })?;
    let mut groups =
        RuleGroup::parse_file(FILE, text, history.engine()).map_err(|it| invalid(&it))?;
    take_places(&mut groups, &history.rule_groups());
    let has_alert =
        |group: &&RuleGroup| group.rules.iter().any(|rule| matches!(rule, Rule::Alerting(_)));
    if !groups.iter().any(|group| has_alert(&group)) {
        let detail = "rules: there is no alerting rule among them";
        return Err(
            ApiError::new(StatusCode::BAD_REQUEST, "invalid_rules", detail).about_field("rules")
        );
    }
    let mut findings_left = FINDINGS_MAX;
    let mut played = Vec::new();
    for group in groups.iter().filter(has_alert) {
        played.extend(play_group(stage, history, group, &mut findings_left)?);
    }
    Ok(played)
}

/// Lets groups be played at the turns of those that are at work under their names: turns depend on the file,
/// and a rule that is changed a little is compared with what it found before.
fn take_places(groups: &mut [RuleGroup], at_work: &[RuleGroupState]) {
    for group in groups {
        let mut of_name = at_work.iter().filter(|known| known.name == group.name);
        if let (Some(known), None) = (of_name.next(), of_name.next()) {
            group.file.clone_from(&known.file);
        }
    }
}

fn play_group(
    stage: &Stage<'_>,
    history: &History,
    group: &RuleGroup,
    findings_left: &mut usize,
) -> Result<Vec<Played>, ApiError> {
    let sources = group.sources(history.options().evaluation_interval);
    let mut observed: Vec<Observed> = sources
        .into_iter()
        .map(|source| {
            let (policy, _) = stage.parts.rules.policy(&source);
            Observed { source, policy, observations: Vec::new(), errors: Vec::new() }
        })
        .collect();
    let replay = Replay {
        group,
        rule: None,
        from_ms: stage.from.as_millisecond(),
        to_ms: stage.to.as_millisecond(),
        evaluations_max: EVALUATIONS_MAX,
        time: stage.time_left(),
    };
    let mut stopped = None;
    let mut visit = |evaluation: RuleEvaluation| {
        if stage.cancel.is_cancelled() {
            return ControlFlow::Break(());
        }
        let found = evaluation.outcome.as_ref().map_or(0, |alerts| alerts.len());
        if *findings_left < found {
            stopped = Some(TOO_MANY_FINDINGS.to_owned());
            return ControlFlow::Break(());
        }
        *findings_left -= found;
        let place = observed.iter_mut().find(|it| it.source.rule == evaluation.source.rule);
        if let Some(place) = place {
            let observation = stage.parts.rules.observation(&evaluation, &place.policy);
            place.note(observation);
        }
        ControlFlow::Continue(())
    };
    match history.replay(replay, &Default::default(), &mut visit) {
        Ok(_) | Err(ReplayError::Canceled) => {}
        Err(ReplayError::TooLong { .. } | ReplayError::TooManySamples { .. }) => {
            stopped.get_or_insert_with(|| {
                format!(
                    "the rules of group {:?} take too long; choose a shorter stretch",
                    group.name
                )
            });
        }
        Err(error @ (ReplayError::TooManyEvaluations { .. } | ReplayError::UnknownRule { .. })) => {
            let error =
                ApiError::new(StatusCode::BAD_REQUEST, "invalid_stretch", error.to_string());
            return Err(error.about_field("from"));
        }
        Err(error @ ReplayError::Select(_)) => return Err(ApiError::internal(error)),
    }
    Ok(observed.into_iter().map(|one| one.played(stage, stopped.as_deref())).collect())
}

impl Observed {
    fn note(&mut self, observation: Observation) {
        if let Outcome::Failed(reason) = &observation.outcome {
            match self.errors.iter().position(|error| error.reason == *reason) {
                Some(place) => self.errors[place].count += 1,
                None if self.errors.len() < REASONS_MAX => self.errors.push(BacktestError {
                    at: observation.at,
                    trigger: self.source.rule.clone(),
                    reason: reason.clone(),
                    count: 1,
                }),
                None => {}
            }
        }
        self.observations.push(observation);
    }

    fn played(self, stage: &Stage<'_>, stopped: Option<&str>) -> Played {
        let source = stage.parts.rules.source_id(&self.source);
        let mut found: Backtest = backtest_observations(
            &source,
            &self.policy,
            self.observations,
            &DefaultTeller,
            stage.parts.alerting.words(),
            &stage.options(),
            stage.cancel,
        );
        found.errors.extend(self.errors);
        found.stopped = found.stopped.or(stopped.map(str::to_owned));
        Played { source, found }
    }
}

/// Says what is wrong with the file, by its lines.
fn invalid(error: &RuleFileError) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_rules", error.to_string()).about_field("rules")
}
