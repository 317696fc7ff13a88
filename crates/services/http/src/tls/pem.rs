//! PEM files in and out.

use std::io::Write;
use std::path::Path;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let chain = chain.map_err(|err| malformed(path, &err))?;
    if chain.is_empty() {
        return Err(Error::Pem { path: path.into(), detail: "no certificate in it".into() });
    }
    Ok(chain)
}

pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = read(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|err| malformed(path, &err))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })
}

fn malformed(path: &Path, err: &pem::Error) -> Error {
    let detail = match err {
        pem::Error::NoItemsFound => "no private key in it".into(),
        other => other.to_string(),
    };
    Error::Pem { path: path.into(), detail }
}

/// Who may read a file.
#[derive(Clone, Copy)]
pub(super) enum Readable {
    ByOwner,
    ByAll,
}

/// Replaces `path` as a whole: written beside it, synced, renamed. A crash leaves the old file or
/// the new one.
pub(super) fn write(path: &Path, contents: &str, readable: Readable) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.into(), source };
    let new = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(match readable {
            Readable::ByOwner => 0o600,
            Readable::ByAll => 0o644,
        });
        // One left by a crash may have other permissions.
        let _ = std::fs::remove_file(&new);
    }
    #[cfg(not(unix))]
    let _ = readable;
    let mut file = options.open(&new).map_err(failed)?;
    file.write_all(contents.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
}
