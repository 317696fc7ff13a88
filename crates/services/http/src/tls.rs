//! TLS configurations: from PEM files, or from an authority of the server's own.

mod authority;
mod expiry;
mod pem;

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

pub use authority::{LocalAuthority, local_authority};
pub use expiry::chain_expires;

/// TLS 1.2 and 1.3 with the certificate chain (leaf first) and key in two PEM files; ALPN `h2`
/// and `http/1.1`, session tickets on.
///
/// # Errors
///
/// [`Error::File`], [`Error::Pem`] or [`Error::Tls`].
pub fn tls_from_pem_files(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, Error> {
    server_config(pem::certificates(chain)?, pem::private_key(key)?)
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, Error> {
    // The provider is named, never the process's default: which libraries happen to be linked
    // must not decide about cryptography.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(Error::Tls)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets hold the session's state at the client: nothing is kept here for those that left.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(Error::Tls)?;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}
