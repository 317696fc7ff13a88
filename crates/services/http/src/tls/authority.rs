//! A certificate authority of the server's own, for installations without certificates.
//!
//! ```text
//! DIR/ca.pem        the authority's certificate: what clients are told to trust
//! DIR/ca.key        its key
//! DIR/server.pem    the server's certificate and, behind it, the authority's; its names and end
//!                   stand as text before them
//! DIR/server.key    its key
//! ```
//!
//! The authority lives ten years, so that devices are set up once; the server's certificate 397
//! days, the most that browsers accept, and is renewed at start when less than 30 days are left
//! or the names have changed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::ServerConfig;
use time::{Duration, OffsetDateTime};

use super::pem::{self, Readable};
use crate::error::Error;

const AUTHORITY_DAYS: i64 = 3653;
const SERVER_DAYS: i64 = 397;
const RENEWED_BELOW_DAYS: i64 = 30;

/// Certificates are valid from a day before they are made: cameras' clocks are often behind.
const BACKDATED: Duration = Duration::DAY;

/// Names every certificate has.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What [`local_authority`] made or found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LocalAuthority {
    /// For the listener.
    pub config: Arc<ServerConfig>,
    /// The certificate that clients must trust, in PEM.
    pub ca_path: PathBuf,
    /// The server's certificate chain, in PEM.
    pub certificate_path: PathBuf,
    /// The host names and addresses that the certificate is for.
    pub names: Vec<String>,
}

/// Loads the authority and the server's certificate from `dir`, making what is missing, nearly
/// expired, or made for other names. `names` are host names and IP addresses; `localhost`,
/// `127.0.0.1` and `::1` are always added.
///
/// # Errors
///
/// [`Error::File`], [`Error::Pem`], [`Error::Certificate`] (such as a name that is none) or
/// [`Error::Tls`].
pub fn local_authority(dir: &Path, names: &[String]) -> Result<LocalAuthority, Error> {
    local_authority_at(dir, names, OffsetDateTime::now_utc())
}

fn local_authority_at(
    dir: &Path,
    names: &[String],
    now: OffsetDateTime,
) -> Result<LocalAuthority, Error> {
    std::fs::create_dir_all(dir).map_err(|source| Error::File { path: dir.into(), source })?;
    let names: BTreeSet<String> = LOCAL_NAMES
        .into_iter()
        .map(str::to_owned)
        .chain(names.iter().map(|name| name.to_ascii_lowercase()))
        .collect();
    let ca_path = dir.join("ca.pem");
    let ca_key_path = dir.join("ca.key");
    let certificate_path = dir.join("server.pem");
    let key_path = dir.join("server.key");

    let made = !ca_path.exists() || !ca_key_path.exists();
    if made {
        let key = key_pair()?;
        let certificate = authority_params(now).self_signed(&key).map_err(Error::Certificate)?;
        pem::write(&ca_key_path, &key.serialize_pem(), Readable::ByOwner)?;
        pem::write(&ca_path, &certificate.pem(), Readable::ByAll)?;
        tracing::info!(path = %ca_path.display(), "made a local certificate authority");
    }
    if made || !key_path.exists() || !is_current(&certificate_path, &names, now) {
        let ca_key = String::from_utf8_lossy(&pem::read(&ca_key_path)?).into_owned();
        let ca_key = KeyPair::from_pem(&ca_key)
            .map_err(|err| Error::Pem { path: ca_key_path.clone(), detail: err.to_string() })?;
        // Name and key identifier are all that the leaf takes over, and both are as they were.
        let issuer = Issuer::new(authority_params(now), ca_key);
        let key = key_pair()?;
        let (params, expires) = server_params(&names, now)?;
        let certificate = params.signed_by(&key, &issuer).map_err(Error::Certificate)?;
        let ca_pem = String::from_utf8_lossy(&pem::read(&ca_path)?).into_owned();
        let chain = format!("{}{}{ca_pem}", header(&names, expires), certificate.pem());
        // The certificate last: what is current is read from it.
        pem::write(&key_path, &key.serialize_pem(), Readable::ByOwner)?;
        pem::write(&certificate_path, &chain, Readable::ByAll)?;
        tracing::info!(path = %certificate_path.display(), "made a server certificate");
    }
    let config = super::tls_from_pem_files(&certificate_path, &key_path)?;
    Ok(LocalAuthority { config, ca_path, certificate_path, names: names.into_iter().collect() })
}

fn key_pair() -> Result<KeyPair, Error> {
    // P-256: embedded TLS libraries all have it.
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::Certificate)
}

fn authority_params(now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Streamkeep local authority");
    params.not_before = now - BACKDATED;
    params.not_after = now + Duration::days(AUTHORITY_DAYS);
    params
}

fn server_params(
    names: &BTreeSet<String>,
    now: OffsetDateTime,
) -> Result<(CertificateParams, OffsetDateTime), Error> {
    let names: Vec<String> = names.iter().cloned().collect();
    // Tells IP addresses from host names.
    let mut params = CertificateParams::new(names).map_err(Error::Certificate)?;
    params.distinguished_name.push(DnType::CommonName, "Streamkeep");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let expires = now + Duration::days(SERVER_DAYS) - BACKDATED;
    params.not_before = now - BACKDATED;
    params.not_after = expires;
    Ok((params, expires))
}

/// The text before the certificates, from which the next start knows whether they still do.
/// (RFC 7468 §2: text outside the encapsulation boundaries is ignored by parsers.)
fn header(names: &BTreeSet<String>, expires: OffsetDateTime) -> String {
    let mut text = String::from("Server certificate of a Streamkeep local authority.\n");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let _ = writeln!(text, "Names: {}", names.join(" "));
    let _ = writeln!(text, "Expires: {}", expires.unix_timestamp());
    text
}

fn is_current(path: &Path, names: &BTreeSet<String>, now: OffsetDateTime) -> bool {
    let Ok(text) = std::fs::read_to_string(path) else {
        return false;
    };
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let made_for = field("Names: ")
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect::<BTreeSet<_>>();
    let expires = field("Expires: ").and_then(|seconds| seconds.parse::<i64>().ok());
    let renew_at = (now + Duration::days(RENEWED_BELOW_DAYS)).unix_timestamp();
    made_for == *names && expires.is_some_and(|expires| expires >= renew_at)
}

#[cfg(test)]
mod tests;
