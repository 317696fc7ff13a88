//! User metadata of image objects (playback.md §8).
//!
//! S3 carries it in `x-amz-meta-` headers: names must be header names, and values outside
//! printable US-ASCII are written as encoded-words (RFC 2047 §4.2), which is how S3 itself
//! returns them ("Working with object metadata", Amazon S3 user guide).

use streamkeep_media::{FragmentNumber, Tag, UnixMillis};

/// Names and values as they go into headers, names without `x-amz-meta-`.
pub type Metadata = Vec<(String, String)>;

/// Names and values together, as S3 counts them.
pub const METADATA_LEN_MAX: usize = 2048;

/// The metadata of an image: the fragment's number and times in milliseconds, then those custom
/// tags that fit into [`METADATA_LEN_MAX`], in their order.
///
/// Custom names become lower case, as S3 makes them, and bytes that no header name may hold
/// become `-`. A name that is taken already is left out.
pub fn metadata(
    number: FragmentNumber,
    producer_timestamp: UnixMillis,
    server_timestamp: UnixMillis,
    custom: &[Tag],
) -> Metadata {
    let mut metadata: Metadata = vec![
        ("aws_kinesisvideo_fragment_number".into(), number.to_string()),
        ("aws_kinesisvideo_producer_timestamp".into(), producer_timestamp.0.to_string()),
        ("aws_kinesisvideo_server_timestamp".into(), server_timestamp.0.to_string()),
    ];
    let mut len: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    for tag in custom {
        let (name, value) = (header_name(&tag.name), header_value(&tag.value));
        let longer = len + name.len() + value.len();
        let taken = metadata.iter().any(|(each, _)| *each == name);
        if !name.is_empty() && !taken && longer <= METADATA_LEN_MAX {
            len = longer;
            metadata.push((name, value));
        }
    }
    metadata
}

fn header_name(name: &str) -> String {
    // RFC 9110 §5.6.2: the characters of a token.
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    name.chars().map(|c| if token(c) { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// As it is when every header reader will see the same text; else as encoded-words.
fn header_value(value: &str) -> String {
    let plain = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.contains("  ")
        && !value.contains("=?");
    if plain { value.to_owned() } else { encoded_words(value) }
}

/// RFC 2047 §4.2, the "Q" encoding; words of at most 75 characters, never cut inside a character.
fn encoded_words(value: &str) -> String {
    const START: &str = "=?UTF-8?Q?";
    const END: &str = "?=";
    const TEXT_LEN_MAX: usize = 75 - START.len() - END.len();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for character in value.chars() {
        let mut encoded = String::new();
        if character.is_ascii_alphanumeric() {
            encoded.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("={byte:02X}"));
            }
        }
        if word.len() + encoded.len() > TEXT_LEN_MAX {
            words.push(std::mem::take(&mut word));
        }
        word.push_str(&encoded);
    }
    words.push(word);
    words.iter().map(|word| format!("{START}{word}{END}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let tags: Vec<Tag> = pairs
            .iter()
            .map(|(name, value)| Tag { name: (*name).into(), value: (*value).into() })
            .collect();
        let number = FragmentNumber::new(UnixMillis(2), 1, 1);
        metadata(number, UnixMillis(1), UnixMillis(2), &tags).split_off(3)
    }

    fn check(name: &str, value: &str, expected_name: &str, expected_value: &str) {
        let expected = vec![(expected_name.to_owned(), expected_value.to_owned())];
        assert_eq!(custom(&[(name, value)]), expected);
    }

    #[test]
    fn of_the_fragment() {
        let number = FragmentNumber::new(UnixMillis(1_690_707_290_501), 1, 7);
        let metadata =
            metadata(number, UnixMillis(1_690_707_290_324), UnixMillis(1_690_707_290_501), &[]);
        assert_eq!(
            metadata,
            [
                ("aws_kinesisvideo_fragment_number".to_owned(), number.to_string()),
                ("aws_kinesisvideo_producer_timestamp".to_owned(), "1690707290324".to_owned()),
                ("aws_kinesisvideo_server_timestamp".to_owned(), "1690707290501".to_owned()),
            ]
        );
    }

    #[test]
    fn names_and_values() {
        check("Zone", "North Gate", "zone", "North Gate");
        check("a b:c", "", "a-b-c", "");
        check("地", "x", "-", "x");
        check("k", "门", "k", "=?UTF-8?Q?=E9=97=A8?=");
        check("k", "a\r\nx-amz-acl: public", "k", "=?UTF-8?Q?a=0D=0Ax=2Damz=2Dacl=3A=20public?=");
        check("k", " edge", "k", "=?UTF-8?Q?=20edge?=");
        check("k", "=?x", "k", "=?UTF-8?Q?=3D=3Fx?=");
        let long = custom(&[("k", &"é".repeat(20))]);
        let words: Vec<_> = long[0].1.split(' ').collect();
        assert_eq!(words.len(), 2);
        assert!(words.iter().all(|word| word.len() <= 75));
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        assert!(custom(&[("", "x")]).is_empty());
        assert!(custom(&[("aws_kinesisvideo_fragment_number", "forged")]).is_empty());
        let value = "v".repeat(256);
        let pairs: Vec<(String, &str)> =
            (0..9).map(|n| (format!("n{n}"), value.as_str())).collect();
        let mut pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        pairs.push(("small", "fits"));
        let kept = custom(&pairs);
        // 168 bytes of our own, 258 each.
        assert_eq!(kept.len(), 8);
        assert_eq!(kept[7].0, "small");
    }
}
