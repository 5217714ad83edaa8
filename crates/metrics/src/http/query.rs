//! Queries: at one time, over a range, in the usual form.

use std::error::Error;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use pampero_promql::{Answer, Cancel, Engine, ErrorKind, QueryError, Steps, Value};
use serde::Serialize;

use super::answer::{Accepts, Success};
use super::encode::{check_size, push_result};
use super::failure::{Failure, FailureKind};
use super::form::Form;
use super::gate::timed_out;
use super::parameter::{TRUNCATED, parse_duration};
use super::state::ApiState;
use super::text::push_value;

/// Evaluates a query at one time, now unless told otherwise.
pub(super) async fn get_instant(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let plan = Plan::instant(&state, &form);
    answer(&state, accepts, plan).await
}

/// Evaluates a query at each step of a range.
pub(super) async fn get_range(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let plan = Plan::range(&state, &form);
    answer(&state, accepts, plan).await
}

/// Returns a query in the usual form.
pub(super) async fn get_formatted(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let query = state.history.engine().parse(form.first("query"));
    let formatted = query.map(|query| Success::of(&query.format()));
    state.answer(accepts, formatted.map_err(|error| wrong_query(&error)))
}

/// Returns no exemplars, since none are kept, to a request that is well written.
pub(super) async fn get_exemplars(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let check = || {
        let (start_ms, end_ms) = form.start_and_end()?;
        if end_ms < start_ms {
            let message = "end timestamp must not be before start timestamp";
            return Err(Failure::bad_data(message));
        }
        state.history.engine().parse(form.first("query")).map_err(|error| failure_of(&error))?;
        Ok(Success::of(&[(); 0]))
    };
    state.answer(accepts, check())
}

/// What is evaluated and how.
struct Plan {
    engine: Engine,
    query: String,
    when: When,
    timeout: Duration,
    limit: Option<usize>,
    with_statistics: bool,
}

#[derive(Clone, Copy)]
enum When {
    At(i64),
    During(Steps),
}

impl Plan {
    fn instant(state: &ApiState, form: &Form) -> Result<Self, Failure> {
        let at_ms = form.time_or("time", state.history.now_ms())?;
        Self::new(state, form, When::At(at_ms))
    }

    fn range(state: &ApiState, form: &Form) -> Result<Self, Failure> {
        let start_ms = form.time("start")?;
        let end_ms = form.time("end")?;
        if end_ms < start_ms {
            let message = "end timestamp must not be before start time";
            return Err(Failure::parameter("end", message));
        }
        let wrong = |message| Failure::parameter("step", message);
        let step = parse_duration(form.first("step")).map_err(wrong)?;
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        if step_ms <= 0 {
            return Err(Failure::parameter("step", QueryError::Step.to_string()));
        }
        let points_max = state.history.engine().options().limits.points_max;
        let steps = usize::try_from((end_ms - start_ms) / step_ms).unwrap_or(usize::MAX);
        // Prometheus counts the steps and so lets one more point through than it says.
        if points_max < steps {
            let max = with_thousands(points_max);
            let message = format!(
                "exceeded maximum resolution of {max} points per timeseries. Try decreasing the \
                 query resolution (?step=XX)"
            );
            return Err(Failure::bad_data(message));
        }
        Self::new(state, form, When::During(Steps { start_ms, end_ms, step_ms }))
    }

    fn new(state: &ApiState, form: &Form, when: When) -> Result<Self, Failure> {
        let limit = form.limit()?;
        let timeout = form.timeout(state.options.query_timeout)?;
        let timeout = timeout.ok_or_else(|| timed_out("query execution"))?;
        let lookback = match form.first("lookback_delta") {
            "" => None,
            text => Some(read_lookback(text)?),
        };
        let mut options = state.history.engine().options().clone();
        options.limits.time = options.limits.time.min(timeout);
        options.lookback = lookback.unwrap_or(options.lookback);
        Ok(Self {
            engine: Engine::new(options),
            query: form.first("query").to_owned(),
            when,
            timeout,
            limit,
            with_statistics: !form.first("stats").is_empty(),
        })
    }

    fn evaluate(&self, state: &ApiState, cancel: &Cancel) -> Result<Success, Failure> {
        let begun = Instant::now();
        let query = self.engine.parse(&self.query).map_err(|error| match self.when {
            When::At(_) => wrong_query(&error),
            When::During(_) => failure_of(&error),
        })?;
        let prepared = begun.elapsed();
        let store = state.history.store();
        let evaluated = match self.when {
            When::At(at_ms) => self.engine.instant(store, &query, at_ms, cancel),
            When::During(steps) => self.engine.range(store, &query, steps, cancel),
        };
        let mut answer = evaluated.map_err(|error| failure_of(&error))?;
        let took = Took { prepared, evaluated: begun.elapsed() - prepared };
        if truncate(&mut answer.value, self.limit) {
            answer.warnings.push(TRUNCATED.to_owned());
        }
        self.encode(state, &answer, took)
    }

