//! Acks (put-media.md §7).

use serde_json::Value;

/// What the service says about a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// What happened.
    pub event: AckEvent,
    /// The Cluster's timecode as sent, in TimestampScale ticks; `None` when it concerns no
    /// fragment.
    pub timecode: Option<u64>,
    /// Decimal; `None` when it concerns no fragment.
    pub fragment_number: Option<String>,
}

/// EventType, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AckEvent {
    /// The fragment's first bytes have arrived.
    Buffering,
    /// The fragment has arrived whole.
    Received,
    /// The fragment is durable.
    Persisted,
    /// The fragment, or the session, failed. The connection ends.
    Error {
        /// ErrorId; 0 when absent.
        id: u32,
        /// ErrorCode; empty when absent.
        code: String,
    },
    /// Nothing to say.
    Idle,
    /// An EventType this library does not know.
    Other(String),
}

impl Ack {
    /// From a JSON object. Fields may be numbers or text, and may lie in a member
    /// `Acknowledgement`, as the API's page shows them. `None`: no EventType.
    pub(super) fn from_json(object: &Value) -> Option<Self> {
        let object = object.get("Acknowledgement").unwrap_or(object);
        let number = |name: &str| match &object[name] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let event = match object["EventType"].as_str()? {
            "BUFFERING" => AckEvent::Buffering,
            "RECEIVED" => AckEvent::Received,
            "PERSISTED" => AckEvent::Persisted,
            "IDLE" => AckEvent::Idle,
            "ERROR" => AckEvent::Error {
                id: number("ErrorId").and_then(|id| u32::try_from(id).ok()).unwrap_or(0),
                code: object["ErrorCode"].as_str().unwrap_or_default().to_owned(),
            },
            other => AckEvent::Other(other.to_owned()),
        };
        let fragment_number = match &object["FragmentNumber"] {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Some(Self { event, timecode: number("FragmentTimecode"), fragment_number })
    }
}

/// Ack error ids (put-media.md §7.5) that a producer treats in a way of their own.
pub mod ack_error {
    /// MAX_FRAGMENT_SIZE_REACHED, the first of those that condemn one fragment.
    pub const MAX_FRAGMENT_SIZE_REACHED: u32 = 4001;
    /// STREAM_NOT_ACTIVE: the stream is being deleted or is gone.
    pub const STREAM_NOT_ACTIVE: u32 = 4008;
    /// FRAMES_MISSING_FOR_TRACK: a declared track had no frame in the fragment.
    pub const FRAMES_MISSING_FOR_TRACK: u32 = 4011;

    /// The same fragment may succeed in a new session (put-media.md §7.4).
    pub fn is_retriable(id: u32) -> bool {
        matches!(id, 4000 | 4003 | 5000 | 5001 | 7000) || !(4000..=4999).contains(&id)
    }
}
