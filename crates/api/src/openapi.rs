//! The contract: what the handlers say of themselves, and what holds for every route.

use http::StatusCode;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::problem::PROBLEM_JSON;
use crate::router;

/// What can happen on every route.
const ALWAYS: [(StatusCode, &str); 4] = [
    (StatusCode::BAD_REQUEST, "The request cannot be read; detail says what to change"),
    (StatusCode::MISDIRECTED_REQUEST, "The server is not known under the Host of the request"),
    (StatusCode::INTERNAL_SERVER_ERROR, "The server failed; its log tells more"),
    (StatusCode::SERVICE_UNAVAILABLE, "The server cannot answer now; come back later"),
];

/// What can happen on every route that changes something.
const ON_CHANGE: [(StatusCode, &str); 2] = [
    (StatusCode::UNAUTHORIZED, "The admin token is missing or wrong"),
    (StatusCode::FORBIDDEN, "The request comes from a page of another origin"),
];

/// What can happen on every route that takes a body.
const ON_BODY: [(StatusCode, &str); 3] = [
    (StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time"),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON"),
];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Pampero",
        description = "Weather that stays up when its sources do not. Every value carries where it \
                       comes from, when it was observed and how old it is; what is missing is null, \
                       never zero. Errors are RFC 9457 problem details with a stable code.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "weather", description = "Current conditions and means"),
        (name = "places", description = "The places for which weather is kept"),
        (name = "observations", description = "What is kept of a place"),
        (name = "providers", description = "How each weather service has been"),
        (name = "events", description = "What was decided, and why"),
        (name = "alerts", description = "What is the matter, who is told, and what is watched"),
        (name = "health", description = "For orchestrators"),
        (name = "about", description = "Metrics and this description"),
    ),
    modifiers(&AdminToken)
)]
struct Frame;

struct AdminToken;

impl Modify for AdminToken {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The admin token; needed only where one is configured"))
            .build();
        components.add_security_scheme("admin", SecurityScheme::Http(scheme));
    }
}

/// Returns the contract without any route.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// Returns the whole contract as JSON, as it is served and as it stands in `openapi/pampero.json`.
pub(crate) fn contract() -> String {
    let mut openapi = router::described().into_openapi();
    for item in openapi.paths.paths.values_mut() {
        item.get.iter_mut().for_each(|operation| add(operation, &[&ALWAYS]));
        item.delete.iter_mut().for_each(|operation| add(operation, &[&ALWAYS, &ON_CHANGE]));
        let with_body = item.put.iter_mut().chain(item.post.iter_mut());
        with_body.for_each(|operation| add(operation, &[&ALWAYS, &ON_CHANGE, &ON_BODY]));
    }
    let json = openapi.to_pretty_json().expect("a description can be written");
    json + "\n"
}

/// Adds what the operation does not say of itself.
fn add(operation: &mut Operation, sets: &[&[(StatusCode, &str)]]) {
    for (status, description) in sets.iter().copied().flatten() {
        let responses = &mut operation.responses.responses;
        let status = status.as_str().to_owned();
        responses.entry(status).or_insert_with(|| problem(description).into());
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
}
