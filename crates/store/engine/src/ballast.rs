//! The ballast: space set aside so that a full disk can be worked on.
//!
//! A start needs a little space before it can free any: the databases create their logs, recovery
//! appends footers. The file `ballast` holds that space and goes first.

use std::io;

use streamkeep_io::VolumeIo;

/// Name of the ballast in the data directory.
const FILE: &str = "ballast";

/// Removes the ballast when less than `needed` bytes are available. To be called at start, after
/// the lock and before the databases are opened. Returns whether there was something to remove.
///
/// # Errors
/// What `statvfs`, `unlink` or the directory sync report.
pub fn release_ballast(root: &dyn VolumeIo, needed: u64) -> io::Result<bool> {
    if root.statvfs()?.available >= needed {
        return Ok(false);
    }
    match root.unlink(FILE) {
        Ok(()) => {
            root.sync_dir()?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts a ballast of `len` bytes in place when there is none and four times as much is available.
pub(crate) fn restore_ballast(root: &dyn VolumeIo, len: u64) -> io::Result<()> {
    if len == 0 || root.statvfs()?.available / 4 < len {
        return Ok(());
    }
    let file = match root.create(FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    };
    file.allocate(len)?;
    root.sync_dir()
}

#[cfg(test)]
mod tests {
    use streamkeep_io::sim::{SimDisk, SimOptions};

    use super::*;

    #[test]
    fn goes_in_need_and_comes_back() {
        let disk = SimDisk::new(SimOptions { capacity: 1 << 20, ..SimOptions::default() });
        let root = disk.directory("root");
        restore_ballast(&*root, 1 << 16).unwrap();
        restore_ballast(&*root, 1 << 16).unwrap();
        assert_eq!(disk.space().available, (1 << 20) - (1 << 16));
        assert!(!release_ballast(&*root, 1 << 16).unwrap(), "no need");
        disk.set_capacity(1 << 16);
        assert!(release_ballast(&*root, 4096).unwrap());
        assert_eq!(disk.space().available, 1 << 16);
        assert!(!release_ballast(&*root, 1 << 20).unwrap(), "nothing left to remove");
        restore_ballast(&*root, 1 << 16).unwrap();
        assert_eq!(disk.space().available, 1 << 16, "not while space is short");
    }
}
