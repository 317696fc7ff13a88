//! Reading decoder configuration records: big-endian fields on byte boundaries.

use crate::Error;

/// A byte cursor whose errors name the record.
#[derive(Clone, Debug)]
pub(crate) struct RecordReader<'a> {
    rest: &'a [u8],
    structure: &'static str,
}

impl<'a> RecordReader<'a> {
    pub(crate) fn new(record: &'a [u8], structure: &'static str) -> Self {
        Self { rest: record, structure }
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Error::Truncated { structure: self.structure })?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        Ok(self.bytes(1)?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        let bytes = self.bytes(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// `count` NAL units, each behind its u16 length; the list grows only as far as the bytes go.
    pub(crate) fn nal_units(&mut self, count: usize) -> Result<Vec<&'a [u8]>, Error> {
        let mut nals = Vec::new();
        for _ in 0..count {
            let len = self.u16()?;
            nals.push(self.bytes(len.into())?);
        }
        Ok(nals)
    }
}
