//! Images in a directory, for an installation without a bucket.
//!
//! An object `key` of `bucket` becomes the file `bucket/key` below the directory, its content type
//! and metadata `bucket/key.json` beside it, written first: an image that is there has its
//! metadata.
//!
//! # Names
//!
//! A key is the producer's and the user's text, so each of its segments is encoded (injectively:
//! two keys never share a file):
//!
//! - letters, digits and `-._~ ,=+@` stay, but for a dot at the start; all else becomes `%XX`;
//! - an empty segment becomes `%`;
//! - a segment of more than 200 bytes becomes several directories, all but the last ending in `%+`.
//!
//! So no segment is `.` or `..`, none holds a slash, and none starts with a dot, as the files
//! being written do. Directories are opened one below the other without following symbolic links.
//!
//! # Durable order
//!
//! 1. Write the file under a name of its own.
//! 2. Sync it.
//! 3. Rename it.
//! 4. Sync its directory.
//!
//! A new directory is synced into its parent before anything is put into it.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::percent;

/// The directory.
#[derive(Debug)]
pub struct LocalStore {
    root: OwnedFd,
}

impl LocalStore {
    /// Opens `directory`, or creates it in its parent.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(directory: &Path) -> io::Result<Self> {
        match rustix::fs::mkdir(directory, DIRECTORY_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        // The operator's own path may hold symbolic links.
        let root = rustix::fs::openat(
            CWD,
            directory,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(Self { root })
    }

    /// Writes an object; when this returns it is durable. An object of the same key is replaced,
    /// and readers see the old one or the new one. Blocks.
    ///
    /// # Errors
    /// Those of the system. The object is then there as before.
    pub fn put(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        metadata: &[(String, String)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut path = Vec::new();
        for segment in std::iter::once(bucket).chain(key.split('/')) {
            push_names(&mut path, segment);
        }
        let name = path.pop().expect("a bucket and a key have two names");
        let mut opened: Option<OwnedFd> = None;
        for directory in &path {
            opened = Some(child(opened.as_ref().unwrap_or(&self.root), directory)?);
        }
        let directory = opened.as_ref().unwrap_or(&self.root);
        let description = description(content_type, metadata);
        write_durably(directory, &format!("{name}.json"), description.as_bytes())?;
        write_durably(directory, &name, body)
    }
}

/// The names of the directories and the file for one segment of a key.
fn push_names(path: &mut Vec<String>, segment: &str) {
    let mut name = String::new();
    for (index, character) in segment.chars().enumerate() {
        let mut encoded = String::new();
        if index == 0 && character == '.' {
            encoded.push_str("%2E");
        } else {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            percent::encode_into(&mut encoded, bytes, b" ,=+@");
        }
        if name.len() + encoded.len() > NAME_LEN_MAX {
            name.push_str("%+");
            path.push(std::mem::take(&mut name));
            // The next part must not start with a dot either.
            if encoded == "." {
                encoded = "%2E".into();
            }
        }
        name.push_str(&encoded);
    }
    if name.is_empty() {
        name.push('%');
    }
    path.push(name);
}

/// Opens the directory `name` in `parent`, creating it first if needed.
fn child(parent: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(parent, name, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {}
        other => return other.map_err(io::Error::from),
    }
    match rustix::fs::mkdirat(parent, name, DIRECTORY_MODE) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    rustix::fs::fsync(parent)?;
    open().map_err(io::Error::from)
}

fn write_durably(directory: &OwnedFd, name: &str, bytes: &[u8]) -> io::Result<()> {
    // A name of its own per object: what a crash leaves behind is overwritten by the retry, and
    // only one attempt for an object runs at a time.
    let temporary = format!(".{name}.part");
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, temporary.as_str(), flags, FILE_MODE)?;
    let mut file = std::fs::File::from(file);
    let written = file.write_all(bytes).and_then(|()| file.sync_all()); // 1, 2
    if let Err(error) = written {
        // Without this a full disk would stay full of parts; that it fails too changes nothing.
        let _ = rustix::fs::unlinkat(directory, temporary.as_str(), AtFlags::empty());
        return Err(error);
    }
    rustix::fs::renameat(directory, temporary.as_str(), directory, name)?; // 3
    rustix::fs::fsync(directory).map_err(io::Error::from) // 4
}

fn description(content_type: &str, metadata: &[(String, String)]) -> String {
    let metadata: serde_json::Map<String, serde_json::Value> =
        metadata.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::json!({ "ContentType": content_type, "Metadata": metadata }).to_string()
}

/// With `.`, `.json`, `.part` and `%+` below the 255 bytes of a file name.
const NAME_LEN_MAX: usize = 200;
/// As the umask lets them be.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);
const FILE_MODE: Mode = Mode::from_raw_mode(0o666);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(segment: &str) -> Vec<String> {
        let mut path = Vec::new();
        push_names(&mut path, segment);
        path
    }

