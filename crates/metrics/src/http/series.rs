//! What series there are: their labels, the names and the values of labels.

use axum::extract::{Path, State};
use axum::response::Response;
use pampero_promql::Cancel;
use pampero_samples::SampleStore;
use pampero_series::{Matcher, SelectError};

use super::answer::{Accepts, Success};
use super::encode::{check_size, push_labels, push_separated};
use super::failure::{Failure, FailureKind};
use super::form::Form;
use super::parameter::TRUNCATED;
use super::query::written_out;
use super::selector::{is_label_name, is_selective, parse_selector};
use super::state::ApiState;
use super::text::push_string;

/// Returns the labels of the series that match.
pub(super) async fn get_series(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let wanted = Wanted::series(&state, &form);
    let find = |store: &SampleStore, asked: &Wanted, limit| {
        store.series(&asked.sets(), asked.start_ms, asked.end_ms, limit)
    };
    list(&state, accepts, wanted, find, push_labels).await
}

/// Returns the names of labels.
pub(super) async fn get_label_names(
    State(state): State<ApiState>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let wanted = Wanted::labels(&state, &form);
    let find = |store: &SampleStore, asked: &Wanted, limit| {
        store.label_names(&asked.sets(), asked.start_ms, asked.end_ms, limit)
    };
    list(&state, accepts, wanted, find, |out, name: &String| push_string(out, name)).await
}

/// Returns the values of a label.
pub(super) async fn get_label_values(
    State(state): State<ApiState>,
    Path(label): Path<String>,
    accepts: Accepts,
    form: Form,
) -> Response {
    let wanted = if is_label_name(&label) {
        Wanted::labels(&state, &form)
    } else {
        Err(Failure::bad_data(format!("invalid label name: {label:?}")))
    };
    let find = move |store: &SampleStore, asked: &Wanted, limit| {
        store.label_values(&label, &asked.sets(), asked.start_ms, asked.end_ms, limit)
    };
    list(&state, accepts, wanted, find, |out, value: &String| push_string(out, value)).await
}

/// Which series are meant.
struct Wanted {
    matchers: Vec<Vec<Matcher>>,
    start_ms: i64,
    end_ms: i64,
    limit: usize,
}

impl Wanted {
    fn series(state: &ApiState, form: &Form) -> Result<Self, Failure> {
        form.check()?;
        if form.all("match[]").next().is_none() {
            return Err(Failure::bad_data("no match[] parameter provided"));
        }
        let (start_ms, end_ms) = form.start_and_end()?;
        let matchers = read_matchers(form, |message| Failure::parameter("match[]", message))?;
        Self::new(state, form, matchers, (start_ms, end_ms))
    }

    fn labels(state: &ApiState, form: &Form) -> Result<Self, Failure> {
        let (start_ms, end_ms) = form.start_and_end()?;
        let matchers = read_matchers(form, Failure::bad_data)?;
        Self::new(state, form, matchers, (start_ms, end_ms))
    }

    fn new(
        state: &ApiState,
        form: &Form,
        matchers: Vec<Vec<Matcher>>,
        (start_ms, end_ms): (i64, i64),
    ) -> Result<Self, Failure> {
        let limit = form.limit()?.unwrap_or(usize::MAX).min(state.options.listed_max);
        Ok(Self { matchers, start_ms, end_ms, limit })
    }

    fn sets(&self) -> Vec<&[Matcher]> {
        self.matchers.iter().map(Vec::as_slice).collect()
    }
}

/// Reads all `match[]`; each has to leave something out.
fn read_matchers(
    form: &Form,
    wrong: impl Fn(String) -> Failure,
) -> Result<Vec<Vec<Matcher>>, Failure> {
    let read = |text| -> Result<Vec<Matcher>, String> {
        let matchers = parse_selector(text)?;
        if is_selective(&matchers) {
            return Ok(matchers);
        }
        Err("match[] must contain at least one non-empty matcher".to_owned())
    };
    form.all("match[]").map(|text| read(text).map_err(&wrong)).collect()
}

/// Finds on a thread that may block, one more than is wanted in order to see whether there are more.
async fn list<T>(
    state: &ApiState,
    accepts: Accepts,
    wanted: Result<Wanted, Failure>,
    find: impl FnOnce(&SampleStore, &Wanted, usize) -> Result<Vec<T>, SelectError> + Send + 'static,
    push: impl Fn(&mut Vec<u8>, &T) + Send + 'static,
) -> Response {
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(failure) => return state.answer(accepts, Err(failure)),
    };
    let work = move |state: &ApiState, _: &Cancel| {
        let found = find(state.history.store(), &wanted, wanted.limit.saturating_add(1));
        let found = found.map_err(|error| unreadable(&error))?;
        encode(state, wanted.limit, found, push)
    };
    state.answer_later(accepts, state.options.query_timeout, work).await
}

fn encode<T>(
    state: &ApiState,
    limit: usize,
    mut found: Vec<T>,
    push: impl Fn(&mut Vec<u8>, &T),
) -> Result<Success, Failure> {
    let is_cut = limit < found.len();
    found.truncate(limit);
    let mut text = Success::open();
    text.push(b'[');
    push_separated(&mut text, &found, push);
    text.push(b']');
    check_size(&text, state.options.answer_bytes_max)?;
    let warnings = if is_cut { vec![TRUNCATED.to_owned()] } else { Vec::new() };
    Ok(Success::close(text, &warnings, &[]))
}

/// Gives a selection that failed its kind; what failed inside goes to the log only.
pub(super) fn unreadable(error: &SelectError) -> Failure {
    match error {
        SelectError::TooManySeries { .. } => {
            Failure::new(FailureKind::Execution, error.to_string())
        }
        SelectError::Unreadable(_) => {
            tracing::error!(error = %written_out(error), "the samples could not be read");
            Failure::new(FailureKind::Internal, "the samples cannot be read; see the log")
        }
    }
}
