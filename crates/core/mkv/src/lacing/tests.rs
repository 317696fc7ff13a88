use super::*;

/// Lengths of the frames, or `None` when the lace is refused.
fn check(lacing: Lacing, payload: &[u8], expected: Option<&[usize]>) {
    const OFFSET: usize = 100;
    let frames = Frames::new(payload, lacing, OFFSET);
    let lens = frames.clone().map(|frames| frames.map(|(_, frame)| frame.len()).collect());
    assert_eq!(lens, expected.map(<[usize]>::to_vec), "{lacing:?} {payload:02X?}");
    let Some(frames) = frames else { return };
    assert_eq!(frames.len(), lens.map_or(0, |lens| lens.len()));
    let mut next = None;
    for (offset, frame) in frames {
        assert_eq!(offset, next.unwrap_or(offset));
        assert_eq!(payload[offset - OFFSET..][..frame.len()], *frame);
        next = Some(offset + frame.len());
    }
    assert_eq!(next, Some(OFFSET + payload.len()));
}

#[test]
fn none() {
    check(Lacing::None, &[], Some(&[0]));
    check(Lacing::None, &[1, 2, 3], Some(&[3]));
}

#[test]
fn fixed_size() {
    check(Lacing::FixedSize, &[], None);
    check(Lacing::FixedSize, &[0], Some(&[0]));
    check(Lacing::FixedSize, &[2, 1, 1, 2, 2, 3, 3], Some(&[2, 2, 2]));
    check(Lacing::FixedSize, &[2, 1, 1, 2, 2, 3], None);
    check(Lacing::FixedSize, &[255], Some(&[0; 256]));
}

#[test]
fn xiph() {
    check(Lacing::Xiph, &[], None);
    check(Lacing::Xiph, &[0, 9, 9], Some(&[2]));
    // RFC 9559 §10.3.2: the last size is not coded.
    check(Lacing::Xiph, &[2, 1, 2, 9, 8, 8, 7], Some(&[1, 2, 1]));
    check(Lacing::Xiph, &[2, 1, 2, 9, 8, 8], Some(&[1, 2, 0]));
    check(Lacing::Xiph, &[2, 1, 2, 9, 8], None);
    // Sizes cut off.
    check(Lacing::Xiph, &[1], None);
    check(Lacing::Xiph, &[1, 255], None);
    check(Lacing::Xiph, &[2, 0], None);
    // The standard's example: frames of 800, 500 and 1000 bytes.
    let mut payload = vec![2, 255, 255, 255, 35, 255, 245];
    payload.resize(7 + 800 + 500 + 1000, 0xAA);
    check(Lacing::Xiph, &payload, Some(&[800, 500, 1000]));
    // A multiple of 255 ends with 0.
    let mut payload = vec![1, 255, 0];
    payload.resize(3 + 255, 0xAA);
    check(Lacing::Xiph, &payload, Some(&[255, 0]));
    check(Lacing::Xiph, &payload[..3 + 254], None);
}

#[test]
fn ebml() {
    check(Lacing::Ebml, &[], None);
    check(Lacing::Ebml, &[0, 9, 9], Some(&[2]));
    // The standard's example (§10.3.3): 800, 500 (−300) and 1000 bytes.
    let mut payload = vec![2, 0x43, 0x20, 0x5E, 0xD3];
    payload.resize(5 + 800 + 500 + 1000, 0xAA);
    check(Lacing::Ebml, &payload, Some(&[800, 500, 1000]));
    check(Lacing::Ebml, &payload[..5 + 800 + 500], Some(&[800, 500, 0]));
    check(Lacing::Ebml, &payload[..5 + 800 + 499], None);
    // One byte: 0xBF is no difference, 0x80 is −63, 0xFF is +64.
    check(Lacing::Ebml, &[2, 0x81, 0xBF, 7, 8, 9], Some(&[1, 1, 1]));
    check(Lacing::Ebml, &[2, 0x81, 0xBE, 7, 9], Some(&[1, 0, 1]));
    check(Lacing::Ebml, &[2, 0x81, 0xBD, 7, 9], None); // size −1
    // All ones are a number like any other: nothing is "unknown" here.
    let mut payload = vec![1, 0xFF];
    payload.resize(2 + 127 + 1, 0xAA);
    check(Lacing::Ebml, &payload, Some(&[127, 1]));
    // Sizes cut off, no marker.
    check(Lacing::Ebml, &[1], None);
    check(Lacing::Ebml, &[1, 0x40], None);
    check(Lacing::Ebml, &[1, 0x00, 1, 2], None);
}

/// 255 sizes whose sum is 2^64, which is 0 in 64 bits: they would fit the empty rest.
#[test]
fn sums_do_not_wrap() {
    let first: i128 = (1 << 55) + (1 << 54);
    let rest = (1i128 << 64) - first;
    let (each, last) = (rest / 254, rest / 254 + rest % 254);
    let mut payload = vec![255];
    // A VINT of 8 bytes; a difference is counted from the middle of the range.
    let mut put = |data: i128| payload.extend((1u64 << 56 | data as u64).to_be_bytes());
    let middle = (1i128 << 55) - 1;
    put(first);
    put(each - first + middle);
    (0..252).for_each(|_| put(middle));
    put(last - each + middle);
    check(Lacing::Ebml, &payload, None);
    // The same with sizes that grow as fast as they can.
    let mut payload = vec![255, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE];
    (1..255).for_each(|_| payload.extend([0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
    check(Lacing::Ebml, &payload, None);
}
