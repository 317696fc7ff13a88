//! Writing boxes into one buffer: ISO/IEC 14496-12 §4.2.

/// The four characters of a box type.
pub(crate) type FourCc = [u8; 4];

/// A growing buffer that boxes are appended to.
pub(crate) trait BoxWriter {
    /// A box: size and type, then what `body` appends. The size is filled in afterwards.
    fn put_box(&mut self, kind: &FourCc, body: impl FnOnce(&mut Self));

    /// A box with version and flags.
    fn put_full_box(
        &mut self,
        kind: &FourCc,
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    );

    fn put_u8(&mut self, value: u8);
    fn put_u16(&mut self, value: u16);
    fn put_u32(&mut self, value: u32);
    fn put_u64(&mut self, value: u64);
    fn put_i32(&mut self, value: i32);
    fn put_bytes(&mut self, bytes: &[u8]);
    fn put_zeros(&mut self, count: usize);
}

impl BoxWriter for Vec<u8> {
    fn put_box(&mut self, kind: &FourCc, body: impl FnOnce(&mut Self)) {
        let start = self.len();
        self.put_zeros(4);
        self.put_bytes(kind);
        body(self);
        // Every table is bounded (see `progressive`), so no box but mdat comes near 4 GiB.
        let size = u32::try_from(self.len() - start).expect("boxes with tables are bounded");
        self[start..start + 4].copy_from_slice(&size.to_be_bytes());
    }

    fn put_full_box(
        &mut self,
        kind: &FourCc,
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) {
        self.put_box(kind, |out| {
            out.put_u32(u32::from(version) << 24 | flags);
            body(out);
        });
    }

    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_i32(&mut self, value: i32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_zeros(&mut self, count: usize) {
        self.resize(self.len() + count, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_filled_in() {
        let mut out = vec![0xee];
        out.put_box(b"outr", |out| {
            out.put_full_box(b"innr", 1, 0x02_0304, |out| out.put_i32(-2));
            out.put_u16(5);
        });
        let expected = b"\xee\
            \0\0\0\x1aoutr\
            \0\0\0\x10innr\x01\x02\x03\x04\xff\xff\xff\xfe\
            \0\x05";
        assert_eq!(out, expected);
    }
}
