//! The ids of the trace that a request belongs to, for services that trace too.

use opentelemetry::Context;
use opentelemetry::global;
use opentelemetry::propagation::Injector;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Returns `traceparent` and what goes with it; nothing outside of a trace, or where the program
/// passes no traces on.
pub(super) fn trace_headers() -> HeaderMap {
    let mut headers = Headers(HeaderMap::new());
    let context = Context::current();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut headers));
    headers.0
}

struct Headers(HeaderMap);

impl Injector for Headers {
    /// Leaves out what is empty, as the state of a trace that began here.
    fn set(&mut self, key: &str, value: String) {
        let name = key.parse::<HeaderName>();
        let value = (!value.is_empty()).then(|| value.parse::<HeaderValue>());
        if let (Ok(name), Some(Ok(value))) = (name, value) {
            self.0.insert(name, value);
        }
    }
}
