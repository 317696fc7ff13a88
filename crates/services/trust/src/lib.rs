//! Whom our TLS clients trust.
//!
//! ```
//! use streamkeep_trust::{Authorities, connector};
//!
//! let tls = connector(Authorities::System)?;
//! # Ok::<(), streamkeep_trust::BundleError>(())
//! ```

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// The certificate authorities that a server may have its certificate from. Bundles are PEM files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorities<'a> {
    /// Those of the system: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else the usual places.
    ///
    /// A system without any is no error: plain connections need none, and TLS then fails with an
    /// unknown issuer.
    System,
    /// Those of the system and those of a bundle.
    SystemAnd(&'a Path),
    /// Those of a bundle and no others.
    Only(&'a Path),
}

/// A connector for HTTP/1.1 over TLS 1.2 and 1.3.
///
/// # Errors
/// The bundle cannot be read or holds no certificate.
pub fn connector(authorities: Authorities<'_>) -> Result<TlsConnector, BundleError> {
    let mut roots = RootCertStore::empty();
    if let Authorities::System | Authorities::SystemAnd(_) = authorities {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Authorities::SystemAnd(bundle) | Authorities::Only(bundle) = authorities {
        let error = |why| BundleError { path: bundle.into(), why };
        let certificates = read(bundle).map_err(error)?;
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(error("no certificate in it".into()));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn read(bundle: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(bundle).map_err(|error| error.to_string())?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// A bundle of certificate authorities that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CA bundle {}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for BundleError {}
