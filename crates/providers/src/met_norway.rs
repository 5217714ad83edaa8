//! MET Norway: forecasts for the whole world, without a key, but with rules on how to ask.
//!
//! A kept answer must not be refreshed before its `Expires`, and then only conditionally. So the
//! part of the forecast that speaks of the coming hours is kept, and answers in between.
//! Start reading at [`MetNorway`].

mod mapping;
mod refusal;
mod series;
mod wire;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pampero_resilience::Clock;
use pampero_weather::observation::SourceKind;
use pampero_weather::provider::ProviderId;
use reqwest::header::{EXPIRES, HeaderValue, IF_MODIFIED_SINCE, LAST_MODIFIED, USER_AGENT};
use reqwest::{Client, RequestBuilder, StatusCode};
use url::Url;

use self::series::Series;
use crate::config::{checked_base_url, endpoint};
use crate::http::{RawAnswer, SINGLE_BODY_MAX, send};
use crate::provider::the_one_place;
use crate::{
    Answer, Ask, Attribution, CachedAnswer, ConfigError, Defaults, Profile, ProviderError, Rate,
    Refresh, WeatherProvider,
};

const ID: ProviderId = ProviderId::MetNorway;
/// The larger of the two products: the smaller has neither gusts nor dew point.
const FORECAST_PATH: &str = "weatherapi/locationforecast/2.0/complete";
/// An `Expires` farther away than this is a mistake, and would freeze the place.
const EXPIRES_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Where and how to ask MET Norway.
#[derive(Clone, Debug)]
pub struct MetNorwayConfig {
    /// What stands before `weatherapi/…`; `https://api.met.no/` by default.
    pub base_url: Url,
    /// Whom MET Norway can write to: an e-mail address or a web page. It goes into every request.
    pub contact: String,
}

impl MetNorwayConfig {
    /// Asks the public service in the name of `contact`.
    pub fn new(contact: impl Into<String>) -> Self {
        let base_url = "https://api.met.no/".parse().expect("the constant is a URL");
        Self { base_url, contact: contact.into() }
    }
}

/// Reads the step of the forecast that is valid now: °C, hPa, m/s, mm and UTC throughout, so
/// nothing is converted.
///
/// Coordinates are cut to four decimals, because the service refuses more.
/// Source: MET Norway, Locationforecast 2.0 data model and terms of service.
#[derive(Debug)]
pub struct MetNorway {
    http: Client,
    clock: Arc<dyn Clock>,
    endpoint: Url,
    user_agent: HeaderValue,
    profile: Profile,
}

impl MetNorway {
    /// Prepares to ask the service that `config` names.
    ///
    /// # Errors
    /// A base URL that cannot be used, or no contact: the service refuses who does not say who
    /// asks.
    pub fn new(
        config: MetNorwayConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let MetNorwayConfig { base_url, contact } = config;
        let endpoint = endpoint(&checked_base_url(ID, &base_url)?, FORECAST_PATH);
        let user_agent = user_agent(&contact).ok_or(ConfigError::Contact(ID))?;
        Ok(Self { http, clock, endpoint, user_agent, profile: profile() })
    }

