//! The identification header, RFC 7845 §5.1: what Matroska keeps as CodecPrivate of `A_OPUS`, and
//! what `dOps` of MP4 is made from.

use crate::SoundFormat;
use crate::opus_settings::PRE_SKIP_48K;

/// The header for a track encoded from this format.
pub(crate) fn opus_head(format: &SoundFormat) -> [u8; 19] {
    let [skip0, skip1] = PRE_SKIP_48K.to_le_bytes();
    let [rate0, rate1, rate2, rate3] = format.rate_hz().to_le_bytes();
    [
        b'O',
        b'p',
        b'u',
        b's',
        b'H',
        b'e',
        b'a',
        b'd',              // magic signature
        1,                 // version
        format.channels(), // output channel count
        skip0,
        skip1, // pre-skip
        rate0,
        rate1,
        rate2,
        rate3, // input sample rate, for information only
        0,
        0, // output gain
        0, // channel mapping family: mono or stereo
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SampleEncoding;

    #[test]
    fn bytes_of_the_header() {
        let format = SoundFormat::new(SampleEncoding::MuLaw, 8_000, 1).unwrap();
        assert_eq!(&opus_head(&format), b"OpusHead\x01\x01\x00\x00\x40\x1f\x00\x00\x00\x00\x00");
        let format = SoundFormat::new(SampleEncoding::PcmS16Le, 44_100, 2).unwrap();
        assert_eq!(&opus_head(&format), b"OpusHead\x01\x02\x00\x00\x44\xac\x00\x00\x00\x00\x00");
    }
}
