//! The requests that are sent to both servers, good ones and bad ones.

use http::{Method, Request};
use url::form_urlencoded;

/// One request; `END`, `START` and `MID` in a value stand for times within the samples.
pub(crate) struct Asked {
    pub(crate) path: &'static str,
    pub(crate) parameters: &'static [(&'static str, &'static str)],
    pub(crate) method: Method,
}

impl Asked {
    /// Builds the request, its parameters in the query string of a GET and in the form of a POST.
    pub(crate) fn request(&self, end_ms: i64) -> Request<Vec<u8>> {
        let end_s = end_ms / 1000;
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.parameters {
            let value = value
                .replace("END", &end_s.to_string())
                .replace("MID", &format!("{}.25", end_s - 200))
                .replace("START", &(end_s - 500).to_string());
            encoded.append_pair(name, &value);
        }
        let encoded = encoded.finish();
        let request = Request::builder().method(self.method.clone());
        if self.method == Method::POST {
            let form = "application/x-www-form-urlencoded";
            let request = request.uri(self.path).header("content-type", form);
            return request.body(encoded.into_bytes()).unwrap();
        }
        request.uri(format!("{}?{encoded}", self.path)).body(Vec::new()).unwrap()
    }

    /// Returns the request in one line.
    pub(crate) fn written(&self) -> String {
        let parameters = self.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
        format!("{} {}{}", self.method, self.path, parameters.collect::<String>())
    }
}

/// Returns all requests; those that a form may ask as well are there twice.
pub(crate) fn all() -> Vec<Asked> {
    let both = BY_FORM_TOO.iter().flat_map(|(path, parameters)| {
        [Method::GET, Method::POST].map(|method| Asked { path, parameters, method })
    });
    let alone = BY_QUERY.iter().map(|(method, path, parameters)| Asked {
        path,
        parameters,
        method: method.parse().unwrap(),
    });
    both.chain(alone).collect()
}

/// Requests that are not well written, or written in an unusual way.
pub(crate) const RAW: &[&str] = &[
    "/api/v1/query?query=1&time=7&foo=%zz",
    "/api/v1/query?query=1;time=7",
    "/api/v1/query?query=%zz&time=7",
    "/api/v1/query?query=1&time=%37&time=8",
    "/api/v1/query?query=1%2B1&time=7+",
    "/api/v1/query?&&query=1&time=7&",
    "/api/v1/series?match%5B%5D=up&x=%zz",
    "/api/v1/series?match%5B%5D=up&x=%4",
    "/api/v1/series?match%5B%5D=up;x",
    "/api/v1/labels?match%5B%5D=up&x=%zz",
    "/api/v1/",
    "/api/v1/label/a%C3%B1/values",
    "/api/v1/label/%6Aob/values",
];

type Parameters = &'static [(&'static str, &'static str)];

const QUERY: &str = "/api/v1/query";
const RANGE: &str = "/api/v1/query_range";
const SERIES: &str = "/api/v1/series";
const LABELS: &str = "/api/v1/labels";
const FORMAT: &str = "/api/v1/format_query";
const EXEMPLARS: &str = "/api/v1/query_exemplars";

