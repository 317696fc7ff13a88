//! Frames as decoders want them: NAL units behind start codes, and only those that matter.

use streamkeep_codec::{NalFraming, NalUnits};

use crate::failure::Failure;

/// Appends the NAL units of a frame that `keep` wants to `out`, each behind a start code.
///
/// What is not needed does not reach the decoder: less for a crafted stream to work with.
pub(crate) fn append_frame(
    out: &mut Vec<u8>,
    frame: &[u8],
    length_size: u8,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<(), Failure> {
    let mut nal_units = NalUnits::new(frame, NalFraming::detect(frame, frame.len(), length_size));
    for nal in nal_units.by_ref().filter(|nal| keep(nal)) {
        append_nal(out, nal);
    }
    match nal_units.is_broken() {
        true => Err(Failure::media("a NAL unit length points past the end of the frame")),
        false => Ok(()),
    }
}

/// Appends one NAL unit.
pub(crate) fn append_nal(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    out.extend_from_slice(nal);
}

/// A record that is no record but parameter sets behind start codes, from careless producers.
pub(crate) fn is_annex_b(configuration: &[u8]) -> bool {
    configuration.starts_with(&[0, 0, 1]) || configuration.starts_with(&[0, 0, 0, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_framings() {
        let expected = [0, 0, 0, 1, 0x65, 1, 0, 0, 0, 1, 0x65, 2];
        let prefixed = [0, 0, 0, 2, 0x65, 1, 0, 0, 0, 1, 6, 0, 0, 0, 2, 0x65, 2];
        let annex_b = [0, 0, 1, 0x65, 1, 0, 0, 0, 1, 6, 0, 0, 1, 0x65, 2];
        for frame in [&prefixed[..], &annex_b] {
            let mut out = Vec::new();
            append_frame(&mut out, frame, 4, |nal| nal[0] != 6).unwrap();
            assert_eq!(out, expected);
        }
        assert!(append_frame(&mut Vec::new(), &prefixed[..9], 4, |_| true).is_err());
    }
}
