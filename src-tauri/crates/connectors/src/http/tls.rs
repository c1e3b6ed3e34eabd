//! TLS for all clients: rustls with ring, named here and not left to a default of the process, and
//! the certificates that the operating system trusts, read once.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// The configuration that every client shares.
///
/// # Errors
/// When no allowed version of TLS can be spoken, which no build should have.
pub(super) fn config() -> Result<ClientConfig, String> {
    static CONFIG: OnceLock<Result<ClientConfig, String>> = OnceLock::new();
    CONFIG.get_or_init(make).clone()
}

fn make() -> Result<ClientConfig, String> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&ring))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match Verifier::new(ring) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A machine without certificates of its own can still ask what is not https: the practice
        // workspace works on a bare container. Every https question then fails, and says why.
        Err(error) => {
            tracing::warn!(%error, "no certificates were found: nothing can be asked over https");
            builder.with_root_certificates(RootCertStore::empty())
        }
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
