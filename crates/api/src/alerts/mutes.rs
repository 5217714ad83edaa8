//! Mutes: for whom and when nobody is told.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use jiff::civil::Time;
use pampero_alerting::{Day, Mute, MuteError, MuteWindow, matcher};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::list::IdParameter;
use super::{instant, invalid_field, with_alerts};
use crate::body::JsonBody;
use crate::edge::Admin;
use crate::parameters::{NoParameters, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// A condition on a label.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MuteMatcher)]
pub(crate) struct MatcherBody {
    /// The name of the label; besides those of the alert there are `alertname`, `monitor` or `group`,
    /// `severity` and `source`.
    #[schema(example = "alertname")]
    name: String,
    /// `=`, `!=`, `=~` or `!~`.
    #[schema(pattern = "^(=|!=|=~|!~)$", example = "=")]
    operator: String,
    /// The value, or a regular expression that has to fit the whole of it.
    #[schema(example = "Frost")]
    value: String,
}

/// Some hours of some days of every week, by the clock on the wall there.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MuteWeekly)]
pub(crate) struct WeeklyBody {
    /// The days on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    #[schema(example = json!(["sat", "sun"]))]
    days: Vec<String>,
    /// When it begins, as in `22:00`.
    #[schema(example = "22:00")]
    start: String,
    /// When it ends; on the next day when that is not after the start.
    #[schema(example = "06:00")]
    end: String,
    /// The name of the zone.
    #[schema(example = "America/Montevideo")]
    time_zone: String,
}

/// A mute that is to be made: until an instant, or every week.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "matchers": [{"name": "alertname", "operator": "=", "value": "Frost"}],
    "ends_at": "2026-11-24T18:00:00Z",
    "comment": "the sensor is being replaced"
}))]
pub(crate) struct MuteRequest {
    /// They all have to hold; at least one.
    matchers: Vec<MatcherBody>,
    /// When it begins (RFC 3339); now when it is left out.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// When it ends (RFC 3339); this or `weekly` is needed.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// Every week, in the place of an end.
    weekly: Option<WeeklyBody>,
    /// Why.
    #[serde(default)]
    comment: String,
    /// Who wants it.
    #[serde(default)]
    author: String,
}

/// Every mute.
#[derive(Serialize, ToSchema)]
pub(crate) struct MuteList {
    /// In the order in which they were made; those that are over stay for a while.
    mutes: Vec<MuteBody>,
}

/// A mute.
#[derive(Serialize, ToSchema)]
#[schema(as = Mute)]
pub(crate) struct MuteBody {
    /// Its id.
    id: String,
    /// They all have to hold.
    matchers: Vec<MatcherBody>,
    /// When it begins; `null` for a weekly one.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    starts_at: Option<String>,
    /// When it ends; `null` for a weekly one.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    ends_at: Option<String>,
    /// Its hours; `null` for one that is not weekly.
    #[schema(required)]
    weekly: Option<WeeklyBody>,
    /// Why; may be empty.
    comment: String,
    /// Who wants it; may be empty.
    author: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: String,
    /// Whether it holds now.
    active: bool,
}

const DAYS: [(&str, Day); 7] = [
    ("mon", Day::Mon),
    ("tue", Day::Tue),
    ("wed", Day::Wed),
    ("thu", Day::Thu),
    ("fri", Day::Fri),
    ("sat", Day::Sat),
    ("sun", Day::Sun),
];

impl MuteBody {
    fn of(mute: &Mute, now: Timestamp) -> Self {
        let matchers = mute.matchers.iter().map(|matcher| MatcherBody {
            name: matcher.name().to_owned(),
            operator: matcher.operator().as_str().to_owned(),
            value: matcher.value().to_owned(),
        });
        let (starts_at, ends_at, weekly) = match &mute.window {
            MuteWindow::Once { from, until } => {
                (Some(from.to_string()), Some(until.to_string()), None)
            }
            MuteWindow::Weekly { days, from, until, zone } => {
                let name = |day: &Day| DAYS.iter().find(|(_, known)| known == day);
                let names = days.iter().filter_map(name).map(|(name, _)| (*name).to_owned());
                let weekly = WeeklyBody {
                    days: names.collect(),
                    start: clock_time(*from),
                    end: clock_time(*until),
                    time_zone: zone.clone(),
                };
                (None, None, Some(weekly))
            }
        };
        Self {
            id: mute.id.clone(),
            matchers: matchers.collect(),
            starts_at,
            ends_at,
            weekly,
            comment: mute.comment.clone(),
            author: mute.author.clone(),
            created: mute.created.to_string(),
            active: mute.window.holds(now),
        }
    }
}

/// Writes a time of the day to the minute, unless it has seconds.
fn clock_time(time: Time) -> String {
    let form = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    time.strftime(form).to_string()
}

