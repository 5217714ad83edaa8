//! The routes by their template: which one a request is for, and the counters of each.
//!
//! Resolved once: a request is counted without a look-up by text.

use std::sync::OnceLock;

use http::Method;
use pampero_telemetry::metrics::http::{HttpMetrics, RouteMetrics};

/// Every route there is; the most asked first.
pub(crate) const TEMPLATES: [&str; 56] = [
    "/weather/current",
    "/weather/average/day",
    "/weather/average/week",
    "/api/places",
    "/api/places/{place}",
    "/api/places/{place}/current",
    "/api/places/{place}/observations",
    "/api/places/{place}/observations/{provider}/{observed_at}/revisions",
    "/api/providers",
    "/api/providers/{provider}",
    "/api/providers/{provider}/breaker",
    "/api/events",
    "/api/events/stream",
    "/api/alerts",
    "/api/alerts/acknowledge",
    "/api/alerts/backtest",
    "/api/alerts/mutes",
    "/api/alerts/mutes/{id}",
    "/api/alerts/problems",
    "/api/alerts/sources",
    "/api/alerts/sources/{kind}/{definition}/{trigger}/history",
    "/api/alerts/{id}",
    "/api/channels",
    "/api/channels/{id}/test",
    "/api/notifications",
    "/api/notifications/{id}",
    "/api/notifications/{id}/resend",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    "/",
    "/docs/{*file}",
    "/prometheus/api/v1/query",
    "/prometheus/api/v1/query_range",
    "/prometheus/api/v1/series",
    "/prometheus/api/v1/labels",
    "/prometheus/api/v1/label/{name}/values",
    "/prometheus/api/v1/metadata",
    "/prometheus/api/v1/targets",
    "/prometheus/api/v1/rules",
    "/prometheus/api/v1/write",
    "/prometheus/federate",
    "/prometheus/{*rest}",
    "/opensearch/_bulk",
    "/opensearch/_msearch",
    "/opensearch/_search",
    "/opensearch/_search/scroll",
    "/opensearch/{index}/_bulk",
    "/opensearch/{index}/_doc",
    "/opensearch/{index}/_doc/{id}",
    "/opensearch/{index}/_search",
    "/opensearch/{index}/_count",
    "/opensearch/_plugins/_alerting/{*rest}",
    "/opensearch/_plugins/_notifications/{*rest}",
    "/opensearch/{*rest}",
];

/// Tells whether a template belongs to the history of metrics.
pub(super) fn is_of_history(template: usize) -> bool {
    TEMPLATES[template].starts_with("/prometheus/")
}

/// Tells whether a template is that of backtests.
pub(super) fn is_of_backtests(template: usize) -> bool {
    TEMPLATES[template] == "/api/alerts/backtest"
}

/// Tells whether a template belongs to the log index.
pub(super) fn is_of_logs(template: usize) -> bool {
    TEMPLATES[template].starts_with("/opensearch/")
}

/// The methods that have counters of their own, and a place for all others.
pub(super) const METHODS: [&Method; 6] =
    [&Method::GET, &Method::HEAD, &Method::POST, &Method::PUT, &Method::DELETE, &Method::OPTIONS];

/// The counters of every route and method; made when the first such request comes.
pub(crate) struct RouteTable {
    metrics: HttpMetrics,
    routes: Vec<Counters>,
    unmatched: Counters,
}

type Counters = [OnceLock<RouteMetrics>; METHODS.len() + 1];

impl RouteTable {
    pub(crate) fn new(metrics: HttpMetrics) -> Self {
        let routes = TEMPLATES.iter().map(|_| Counters::default()).collect();
        Self { metrics, routes, unmatched: Counters::default() }
    }

    /// Returns the measuring of all requests.
    pub(crate) fn metrics(&self) -> &HttpMetrics {
        &self.metrics
    }

    /// Returns the counters of a route; `None` is the route of requests that fit none.
    pub(crate) fn counters(&self, method: &Method, template: Option<usize>) -> &RouteMetrics {
        let column = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len());
        match template {
            Some(row) => self.routes[row][column]
                .get_or_init(|| self.metrics.route(method.as_str(), TEMPLATES[row])),
            None => self.unmatched[column].get_or_init(|| self.metrics.unmatched(method.as_str())),
        }
    }
}

/// Returns the index in [`TEMPLATES`] of the route a path is for; `None` when it fits none.
pub(crate) fn template_of(path: &str) -> Option<usize> {
    TEMPLATES.iter().position(|template| fits(template, path))
}

/// Tells whether a path fits a template; `{name}` stands for one part, `{*name}` for all the rest.
fn fits(template: &str, path: &str) -> bool {
    if template == path {
        return true;
    }
    if !template.contains('{') {
        return false;
    }
    let mut parts = path.split('/');
    for wanted in template.split('/') {
        let part = parts.next();
        match part {
            _ if wanted.starts_with("{*") => return true,
            Some(part) if wanted == part => {}
            Some(part) if wanted.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_template() {
        check("/", Some("/"));
        check("/weather/current", Some("/weather/current"));
        check("/weather/current/", None);
        check("/api/places/rosario", Some("/api/places/{place}"));
        check("/api/places/", None);
        check("/api/events/stream", Some("/api/events/stream"));
        check(
            "/api/places/a/observations/b/c/revisions",
            Some("/api/places/{place}/observations/{provider}/{observed_at}/revisions"),
        );
        check("/docs", Some("/docs/{*file}"));
        check("/docs/", Some("/docs/{*file}"));
        check("/docs/swagger-ui.css", Some("/docs/{*file}"));
        check("/docsx", None);
        check(
            "/prometheus/api/v1/label/job/values",
            Some("/prometheus/api/v1/label/{name}/values"),
        );
        check("/prometheus/api/v1/nothing", Some("/prometheus/{*rest}"));
        check("/prometheus", Some("/prometheus/{*rest}"));
        check("/opensearch/weather_logs/_search", Some("/opensearch/{index}/_search"));
        check("/opensearch/weather_logs/_doc/7", Some("/opensearch/{index}/_doc/{id}"));
        check("/api/alerts/sources", Some("/api/alerts/sources"));
        check("/api/alerts/a1", Some("/api/alerts/{id}"));
        check(
            "/api/alerts/sources/rule/rules%2Fweather.yml%3Bweather/Frost/history",
            Some("/api/alerts/sources/{kind}/{definition}/{trigger}/history"),
        );
        check(
            "/opensearch/_plugins/_alerting/monitors/_search",
            Some("/opensearch/_plugins/_alerting/{*rest}"),
        );
        check("/opensearch/_cat/indices", Some("/opensearch/{*rest}"));
        check("/opensearch/", Some("/opensearch/{*rest}"));
        check("/opensearch", Some("/opensearch/{*rest}"));
        check("/nothing", None);
    }

    #[track_caller]
    fn check(path: &str, template: Option<&str>) {
        assert_eq!(template_of(path).map(|index| TEMPLATES[index]), template, "{path}");
    }
}
