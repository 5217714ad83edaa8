//! Asks the API of a running Pampero.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use crate::http::client_for;

/// Longest wait for an answer; a backtest may take a minute.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A running Pampero.
pub(super) struct Server {
    client: Client,
    base: Url,
    token: Option<String>,
    token_env: String,
}

impl Server {
    /// Names a Pampero; the admin token is looked for in `variables`.
    pub(super) fn new(
        base: &Url,
        token_env: &str,
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        if base.cannot_be_a_base() {
            bail!("--server {base} is no address; write it as http://127.0.0.1:8000");
        }
        Ok(Self {
            client: client_for(base)?,
            base: base.clone(),
            token: token(token_env, variables)?,
            token_env: token_env.to_owned(),
        })
    }

    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Value> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.send(self.client.request(Method::GET, url)).await?;
        serde_json::from_str(&answer).with_context(|| self.is_no_pampero())
    }

    pub(super) async fn post(&self, path: &[&str], body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.client.request(Method::POST, self.url(path));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = self.send(request).await?;
        serde_json::from_str(&answer).with_context(|| self.is_no_pampero())
    }

    pub(super) async fn delete(&self, path: &[&str]) -> anyhow::Result<()> {
        self.send(self.client.request(Method::DELETE, self.url(path))).await.map(|_| ())
    }

    /// Returns the URL of a path, each part of it escaped.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<String> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.timeout(TIMEOUT).send().await.with_context(|| {
            format!(
                "nobody answers at {}; start `pampero serve`, or name another with --server",
                self.base
            )
        })?;
        let status = response.status();
        let text = response.text().await.context("the answer broke off")?;
        if status.is_success() {
            return Ok(text);
        }
        bail!("{}", self.refusal(status, &text))
    }

    /// Says why something was refused, in the server's own words where it has some.
    fn refusal(&self, status: StatusCode, text: &str) -> String {
        let problem: Value = serde_json::from_str(text).unwrap_or_default();
        let (server, token_env) = (&self.base, &self.token_env);
        match problem["detail"].as_str() {
            Some(_) if status == StatusCode::UNAUTHORIZED && self.token.is_none() => {
                format!("{server} asks for its admin token: put it into the variable {token_env}")
            }
            Some(_) if status == StatusCode::UNAUTHORIZED => {
                format!("{server} refuses the admin token in {token_env}")
            }
            Some(detail) => super::table::printable(detail),
            None => format!("{server} answered {status}; {}", self.is_no_pampero()),
        }
    }

    fn is_no_pampero(&self) -> String {
        format!("is there a Pampero at {}?", self.base)
    }
}

/// Finds the admin token: in the variable, or in the file that the variable with `_FILE` behind it names.
fn token(name: &str, variables: &BTreeMap<String, String>) -> anyhow::Result<Option<String>> {
    let file = format!("{name}_FILE");
    let token = match (variables.get(name), variables.get(&file)) {
        (Some(token), _) => token.clone(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .with_context(|| format!("the file that {file} names cannot be read"))?,
        (None, None) => return Ok(None),
    };
    Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(base: &str, variables: &[(&str, &str)]) -> Server {
        let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Server::new(&base.parse().unwrap(), "TOKEN", &variables.collect()).unwrap()
    }

    #[test]
    fn parts_of_paths_are_escaped() {
        let server = server("http://localhost:8000/below/", &[]);
        let url = server.url(&["api", "channels", "a/b c", "test"]);
        assert_eq!(url.as_str(), "http://localhost:8000/below/api/channels/a%2Fb%20c/test");
    }

    #[test]
    fn the_token_is_in_a_variable_or_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "from-a-file\n").unwrap();
        let path = file.to_str().unwrap();
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let server = server("http://localhost:8000", variables);
            assert_eq!(server.token.as_deref(), expected);
        };
        check(&[], None);
        check(&[("TOKEN", "")], None);
        check(&[("TOKEN", "a"), ("TOKEN_FILE", path)], Some("a"));
        check(&[("TOKEN_FILE", path)], Some("from-a-file"));
    }

    #[test]
    fn refusals_say_what_to_do() {
        let check = |token: &[(&str, &str)], status: u16, text: &str, expected: &str| {
            let server = server("http://localhost:8000", token);
            let told = server.refusal(StatusCode::from_u16(status).unwrap(), text);
            assert!(told.contains(expected), "{told}");
        };
        let detail = r#"{"detail": "there is no channel x"}"#;
        check(&[], 404, detail, "there is no channel x");
        check(&[], 401, detail, "put it into the variable TOKEN");
        check(&[("TOKEN", "wrong")], 401, detail, "refuses the admin token in TOKEN");
        check(&[], 502, "<html>", "is there a Pampero at");
    }
}
