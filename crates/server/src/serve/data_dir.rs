//! The data directory documents itself.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

const README: &str = "\
Streamkeep data directory
=========================

README            this file
root-credentials  the first access key, in the form of an AWS credentials file; yours alone to read
root.key          the root key: without it nothing here can be read; BACK IT UP, apart from the rest
keys/             one card per stream: its wrapped key and its definition; BACK IT UP
volumes/          the media, encrypted; one file holds many streams
control.db        streams, tags and keys; can be rebuilt from keys/
index.db          where which stream's media lies; can be rebuilt from volumes/
delivery.db       images and notifications that are still to be sent
images/           images of streams that are set to keep them here (file:///NAME)
tls/              certificate authority and certificate, when the server made them
lock              held while the server runs
ballast           64 MiB of nothing, given up when the disk is full

To back up: root.key and keys/ (small), and volumes/ if you want the media. To restore: put them back
and run `streamkeep rebuild-index --data-dir DIR`.
Deleting a stream removes its card; a backup of keys/ made before still opens that stream's media.
";

/// Creates the directory, readable by its owner only, with its README; refuses one that is
/// something else.
pub(crate) fn prepare(path: &Path) -> io::Result<()> {
    if path.exists() && !path.join("README").exists() && path.read_dir()?.next().is_some() {
        return Err(io::Error::other(format!(
            "{} is neither empty nor a Streamkeep data directory",
            path.display()
        )));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = path.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777),
            "others on this machine can look into the data directory");
    }
    let readme = path.join("README");
    if std::fs::read(&readme).ok().as_deref() != Some(README.as_bytes()) {
        // A full disk must not keep the server from starting.
        if let Err(error) = std::fs::write(&readme, README) {
            tracing::warn!(%error, "could not write the data directory's README");
        }
    }
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_private_documented_and_never_on_top_of_something_else() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        prepare(&data).unwrap();
        assert!(data.join("README").exists());
        assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        prepare(&data).unwrap();
        std::fs::write(dir.path().join("file"), "x").unwrap();
        assert!(prepare(dir.path()).is_err());
    }
}
