//! Random bytes and damaged records through the fuzz entry points.

use proptest::prelude::*;
use streamkeep_codec::fuzz;

/// libx264's SPS for 1918×1078 in an avcC, libx265's SPS for 640×360, an AudioSpecificConfig, a
/// WAVEFORMATEX and an OpusHead.
const SEEDS: [&[u8]; 5] = [
    b"\x01\x64\x00\x2a\xff\xe1\x00\x1a\x67\x64\x00\x2a\xac\xd9\x40\x78\x02\x27\xa9\xb0\xe1\x00\x00\
      \x03\x03\xe9\x00\x01\xd4\xc0\x0f\x18\x31\x96\x01\x00\x06\x68\xeb\xe3\xcb\x22\xc0",
    b"\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x3f\xa0\x05\x02\x01\x69\
      \x65\x95\x96\x49\x32\xbc\x05\xa0\x20\x00\x00\x03\x00\x20\x00\x00\x03\x03\x21",
    b"\x11\x88\x56\xe5\x00",
    b"\x07\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00\x00\x00",
    b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00",
];

proptest! {
    #[test]
    fn random_bytes(input in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz::records(&input);
        fuzz::frame(&input, &input);
        fuzz::descriptions(&input, &input);
    }

    #[test]
    fn damaged_records(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..5),
        len in any::<usize>(),
    ) {
        let mut input = SEEDS[seed].to_vec();
        for (at, value) in changes {
            let at = at % input.len();
            input[at] = value;
        }
        input.truncate(len % (input.len() + 1));
        fuzz::records(&input);
        fuzz::frame(&input, &input);
        fuzz::descriptions(&input, &input);
    }
}
