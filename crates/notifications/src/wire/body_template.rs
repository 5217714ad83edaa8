//! The body of a webhook from its template.

use pampero_templates::mustache::Escape;

use super::BODY_BYTES_MAX;
use crate::channel::{BodyTemplate, Header};
use crate::message::Message;

/// Renders a template over the members of a message.
///
/// # Errors
/// It is too long, or must be JSON and is none. The error is a sentence about the body.
pub(crate) fn render(
    template: &BodyTemplate,
    headers: &[Header],
    message: &Message,
) -> Result<String, String> {
    let data = serde_json::to_value(message).map_err(|error| error.to_string())?;
    let is_json = is_json(headers);
    let escape = if is_json { Escape::Json } else { Escape::None };
    let body =
        template.0.render(&data, escape, BODY_BYTES_MAX).map_err(|error| error.to_string())?;
    if is_json {
        serde_json::from_str::<serde::de::IgnoredAny>(&body)
            .map_err(|error| format!("the body is no JSON: {error}"))?;
    }
    Ok(body)
}

/// Tells whether the body is JSON, which it is unless a header says otherwise.
fn is_json(headers: &[Header]) -> bool {
    let own = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
    own.is_none_or(|header| {
        let media_type = header.reveal().split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        media_type == "application/json" || media_type.ends_with("+json")
    })
}
