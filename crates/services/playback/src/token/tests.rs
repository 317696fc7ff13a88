use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_packaging::{Axis, Origin};

use super::*;
use crate::claims::{DiscontinuityMode, Mode, PartRule, Protocol};

fn claims() -> Claims {
    Claims {
        stream: StreamId([9; 16]),
        protocol: Protocol::HlsMp4,
        mode: Mode::Live,
        axis: Axis::Server,
        discontinuity: DiscontinuityMode::OnDiscontinuity,
        display_timestamp: true,
        display_number: false,
        from: UnixMillis(1_700_000_000_000),
        to: UnixMillis(u64::MAX),
        created: UnixMillis(1_700_000_000_001),
        expires: UnixMillis(1_700_000_300_000),
        window: 5,
        target_duration_s: 4,
        origin: Origin {
            ordinal: 77,
            discontinuities: 3,
            description: 1,
            zero_ms: 1_700_000_000_000,
        },
        parts: Some(PartRule { frames: 6, target_ms: 241, reorder: 2 }),
    }
}

fn key(byte: u8) -> TokenKey {
    TokenKey::new(&Zeroizing::new([byte; 32]))
}

#[test]
fn opens_what_it_sealed() {
    let token = key(1).seal(&claims(), [5; 12]);
    assert!(token.bytes().all(is_token_byte) && token.ends_with('~'), "{token}");
    assert!(token.len() < 256, "{}", token.len());
    assert_eq!(key(1).open(&token), Some(claims()));
    assert_eq!(key(2).open(&token), None);
    // Nothing of what it says can be read from it.
    let other = Claims { stream: StreamId([8; 16]), ..claims() };
    assert_ne!(key(1).seal(&other, [5; 12])[20..], token[20..]);
}

#[test]
fn any_change_is_refused() {
    let key = key(1);
    let token = key.seal(&claims(), [5; 12]);
    for at in 0..token.len() {
        for replacement in [b'A', b'-', b'~', b'='] {
            let mut changed = token.clone().into_bytes();
            if changed[at] == replacement {
                continue;
            }
            changed[at] = replacement;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key.open(&changed), None, "{at} {replacement}");
        }
        assert_eq!(key.open(&token[..at]), None);
        assert_eq!(key.open(&token[at + 1..]), None);
    }
    for bad in ["", "~", "A~", &format!("{token}~"), &"A".repeat(10_000)] {
        assert_eq!(key.open(bad), None);
    }
}

#[test]
fn base64url_vectors() {
    // RFC 4648 §10, without padding.
    for (plain, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
    ] {
        assert_eq!(encode_base64url(plain.as_bytes()), text);
        assert_eq!(decode_base64url(text.as_bytes()).as_deref(), Some(plain.as_bytes()));
    }
    assert_eq!(decode_base64url(b"Zh"), None, "bits that carry nothing");
    assert_eq!(decode_base64url(b"Z"), None);
}
