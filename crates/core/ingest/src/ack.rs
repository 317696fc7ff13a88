//! Acks: what a producer is told about each fragment (put-media.md §7).

use streamkeep_media::FragmentNumber;

/// One ack, ready to be written as one HTTP chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// What happened.
    pub event: AckEvent,
    /// The Cluster Timestamp exactly as sent. Left out for IDLE, and for errors that concern no
    /// fragment: the producer then applies them to what it is sending (put-media.md §7.1).
    pub timecode: Option<u64>,
    /// Left out where there is none.
    pub number: Option<FragmentNumber>,
}

/// EventType of an ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckEvent {
    /// The fragment has begun to arrive.
    Buffering,
    /// The fragment need not be sent again.
    Received,
    /// The fragment survives any crash.
    Persisted,
    /// The session ends with this error.
    Error(ErrorId),
    /// Nothing arrives; the session is alive.
    Idle,
}

/// Error ids of the ack protocol (put-media.md §7.5), those this server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorId {
    /// 4000
    StreamReadError,
    /// 4001
    MaxFragmentSizeReached,
    /// 4002
    MaxFragmentDurationReached,
    /// 4003
    MaxConnectionDurationReached,
    /// 4004
    FragmentTimecodeLesserThanPrevious,
    /// 4006
    InvalidMkvData,
    /// 4007
    InvalidProducerTimestamp,
    /// 4008
    StreamNotActive,
    /// 4009
    FragmentMetadataLimitReached,
    /// 4010
    TrackNumberMismatch,
    /// 4011
    FramesMissingForTrack,
    /// 4012
    MoreThanAllowedTracksFound,
    /// 4501
    KmsKeyDisabled,
    /// 4507
    StreamDeleted,
    /// 5000
    InternalError,
    /// 5001
    ArchivalError,
}

impl ErrorId {
    /// Every error this server can send.
    pub const ALL: [Self; 16] = [
        Self::StreamReadError,
        Self::MaxFragmentSizeReached,
        Self::MaxFragmentDurationReached,
        Self::MaxConnectionDurationReached,
        Self::FragmentTimecodeLesserThanPrevious,
        Self::InvalidMkvData,
        Self::InvalidProducerTimestamp,
        Self::StreamNotActive,
        Self::FragmentMetadataLimitReached,
        Self::TrackNumberMismatch,
        Self::FramesMissingForTrack,
        Self::MoreThanAllowedTracksFound,
        Self::KmsKeyDisabled,
        Self::StreamDeleted,
        Self::InternalError,
        Self::ArchivalError,
    ];

    /// The ErrorId and ErrorCode of the wire.
    pub fn wire(self) -> (u16, &'static str) {
        match self {
            Self::StreamReadError => (4000, "STREAM_READ_ERROR"),
            Self::MaxFragmentSizeReached => (4001, "MAX_FRAGMENT_SIZE_REACHED"),
            Self::MaxFragmentDurationReached => (4002, "MAX_FRAGMENT_DURATION_REACHED"),
            Self::MaxConnectionDurationReached => (4003, "MAX_CONNECTION_DURATION_REACHED"),
            Self::FragmentTimecodeLesserThanPrevious => {
                (4004, "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS")
            }
            Self::InvalidMkvData => (4006, "INVALID_MKV_DATA"),
            Self::InvalidProducerTimestamp => (4007, "INVALID_PRODUCER_TIMESTAMP"),
            Self::StreamNotActive => (4008, "STREAM_NOT_ACTIVE"),
            Self::FragmentMetadataLimitReached => (4009, "FRAGMENT_METADATA_LIMIT_REACHED"),
            Self::TrackNumberMismatch => (4010, "TRACK_NUMBER_MISMATCH"),
            Self::FramesMissingForTrack => (4011, "FRAMES_MISSING_FOR_TRACK"),
            Self::MoreThanAllowedTracksFound => (4012, "MORE_THAN_ALLOWED_TRACKS_FOUND"),
            Self::KmsKeyDisabled => (4501, "KMS_KEY_DISABLED"),
            Self::StreamDeleted => (4507, "STREAM_DELETED"),
            Self::InternalError => (5000, "INTERNAL_ERROR"),
            Self::ArchivalError => (5001, "ARCHIVAL_ERROR"),
        }
    }

    /// Whether the producer keeps the fragment and sends it again (storage notes §0.4).
    pub fn is_retried_by_producer(self) -> bool {
        matches!(
            self,
            Self::StreamReadError
                | Self::MaxConnectionDurationReached
                | Self::InternalError
                | Self::ArchivalError
        )
    }
}

impl Ack {
    /// An IDLE ack.
    pub const IDLE: Self = Self { event: AckEvent::Idle, timecode: None, number: None };

    /// The ack as one flat JSON object and a newline: at most 256 bytes, far below the 1024 a
    /// producer's parser takes at once; no escapes, no nesting, no null (put-media.md §7.2).
    pub fn to_json_line(&self) -> String {
        use std::fmt::Write as _;
        let name = match self.event {
            AckEvent::Buffering => "BUFFERING",
            AckEvent::Received => "RECEIVED",
            AckEvent::Persisted => "PERSISTED",
            AckEvent::Error(_) => "ERROR",
            AckEvent::Idle => "IDLE",
        };
        let mut line = String::with_capacity(160);
        let write = |line: &mut String| -> std::fmt::Result {
            write!(line, "{{\"EventType\":\"{name}\"")?;
            if let Some(timecode) = self.timecode {
                write!(line, ",\"FragmentTimecode\":{timecode}")?;
            }
            if let Some(number) = self.number {
                write!(line, ",\"FragmentNumber\":\"{number}\"")?;
            }
            if let AckEvent::Error(error) = self.event {
                let (id, code) = error.wire();
                write!(line, ",\"ErrorId\":{id},\"ErrorCode\":\"{code}\"")?;
            }
            line.write_str("}\n")
        };
        write(&mut line).expect("writing to a String does not fail");
        line
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_media::UnixMillis;

    use super::*;

    #[test]
    fn wire_form() {
        let number = FragmentNumber::new(UnixMillis(1_511_852_109_126), 1, 2);
        let ack = |event| Ack { event, timecode: Some(1_511_852_109_126), number: Some(number) };
        assert_eq!(
            ack(AckEvent::Persisted).to_json_line(),
            format!(
                "{{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":1511852109126,\
                 \"FragmentNumber\":\"{number}\"}}\n"
            )
        );
        assert_eq!(
            ack(AckEvent::Error(ErrorId::InvalidMkvData)).to_json_line(),
            format!(
                "{{\"EventType\":\"ERROR\",\"FragmentTimecode\":1511852109126,\
                 \"FragmentNumber\":\"{number}\",\"ErrorId\":4006,\
                 \"ErrorCode\":\"INVALID_MKV_DATA\"}}\n"
            )
        );
        assert_eq!(Ack::IDLE.to_json_line(), "{\"EventType\":\"IDLE\"}\n");
    }

    #[test]
    fn every_ack_fits_the_producers_parser() {
        for error in ErrorId::ALL {
            let ack = Ack {
                event: AckEvent::Error(error),
                timecode: Some(u64::MAX),
                number: Some(FragmentNumber::MAX),
            };
            assert!(ack.to_json_line().len() <= 256);
        }
    }

    #[test]
    fn our_own_trouble_never_makes_a_camera_discard() {
        for error in [ErrorId::InternalError, ErrorId::ArchivalError] {
            assert!(error.is_retried_by_producer());
        }
    }
}
