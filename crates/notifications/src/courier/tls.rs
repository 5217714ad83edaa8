//! Whom TLS trusts, the same for all ways of sending.

use std::fmt;
use std::sync::Arc;

use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// Whom TLS trusts.
#[derive(Clone)]
pub(super) struct Tls {
    authorities: Arc<[CertificateDer<'static>]>,
    config: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Trusts the authorities of the machine, or those of Mozilla where the machine has none, as in a
    /// minimal container, and the further ones.
    pub(super) fn new(further: &[Vec<u8>]) -> Result<Self, rustls::Error> {
        let mut authorities = rustls_native_certs::load_native_certs().certs;
        if authorities.is_empty() {
            let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            authorities = bundled.map(|certificate| certificate.clone().into_owned()).collect();
        }
        let mut store = RootCertStore::empty();
        // A machine's store may hold certificates that are none; they are nobody's fault here.
        authorities.retain(|certificate| store.add(certificate.clone()).is_ok());
        for certificate in further {
            let certificate = CertificateDer::from(certificate.clone());
            store.add(certificate.clone())?;
            authorities.push(certificate);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self { authorities: authorities.into(), config: Arc::new(config) })
    }

    /// Returns what a connection is made with that is encrypted from its first byte.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Returns what lettre encrypts a connection with that began in the clear; the certificate must be
    /// that of `host`.
    pub(super) fn for_mail(
        &self,
        host: &str,
    ) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut builder =
            TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
        for authority in self.authorities.iter() {
            builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec())?);
        }
        builder.build()
    }
}
