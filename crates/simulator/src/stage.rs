//! Where a request meets its stand-in: it is counted, a fault is played or an answer given.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderName, IF_MODIFIED_SINCE, LOCATION, USER_AGENT};
use http::{Method, Uri};
use pampero_weather::provider::ProviderId;

use crate::config::SimulatorConfig;
use crate::control::problem;
use crate::delivery::{self, Pace};
use crate::distortion::distort;
use crate::fault::{Fault, LimitWindow, RetryAfter};
use crate::listener::{HangUp, Line};
use crate::question::Question;
use crate::reply::{Reply, refusal};
use crate::scene::{Scene, http_date};
use crate::slack::Slack;
use crate::switchboard::{ActiveFault, Seen, Switchboard};
use crate::{met_norway, open_meteo, openweathermap, weatherstack};

/// Largest body of a request, in bytes; the limit that Open-Meteo documents.
const FORM_LENGTH_MAX: usize = 128 * 1024;

/// What all stand-ins share.
pub(crate) struct Stage {
    pub(crate) config: SimulatorConfig,
    pub(crate) board: Arc<Switchboard>,
    pub(crate) slack: Slack,
}

/// Plays the stand-in that the path names.
pub(crate) async fn play(State(stage): State<Arc<Stage>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some((provider, path)) = split_path(parts.uri.path()) else {
        return problem(404, "no stand-in has this path; it begins with the name of a provider");
    };
    let mut question = Question {
        path,
        user_agent: header(&parts.headers, &USER_AGENT),
        if_modified_since: header(&parts.headers, &IF_MODIFIED_SINCE),
        ..Question::default()
    };
    question.add_form(parts.uri.query().unwrap_or_default().as_bytes());
    let form = to_bytes(body, FORM_LENGTH_MAX).await;
    let form = form.as_deref().unwrap_or_default();
    match header(&parts.headers, &CONTENT_TYPE) {
        Some(kind) if kind.starts_with("application/json") => question.add_json(form),
        _ => question.add_form(form),
    }
    let ticket = stage.board.arrive(
        provider,
        Seen {
            query: question.shown(),
            user_agent: question.user_agent.clone(),
            if_modified_since: question.if_modified_since.clone(),
        },
    );
    let line = parts.extensions.get::<Line>().cloned().unwrap_or_default();
    let response = if takes_method(provider, &parts.method) {
        stage.perform(provider, &question, &parts.uri, &line).await
    } else {
        delivery::whole(refusal(provider, 405, "Method Not Allowed"))
    };
    ticket.answered(response.status().as_u16());
    response
}

/// Splits `/open_meteo/v1/forecast` into provider and path; doubled slashes count as one.
fn split_path(path: &str) -> Option<(ProviderId, String)> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let provider = segments.next()?.parse().ok()?;
    Some((provider, segments.collect::<Vec<_>>().join("/")))
}

fn header(headers: &http::HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Only Open-Meteo takes forms.
fn takes_method(provider: ProviderId, method: &Method) -> bool {
    let form = provider == ProviderId::OpenMeteo && *method == Method::POST;
    form || matches!(*method, Method::GET | Method::HEAD)
}

impl Stage {
    async fn perform(
        &self,
        provider: ProviderId,
        question: &Question,
        uri: &Uri,
        line: &Line,
    ) -> Response {
        let Some(active) = self.board.fault_for_request(provider) else {
            return delivery::whole(self.answer(provider, question, None));
        };
        match &active.fault {
            Fault::Hang => std::future::pending().await,
            Fault::Reset => line.hang_up(HangUp::Reset).await,
            Fault::Close => line.hang_up(HangUp::Close).await,
            Fault::SlowFirstByte { ms } => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                delivery::whole(self.answer(provider, question, Some(&active)))
            }
            Fault::SlowBody { ms } => {
                let reply = self.answer(provider, question, Some(&active));
                delivery::paced(reply, Pace::Trickle(Duration::from_millis(*ms)))
            }
            Fault::CutBody => {
                let reply = self.answer(provider, question, Some(&active));
                delivery::paced(reply, Pace::Cut)
            }
            Fault::HugeBody { mib } => delivery::huge(*mib),
            fault => match self.instead(provider, fault, question, uri) {
                Some(reply) => delivery::whole(reply),
                None => {
                    let reply = self.answer(provider, question, Some(&active));
                    delivery::whole(distort(provider, fault, reply))
                }
            },
        }
    }

    /// Answers as the real service would, bent where the fault bends instant or values.
    fn answer(
        &self,
        provider: ProviderId,
        question: &Question,
        fault: Option<&ActiveFault>,
    ) -> Reply {
        let now = self.board.now().as_second();
        let scene = Scene { config: &self.config, provider, now, fault };
        let reply = match provider {
            ProviderId::OpenMeteo => open_meteo::answer(&scene, question),
            ProviderId::MetNorway => met_norway::answer(&scene, question),
            ProviderId::OpenWeatherMap => openweathermap::answer(&scene, question),
            ProviderId::Weatherstack => weatherstack::answer(&scene, question),
        };
        match fault.map(|active| &active.fault) {
            Some(Fault::Status { code: 203 }) => Reply { status: 203, ..reply },
            _ => reply,
        }
    }

    /// Returns what is answered in place of the weather; `None` for faults that answer it.
    fn instead(
        &self,
        provider: ProviderId,
        fault: &Fault,
        question: &Question,
        uri: &Uri,
    ) -> Option<Reply> {
        let json = "application/json; charset=utf-8";
        Some(match fault {
            Fault::Status { code: 203 } => return None,
            Fault::Status { code } => {
                refusal(provider, *code, &format!("the stand-in answers {code}"))
            }
            Fault::RateLimited { retry_after } => self.rate_limited(provider, *retry_after),
            Fault::LimitReached { window } => limit_reached(provider, *window),
            Fault::QuotaExhausted => quota_exhausted(provider),
            Fault::AuthRefused => auth_refused(provider),
            Fault::AuthHtml403 => Reply::html(403, "403 Forbidden"),
            Fault::BadRequest => bad_request(provider),
            Fault::NotCovered => not_covered(provider),
            Fault::Garbage => Reply::of(200, json, garbage()),
            Fault::Html => Reply::html(200, "Maintenance"),
            Fault::EmptyAnswer => Reply::of(200, json, Vec::new()),
            Fault::EmptyArray => Reply::of(200, json, b"[]".to_vec()),
            Fault::RedirectLoop => redirect(&uri.to_string()),
            Fault::TooManyRedirects { hops } => return redirect_once_more(question, uri, *hops),
            _ => return None,
        })
    }

    fn rate_limited(&self, provider: ProviderId, retry_after: RetryAfter) -> Reply {
        let reply = limit_reached(provider, LimitWindow::Minute);
        match retry_after {
            RetryAfter::None => reply,
            RetryAfter::Seconds(seconds) => reply.retry_after(seconds.to_string()),
            RetryAfter::Date(seconds) => {
                let instant = self.board.now().as_second() + i64::from(seconds);
                reply.retry_after(http_date(instant))
            }
        }
    }
}

