//! TLS towards receivers: whom to trust.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

/// The certificate authorities that receivers may have their certificates from.
#[derive(Clone)]
pub struct TlsTrust {
    pub(super) connector: TlsConnector,
}

impl TlsTrust {
    /// Those of the system (`SSL_CERT_FILE`, else the usual places) and those in the PEM file
    /// `extra`.
    ///
    /// A system without any is no error: plain connections need none, and TLS then fails with an
    /// unknown issuer.
    ///
    /// # Errors
    /// `extra` cannot be read or holds no certificate.
    pub fn system_and(extra: Option<&Path>) -> Result<Self, TlsTrustError> {
        let mut roots = RootCertStore::empty();
        let given = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let system = given
            .into_iter()
            .chain(SYSTEM_BUNDLES.iter().map(PathBuf::from))
            .find_map(|path| read_bundle(&path).ok());
        roots.add_parsable_certificates(system.unwrap_or_default());
        if let Some(path) = extra {
            let error = |why| TlsTrustError { path: path.into(), why };
            let (added, _) = roots.add_parsable_certificates(read_bundle(path).map_err(error)?);
            if added == 0 {
                return Err(error("no certificate in it".into()));
            }
        }
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("the provider supports the default versions")
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }
}

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTrust")
    }
}

/// A bundle of certificate authorities that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsTrustError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for TlsTrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CA bundle {}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for TlsTrustError {}

fn read_bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// Debian and Alpine; Fedora and RHEL; SUSE; BSD and macOS.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
