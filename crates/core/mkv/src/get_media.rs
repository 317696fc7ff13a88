//! Writing the Tags that the service adds to the producer's bytes: get-media.md §§1.3, 1.4, 3.
//!
//! ```text
//! EBML header … Tracks    the producer's bytes
//! encode_fragment_tags    Tags #1
//! Cluster …               the producer's bytes
//! encode_progress_tags    Tags #2, GetMedia only
//! ```
//!
//! All sizes have four bytes. The functions append; an `out` that does not grow panics when it is
//! full.

use bytes::BufMut;
use streamkeep_media::UnixMillis;

use crate::element_writer::put_tags;
use crate::producer::put_document_start;

/// Names of the tags, as clients look for them: case matters.
pub mod names {
    /// Decimal.
    pub const FRAGMENT_NUMBER: &str = "AWS_KINESISVIDEO_FRAGMENT_NUMBER";
    /// Epoch seconds with three decimals.
    pub const SERVER_TIMESTAMP: &str = "AWS_KINESISVIDEO_SERVER_TIMESTAMP";
    /// Epoch seconds with three decimals.
    pub const PRODUCER_TIMESTAMP: &str = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP";
    /// As [`SERVER_TIMESTAMP`], by the documentation of GetMediaForFragmentList.
    pub const SERVER_SIDE_TIMESTAMP: &str = "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP";
    /// As [`PRODUCER_TIMESTAMP`], by the documentation of GetMediaForFragmentList.
    pub const PRODUCER_SIDE_TIMESTAMP: &str = "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP";
    /// Distance from the newest data; 0 when live.
    pub const MILLIS_BEHIND_NOW: &str = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW";
    /// What the start selector CONTINUATION_TOKEN takes.
    pub const CONTINUATION_TOKEN: &str = "AWS_KINESISVIDEO_CONTINUATION_TOKEN";
    /// Text.
    pub const ERROR_CODE: &str = "AWS_KINESISVIDEO_ERROR_CODE";
    /// Decimal.
    pub const ERROR_ID: &str = "AWS_KINESISVIDEO_ERROR_ID";
    /// Decimal.
    pub const EXCEPTION_ERROR_CODE: &str = "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE";
    /// Text.
    pub const EXCEPTION_MESSAGE: &str = "AWS_KINESISVIDEO_EXCEPTION_MESSAGE";
}

/// Width of the sizes.
const SIZE_WIDTH: usize = 4;

/// Under which names the two timestamps of a fragment are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampNames {
    /// As GetMedia does.
    Plain,
    /// Also with `_SIDE_`, as the documentation of GetMediaForFragmentList has them while the
    /// client library reads the plain ones (get-media.md §3).
    PlainAndSide,
}

/// Tags #1: what fragment follows. `fragment_number` is the decimal form.
pub fn encode_fragment_tags(
    out: &mut impl BufMut,
    fragment_number: &str,
    server_timestamp: UnixMillis,
    producer_timestamp: UnixMillis,
    timestamp_names: TimestampNames,
) {
    let server = server_timestamp.to_string();
    let producer = producer_timestamp.to_string();
    let tags = [
        (names::FRAGMENT_NUMBER, fragment_number),
        (names::SERVER_TIMESTAMP, &server),
        (names::PRODUCER_TIMESTAMP, &producer),
        (names::SERVER_SIDE_TIMESTAMP, &server),
        (names::PRODUCER_SIDE_TIMESTAMP, &producer),
    ];
    let count = match timestamp_names {
        TimestampNames::Plain => 3,
        TimestampNames::PlainAndSide => 5,
    };
    put_tags(out, tags.into_iter().take(count), SIZE_WIDTH);
}

/// Tags #2: where the reader stands after the fragment.
pub fn encode_progress_tags(
    out: &mut impl BufMut,
    millis_behind_now: u64,
    continuation_token: &str,
) {
    let behind = millis_behind_now.to_string();
    let tags =
        [(names::MILLIS_BEHIND_NOW, &*behind), (names::CONTINUATION_TOKEN, continuation_token)];
    put_tags(out, tags.into_iter(), SIZE_WIDTH);
}

/// EBML header and Segment, for Tags before which no producer's header was sent: an answer that
/// fails before its first fragment. Readers take Tags only inside a Segment.
pub fn encode_document_start(out: &mut impl BufMut) {
    put_document_start(out);
}

