//! The real [`VolumeIo`]: one directory of the local file system.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{
    Advice, AtFlags, Dir, FallocateFlags, FileType, FlockOperation, Mode, OFlags, SeekFrom,
};
use rustix::io::{Errno, ReadWriteFlags};

use crate::{Access, FileEntry, Space, VolumeFile, VolumeIo, check_file_name};

/// A directory held open by its descriptor: files are found in it even when its path is renamed
/// or mounted over.
#[derive(Debug)]
pub struct LocalDirectory {
    path: PathBuf,
    fd: OwnedFd,
}

impl LocalDirectory {
    /// Opens a directory that exists.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { path: path.to_owned(), fd })
    }

    /// Opens a directory, creating it and its parents for their owner only when they are missing.
    /// The entry of each in its parent is synced.
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            let parent = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let parent = Self::open_or_create(parent)?;
            match std::fs::DirBuilder::new().mode(0o700).create(path) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result?,
            }
            parent.sync_dir()?;
        }
        Self::open(path)
    }

    /// Where the directory was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn open_file(&self, name: &str, flags: OFlags) -> io::Result<Arc<dyn VolumeFile>> {
        check_file_name(name)?;
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Arc::new(LocalFile {
            file: File::from(fd),
            direct: OnceLock::new(),
            probe: OnceLock::new(),
        }))
    }
}

impl VolumeIo for LocalDirectory {
    fn create(&self, name: &str) -> io::Result<Arc<dyn VolumeFile>> {
        self.open_file(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>> {
        self.open_file(
            name,
            match access {
                Access::Read => OFlags::RDONLY,
                Access::ReadWrite => OFlags::RDWR,
            },
        )
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check_file_name(from)?;
        check_file_name(to)?;
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        check_file_name(name)?;
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            let Ok(name) = entry.file_name().to_str() else { continue };
            let stat = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Unlinked between the two calls.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
                let len = u64::try_from(stat.st_size).unwrap_or(0);
                files.push(FileEntry { name: name.to_owned(), len });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.fd)?)
    }

    fn statvfs(&self) -> io::Result<Space> {
        let stat = rustix::fs::fstatvfs(&self.fd)?;
        Ok(Space {
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            available: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }
}

#[derive(Debug)]
struct LocalFile {
    file: File,
    /// The same file with `O_DIRECT`, opened when it is first wanted; `None` where that cannot be.
    direct: OnceLock<Option<File>>,
    /// The same file without read-ahead, likewise.
    probe: OnceLock<Option<File>>,
}

impl LocalFile {
    /// Through the descriptor: the name may be another's by now.
    fn open_again(&self, flags: OFlags) -> io::Result<File> {
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
    }
}

impl VolumeFile for LocalFile {
    fn write_at(&self, bufs: &[IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        // One call takes at most IOV_MAX slices, and may write less than it was given.
        for chunk in bufs.chunks(IOV_MAX) {
            let mut chunk = chunk.to_vec();
            let mut rest = &mut chunk[..];
            IoSlice::advance_slices(&mut rest, 0); // drops empty slices at the front
            while !rest.is_empty() {
                match rustix::io::pwritev(&self.file, rest, offset) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        offset += count as u64;
                        IoSlice::advance_slices(&mut rest, count);
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buf, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_cached_at(&self, buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        // A read that finds nothing starts reading ahead, unless the file is told not to; then it
        // reads what was asked for, so a page is asked for first.
        let probe = self.probe.get_or_init(|| {
            let file = self.open_again(OFlags::empty()).ok()?;
            rustix::fs::fadvise(&file, 0, None, Advice::Random).ok()?;
            Some(file)
        });
        let Some(probe) = probe else { return Err(io::ErrorKind::WouldBlock.into()) };
        let mut rest = buf;
        let mut len = PAGE_LEN;
        while !rest.is_empty() {
            let wanted = rest.len().min(std::mem::replace(&mut len, usize::MAX));
            let mut whole = [IoSliceMut::new(&mut rest[..wanted])];
            match rustix::io::preadv2(probe, &mut whole, offset, ReadWriteFlags::NOWAIT) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    offset += count as u64;
                    rest = &mut rest[count..];
                }
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read_direct_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let direct = self.direct.get_or_init(|| self.open_again(OFlags::DIRECT).ok());
        match direct.as_ref().map(|file| file.read_at(buf, offset)) {
            Some(Ok(count)) => Ok(count),
            // It may be opened so and still not be read so; what is wrong besides, this tells.
            _ => self.read_at(buf, offset),
        }
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        loop {
            match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                // NFS before 4.2, ZFS and others cannot reserve: grow only.
                Err(Errno::OPNOTSUPP) => {
                    return if self.len()? < len { self.truncate(len) } else { Ok(()) };
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        // Not through std: it repeats the call on EINTR, and an error may be reported only once.
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.file)?)
    }

    fn drop_cache(&self, range: Range<u64>) -> io::Result<()> {
        // A length of 0 would mean "to the end of the file".
        let Some(len) = NonZeroU64::new(range.end.saturating_sub(range.start)) else {
            return Ok(());
        };
        Ok(rustix::fs::fadvise(&self.file, range.start, Some(len), Advice::DontNeed)?)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        // This moves the cursor of the handle, which nothing here uses.
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(position) => Ok(Some(position)),
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok((offset < self.len()?).then_some(offset)),
            Err(error) => Err(error.into()),
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// A page of most machines; what is read first to see whether the rest is in memory.
const PAGE_LEN: usize = 4096;
/// `IOV_MAX` of Linux, the most slices one `pwritev` takes.
const IOV_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn passes_the_backend_suite() {
        let root = tempfile::tempdir().unwrap();
        let made = AtomicU32::new(0);
        crate::suite::run(&|| {
            let path =
                root.path().join(made.fetch_add(1, Ordering::Relaxed).to_string()).join("a/b");
            Arc::new(LocalDirectory::open_or_create(&path).unwrap())
        });
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), b"x").unwrap();
        assert!(LocalDirectory::open_or_create(&root.path().join("file")).is_err());
        assert!(LocalDirectory::open_or_create(&root.path().join("file/below")).is_err());
    }

    #[test]
    fn cached_bytes_are_those_of_the_file() {
        let root = tempfile::tempdir().unwrap();
        let dir = LocalDirectory::open_or_create(root.path()).unwrap();
        let file = dir.create("file").unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        file.write_at(&[IoSlice::new(&bytes)], 0).unwrap();
        let mut read = vec![0; 100_000];
        match file.read_cached_at(&mut read, 150_001) {
            Ok(()) => assert_eq!(read, bytes[150_001..250_001]),
            // A file system that cannot tell.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
        let kind = file.read_cached_at(&mut read, 250_000).unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::WouldBlock));
    }

    #[test]
    fn created_for_the_owner_only() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("store");
        let dir = LocalDirectory::open_or_create(&path).unwrap();
        dir.create("file").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("file")) & 0o177, 0);
    }

    #[test]
    fn symbolic_links_are_neither_followed_nor_listed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("target"), b"x").unwrap();
        std::os::unix::fs::symlink("target", root.path().join("link")).unwrap();
        let dir = LocalDirectory::open(root.path()).unwrap();
        assert!(dir.open("link", Access::Read).is_err());
        assert_eq!(dir.list().unwrap(), [FileEntry { name: "target".into(), len: 1 }]);
    }
}