    fn encode(&self, state: &ApiState, answer: &Answer, took: Took) -> Result<Success, Failure> {
        let mut text = Success::open();
        text.push(b'{');
        push_result(&mut text, &answer.value, state.options.answer_bytes_max)?;
        if self.with_statistics {
            text.extend_from_slice(br#","stats":"#);
            push_value(&mut text, &StatisticsBody::new(answer, took));
        }
        text.push(b'}');
        check_size(&text, state.options.answer_bytes_max)?;
        Ok(Success::close(text, &answer.warnings, &answer.infos))
    }
}

async fn answer(state: &ApiState, accepts: Accepts, plan: Result<Plan, Failure>) -> Response {
    match plan {
        Ok(plan) => {
            let timeout = plan.timeout;
            let work = move |state: &ApiState, cancel: &Cancel| plan.evaluate(state, cancel);
            state.answer_later(accepts, timeout, work).await
        }
        Err(failure) => state.answer(accepts, Err(failure)),
    }
}

fn read_lookback(text: &str) -> Result<Duration, Failure> {
    let wrong =
        |message| Failure::bad_data(format!("error parsing lookback delta duration: {message}"));
    let lookback = parse_duration(text).map_err(wrong)?;
    Duration::try_from(lookback)
        .ok()
        .filter(|lookback| !lookback.is_zero())
        .ok_or_else(|| wrong(format!("{text:?} is not positive")))
}

/// Leaves out what is beyond the limit, and returns whether there was any.
fn truncate(value: &mut Value, limit: Option<usize>) -> bool {
    let limit = limit.unwrap_or(usize::MAX);
    match value {
        Value::Vector(series) if limit < series.len() => series.truncate(limit),
        Value::Matrix(series) if limit < series.len() => series.truncate(limit),
        _ => return false,
    }
    true
}

/// Writes a count with commas, as Prometheus writes the limit of 11,000 points.
fn with_thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut written = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// Tells of a query that is wrong where the answer names the parameter.
fn wrong_query(error: &QueryError) -> Failure {
    let failure = failure_of(error);
    match failure.kind {
        FailureKind::BadData => Failure::parameter("query", failure.message),
        _ => failure,
    }
}

/// Gives a failed query its kind; what failed inside goes to the log and not to the client.
pub(super) fn failure_of(error: &QueryError) -> Failure {
    let kind = match error.kind() {
        ErrorKind::BadData => FailureKind::BadData,
        ErrorKind::Execution => FailureKind::Execution,
        ErrorKind::Timeout => FailureKind::Timeout,
        ErrorKind::Canceled => FailureKind::Canceled,
        ErrorKind::Internal => {
            tracing::error!(error = %written_out(error), "a query could not read the samples");
            let message = "the samples cannot be read; see the log";
            return Failure::new(FailureKind::Internal, message);
        }
    };
    Failure::new(kind, written_out(error))
}

/// Writes an error with its causes.
pub(super) fn written_out(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

/// How long the parts of a query took.
#[derive(Clone, Copy)]
struct Took {
    prepared: Duration,
    evaluated: Duration,
}

#[derive(Serialize)]
struct StatisticsBody {
    timings: TimingsBody,
    samples: SamplesBody,
}

/// Seconds. What is not measured apart is zero.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingsBody {
    eval_total_time: f64,
    result_sort_time: f64,
    query_preparation_time: f64,
    inner_eval_time: f64,
    exec_queue_time: f64,
    exec_total_time: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SamplesBody {
    total_queryable_samples: usize,
    peak_samples: usize,
}

impl StatisticsBody {
    fn new(answer: &Answer, took: Took) -> Self {
        let evaluated_s = took.evaluated.as_secs_f64();
        let timings = TimingsBody {
            eval_total_time: evaluated_s,
            result_sort_time: 0.0,
            query_preparation_time: took.prepared.as_secs_f64(),
            inner_eval_time: evaluated_s,
            exec_queue_time: 0.0,
            exec_total_time: (took.prepared + took.evaluated).as_secs_f64(),
        };
        let samples = SamplesBody {
            total_queryable_samples: answer.statistics.samples_read,
            peak_samples: answer.statistics.points_held_max,
        };
        Self { timings, samples }
    }
}