    #[test]
    fn names_of_segments() {
        for (segment, expected) in [
            ("a_b-c.jpg", "a_b-c.jpg"),
            ("a b,c=d+e@f", "a b,c=d+e@f"),
            (".", "%2E"),
            ("..", "%2E."),
            (".hidden", "%2Ehidden"),
            ("", "%"),
            ("a\\b", "a%5Cb"),
            ("a\0b", "a%00b"),
            ("%2E", "%252E"),
            ("门", "%E9%97%A8"),
            ("a:b*c", "a%3Ab%2Ac"),
        ] {
            assert_eq!(names(segment), [expected], "{segment:?}");
        }
        let long = names(&format!("{}.x", "a".repeat(200)));
        assert_eq!(long, [format!("{}%+", "a".repeat(200)), "%2Ex".into()]);
    }

    proptest! {
        #[test]
        fn names_are_safe(segment in "\\PC{0,300}") {
            for name in names(&segment) {
                prop_assert!(!name.is_empty() && name.len() <= 202 && !name.starts_with('.'));
                prop_assert!(!name.contains(['/', '\\', '\0']));
            }
        }

        #[test]
        fn names_differ(one in "[.a%/+]{0,6}", other in "[.a%/+]{0,6}") {
            let path = |key: &str| -> Vec<String> { key.split('/').flat_map(names).collect() };
            prop_assert_eq!(one == other, path(&one) == path(&other));
        }
    }

    #[test]
    fn objects() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("pictures");
        let store = LocalStore::open(&root).unwrap();
        let metadata = [("zone".to_owned(), "north".to_owned())];
        for body in [&b"first"[..], b"second"] {
            store.put("b", "cams/gate_1.jpg", "image/jpeg", &metadata, body).unwrap();
            assert_eq!(std::fs::read(root.join("b/cams/gate_1.jpg")).unwrap(), body);
        }
        assert_eq!(
            std::fs::read_to_string(root.join("b/cams/gate_1.jpg.json")).unwrap(),
            r#"{"ContentType":"image/jpeg","Metadata":{"zone":"north"}}"#
        );
        let mut left: Vec<_> = std::fs::read_dir(root.join("b/cams"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["gate_1.jpg", "gate_1.jpg.json"]);
        // Opening it again is no error.
        LocalStore::open(&root).unwrap();
    }

    #[test]
    fn tricks_stay_inside() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("pictures");
        let store = LocalStore::open(&root).unwrap();
        let keys = ["../../escape", "/etc/escape", "a/../../../escape", "..", ".", "//", "a\0b"];
        for (index, key) in keys.iter().enumerate() {
            store.put(&format!("b{index}"), key, "image/png", &[], b"x").unwrap();
        }
        store.put("..", "escape", "image/png", &[], b"x").unwrap();
        let outside: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(outside, ["pictures"]);

        // A link that someone put there is not followed.
        let target = directory.path().join("target");
        std::fs::create_dir(&target).unwrap();
        store.put("b", "file", "image/png", &[], b"x").unwrap();
        std::os::unix::fs::symlink(&target, root.join("b/link")).unwrap();
        store.put("b", "link/k", "image/png", &[], b"x").unwrap_err();
        std::fs::write(directory.path().join("file"), "kept").unwrap();
        std::os::unix::fs::symlink(directory.path().join("file"), root.join("b/k")).unwrap();
        store.put("b", "k", "image/png", &[], b"x").unwrap();
        assert_eq!(std::fs::read_to_string(directory.path().join("file")).unwrap(), "kept");
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0);
    }

    #[test]
    fn what_a_crash_left_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::open(directory.path()).unwrap();
        std::fs::create_dir(directory.path().join("b")).unwrap();
        std::fs::write(directory.path().join("b/.k.part"), "a longer half of something").unwrap();
        store.put("b", "k", "image/png", &[], b"whole").unwrap();
        assert_eq!(std::fs::read(directory.path().join("b/k")).unwrap(), b"whole");
        assert!(!directory.path().join("b/.k.part").exists());
    }
}