    fn request(&self, question: &[(&'static str, String)]) -> RequestBuilder {
        let request = self.http.get(self.endpoint.clone()).query(question);
        request.header(USER_AGENT, self.user_agent.clone())
    }
}

/// Returns `Pampero/<version> <contact>`; `None` when `contact` names neither address nor page.
fn user_agent(contact: &str) -> Option<HeaderValue> {
    let contact = contact.trim();
    let is_visible = contact.chars().all(|letter| letter.is_ascii_graphic());
    let is_reachable = contact.contains(['@', '.']);
    let text = format!("Pampero/{} {contact}", env!("CARGO_PKG_VERSION"));
    (is_visible && is_reachable).then(|| HeaderValue::from_str(&text).ok())?
}

#[async_trait]
impl WeatherProvider for MetNorway {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn replay(&self, ask: &Ask, now: Timestamp) -> Option<Answer> {
        let cached = ask.cached.as_ref()?;
        if cached.expires_at? <= now {
            return None;
        }
        let series = Series::parse(&cached.body, &wire::question(&ask.place))?;
        let observation = mapping::observation(&ask.place, &series, now, cached.fetched_at).ok()?;
        Some(Answer { place: ask.place.id.clone(), outcome: Ok(observation), cache: None })
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        let Some(ask) = the_one_place(asks)? else { return Ok(Vec::new()) };
        let question = wire::question(&ask.place);
        let kept = Kept::of(ask, &question);
        let mut request = self.request(&question);
        if let Some(since) = kept.as_ref().and_then(|kept| kept.condition(self.clock.now())) {
            request = request.header(IF_MODIFIED_SINCE, since);
        }
        let answer = send(request, SINGLE_BODY_MAX, None).await?;
        let now = self.clock.now();
        let (series, cache) = match answer.status {
            StatusCode::NOT_MODIFIED => confirm(&answer, kept, now)?,
            _ => accept(&answer, kept, &question, now)?,
        };
        let outcome = mapping::observation(&ask.place, &series, now, cache.fetched_at);
        Ok(vec![Answer { place: ask.place.id.clone(), outcome, cache: Some(cache) }])
    }
}

/// A kept answer that fits the question.
struct Kept<'a> {
    answer: &'a CachedAnswer,
    series: Series,
}

impl<'a> Kept<'a> {
    /// Reads what was kept; `None` when there is nothing, or nothing for this position.
    fn of(ask: &'a Ask, question: &[(&'static str, String)]) -> Option<Self> {
        let answer = ask.cached.as_ref()?;
        let series = Series::parse(&answer.body, question)?;
        Some(Self { answer, series })
    }

    /// Returns what to send as `If-Modified-Since`: the text of the service, unchanged.
    ///
    /// `None` when "unchanged" would be no answer, because the kept part of the forecast is over.
    fn condition(&self, now: Timestamp) -> Option<HeaderValue> {
        let last_modified = self.answer.last_modified.as_ref()?;
        let speaks_of_now = self.series.speaks_of(now);
        speaks_of_now.then(|| HeaderValue::from_str(last_modified).ok())?
    }
}

/// Goes on with the kept forecast, which the service calls unchanged.
fn confirm(
    answer: &RawAnswer,
    kept: Option<Kept<'_>>,
    now: Timestamp,
) -> Result<(Series, CachedAnswer), ProviderError> {
    let Some(Kept { answer: before, series }) = kept else {
        return Err(answer.malformed("it says that nothing changed, but nothing was kept"));
    };
    let expires_at = expires_at(answer, now).or(before.expires_at);
    Ok((series, CachedAnswer { expires_at, ..before.clone() }))
}

/// Takes over a new forecast, with the step before its first one from the kept forecast.
fn accept(
    answer: &RawAnswer,
    kept: Option<Kept<'_>>,
    question: &[(&'static str, String)],
    now: Timestamp,
) -> Result<(Series, CachedAnswer), ProviderError> {
    if !answer.status.is_success() {
        return Err(refusal::refusal(answer, now));
    }
    // A product in beta or on its way out: valid, but conditional requests do not work with it.
    let is_deprecated = answer.status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
    if is_deprecated {
        tracing::warn!("met norway answers, but calls the product deprecated or beta");
    }
    let forecast: wire::Forecast = answer.json()?;
    let mut series = mapping::series(&forecast).map_err(|reason| answer.malformed(&reason))?;
    if let Some(kept) = kept {
        series.take_step_before(&kept.series);
    }
    series.keep_around(now);
    let last_modified = answer.header(&LAST_MODIFIED).filter(|_| !is_deprecated);
    let cache = CachedAnswer {
        fetched_at: now,
        expires_at: expires_at(answer, now),
        last_modified: last_modified.map(str::to_owned),
        body: series.to_body(question),
    };
    Ok((series, cache))
}

fn expires_at(answer: &RawAnswer, now: Timestamp) -> Option<Timestamp> {
    let latest = now.saturating_add(EXPIRES_MAX).unwrap_or(Timestamp::MAX);
    answer.header_date(&EXPIRES).map(|expires_at| expires_at.min(latest))
}

/// Source: MET Norway, terms of service: 20 requests per second for all installations together.
fn profile() -> Profile {
    Profile {
        id: ID,
        name: "MET Norway",
        attribution: Attribution { text: "Data from MET Norway", url: "https://api.met.no/" },
        source_kind: SourceKind::Model,
        batch_max: 1,
        // Steps begin at the full hour; the lag keeps clear of it, where everybody asks.
        refresh: Refresh { every: Duration::from_secs(3600), lag: Duration::from_secs(150) },
        defaults: Defaults {
            stale_after: Duration::from_secs(2 * 3600),
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(10),
            backoff_max: Duration::from_secs(30 * 60),
            concurrency: NonZeroU32::new(4).expect("not zero"),
            rate: Some(Rate {
                units: NonZeroU32::new(20).expect("not zero"),
                per: Duration::from_secs(1),
            }),
            allowances: Vec::new(),
        },
    }
}