/// The last Tags of a GetMedia answer that failed on the way (get-media.md §1.4).
/// `fragment_number` names the fragment concerned: client libraries refuse the tags without it.
pub fn encode_error_tags(
    out: &mut impl BufMut,
    fragment_number: &str,
    error_id: u32,
    error_code: &str,
) {
    let id = error_id.to_string();
    let tags = [
        (names::FRAGMENT_NUMBER, fragment_number),
        (names::ERROR_CODE, error_code),
        (names::ERROR_ID, &id),
    ];
    put_tags(out, tags.into_iter(), SIZE_WIDTH);
}

/// The Tags of GetMediaForFragmentList in place of a fragment that cannot be had
/// (get-media.md §3).
pub fn encode_exception_tags(
    out: &mut impl BufMut,
    fragment_number: &str,
    error_code: u32,
    message: &str,
) {
    let code = error_code.to_string();
    let tags = [
        (names::FRAGMENT_NUMBER, fragment_number),
        (names::EXCEPTION_ERROR_CODE, &*code),
        (names::EXCEPTION_MESSAGE, message),
    ];
    put_tags(out, tags.into_iter(), SIZE_WIDTH);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{Documents, Event, Item, Limits};

    /// The sample of get-media.md §1.3.
    #[test]
    fn start_of_the_documented_sample() {
        let mut out = Vec::new();
        let number = "91343852333181432392682062607743920146159169392";
        let server = UnixMillis(1_511_852_109_126);
        let producer = UnixMillis(1_511_852_108_950);
        encode_fragment_tags(&mut out, number, server, producer, TimestampNames::Plain);
        let expected = [
            &[0x12, 0x54, 0xC3, 0x67, 0x10, 0, 0, 0xEB][..], // Tags
            &[0x73, 0x73, 0x10, 0, 0, 0xE5],                 // Tag
            &[0x67, 0xC8, 0x10, 0, 0, 0x5B],                 // SimpleTag
            &[0x45, 0xA3, 0x10, 0, 0, 0x20],                 // TagName
            b"AWS_KINESISVIDEO_FRAGMENT_NUMBER",
            &[0x44, 0x87, 0x10, 0, 0, 0x2F], // TagString
            number.as_bytes(),
            &[0x67, 0xC8], // SimpleTag
        ]
        .concat();
        assert_eq!(out[..expected.len()], expected);
        assert_eq!(out.len(), 8 + 0xEB);
    }

    /// Names and values of the Tags in `written`, which is a document that holds nothing else.
    fn check(written: &[u8], expected: &[(&str, &str)]) {
        let limits = Limits::default();
        let (items, end) = crate::fuzz::check(written, Documents::Concatenated, &limits, 1);
        assert_eq!(end, Ok(()));
        let Some(Item { event: Event::Tags(groups), .. }) = items.get(2) else { panic!() };
        assert_eq!((items.len(), groups.len()), (3, 1));
        let tags: Vec<_> = groups[0].tags.iter().map(|t| (&*t.name, &*t.value)).collect();
        assert_eq!(tags, expected);
    }

    #[test]
    fn both_kinds_of_timestamp_names() {
        let mut out = Vec::new();
        encode_document_start(&mut out);
        let (server, producer) = (UnixMillis(1_511_852_109_126), UnixMillis(5_000));
        encode_fragment_tags(&mut out, "9134", server, producer, TimestampNames::PlainAndSide);
        let expected = [
            ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "9134"),
            ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "1511852109.126"),
            ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", "5.000"),
            ("AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP", "1511852109.126"),
            ("AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP", "5.000"),
        ];
        check(&out, &expected);
    }

    #[test]
    fn failures_before_the_first_fragment() {
        let mut out = BytesMut::new();
        encode_document_start(&mut out);
        encode_error_tags(&mut out, "9134", 4000, "FRAGMENT_NOT_FOUND");
        let expected = [
            ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "9134"),
            ("AWS_KINESISVIDEO_ERROR_CODE", "FRAGMENT_NOT_FOUND"),
            ("AWS_KINESISVIDEO_ERROR_ID", "4000"),
        ];
        check(&out, &expected);

        let mut out = BytesMut::new();
        encode_document_start(&mut out);
        encode_exception_tags(&mut out, "9134", 4000, "no such fragment");
        let expected = [
            ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "9134"),
            ("AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE", "4000"),
            ("AWS_KINESISVIDEO_EXCEPTION_MESSAGE", "no such fragment"),
        ];
        check(&out, &expected);
    }
}
