use proptest::prelude::*;

use crate::sample::Sample;

fn body() -> Vec<u8> {
    let mut sample = Sample::small();
    sample.seal();
    sample.bytes.split_off(4096)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        super::volume(&bytes);
        super::volume_patched(&bytes);
    }

    /// A volume with some bytes changed and all checksums made right again: what it says of
    /// lengths and places is then any number.
    #[test]
    fn changed_fields_under_right_checksums(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0usize..128, prop::num::u8::ANY),
            1..12,
        ),
    ) {
        let mut bytes = body();
        let heads: Vec<usize> = (0..bytes.len())
            .step_by(64)
            .filter(|at| matches!(&bytes[*at..*at + 4], b"SKBT" | b"SKRC" | b"SKFT"))
            .collect();
        for (head, at, value) in changes {
            let at = heads[head.index(heads.len())] + 4 + at;
            if at < bytes.len() {
                bytes[at] = value;
            }
        }
        super::volume(&bytes);
        super::volume_patched(&bytes);
    }
}

/// The entry points reach what they are for: as sealed, with checksums spoilt, and patched.
#[test]
fn the_patched_forms_get_past_the_checksums() {
    let mut bytes = body();
    assert_eq!((super::volume(&bytes), super::footer(&bytes)), (7, 7));
    let heads: Vec<usize> = (0..bytes.len())
        .step_by(64)
        .filter(|at| matches!(&bytes[*at..*at + 4], b"SKBT" | b"SKRC" | b"SKFT"))
        .collect();
    for at in heads {
        let is_record = bytes[at..].starts_with(b"SKRC");
        let len = if is_record { u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]) } else { 64 };
        bytes[at + usize::from(len) - 4] ^= 1;
    }
    let end = bytes.len();
    bytes[end - 1] ^= 1;
    assert_eq!((super::volume(&bytes), super::footer(&bytes)), (0, 0));
    assert_eq!(super::volume_patched(&bytes), 7);
    assert_eq!(super::footer_patched(&bytes), 7);
}

/// Found by reading: a padding record may say any length, and the sum with its position overflows.
#[test]
fn padding_longer_than_any_file() {
    let mut bytes = body();
    let padding =
        (0..bytes.len()).step_by(64).find(|at| bytes[*at..].starts_with(b"SKRC\x03")).unwrap();
    bytes[padding + 8..padding + 16].copy_from_slice(&(u64::MAX - 63).to_le_bytes());
    assert_eq!(super::volume_patched(&bytes), 7, "the batch's fragments are salvaged");
}
