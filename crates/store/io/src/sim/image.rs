//! The bytes of one file, sparse.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A file's bytes in pages; a missing page is all zero. Cloning shares the pages.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    /// Bytes past `len` are zero.
    pages: BTreeMap<u64, Arc<[u8; PAGE_LEN]>>,
    len: u64,
}

impl Image {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads at `offset`; returns how many bytes lie before the end.
    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> usize {
        let count = self.len.saturating_sub(offset).min(out.len() as u64) as usize;
        self.read_unbounded(offset, &mut out[..count]);
        count
    }

    /// Reads without regard to the length: zeros past the end.
    pub(super) fn read_unbounded(&self, offset: u64, out: &mut [u8]) {
        for (page, in_page, range) in pieces(offset, out.len()) {
            match self.pages.get(&page) {
                Some(bytes) => {
                    out[range.clone()].copy_from_slice(&bytes[in_page..in_page + range.len()]);
                }
                None => out[range].fill(0),
            }
        }
    }

    /// Writes at `offset` without changing the length.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (page, in_page, range) in pieces(offset, bytes.len()) {
            let page = self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE_LEN]));
            Arc::make_mut(page)[in_page..in_page + range.len()].copy_from_slice(&bytes[range]);
        }
    }

    /// Sets the length; bytes cut off read as zero if the file grows again.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let boundary = len / PAGE_LEN as u64;
            self.pages.split_off(&(boundary + 1));
            match (self.pages.get_mut(&boundary), (len % PAGE_LEN as u64) as usize) {
                (Some(_), 0) => {
                    self.pages.remove(&boundary);
                }
                (Some(page), tail) => Arc::make_mut(page)[tail..].fill(0),
                (None, _) => {}
            }
        }
        self.len = len;
    }

    /// Start of the first page at or after `offset` that was ever written.
    pub(super) fn next_page(&self, offset: u64) -> Option<u64> {
        let (page, _) = self.pages.range(offset / PAGE_LEN as u64..).next()?;
        Some(page * PAGE_LEN as u64)
    }

    /// Bytes of the pages that lie at or after `offset`.
    pub(super) fn page_bytes_from(&self, offset: u64) -> u64 {
        (self.pages.range(offset.div_ceil(PAGE_LEN as u64)..).count() * PAGE_LEN) as u64
    }

    /// Whether the page that holds `offset` was ever written.
    pub(super) fn has_page(&self, offset: u64) -> bool {
        self.pages.contains_key(&(offset / PAGE_LEN as u64))
    }
}

/// Unit of sparseness and of space accounting.
pub(super) const PAGE_LEN: usize = 4096;

/// Splits `len` bytes at `offset` by page: page index, position in the page, range of the bytes.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let position = offset + done as u64;
        let in_page = (position % PAGE_LEN as u64) as usize;
        let count = (PAGE_LEN - in_page).min(len - done);
        let range = done..done + count;
        done += count;
        Some((position / PAGE_LEN as u64, in_page, range))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u16, Vec<u8>),
        SetLen(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0u16..20_000, prop::collection::vec(1u8.., 0..9_000))
                .prop_map(|(at, bytes)| Step::Write(at, bytes)),
            (0u16..30_000).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn behaves_as_a_plain_vector(steps in prop::collection::vec(step(), 0..12)) {
            let mut image = Image::default();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::Write(at, bytes) => {
                        let end = at as usize + bytes.len();
                        if end > model.len() {
                            model.resize(end, 0);
                            image.set_len(end as u64);
                        }
                        model[at as usize..end].copy_from_slice(&bytes);
                        image.write(u64::from(at), &bytes);
                    }
                    Step::SetLen(len) => {
                        model.resize(len as usize, 0);
                        image.set_len(u64::from(len));
                    }
                }
                let mut read = vec![0xff; 40_000];
                let count = image.read(0, &mut read);
                prop_assert_eq!(&read[..count], &model[..]);
            }
        }
    }
}
