//! What is wrong with definitions: files that cannot be read, channels that are named and not there,
//! annotations that are passed over.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use pampero_alerting::SourceKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::AlertParts;
use super::watched::{self, Watched};
use super::wire::SourceBody;
use super::with_alerts;
use crate::parameters::{NoParameters, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// What is wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemList {
    /// Files first, then single monitors and rules.
    problems: Vec<DefinitionProblemBody>,
}

/// Something that is wrong with a definition.
#[derive(Serialize, ToSchema)]
#[schema(as = DefinitionProblem)]
pub(crate) struct DefinitionProblemBody {
    /// `file` for one that is not taken, and then the last good one holds; `channel` for one that is named
    /// and not there; `annotation` for one that is passed over.
    #[schema(example = "file")]
    kind: &'static str,
    /// The file; `null` for a monitor that comes with the program.
    #[schema(required, example = "monitors/error_logs.json")]
    file: Option<String>,
    /// The line, counted from 1; `null` when it cannot be told.
    #[schema(required)]
    line: Option<u64>,
    /// The column in characters, counted from 1; `null` when it cannot be told.
    #[schema(required)]
    column: Option<u64>,
    /// What is wrong.
    message: String,
    /// Since when; `null` when it cannot be told.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    since: Option<String>,
    /// The trigger or rule that it is about; `null` when it is about a whole file.
    #[schema(required)]
    source: Option<SourceBody>,
}

/// Lists what is wrong with definitions: broken files, channels that are not there, wrong annotations.
#[utoipa::path(
    get,
    path = "/api/alerts/problems",
    tag = "alerts",
    responses(
        (status = 200, description = "What is wrong; empty when all is well", body = ProblemList),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_alert_problems(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Result<Json<ProblemList>, ApiError> {
    let listed = with_alerts(&state, |alerts, state| {
        let mut problems = of_files(alerts);
        let receivers = Receivers::of(alerts);
        for one in watched::all(alerts, state) {
            let about = |kind: &'static str, message: String| DefinitionProblemBody {
                kind,
                file: one.file.clone(),
                line: None,
                column: None,
                message,
                since: None,
                source: Some(SourceBody::of(&one.id)),
            };
            problems.extend(receivers.missing(&one).map(|text| about("channel", text)));
            problems.extend(one.problems.iter().map(|text| about("annotation", text.clone())));
        }
        Ok(ProblemList { problems })
    });
    Ok(Json(listed.await?))
}

fn of_files(alerts: &AlertParts) -> Vec<DefinitionProblemBody> {
    let of_definition = |problem: pampero_alerting::Problem| DefinitionProblemBody {
        kind: "file",
        file: Some(problem.file),
        line: u64::try_from(problem.line).ok(),
        column: u64::try_from(problem.column).ok(),
        message: problem.message,
        since: Some(problem.since.to_string()),
        source: None,
    };
    let of_rules = |problem: super::parts::RuleFileProblem| DefinitionProblemBody {
        kind: "file",
        file: Some(problem.file),
        line: problem.line,
        column: None,
        message: problem.message,
        since: None,
        source: None,
    };
    let definitions = alerts.definitions.problems().into_iter().map(of_definition);
    definitions.chain(alerts.rules.problems().into_iter().map(of_rules)).collect()
}

/// Returns for each of these what is wrong with it, though it is evaluated.
pub(super) fn by_source(alerts: &AlertParts, page: &[Watched]) -> Vec<Vec<String>> {
    let receivers = Receivers::of(alerts);
    let mut broken: HashMap<String, Vec<String>> = HashMap::new();
    for problem in alerts.definitions.problems() {
        let text = format!("the file is not taken: {}", problem.message);
        broken.entry(problem.file).or_default().push(text);
    }
    for problem in alerts.rules.problems() {
        let text = format!("the file is not taken: {}", problem.message);
        broken.entry(problem.file).or_default().push(text);
    }
    let of_one = |one: &Watched| {
        // A broken file in the place of a shipped monitor leaves that one at work.
        let file = match one.id.kind {
            SourceKind::Monitor => Some(format!("monitors/{}.json", one.id.definition)),
            SourceKind::Rule => one.file.clone(),
        };
        let of_file = file.and_then(|file| broken.get(&file)).cloned().unwrap_or_default();
        of_file
            .into_iter()
            .chain(receivers.missing(one))
            .chain(one.problems.iter().cloned())
            .collect()
    };
    page.iter().map(of_one).collect()
}

/// The channels to which messages can be sent.
struct Receivers(HashSet<String>);

impl Receivers {
    fn of(alerts: &AlertParts) -> Self {
        let channels = alerts.definitions.channels();
        let receivers = channels.iter().filter(|channel| channel.item.is_receiver());
        Self(receivers.map(|channel| channel.id.clone()).collect())
    }

    /// Says which channels of a source are named and not there.
    fn missing<'o>(&'o self, one: &'o Watched) -> impl Iterator<Item = String> + 'o {
        let missing = one.named_channels.iter().filter(|channel| !self.0.contains(*channel));
        missing.map(|channel| {
            format!(
                "there is no channel {channel:?}: make channels/{channel}.json, or name another one"
            )
        })
    }
}
