//! A buffer over a file for readers that hop from header to header.

use std::io;

use streamkeep_io::VolumeFile;

/// Keeps one stretch of the file. Hops over large payloads read little; when headers turn out to
/// lie close together, it reads far ahead.
pub(super) struct Window<'a> {
    file: &'a dyn VolumeFile,
    start: u64,
    bytes: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a dyn VolumeFile) -> Self {
        Self { file, start: 0, bytes: Vec::new() }
    }

    /// The bytes at `offset`: `len` of them, or less at the end of the file.
    pub(super) fn get(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let have = self.start..self.start + self.bytes.len() as u64;
        if offset < have.start || offset + len as u64 > have.end {
            let is_near =
                offset >= have.start && offset <= have.end + NEAR && !self.bytes.is_empty();
            let want = if is_near { FAR_LEN.max(len) } else { SHORT_LEN.max(len) };
            self.fill(offset, want)?;
        }
        let from = (offset - self.start) as usize;
        let to = self.bytes.len().min(from + len);
        Ok(&self.bytes[from..to])
    }

    fn fill(&mut self, offset: u64, len: usize) -> io::Result<()> {
        self.start = offset;
        self.bytes.resize(len, 0);
        let mut filled = 0;
        while filled < len {
            match self.file.read_at(&mut self.bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                // Reading ahead met a bad block: what was asked for may still be there.
                Err(error) if filled == 0 && len > SHORT_LEN => {
                    self.bytes.clear();
                    self.bytes.resize(SHORT_LEN, 0);
                    return match self.file.read_at(&mut self.bytes, offset) {
                        Ok(count) => {
                            self.bytes.truncate(count);
                            Ok(())
                        }
                        Err(_) => self.forget(error),
                    };
                }
                Err(error) if filled == 0 => return self.forget(error),
                Err(_) => break,
            }
        }
        self.bytes.truncate(filled);
        Ok(())
    }

    fn forget(&mut self, error: io::Error) -> io::Result<()> {
        self.bytes.clear();
        Err(error)
    }
}

/// Enough for a batch header and the first record header behind it.
const SHORT_LEN: usize = 4096;
/// Read at once when headers lie close together.
const FAR_LEN: usize = 1 << 20;
/// How far behind the window a header may lie to count as close.
const NEAR: u64 = 32 << 10;
