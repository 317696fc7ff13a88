//! The first credentials: the root key pair.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use streamkeep_sigv4::SecretKey;
use zeroize::Zeroizing;

/// Where the key pair is kept, in the form of an AWS shared credentials file, so that
/// `AWS_SHARED_CREDENTIALS_FILE` can name it.
const FILE_NAME: &str = "root-credentials";

/// An access key with its secret.
pub(crate) struct RootCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret: SecretKey,
    /// The secret's text, for a client in this process.
    pub(crate) plain_secret: Zeroizing<String>,
    /// The pair was made by this start: show it once.
    pub(crate) made_now: bool,
    /// The file, when the pair did not come from the environment.
    pub(crate) file: Option<PathBuf>,
}

impl RootCredentials {
    fn new(
        access_key_id: String,
        plain_secret: String,
        made_now: bool,
        file: Option<PathBuf>,
    ) -> io::Result<Self> {
        let secret = SecretKey::new(plain_secret.as_str())
            .ok_or_else(|| io::Error::other("the root secret access key is empty"))?;
        let plain_secret = Zeroizing::new(plain_secret);
        Ok(Self { access_key_id, secret, plain_secret, made_now, file })
    }
}

/// Takes the pair from `STREAMKEEP_ROOT_ACCESS_KEY_ID` and `STREAMKEEP_ROOT_SECRET_ACCESS_KEY`,
/// else from the data directory, else makes one there.
pub(crate) fn load_or_make(
    data_dir: &Path,
    mut random: impl FnMut(&mut [u8]),
) -> io::Result<RootCredentials> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("STREAMKEEP_ROOT_ACCESS_KEY_ID"), variable("STREAMKEEP_ROOT_SECRET_ACCESS_KEY"))
    {
        (Some(id), Some(secret)) => return from_environment(id, &secret),
        (None, None) => {}
        _ => {
            return Err(io::Error::other(
                "STREAMKEEP_ROOT_ACCESS_KEY_ID and STREAMKEEP_ROOT_SECRET_ACCESS_KEY must be set \
                 together",
            ));
        }
    }
    let path = data_dir.join(FILE_NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let (access_key_id, secret) = parse(&text).ok_or_else(|| {
                io::Error::other(format!("{}: not a credentials file", path.display()))
            })?;
            RootCredentials::new(access_key_id, secret, false, Some(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (access_key_id, secret) = make(&mut random);
            write_private(
                &path,
                format!(
                    "[default]\naws_access_key_id = {access_key_id}\n\
                     aws_secret_access_key = {secret}\n"
                )
                .as_bytes(),
            )?;
            RootCredentials::new(access_key_id, secret, true, Some(path))
        }
        Err(error) => Err(error),
    }
}

fn from_environment(id: String, secret: &str) -> io::Result<RootCredentials> {
    // The service models' bound on access key ids (sts: 16..128).
    if !(3..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err(io::Error::other(
            "STREAMKEEP_ROOT_ACCESS_KEY_ID: expected 3 to 128 letters, digits or underscores",
        ));
    }
    if secret.len() < 8 {
        return Err(io::Error::other(
            "STREAMKEEP_ROOT_SECRET_ACCESS_KEY: expected at least 8 characters",
        ));
    }
    RootCredentials::new(id, secret.to_owned(), false, None)
}

/// Twenty characters beginning `AKIA`, and forty: the lengths clients expect.
fn make(random: &mut impl FnMut(&mut [u8])) -> (String, String) {
    const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut draw = |count: usize, alphabet: &[u8]| -> String {
        let mut bytes = vec![0; count];
        random(&mut bytes);
        // Both alphabets divide 256: no letter is likelier than another.
        bytes.iter().map(|b| char::from(alphabet[usize::from(*b) % alphabet.len()])).collect()
    };
    (format!("AKIA{}", draw(16, UPPER)), draw(40, MIXED))
}

fn parse(text: &str) -> Option<(String, String)> {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
    };
    Some((value("aws_access_key_id")?, value("aws_secret_access_key")?))
}

/// Writes a file that only its owner can read, and makes it survive a power cut.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let _ = std::fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn made_once_then_kept_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let mut next = 0u8;
        let mut random = |bytes: &mut [u8]| {
            bytes.iter_mut().for_each(|b| {
                next = next.wrapping_add(37);
                *b = next;
            });
        };
        let first = load_or_make(dir.path(), &mut random).unwrap();
        assert!(first.made_now);
        assert_eq!((first.access_key_id.len(), first.plain_secret.len()), (20, 40));
        let file = first.file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let second = load_or_make(dir.path(), &mut random).unwrap();
        assert_eq!(second.access_key_id, first.access_key_id);
        assert!(!second.made_now, "shown only once");
        assert_eq!(second.plain_secret, first.plain_secret);
    }

    #[test]
    fn weak_pairs_from_the_environment_are_refused() {
        assert!(from_environment("AKIDEXAMPLE".into(), "long enough").is_ok());
        assert!(from_environment("AK".into(), "long enough").is_err());
        assert!(from_environment("AKID EXAMPLE".into(), "long enough").is_err());
        assert!(from_environment("AKIDEXAMPLE".into(), "short").is_err());
    }
}
