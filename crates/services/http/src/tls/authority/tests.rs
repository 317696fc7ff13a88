use std::path::Path;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::{Duration, OffsetDateTime};

use super::{LocalAuthority, local_authority, local_authority_at};
use crate::error::Error;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Whether a client that trusts `authority`'s CA accepts its server as `name` at `at`.
fn accepted(authority: &LocalAuthority, ca: &Path, name: &str, at: OffsetDateTime) -> bool {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider().into();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
    let chain: Vec<_> = CertificateDer::pem_file_iter(&authority.certificate_path)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let now = u64::try_from(at.unix_timestamp()).unwrap();
    verifier
        .verify_server_cert(
            &chain[0],
            &chain[1..],
            &ServerName::try_from(name.to_owned()).unwrap(),
            &[],
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(now)),
        )
        .is_ok()
}

#[test]
fn certificates_are_for_all_the_names() {
    let dir = tempfile::tempdir().unwrap();
    let asked = names(&["Cam.Example.Org", "192.0.2.7", "2001:db8::1"]);
    let authority = local_authority(dir.path(), &asked).unwrap();
    let now = OffsetDateTime::now_utc();
    for name in ["localhost", "127.0.0.1", "::1", "cam.example.org", "192.0.2.7", "2001:db8::1"] {
        assert!(accepted(&authority, &authority.ca_path, name, now), "{name}");
    }
    assert!(!accepted(&authority, &authority.ca_path, "example.org", now));
    assert!(!accepted(&authority, &authority.ca_path, "localhost", now + Duration::days(397)));
}

#[test]
fn a_second_start_finds_what_the_first_made() {
    let dir = tempfile::tempdir().unwrap();
    let first = local_authority(dir.path(), &names(&["a"])).unwrap();
    let made = std::fs::read(&first.certificate_path).unwrap();
    let second = local_authority(dir.path(), &names(&["A", "localhost"])).unwrap();
    assert_eq!(std::fs::read(&second.certificate_path).unwrap(), made);
}

#[test]
fn the_server_is_renewed_under_the_same_authority() {
    let dir = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::now_utc();
    let first = local_authority_at(dir.path(), &[], now).unwrap();
    let trusted = dir.path().join("trusted.pem");
    std::fs::copy(&first.ca_path, &trusted).unwrap();
    let made = std::fs::read(&first.certificate_path).unwrap();

    let later = now + Duration::days(397 - 32);
    local_authority_at(dir.path(), &[], later).unwrap();
    assert_eq!(std::fs::read(&first.certificate_path).unwrap(), made);

    let later = now + Duration::days(397 - 30);
    let renewed = local_authority_at(dir.path(), &[], later).unwrap();
    assert_ne!(std::fs::read(&first.certificate_path).unwrap(), made);
    assert!(accepted(&renewed, &trusted, "localhost", later + Duration::days(300)));

    let renamed = local_authority_at(dir.path(), &names(&["b"]), now).unwrap();
    assert!(accepted(&renamed, &trusted, "b", now));
}

#[cfg(unix)]
#[test]
fn keys_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    local_authority(dir.path(), &[]).unwrap();
    for file in ["ca.key", "server.key"] {
        let mode = dir.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn names_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let result = local_authority(dir.path(), &names(&["caf\u{e9}"]));
    assert!(matches!(result, Err(Error::Certificate(_))), "{result:?}");
}

#[test]
fn files_that_are_no_pem_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let junk = dir.path().join("junk.pem");
    std::fs::write(&junk, "junk").unwrap();
    let missing = dir.path().join("missing.pem");
    let err = super::super::tls_from_pem_files(&junk, &junk).unwrap_err();
    assert!(err.to_string().contains("junk.pem: no certificate"), "{err}");
    let err = super::super::tls_from_pem_files(&missing, &junk).unwrap_err();
    assert!(matches!(err, Error::File { .. }), "{err}");
}
