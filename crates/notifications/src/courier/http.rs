//! Messages over HTTP.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use super::shown::Redaction;
use super::tls::Tls;
use super::{Courier, CourierOptions, Delivered, DeliveryError, answer, retry_after};
use crate::channel::{Channel, ChannelKind, Method};
use crate::guard::{Guard, GuardError};
use crate::message::Message;
use crate::wire::{self, Request, WireError};

/// Builds a client that goes only where it is told: no proxy, no redirect, no repeat, and addresses only
/// from the guard. It keeps no connection, because one that was closed meanwhile would leave it open
/// whether the message arrived.
pub(super) fn client(options: &CourierOptions, tls: &Tls) -> Result<Client, reqwest::Error> {
    let mut config = (*tls.config()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Client::builder()
        .user_agent(&options.user_agent)
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .gzip(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .dns_resolver(GuardedNames(options.guard.clone()))
        .tls_backend_preconfigured(config)
        .build()
}

/// Resolves names to judged addresses. Addresses in URLs do not come this way: they are judged before.
struct GuardedNames(Guard);

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let host = Host::Domain(name.as_str().to_owned());
            let found: Vec<SocketAddr> = guard.addresses(&host, 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Courier {
    pub(super) async fn deliver_http(
        &self,
        channel: &Channel,
        message: &Message,
    ) -> Result<Delivered, DeliveryError> {
        let redaction = Redaction::of(channel, self.options.channels.as_ref());
        let request = wire::request(channel, message, &self.options.guard, self.clock.now())
            .map_err(|error| refusal(&error, &redaction))?;
        if matches!(channel.kind, ChannelKind::Slack(_)) {
            self.check_stand_in(&request.url).await?;
        }
        let response = self.send(request).await.map_err(|error| fault(error, &redaction))?;
        self.judge(response, &redaction).await
    }

    async fn send(&self, request: Request) -> Result<Response, reqwest::Error> {
        let method = match request.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
        };
        let builder = self.http.request(method, request.url);
        builder.headers(request.headers).body(request.body).send().await
    }

    /// Checks that a name which stands in for Slack leads to addresses that the operator named.
    async fn check_stand_in(&self, url: &Url) -> Result<(), DeliveryError> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        if name.ends_with("hooks.slack.com") || name.ends_with("hooks.gov-slack.com") {
            return Ok(());
        }
        let guard = &self.options.guard;
        let host = Host::Domain(name.to_owned());
        let resolving =
            tokio::time::timeout(self.options.connect_timeout, guard.addresses(&host, 0));
        let found = match resolving.await {
            Ok(found) => found.map_err(|error| of_guard(&error))?,
            Err(_) => {
                let reason = format!("the name {name} was not resolved within the time allowed");
                return Err(DeliveryError::transient(reason, false));
            }
        };
        let is_named = |address: &SocketAddr| guard.names(address.ip());
        if found.iter().all(is_named) || url.path().contains("slack.com/services/") {
            return Ok(());
        }
        let reason =
            format!("{name} is neither Slack nor an address that the configuration allows");
        Err(DeliveryError::refused(reason))
    }

    async fn judge(
        &self,
        response: Response,
        redaction: &Redaction,
    ) -> Result<Delivered, DeliveryError> {
        let status = response.status();
        let wait = retry_after::retry_after(response.headers(), self.clock.now());
        let said = redaction.show(&self.beginning(response).await);
        if answer::is_success(status) {
            return Ok(Delivered { status: status.as_u16(), text: said });
        }
        let mut reason = answer::words(status);
        if !said.is_empty() {
            reason = format!("{reason}: {said}");
        }
        Err(DeliveryError {
            class: answer::class(status),
            status: Some(status.as_u16()),
            reason,
            retry_after: wait,
            may_have_arrived: status.is_server_error(),
        })
    }

    /// Reads the beginning of an answer. Its status has come already, so that a fault here is none of the
    /// message.
    async fn beginning(&self, mut response: Response) -> String {
        let mut body = Vec::new();
        while body.len() < self.options.answer_bytes_max {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let left = self.options.answer_bytes_max - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(left)]);
                }
                Ok(None) | Err(_) => break,
            }
        }
        String::from_utf8_lossy(&body).into_owned()
    }
}

fn refusal(error: &WireError, redaction: &Redaction) -> DeliveryError {
    DeliveryError::refused(redaction.show(&error.to_string()))
}

fn of_guard(error: &GuardError) -> DeliveryError {
    if error.is_transient() {
        DeliveryError::transient(error.to_string(), false)
    } else {
        DeliveryError::refused(error.to_string())
    }
}

/// Names a fault before the answer began. Until the connection stands nothing can have arrived.
fn fault(error: reqwest::Error, redaction: &Redaction) -> DeliveryError {
    if let Some(refusal) = find_refusal(&error) {
        return of_guard(refusal);
    }
    let may_have_arrived = !error.is_connect() && !error.is_builder();
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, true) => "no connection within the time allowed".to_owned(),
        (true, false) => "no answer within the time allowed".to_owned(),
        (false, true) => format!("no connection: {}", redaction.chain(&error.without_url())),
        (false, false) => format!("no answer: {}", redaction.chain(&error.without_url())),
    };
    DeliveryError::transient(what, may_have_arrived)
}

fn find_refusal<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e GuardError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<GuardError>() {
            return Some(refusal);
        }
        cause = error.source();
    }
    None
}
