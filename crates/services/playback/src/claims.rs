//! What a session may do and how it plays: the content of its token.

use streamkeep_media::{StreamId, UnixMillis};
use streamkeep_packaging::{Axis, Origin};

/// Which protocol a session speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP Live Streaming with fragmented MP4.
    HlsMp4,
    /// HTTP Live Streaming with MPEG-TS.
    HlsTs,
    /// MPEG-DASH.
    Dash,
}

/// PlaybackMode (playback.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The newest fragments, in order of arrival.
    Live,
    /// From a start on as if it were live.
    LiveReplay,
    /// A closed range.
    OnDemand,
}

/// DiscontinuityMode (playback.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscontinuityMode {
    /// Before every fragment.
    Always,
    /// Only where the codec's configuration changes.
    Never,
    /// Before a fragment that does not continue the one before to 50 ms.
    OnDiscontinuity,
}

/// Low-latency parts: how they are cut, for the life of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartRule {
    /// Frames of the lead track in a part; at least 1.
    pub frames: u16,
    /// PART-TARGET in ms: no part is longer.
    pub target_ms: u16,
    /// Frames that may still come and be decoded before: the depth of reordering.
    pub reorder: u8,
}

/// All that a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The stream, for ever: not its name.
    pub stream: StreamId,
    /// What it plays.
    pub protocol: Protocol,
    /// How.
    pub mode: Mode,
    /// The clock that chooses and places fragments.
    pub axis: Axis,
    /// Discontinuity tags.
    pub discontinuity: DiscontinuityMode,
    /// PROGRAM-DATE-TIME, or `kvs:ts`.
    pub display_timestamp: bool,
    /// `kvs:fn`.
    pub display_number: bool,
    /// Start of the range, on the axis. Live sessions: what is older is not given out.
    pub from: UnixMillis,
    /// End of the range; `u64::MAX` without one.
    pub to: UnixMillis,
    /// When the session was made: the clock of LIVE_REPLAY starts here.
    pub created: UnixMillis,
    /// After this nothing is given out.
    pub expires: UnixMillis,
    /// Fragments in a list, 1..=5000; 0: all of them.
    pub window: u16,
    /// EXT-X-TARGETDURATION in seconds, the same for ever.
    pub target_duration_s: u16,
    /// Where numbers and time begin.
    pub origin: Origin,
    /// Parts, for a live session in fragmented MP4.
    pub parts: Option<PartRule>,
}

impl Claims {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(&self.stream.0);
        out.push(match self.protocol {
            Protocol::HlsMp4 => 0,
            Protocol::HlsTs => 1,
            Protocol::Dash => 2,
        });
        out.push(match self.mode {
            Mode::Live => 0,
            Mode::LiveReplay => 1,
            Mode::OnDemand => 2,
        });
        out.push(match self.axis {
            Axis::Producer => 0,
            Axis::Server => 1,
        });
        out.push(match self.discontinuity {
            DiscontinuityMode::Always => 0,
            DiscontinuityMode::Never => 1,
            DiscontinuityMode::OnDiscontinuity => 2,
        });
        out.push(u8::from(self.display_timestamp) | u8::from(self.display_number) << 1);
        for value in [self.from.0, self.to.0, self.created.0, self.expires.0] {
            out.extend_from_slice(&value.to_be_bytes());
        }
        out.extend_from_slice(&self.window.to_be_bytes());
        out.extend_from_slice(&self.target_duration_s.to_be_bytes());
        out.extend_from_slice(&self.origin.ordinal.to_be_bytes());
        out.extend_from_slice(&self.origin.discontinuities.to_be_bytes());
        out.extend_from_slice(&self.origin.description.to_be_bytes());
        out.extend_from_slice(&self.origin.zero_ms.to_be_bytes());
        let parts = self.parts.unwrap_or(PartRule { frames: 0, target_ms: 0, reorder: 0 });
        out.extend_from_slice(&parts.frames.to_be_bytes());
        out.extend_from_slice(&parts.target_ms.to_be_bytes());
        out.push(parts.reorder);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let stream = StreamId(take(&mut rest)?);
        let [protocol, mode, axis, discontinuity, display] = take(&mut rest)?;
        let mut time = || Some(UnixMillis(u64::from_be_bytes(take(&mut rest)?)));
        let (from, to, created, expires) = (time()?, time()?, time()?, time()?);
        let window = u16::from_be_bytes(take(&mut rest)?);
        let target_duration_s = u16::from_be_bytes(take(&mut rest)?);
        let origin = Origin {
            ordinal: u64::from_be_bytes(take(&mut rest)?),
            discontinuities: u32::from_be_bytes(take(&mut rest)?),
            description: u32::from_be_bytes(take(&mut rest)?),
            zero_ms: u64::from_be_bytes(take(&mut rest)?),
        };
        let parts = PartRule {
            frames: u16::from_be_bytes(take(&mut rest)?),
            target_ms: u16::from_be_bytes(take(&mut rest)?),
            reorder: u8::from_be_bytes(take(&mut rest)?),
        };
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            stream,
            protocol: match protocol {
                0 => Protocol::HlsMp4,
                1 => Protocol::HlsTs,
                2 => Protocol::Dash,
                _ => return None,
            },
            mode: match mode {
                0 => Mode::Live,
                1 => Mode::LiveReplay,
                2 => Mode::OnDemand,
                _ => return None,
            },
            axis: match axis {
                0 => Axis::Producer,
                1 => Axis::Server,
                _ => return None,
            },
            discontinuity: match discontinuity {
                0 => DiscontinuityMode::Always,
                1 => DiscontinuityMode::Never,
                2 => DiscontinuityMode::OnDiscontinuity,
                _ => return None,
            },
            display_timestamp: display & 1 != 0,
            display_number: display & 2 != 0,
            from,
            to,
            created,
            expires,
            window,
            target_duration_s,
            origin,
            parts: (parts.frames > 0).then_some(parts),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}
