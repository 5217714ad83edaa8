//! Pages of a listing: the link to the next one, in the body and in the `Link` header.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Uri, header};
use serde::Serialize;
use url::form_urlencoded;

/// Writes a page; `next_cursor` is where the next one begins, `None` on the last.
pub(crate) fn page(body: impl Serialize, uri: &Uri, next_cursor: Option<&str>) -> Response {
    let mut response = Json(body).into_response();
    if let Some(cursor) = next_cursor
        && let Ok(link) = HeaderValue::from_str(&format!("<{}>; rel=\"next\"", next(uri, cursor)))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// Cuts the row too many off, by which it is seen that there is a next page.
///
/// Returns the last row of the page when there is one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last()
}

/// Returns the same question with another cursor.
fn next(uri: &Uri, cursor: &str) -> String {
    let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked.filter(|(name, _)| name != "cursor"));
    query.append_pair("cursor", cursor);
    format!("{}?{}", uri.path(), query.finish())
}
