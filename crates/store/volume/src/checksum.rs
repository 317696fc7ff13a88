//! Checksums: CRC32C inside the volume, BLAKE3 and CRC-64/NVME over all of it.

use std::fmt;

use crc_fast::{CrcAlgorithm, Digest};

/// CRC32C (iSCSI, RFC 3720 §12.1) of one slice.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    narrow(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes))
}

/// CRC32C of several slices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc32c(Digest);

impl Crc32c {
    pub(crate) fn new() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc32Iscsi))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(&self) -> u32 {
        narrow(self.0.finalize())
    }
}

fn narrow(crc: u64) -> u32 {
    u32::try_from(crc).expect("a 32-bit CRC fits 32 bits")
}

/// CRC-64/NVME, as S3 computes it for a whole object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crc64Nvme(pub u64);

impl Crc64Nvme {
    /// The checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes))
    }

    /// The checksum of this one's bytes followed by those of `next`, `next_len` in number.
    #[must_use]
    pub fn then(self, next: Self, next_len: u64) -> Self {
        Self(crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, self.0, next.0, next_len))
    }
}

impl fmt::Debug for Crc64Nvme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64Nvme({:016x})", self.0)
    }
}

/// What a volume's trailer says of all bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeHash {
    /// BLAKE3-256: recognises the file.
    pub blake3: [u8; 32],
    /// For comparison with an object store's checksum.
    pub crc64_nvme: Crc64Nvme,
}

/// Hashes a volume while it is written: header, batches and footer in file order, every byte
/// once.
#[derive(Clone)]
pub struct VolumeHasher {
    blake3: blake3::Hasher,
    crc64: Digest,
    len: u64,
}

impl VolumeHasher {
    /// At the start of the file.
    pub fn new() -> Self {
        Self { blake3: blake3::Hasher::new(), crc64: Digest::new(CrcAlgorithm::Crc64Nvme), len: 0 }
    }

    /// Takes the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.crc64.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// Bytes taken so far: the position in the file.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The hash of the bytes taken so far.
    pub fn finish(&self) -> VolumeHash {
        VolumeHash {
            blake3: *self.blake3.finalize().as_bytes(),
            crc64_nvme: Crc64Nvme(self.crc64.finalize()),
        }
    }
}

impl Default for VolumeHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VolumeHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolumeHasher").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_of_rfc_3720_appendix_b_4() {
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&rising), 0x46dd_794e);
        assert_eq!(crc32c(&falling), 0x113f_db5c);
        let mut crc = Crc32c::new();
        crc.update(&rising[..5]);
        crc.update(&rising[5..]);
        assert_eq!(crc.finish(), 0x46dd_794e);
    }

    #[test]
    fn crc64_nvme_check_value_and_combination() {
        // The check value of the CRC catalogue: "123456789".
        assert_eq!(Crc64Nvme::of(b"123456789"), Crc64Nvme(0xae8b_1486_0a79_9888));
        let combined = Crc64Nvme::of(b"1234").then(Crc64Nvme::of(b"56789"), 5);
        assert_eq!(combined, Crc64Nvme::of(b"123456789"));
    }

    #[test]
    fn hashing_in_pieces() {
        let mut pieces = VolumeHasher::new();
        for piece in [&b"ab"[..], b"", b"c"] {
            pieces.update(piece);
        }
        assert_eq!(pieces.len(), 3);
        let hash = pieces.finish();
        assert_eq!(hash.blake3, *blake3::hash(b"abc").as_bytes());
        assert_eq!(hash.crc64_nvme, Crc64Nvme::of(b"abc"));
    }
}
