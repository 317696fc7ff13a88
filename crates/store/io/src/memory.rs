//! A file whose bytes are already here.

use std::io::{self, IoSlice};
use std::ops::Range;

use crate::VolumeFile;

/// A read-only [`VolumeFile`] over bytes in memory: a volume that was downloaded, or a test case.
#[derive(Clone, Debug)]
pub struct MemoryFile<B> {
    bytes: B,
}

impl<B: AsRef<[u8]> + Send + Sync + std::fmt::Debug> MemoryFile<B> {
    /// A file that holds `bytes`.
    pub fn new(bytes: B) -> Self {
        Self { bytes }
    }
}

impl<B: AsRef<[u8]> + Send + Sync + std::fmt::Debug> VolumeFile for MemoryFile<B> {
    fn write_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = self.bytes.as_ref();
        let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.as_ref().len() as u64)
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn drop_cache(&self, _: Range<u64>) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inside_across_and_past_the_end() {
        let file = MemoryFile::new(b"0123456789");
        let mut buf = [0; 4];
        for (offset, expected) in [(0, 4), (6, 4), (8, 2), (10, 0), (11, 0), (u64::MAX, 0)] {
            assert_eq!(file.read_at(&mut buf, offset).unwrap(), expected, "{offset}");
        }
        file.read_exact_at(&mut buf, 6).unwrap();
        assert_eq!(&buf, b"6789");
        let error = file.read_exact_at(&mut buf, 7).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(file.write_at(&[IoSlice::new(b"x")], 0).is_err());
    }
}