const BY_FORM_TOO: &[(&str, Parameters)] = &[
    (QUERY, &[]),
    (QUERY, &[("query", "1"), ("time", "5")]),
    (QUERY, &[("query", "1"), ("time", "5.1234")]),
    (QUERY, &[("query", "1"), ("time", "-5.5")]),
    (QUERY, &[("query", "1"), ("time", "1e3")]),
    (QUERY, &[("query", "1"), ("time", "2026-11-24T07:09:42.794Z")]),
    (QUERY, &[("query", "1"), ("time", "2026-11-24T07:09:42+03:00")]),
    (QUERY, &[("query", "1"), ("time", "2026-11-24T07:09:42")]),
    (QUERY, &[("query", "1"), ("time", "2026-11-24")]),
    (QUERY, &[("query", "1"), ("time", "x\"y")]),
    (QUERY, &[("query", "1"), ("time", "7 ")]),
    (QUERY, &[("query", "1"), ("time", "1e400")]),
    (QUERY, &[("query", "1"), ("time", "5"), ("timeout", "x")]),
    (QUERY, &[("query", "1"), ("time", "5"), ("timeout", "1e12")]),
    (QUERY, &[("query", "1"), ("time", "5"), ("timeout", "1m30s")]),
    (QUERY, &[("query", "\"a<b>&\u{2028}ñ\u{7f}\""), ("time", "5.12")]),
    (QUERY, &[("query", "0/0"), ("time", "5")]),
    (QUERY, &[("query", "-1/0"), ("time", "5")]),
    (QUERY, &[("query", "1e300"), ("time", "5")]),
    (QUERY, &[("query", "1e-300"), ("time", "5")]),
    (QUERY, &[("query", "-0"), ("time", "5")]),
    (QUERY, &[("query", "123456789.123"), ("time", "5")]),
    (QUERY, &[("query", "up"), ("time", "END")]),
    (QUERY, &[("query", "up"), ("time", "MID")]),
    (QUERY, &[("query", "up"), ("time", "5")]),
    (QUERY, &[("query", "odd"), ("time", "END")]),
    (QUERY, &[("query", "huge"), ("time", "END")]),
    (QUERY, &[("query", "gone"), ("time", "END")]),
    (QUERY, &[("query", "nope"), ("time", "END")]),
    (QUERY, &[("query", "up[40s]"), ("time", "MID")]),
    (QUERY, &[("query", "scalar(up)"), ("time", "MID")]),
    (QUERY, &[("query", "sum by (job) (up)"), ("time", "END")]),
    (QUERY, &[("query", "sort_desc(cpu_seconds_total)"), ("time", "END")]),
    (QUERY, &[("query", "up{"), ("time", "END")]),
    (QUERY, &[("query", "up * on() up"), ("time", "5")]),
    (QUERY, &[("query", "label_replace(up, \"instance\", \"x\", \"\", \"\")"), ("time", "END")]),
    (RANGE, &[]),
    (RANGE, &[("query", "up"), ("start", "x")]),
    (RANGE, &[("query", "up"), ("start", "1")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "x")]),
    (RANGE, &[("query", "up"), ("start", "2"), ("end", "1")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2"), ("step", "x")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2"), ("step", "0")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2"), ("step", "-1")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2"), ("step", "1e12")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "2"), ("step", "1"), ("timeout", "x")]),
    (RANGE, &[("query", "up"), ("start", "1"), ("end", "20000"), ("step", "1")]),
    (RANGE, &[("query", "up"), ("start", "0"), ("end", "11000"), ("step", "1")]),
    (RANGE, &[("query", "up[5m]"), ("start", "1"), ("end", "2"), ("step", "1")]),
    (RANGE, &[("query", "\"a\""), ("start", "1"), ("end", "2"), ("step", "1")]),
    (RANGE, &[("query", "up{"), ("start", "1"), ("end", "2"), ("step", "1")]),
    (RANGE, &[("query", "1/0"), ("start", "1.5"), ("end", "2.75"), ("step", "0.5")]),
    (RANGE, &[("query", "vector(-1/0)"), ("start", "1.5"), ("end", "2"), ("step", "500ms")]),
    (RANGE, &[("query", "up"), ("start", "START"), ("end", "END"), ("step", "15")]),
    (RANGE, &[("query", "odd"), ("start", "START"), ("end", "END"), ("step", "1m")]),
    (RANGE, &[("query", "gone"), ("start", "START"), ("end", "END"), ("step", "17.5")]),
    (
        RANGE,
        &[
            ("query", "max_over_time(cpu_seconds_total[1m])"),
            ("start", "START"),
            ("end", "END"),
            ("step", "7s"),
        ],
    ),
    (RANGE, &[("query", "nope"), ("start", "START"), ("end", "END"), ("step", "1m")]),
    (SERIES, &[]),
    (SERIES, &[("match[]", "up")]),
    (SERIES, &[("match[]", "up"), ("match[]", "{job=\"node\"}")]),
    (SERIES, &[("match[]", "up"), ("start", "START"), ("end", "END")]),
    (SERIES, &[("match[]", "up"), ("start", "5"), ("end", "1")]),
    (SERIES, &[("match[]", "up"), ("start", "x")]),
    (SERIES, &[("match[]", "up"), ("end", "x")]),
    (SERIES, &[("match[]", "nope")]),
    (SERIES, &[("match[]", "{instance=~\"c.*\"}")]),
    (SERIES, &[("match[]", "up{")]),
    (SERIES, &[("match[]", "{}")]),
    (SERIES, &[("match[]", "{job=~\".*\"}")]),
    (SERIES, &[("match[]", "up[5m]")]),
    (SERIES, &[("match[]", "")]),
    (LABELS, &[]),
    (LABELS, &[("match[]", "up")]),
    (LABELS, &[("match[]", "nope")]),
    (LABELS, &[("match[]", "{}")]),
    (LABELS, &[("match[]", "x{")]),
    (LABELS, &[("start", "x")]),
    (LABELS, &[("start", "5"), ("end", "2")]),
    (
        LABELS,
        &[("start", "-292273086-05-16T16:47:06Z"), ("end", "292277025-08-18T07:12:54.999999999Z")],
    ),
    (FORMAT, &[]),
    (FORMAT, &[("query", "sum by(job)(up{a=\"b\"}>1)")]),
    (FORMAT, &[("query", "up{")]),
    (EXEMPLARS, &[("query", "up")]),
    (EXEMPLARS, &[("query", "up"), ("start", "1"), ("end", "2")]),
    (EXEMPLARS, &[("query", "up"), ("start", "x")]),
    (EXEMPLARS, &[("query", "up"), ("start", "3"), ("end", "2")]),
    (EXEMPLARS, &[("query", "up{")]),
];

