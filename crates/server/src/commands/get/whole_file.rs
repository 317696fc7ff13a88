//! A file that is there when it is complete, and not before.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Written under another name in the same folder, and renamed at the end. Dropped before that, it
/// leaves nothing behind, and what had the name stays.
pub(super) enum WholeFile {
    File {
        path: PathBuf,
        file: BufWriter<NamedTempFile>,
    },
    /// For `-`: what is written is out.
    Stdout(io::Stdout),
}

impl WholeFile {
    /// Error: no file can be made in that folder.
    pub(super) fn create(path: &str) -> Result<Self, String> {
        if path == "-" {
            return Ok(Self::Stdout(io::stdout()));
        }
        let path = PathBuf::from(path);
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let name = path.file_name().ok_or_else(|| format!("{}: no file name", path.display()))?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        let file = tempfile::Builder::new()
            .prefix(&format!(".{}.", name.display()))
            .suffix(".part")
            // As any new file; the umask applies.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(failed)?;
        Ok(Self::File { file: BufWriter::new(file), path })
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), String> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush().map_err(|error| error.to_string()),
            Self::File { path, file } => {
                let failed = |error: io::Error| format!("{}: {error}", path.display());
                let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
                file.persist(&path).map_err(|error| failed(error.error))?;
                Ok(())
            }
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let path_text = path.to_str().unwrap();
        std::fs::write(&path, "old").unwrap();

        let mut dropped = WholeFile::create(path_text).unwrap();
        dropped.write_all(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(dropped);
        assert_eq!(names(folder.path()), ["a.mp4"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");

        let mut file = WholeFile::create(path_text).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(names(folder.path()), ["a.mp4"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        // Readable by others as far as the umask allows, unlike a temporary file.
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }

    #[test]
    fn refusals() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        for path in [folder, "/", "..", &format!("{folder}/none/a.mp4")] {
            assert!(WholeFile::create(path).is_err(), "{path}");
        }
    }
}
