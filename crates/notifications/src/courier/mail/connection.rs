//! A connection to a mail server: to a judged address, encrypted as the account asks, and capped.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::super::shown::Redaction;
use super::super::{Courier, DeliveryError};
use crate::channel::{Encryption, SmtpAccount};

impl Courier {
    /// Connects to the server of an account, up to where letters can be sent or credentials shown.
    pub(super) async fn connect_mail(
        &self,
        account: &SmtpAccount,
        redaction: &Redaction,
    ) -> Result<AsyncSmtpConnection, DeliveryError> {
        let opening = self.open(account, redaction);
        match tokio::time::timeout(self.options.connect_timeout, opening).await {
            Ok(outcome) => outcome,
            Err(_) => Err(DeliveryError::transient(
                "no connection to the mail server within the time allowed",
                false,
            )),
        }
    }

    async fn open(
        &self,
        account: &SmtpAccount,
        redaction: &Redaction,
    ) -> Result<AsyncSmtpConnection, DeliveryError> {
        let no_connection = |error: &dyn std::error::Error| {
            let reason = format!("no connection to the mail server: {}", redaction.chain(error));
            DeliveryError::transient(reason, false)
        };
        let (host, addresses) = self.judged(account).await?;
        let stream =
            TcpStream::connect(&addresses[..]).await.map_err(|error| no_connection(&error))?;
        check_clear(account, &stream)?;
        let own = stream.local_addr().map_err(|error| no_connection(&error))?;
        let hello = match own.ip() {
            IpAddr::V4(address) => ClientId::Ipv4(address),
            IpAddr::V6(address) => ClientId::Ipv6(address),
        };
        let stream: Box<dyn AsyncTokioStream> = match account.encryption {
            Encryption::Ssl => {
                let name = server_name(&host).map_err(|error| no_connection(&error))?;
                let connector = TlsConnector::from(self.tls.config());
                let stream = connector.connect(name, stream).await;
                let stream = stream.map_err(|error| no_connection(&error))?;
                Box::new(self.capped(stream))
            }
            Encryption::None | Encryption::StartTls => Box::new(self.capped(stream)),
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello)
            .await
            .map_err(|error| no_connection(&error))?;
        if account.encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                let reason = "the mail server offers no STARTTLS, and nothing is sent in the clear";
                return Err(DeliveryError::refused(reason));
            }
            let tls = self.tls.for_mail(&plain_host(&host));
            let tls = tls.map_err(|error| no_connection(&error))?;
            connection.starttls(tls, &hello).await.map_err(|error| no_connection(&error))?;
        }
        Ok(connection)
    }

    async fn judged(
        &self,
        account: &SmtpAccount,
    ) -> Result<(Host, Vec<SocketAddr>), DeliveryError> {
        let guard = &self.options.guard;
        let refused = |error: crate::guard::GuardError| {
            if error.is_transient() {
                DeliveryError::transient(error.to_string(), false)
            } else {
                DeliveryError::refused(error.to_string())
            }
        };
        let host = guard.host(&account.host).map_err(refused)?;
        let addresses = guard.addresses(&host, account.port).await.map_err(refused)?;
        Ok((host, addresses))
    }

    fn capped<S>(&self, stream: S) -> Capped<S> {
        // Every answer to a command is small; a dozen of them are more than a letter needs.
        Capped { stream, left: self.options.answer_bytes_max }
    }
}

/// Refuses to show a password to everybody on the way.
fn check_clear(account: &SmtpAccount, stream: &TcpStream) -> Result<(), DeliveryError> {
    let is_own = stream.peer_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
    if account.encryption == Encryption::None && account.credentials.is_some() && !is_own {
        let reason = "a password is not sent in the clear: use start_tls or ssl";
        return Err(DeliveryError::refused(reason));
    }
    Ok(())
}

fn plain_host(host: &Host) -> String {
    match host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

fn server_name(host: &Host) -> Result<ServerName<'static>, rustls::pki_types::InvalidDnsNameError> {
    ServerName::try_from(plain_host(host))
}

/// A stream that ends after so many bytes: a server that sends one endless line would fill the memory.
#[derive(Debug)]
struct Capped<S> {
    stream: S,
    /// How many bytes may still be read.
    left: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the mail server says too much")));
        }
        let length = into.remaining().min(self.left);
        let mut part = ReadBuf::new(into.initialize_unfilled_to(length));
        let outcome = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let count = part.filled().len();
        into.advance(count);
        self.left -= count;
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Capped<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncTokioStream for Capped<TlsStream<TcpStream>> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}
