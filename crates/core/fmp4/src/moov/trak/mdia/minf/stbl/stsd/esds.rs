//! ES descriptor box: ISO/IEC 14496-14 §5.6, with the descriptors of 14496-1 §7.2.6.

use crate::Error;
use crate::box_writer::BoxWriter;

pub(super) fn write(out: &mut Vec<u8>, config: &[u8]) {
    let specific_info_len = descriptor_len(config.len());
    let decoder_config_len = DECODER_CONFIG_LEN + specific_info_len;
    let es_len = ES_LEN + descriptor_len(decoder_config_len) + SL_CONFIG.len();
    out.put_full_box(b"esds", 0, 0, |out| {
        write_descriptor(out, 0x03, es_len); // ES_Descriptor
        out.put_u16(1); // ES_ID
        out.put_u8(0); // no dependency, no URL, no OCR stream
        write_descriptor(out, 0x04, decoder_config_len); // DecoderConfigDescriptor
        out.put_u8(0x40); // objectTypeIndication: ISO/IEC 14496-3
        out.put_u8(0x15); // streamType 5 (audio), no upStream, reserved 1
        out.put_zeros(3); // bufferSizeDB, not told
        out.put_u32(0); // maxBitrate, not told
        out.put_u32(0); // avgBitrate, not told
        write_descriptor(out, 0x05, config.len()); // DecoderSpecificInfo
        out.put_bytes(config);
        out.put_bytes(&SL_CONFIG);
    });
}

pub(super) fn check(config: &[u8]) -> Result<(), Error> {
    if (2..=CONFIG_LEN_MAX).contains(&config.len()) {
        Ok(())
    } else {
        Err(Error::InvalidRecord { structure: "AudioSpecificConfig" })
    }
}

/// Tag and expandable size: seven bits a byte, the top bit set on all but the last (14496-1
/// §8.3.3).
fn write_descriptor(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.put_u8(tag);
    if len > 0x7f {
        out.put_u8(0x80 | (len >> 7) as u8);
    }
    out.put_u8(len as u8 & 0x7f);
}

/// Tag, size and `len` bytes.
fn descriptor_len(len: usize) -> usize {
    2 + usize::from(len > 0x7f) + len
}

/// ES_ID and flags.
const ES_LEN: usize = 3;
/// objectTypeIndication to avgBitrate.
const DECODER_CONFIG_LEN: usize = 13;
/// SLConfigDescriptor, predefined 2: for MP4 files.
const SL_CONFIG: [u8; 3] = [0x06, 0x01, 0x02];
/// Sizes of two bytes end at 16,383.
const CONFIG_LEN_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes() {
        let check = |config: &[u8], head: &[u8]| {
            let mut out = Vec::new();
            write(&mut out, config);
            let expected = [head, config, &SL_CONFIG].concat();
            assert_eq!(out, expected);
            assert_eq!(out[..4], (expected.len() as u32).to_be_bytes());
        };
        check(
            &[0x11, 0x90],
            b"\0\0\0\x27esds\0\0\0\0\x03\x19\0\x01\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x02",
        );
        // 200 bytes: sizes 200 = 0x81 0x48, 216 = 0x81 0x58, 225 = 0x81 0x61.
        check(
            &[0x11; 200],
            b"\0\0\0\xf0esds\0\0\0\0\x03\x81\x61\0\x01\0\x04\x81\x58\x40\x15\0\0\0\0\0\0\0\0\0\0\0\
              \x05\x81\x48",
        );
    }
}