const BY_QUERY: &[(&str, &str, Parameters)] = &[
    ("GET", "/api/v1/label/job/values", &[]),
    ("GET", "/api/v1/label/nope/values", &[]),
    ("GET", "/api/v1/label/a-b/values", &[]),
    ("GET", "/api/v1/label/__name__/values", &[("match[]", "{job=\"node\"}")]),
    ("GET", "/api/v1/label/job/values", &[("match[]", "{}")]),
    ("GET", "/api/v1/label/job/values", &[("match[]", "up{")]),
    ("GET", "/api/v1/label/job/values", &[("start", "x")]),
    ("GET", "/api/v1/label/job/values", &[("start", "5"), ("end", "2")]),
    ("POST", "/api/v1/label/job/values", &[]),
    ("GET", "/api/v1/metadata", &[]),
    ("GET", "/api/v1/metadata", &[("metric", "up")]),
    ("GET", "/api/v1/metadata", &[("limit", "x")]),
    ("GET", "/api/v1/targets", &[]),
    ("GET", "/api/v1/targets", &[("state", "dropped")]),
    ("GET", "/api/v1/targets/metadata", &[]),
    ("GET", "/api/v1/targets/metadata", &[("limit", "x")]),
    ("GET", "/api/v1/targets/metadata", &[("match_target", "{job=\"a\"")]),
    ("GET", "/api/v1/rules", &[]),
    ("GET", "/api/v1/rules", &[("type", "alert")]),
    ("GET", "/api/v1/rules", &[("type", "foo")]),
    ("GET", "/api/v1/alerts", &[]),
    ("GET", "/api/v1/alertmanagers", &[]),
    ("GET", "/api/v1/status/walreplay", &[]),
    ("GET", "/api/v1/nope", &[]),
    ("GET", "/nope", &[]),
    ("HEAD", "/-/healthy", &[]),
    ("HEAD", QUERY, &[("query", "1"), ("time", "5")]),
    ("PUT", QUERY, &[]),
    ("GET", "/api/v1/write", &[]),
    ("GET", "/federate", &[]),
    ("GET", "/federate", &[("match[]", "up")]),
    ("GET", "/federate", &[("match[]", "{job=\"node\"}"), ("match[]", "odd")]),
    ("GET", "/federate", &[("match[]", "{__name__=~\".+\"}")]),
    ("GET", "/federate", &[("match[]", "{}")]),
    ("GET", "/federate", &[("match[]", "nope")]),
    ("GET", "/federate", &[("match[]", "up{")]),
    ("POST", "/federate", &[("match[]", "up")]),
];
