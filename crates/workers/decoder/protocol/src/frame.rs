//! Frames: a length, then a message.

use crate::Error;

/// Bytes of the length in front of each message.
pub const FRAME_PREFIX_LEN: usize = 4;

/// Largest job, without its prefix. A 4K key frame at the highest rate of level 5.2 (240 Mbit/s)
/// stays below 8 MiB even if it takes a quarter second's bits; four of them fit.
pub const JOB_LEN_MAX: usize = 32 << 20;

/// Largest answer, without its prefix: an incompressible PNG of 3840×2160 has 24.9 MB.
pub const ANSWER_LEN_MAX: usize = 32 << 20;

/// Largest hello, without its prefix.
pub const HELLO_LEN_MAX: usize = 512;

/// The length of the message behind `prefix`, refused above `max`.
pub fn frame_len(prefix: [u8; FRAME_PREFIX_LEN], max: usize) -> Result<usize, Error> {
    let len = u32::from_le_bytes(prefix) as usize;
    if len > max {
        return Err(Error::TooLarge { what: "message", len: len as u64, max: max as u64 });
    }
    Ok(len)
}

/// Frames what `fill` writes, which knows that it needs about `len` bytes.
pub(crate) fn framed(
    len: usize,
    max: usize,
    fill: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, Error> {
    let mut frame = Vec::with_capacity(FRAME_PREFIX_LEN + len);
    frame.extend_from_slice(&[0; FRAME_PREFIX_LEN]);
    fill(&mut frame);
    let len = frame.len() - FRAME_PREFIX_LEN;
    if len > max {
        return Err(Error::TooLarge { what: "message", len: len as u64, max: max as u64 });
    }
    // Both caps are far below 2^32.
    frame[..FRAME_PREFIX_LEN].copy_from_slice(&(len as u32).to_le_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_capped() {
        assert_eq!(frame_len([3, 0, 0, 0], 3), Ok(3));
        let too_large = Error::TooLarge { what: "message", len: 4, max: 3 };
        assert_eq!(frame_len([4, 0, 0, 0], 3), Err(too_large));
        assert_eq!(framed(0, 3, |bytes| bytes.extend([1, 2, 3])), Ok(vec![3, 0, 0, 0, 1, 2, 3]));
        assert_eq!(framed(0, 3, |bytes| bytes.extend([1, 2, 3, 4])), Err(too_large));
    }
}