fn limit_reached(provider: ProviderId, window: LimitWindow) -> Reply {
    match provider {
        ProviderId::OpenMeteo => open_meteo::refusal(429, open_meteo::limit_reason(window)),
        ProviderId::Weatherstack => {
            let info = "You have exceeded the maximum rate limitation allowed on your plan.";
            weatherstack::refusal(429, 429, "rate_limit_reached", info)
        }
        other => refusal(other, 429, "Too Many Requests"),
    }
}

fn quota_exhausted(provider: ProviderId) -> Reply {
    match provider {
        ProviderId::OpenMeteo => limit_reached(provider, LimitWindow::Day),
        ProviderId::OpenWeatherMap => {
            let words = "Your account is temporary blocked due to exceeding of requests limitation of your subscription type.";
            openweathermap::refusal(429, words)
        }
        ProviderId::Weatherstack => {
            let info = "Your monthly usage limit has been reached. Please upgrade your plan.";
            weatherstack::refusal(200, 104, "usage_limit_reached", info)
        }
        ProviderId::MetNorway => met_norway::refusal(429, "Too Many Requests"),
    }
}

fn auth_refused(provider: ProviderId) -> Reply {
    match provider {
        ProviderId::OpenMeteo => open_meteo::refusal(401, "The supplied API key is invalid."),
        ProviderId::OpenWeatherMap => openweathermap::refusal(401, "Invalid API key."),
        ProviderId::Weatherstack => {
            let info = "You have not supplied a valid API Access Key.";
            weatherstack::refusal(200, 101, "invalid_access_key", info)
        }
        ProviderId::MetNorway => met_norway::refusal(403, "Forbidden"),
    }
}

fn bad_request(provider: ProviderId) -> Reply {
    match provider {
        ProviderId::Weatherstack => {
            weatherstack::refusal(200, 606, "invalid_unit", "You have specified an invalid unit.")
        }
        other => refusal(other, 400, "the request is wrong"),
    }
}

fn not_covered(provider: ProviderId) -> Reply {
    match provider {
        ProviderId::OpenMeteo => open_meteo::refusal(400, "No data is available for this location"),
        ProviderId::OpenWeatherMap => openweathermap::refusal(404, "city not found"),
        ProviderId::Weatherstack => {
            let info = "Your query did not return any results.";
            weatherstack::refusal(200, 602, "no_results", info)
        }
        ProviderId::MetNorway => met_norway::refusal(422, "Outside of the covered area"),
    }
}

/// Bytes that are neither UTF-8 nor JSON, the same every time.
fn garbage() -> Vec<u8> {
    (0..512_u32).map(|index| (index.wrapping_mul(167) >> 1) as u8 | 0x80).collect()
}

fn redirect(location: &str) -> Reply {
    Reply::of(307, "text/plain", Vec::new()).with(LOCATION, location.to_owned())
}

/// The parameter in which a chain of redirects counts itself.
const HOP: &str = "hop";

/// Returns the next redirect of a chain; `None` when the chain is at its end.
fn redirect_once_more(question: &Question, uri: &Uri, hops: u32) -> Option<Reply> {
    let hop: u32 = question.get(HOP).and_then(|hop| hop.parse().ok()).unwrap_or(0);
    if hops <= hop {
        return None;
    }
    let query = uri.query().unwrap_or_default();
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("hop="));
    let next = format!("{HOP}={}", hop + 1);
    let pairs: Vec<&str> = others.chain([next.as_str()]).collect();
    Some(redirect(&format!("{}?{}", uri.path(), pairs.join("&"))))
}
