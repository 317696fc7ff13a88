//! TLS towards servers: whom to trust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

use crate::Error;

/// A connector that trusts the authorities in `ca_bundle`, a PEM file, and no others; without one
/// it trusts those of the system.
///
/// A system without any is no error: plain connections need none, and TLS then fails with an
/// unknown issuer.
pub(crate) fn connector(ca_bundle: Option<&Path>) -> Result<TlsConnector, Error> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        Some(path) => {
            let certificates = read_bundle(path)
                .map_err(|why| Error::Settings(format!("CA bundle {}: {why}", path.display())))?;
            let (added, _) = roots.add_parsable_certificates(certificates);
            if added == 0 {
                return Err(Error::Settings(format!(
                    "CA bundle {}: no certificate in it",
                    path.display()
                )));
            }
        }
        None => {
            let given = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
            let bundle = given
                .into_iter()
                .chain(SYSTEM_BUNDLES.iter().map(PathBuf::from))
                .find_map(|path| read_bundle(&path).ok());
            roots.add_parsable_certificates(bundle.unwrap_or_default());
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
