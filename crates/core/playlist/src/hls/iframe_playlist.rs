//! The I-frame playlist: one URI per key frame (RFC 8216 §4.3.3.6, packaging.md §5.5).
//!
//! Each URI answers `moof` + `mdat` with one sample whose duration is the EXTINF: the distance to
//! the next key frame. The media initialization section is that of the video. No parts.

use super::media_playlist::{
    MediaPlaylist, MediaPlaylistWriter, PlaylistKind, SegmentFormat, SegmentStart,
};
use super::server_control::ServerControl;
use crate::{MediaDuration, Uri};

/// What the playlist says before its first key frame; the fields are those of [`MediaPlaylist`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IFramePlaylist {
    /// Whether key frames come and go.
    pub kind: PlaylistKind,
    /// What a key frame is wrapped in.
    pub format: SegmentFormat,
    /// That of the video list; must hold the longest distance between key frames.
    pub target_duration_secs: u32,
    /// Number of the first key frame.
    pub media_sequence: u64,
    /// Discontinuities before the first key frame.
    pub discontinuity_sequence: u64,
    /// EXT-X-SERVER-CONTROL. Without parts, so without PART-HOLD-BACK.
    pub server_control: ServerControl,
}

impl IFramePlaylist {
    /// Writes the head and is ready for key frames.
    pub fn writer(&self, out: Vec<u8>) -> IFramePlaylistWriter {
        let list = MediaPlaylist {
            kind: self.kind,
            format: self.format,
            target_duration_secs: self.target_duration_secs,
            media_sequence: self.media_sequence,
            discontinuity_sequence: self.discontinuity_sequence,
            // Says nothing here: every entry is a key frame.
            independent_segments: false,
            server_control: ServerControl { part_hold_back_ms: None, ..self.server_control },
            part_target_ms: None,
        };
        // RFC 8216 §7: I-FRAMES-ONLY needs version 4.
        IFramePlaylistWriter { list: list.writer_with(out, 4, b"#EXT-X-I-FRAMES-ONLY\n") }
    }
}

/// Writes the playlist key frame by key frame, oldest first.
#[derive(Clone, Debug)]
pub struct IFramePlaylistWriter {
    list: MediaPlaylistWriter,
}

impl IFramePlaylistWriter {
    /// One key frame; `duration` is the distance to the next.
    pub fn i_frame(&mut self, start: &SegmentStart<'_>, duration: MediaDuration, uri: &Uri<'_>) {
        self.list.segment(start).finish(duration, uri);
    }

    /// As [`MediaPlaylistWriter::take`].
    pub fn take(&mut self, out: Vec<u8>) -> Vec<u8> {
        self.list.take(out)
    }

    /// As [`MediaPlaylistWriter::finish`].
    pub fn finish(self) -> Vec<u8> {
        self.list.finish()
    }

    /// As [`MediaPlaylistWriter::end_list`].
    pub fn end_list(self) -> Vec<u8> {
        self.list.end_list()
    }
}