impl MuteRequest {
    fn into_mute(self, now: Timestamp) -> Result<Mute, ApiError> {
        let mut matchers = Vec::with_capacity(self.matchers.len());
        for (index, given) in self.matchers.iter().enumerate() {
            let MatcherBody { name, operator, value } = given;
            let field = format!("matchers[{index}]");
            let read = matcher(&format!("{name}{operator}\"{value}\""))
                .map_err(|error| invalid_mute(&error).about_field(&field))?;
            // A name with an operator in it would be read as something else.
            if read.name() != name.trim() || read.operator().as_str() != operator {
                let detail = format!(
                    "{field}: write the operator as =, !=, =~ or !~, and the name without any"
                );
                return Err(invalid_field(&field, detail));
            }
            matchers.push(read);
        }
        let window = match (self.ends_at, self.weekly) {
            (Some(until), None) => MuteWindow::Once {
                from: match self.starts_at {
                    Some(from) => instant("starts_at", &from)?,
                    None => now,
                },
                until: instant("ends_at", &until)?,
            },
            (None, Some(weekly)) if self.starts_at.is_none() => weekly.into_window()?,
            _ => {
                let detail =
                    "give either ends_at, with or without starts_at, or weekly with its hours";
                return Err(invalid_field("ends_at", detail));
            }
        };
        let (comment, author) = (self.comment, self.author);
        Ok(Mute { id: String::new(), matchers, window, comment, author, created: now })
    }
}

impl WeeklyBody {
    fn into_window(self) -> Result<MuteWindow, ApiError> {
        let mut days = Vec::new();
        for text in &self.days {
            let found = DAYS.iter().find(|(name, _)| name == text);
            let Some((_, day)) = found else {
                let detail =
                    format!("weekly.days: {text:?} is none of mon, tue, wed, thu, fri, sat, sun");
                return Err(invalid_field("weekly.days", detail));
            };
            if !days.contains(day) {
                days.push(*day);
            }
        }
        let time = |field: &str, text: &str| -> Result<Time, ApiError> {
            text.parse().map_err(|_| {
                let detail = format!("{field}: {text:?} is no time of the day; write it as 22:00");
                invalid_field(field, detail)
            })
        };
        Ok(MuteWindow::Weekly {
            days,
            from: time("weekly.start", &self.start)?,
            until: time("weekly.end", &self.end)?,
            zone: self.time_zone,
        })
    }
}

fn invalid_mute(error: &MuteError) -> ApiError {
    let (status, code) = match error {
        MuteError::NoMatcher
        | MuteError::TooManyMatchers { .. }
        | MuteError::Matcher { .. }
        | MuteError::EmptyWindow
        | MuteError::NoDay
        | MuteError::Zone { .. }
        | MuteError::TextTooLong { .. } => (StatusCode::BAD_REQUEST, "invalid_mute"),
        MuteError::TooMany { .. } => (StatusCode::CONFLICT, "too_many_mutes"),
    };
    ApiError::new(status, code, error.to_string())
}

/// Lists the mutes.
#[utoipa::path(
    get,
    path = "/api/alerts/mutes",
    tag = "alerts",
    responses(
        (status = 200, description = "Every mute", body = MuteList),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_mutes(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Result<Json<MuteList>, ApiError> {
    let listed = with_alerts(&state, |alerts, _| {
        let now = alerts.alerting.now();
        let mutes = alerts.alerting.mutes();
        Ok(MuteList { mutes: mutes.iter().map(|mute| MuteBody::of(mute, now)).collect() })
    });
    Ok(Json(listed.await?))
}

/// Mutes alerts: they are tracked, and nobody is told until the mute is over.
#[utoipa::path(
    post,
    path = "/api/alerts/mutes",
    tag = "alerts",
    request_body = MuteRequest,
    responses(
        (status = 201, description = "The mute", body = MuteBody),
        (status = 404, description = "Alerts are switched off", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are too many mutes", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn add_mute(
    _: Admin,
    State(state): State<ApiState>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<MuteRequest>,
) -> Result<Response, ApiError> {
    let done = with_alerts(&state, move |alerts, _| {
        let now = alerts.alerting.now();
        let mut mute = request.into_mute(now)?;
        let id = alerts.alerting.add_mute(mute.clone()).map_err(|error| invalid_mute(&error))?;
        mute.id = id;
        Ok(MuteBody::of(&mute, now))
    });
    let body = done.await?;
    let location = HeaderValue::from_str(&format!("/api/alerts/mutes/{}", body.id));
    let location = location.expect("an id may be in a header");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// Ends a mute; what it held back is told within seconds.
#[utoipa::path(
    delete,
    path = "/api/alerts/mutes/{id}",
    tag = "alerts",
    params(("id" = String, Path, description = "The id of the mute")),
    responses(
        (status = 204, description = "The mute is gone"),
        (status = 404, description = "No such mute, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn remove_mute(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(IdParameter(id)): PathValue<IdParameter>,
    _: Query<NoParameters>,
) -> Result<StatusCode, ApiError> {
    let done = with_alerts(&state, move |alerts, _| {
        if alerts.alerting.remove_mute(&id) {
            return Ok(());
        }
        let detail = format!("there is no mute {id}; GET /api/alerts/mutes lists them");
        let error = ApiError::new(StatusCode::NOT_FOUND, "unknown_mute", detail);
        Err(error.about_parameter("id"))
    });
    done.await?;
    Ok(StatusCode::NO_CONTENT)
}
