//! Fields and boxes in the body of a box.

use std::fmt;

/// A rule that the bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes from the start of the input.
    pub position: usize,
    /// The innermost box; zeros outside of all.
    pub box_type: [u8; 4],
    /// What is wrong.
    pub problem: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let box_type = self.box_type.escape_ascii();
        write!(f, "{box_type} at byte {}: {}", self.position, self.problem)
    }
}

impl std::error::Error for Fault {}

/// The part of a box, or of the file, that is not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    pub(super) kind: [u8; 4],
    /// Where `rest` begins.
    pub(super) position: usize,
    pub(super) rest: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn file(bytes: &'a [u8]) -> Self {
        Self { kind: [0; 4], position: 0, rest: bytes }
    }

    /// Taken by value, so that the fields a rule looks at can be read in its call.
    pub(super) fn fault(self, problem: &'static str) -> Fault {
        Fault { position: self.position, box_type: self.kind, problem }
    }

    /// `Ok` when the rule holds.
    pub(super) fn require(self, holds: bool, problem: &'static str) -> Result<(), Fault> {
        if holds { Ok(()) } else { Err(self.fault(problem)) }
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or(self.fault("ends inside a field"))?;
        self.rest = rest;
        self.position += len;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        Ok(self.bytes(N)?.try_into().expect("the slice has the length asked for"))
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn four_cc(&mut self) -> Result<[u8; 4], Fault> {
        self.array()
    }

    pub(super) fn zeros(&mut self, len: usize) -> Result<(), Fault> {
        let zeros = self.bytes(len)?.iter().all(|&byte| byte == 0);
        self.require(zeros, "reserved bytes are not zero")
    }

    /// Version and flags.
    pub(super) fn version_and_flags(&mut self) -> Result<(u8, u32), Fault> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }

    /// Version and flags, which must be these.
    pub(super) fn expect_version(&mut self, version: u8, flags: u32) -> Result<(), Fault> {
        let got = self.version_and_flags()?;
        self.require(got == (version, flags), "version or flags are not as they should be")
    }

    /// The count of rows of `row_len` bytes, all of which must be there.
    pub(super) fn row_count(&mut self, row_len: usize) -> Result<usize, Fault> {
        let count = self.u32()? as usize;
        let fits = count.checked_mul(row_len) == Some(self.rest.len());
        self.require(fits, "the rows do not fill the box")?;
        Ok(count)
    }

    /// All of it was read.
    pub(super) fn end(self) -> Result<(), Fault> {
        self.require(self.rest.is_empty(), "bytes are left over")
    }

    pub(super) fn peek_kind(self) -> Option<[u8; 4]> {
        self.rest.get(4..8)?.try_into().ok()
    }

    /// The next box, which must be of this type.
    pub(super) fn expect(&mut self, kind: &[u8; 4]) -> Result<Self, Fault> {
        self.require(self.peek_kind() == Some(*kind), "another box is expected here")?;
        let header_fault = self.fault("a box does not fit into its parent");
        let mut len = u64::from(self.u32()?);
        self.four_cc()?;
        let mut header_len = 8;
        if len == 1 {
            len = self.u64()?;
            header_len = 16;
        }
        let body_len = len.checked_sub(header_len).ok_or(header_fault)?;
        let body_len = usize::try_from(body_len).map_err(|_| header_fault)?;
        let position = self.position;
        let rest = self.bytes(body_len).map_err(|_| header_fault)?;
        Ok(Self { kind: *kind, position, rest })
    }

    /// The next box when it is of this type.
    pub(super) fn optional(&mut self, kind: &[u8; 4]) -> Result<Option<Self>, Fault> {
        if self.peek_kind() == Some(*kind) { self.expect(kind).map(Some) } else { Ok(None) }
    }

    /// Major and compatible brands of `ftyp` and `styp`.
    pub(super) fn brands(mut self) -> Result<Vec<[u8; 4]>, Fault> {
        let major = self.four_cc()?;
        self.u32()?; // minor_version
        self.require(self.rest.len().is_multiple_of(4), "brands have four characters")?;
        let mut brands = Vec::new();
        while !self.rest.is_empty() {
            brands.push(self.four_cc()?);
        }
        self.require(brands.contains(&major), "the major brand is not among the compatible")?;
        Ok(brands)
    }
}
