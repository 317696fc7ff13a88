//! Files as the store sees them: one flat directory of plain files, positioned I/O, explicit
//! syncs.

use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;

/// Every write the store issues to a volume starts and ends on a multiple of this, so that an
/// implementation may use direct I/O. Small files (keys, cards) are written whole and are exempt:
/// an implementation with direct I/O opens those buffered.
pub const BLOCK_LEN: u64 = 4096;

/// One directory of plain files; no subdirectories.
///
/// Durability is explicit: a file created, renamed or unlinked is so only until the next crash
/// unless [`sync_dir`](Self::sync_dir) succeeded after it. Names are checked with
/// [`check_file_name`]; a bad one is `InvalidInput`.
pub trait VolumeIo: Send + Sync + fmt::Debug {
    /// Creates an empty file, readable by its owner only, and opens it for reading and writing.
    /// `AlreadyExists` when the name is taken.
    fn create(&self, name: &str) -> io::Result<Arc<dyn VolumeFile>>;

    /// Opens a file that exists; `NotFound` otherwise. Symbolic links are not followed.
    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>>;

    /// Gives a file another name, replacing a file that has it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name. Handles that are open still read the file.
    fn unlink(&self, name: &str) -> io::Result<()>;

    /// The plain files of the directory, by name.
    fn list(&self) -> io::Result<Vec<FileEntry>>;

    /// Makes every create, rename and unlink before it survive a crash.
    fn sync_dir(&self) -> io::Result<()>;

    /// Size and free space of the file system below the directory.
    fn statvfs(&self) -> io::Result<Space>;
}

/// An open file. All positions are absolute; handles share no cursor.
#[allow(clippy::len_without_is_empty, reason = "len asks the file system and may fail")]
pub trait VolumeFile: Send + Sync + fmt::Debug {
    /// Writes all bytes of all `bufs`, one after another, from `offset` on (`pwritev`, repeated
    /// until everything is out). On an error any part of the bytes may have been written.
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Reads at most `buf.len()` bytes; 0 at the end of the file. May read less.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads exactly `buf.len()` bytes; `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            match self.read_at(&mut buf[done..], offset + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => done += count,
            }
        }
        Ok(())
    }

    /// As [`read_exact_at`](Self::read_exact_at), of what is in memory: `WouldBlock` when the disk
    /// would have to be waited for, or where that cannot be told (`RWF_NOWAIT`).
    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let _ = (buf, offset);
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// As [`read_at`](Self::read_at), past the page cache where the file system can (`O_DIRECT`): for
    /// what is read once. `offset` and length are multiples of [`DIRECT_ALIGN`](crate::DIRECT_ALIGN),
    /// and so is the buffer's address.
    fn read_direct_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buf, offset)
    }

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reserves space for the first `len` bytes and makes the file at least that long; new bytes
    /// read as zero (`fallocate`). Where the file system cannot reserve, the file only grows:
    /// `StorageFull` may then still come at a write or sync.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Cuts or grows the file to `len` bytes; new bytes read as zero.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Makes all bytes written before it, and the length needed to read them, survive a crash
    /// (`fdatasync`).
    ///
    /// After an error **never call it again on this file**: Linux then reports success for
    /// pages it has dropped.
    fn sync_data(&self) -> io::Result<()>;

    /// As [`sync_data`](Self::sync_data) with all metadata (`fsync`). The same warning holds.
    fn sync_all(&self) -> io::Result<()>;

    /// Advises that the range will not be read soon (`posix_fadvise`, `DONTNEED`). Bytes not yet
    /// synced stay in the cache.
    fn drop_cache(&self, range: Range<u64>) -> io::Result<()>;

    /// The first position at or after `offset` that may hold bytes other than zero, so that a
    /// scan can skip reserved space never written (`SEEK_DATA`). `None`: only zeros up to the end.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        Ok((offset < self.len()?).then_some(offset))
    }

    /// Takes the exclusive lock of the file (`flock`) without waiting; false when another handle
    /// has it. The lock lasts as long as this handle.
    fn try_lock(&self) -> io::Result<bool>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only: a write fails.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// One file of a directory listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// File name.
    pub name: String,
    /// Length in bytes.
    pub len: u64,
}

/// Space of a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Size of the file system.
    pub total: u64,
    /// What this process may still use: the reserve of the superuser does not count.
    pub available: u64,
}

/// A file name is 1..=255 bytes without `/` and NUL, and neither `.` nor `..`.
pub fn check_file_name(name: &str) -> io::Result<()> {
    let bad = name.is_empty()
        || name.len() > 255
        || name == "."
        || name == ".."
        || name.bytes().any(|byte| byte == b'/' || byte == 0);
    if bad {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("file name {name:?}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        let longest = "x".repeat(255);
        for good in ["a", "0000000000000001.vol", ".tmp", "...", &longest] {
            assert!(check_file_name(good).is_ok(), "{good}");
        }
        let too_long = "x".repeat(256);
        for bad in ["", ".", "..", "a/b", "/", "a\0", &too_long] {
            assert!(check_file_name(bad).is_err(), "{bad:?}");
        }
    }
}
