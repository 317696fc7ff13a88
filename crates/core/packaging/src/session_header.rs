//! A stored session header, parsed: what the tracks of a fragment are.

use bytes::Bytes;
use streamkeep_media::SessionHeader;
use streamkeep_mkv::{Event, Limits, Scanner};

/// Parses what precedes the first Cluster of a session, as it was stored with a fragment. `None`
/// when it declares no tracks; ingest lets no such session through.
pub fn parse_session_header(bytes: &Bytes) -> Option<SessionHeader> {
    let mut scanner = Scanner::new(Limits::default());
    let (mut rest, mut scale, mut tracks) = (&bytes[..], None, None);
    while let Ok(Some(item)) = scanner.next(rest) {
        match item.event {
            Event::Info(info) => scale = Some(info.timestamp_scale_ns),
            Event::Tracks(found) => tracks = Some(found),
            _ => {}
        }
        rest = rest.get(item.len..)?;
        if rest.is_empty() {
            break;
        }
    }
    Some(SessionHeader {
        bytes: bytes.clone(),
        timestamp_scale_ns: scale.unwrap_or(DEFAULT_SCALE_NS).max(1),
        tracks: tracks?,
    })
}

/// RFC 9559 §5.1.2.9.
const DEFAULT_SCALE_NS: u64 = 1_000_000;
