//! The media playlist: VOD, EVENT and live, with partial segments and delta updates.
//!
//! Order of the lines (kvs/playback.md §5, packaging.md §5.2):
//!
//! ```text
//! #EXTM3U
//! #EXT-X-VERSION
//! #EXT-X-PLAYLIST-TYPE              VOD, EVENT
//! #EXT-X-TARGETDURATION
//! #EXT-X-SERVER-CONTROL             when something is offered
//! #EXT-X-PART-INF                   when there are parts
//! #EXT-X-MEDIA-SEQUENCE
//! #EXT-X-DISCONTINUITY-SEQUENCE     live
//! #EXT-X-INDEPENDENT-SEGMENTS
//! #EXT-X-SKIP                       delta update
//!   #EXT-X-DISCONTINUITY            per segment
//!   #EXT-X-MAP                      first, and after a change
//!   #EXT-X-PROGRAM-DATE-TIME
//!   #EXT-X-PART …
//!   #EXTINF
//!   URI
//! #EXT-X-PRELOAD-HINT
//! #EXT-X-RENDITION-REPORT …
//! #EXT-X-ENDLIST
//! ```

use streamkeep_media::UnixMillis;

use super::quoted;
use super::server_control::ServerControl;
use crate::decimal::{push_millis_as_secs, push_u64};
use crate::time::push_date_time;
use crate::{MediaDuration, Uri};

/// What a playlist says before its first segment.
///
/// All of it is constant within a session, but for the two sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// Whether segments come and go.
    pub kind: PlaylistKind,
    /// What the segments are; decides EXT-X-VERSION.
    pub format: SegmentFormat,
    /// EXT-X-TARGETDURATION in seconds: no segment is longer, rounded. Never changes within a
    /// session (RFC 8216 §4.3.3.1); 0 is written as 1.
    pub target_duration_secs: u32,
    /// Media Sequence Number of the first segment, also of the first skipped one.
    pub media_sequence: u64,
    /// Discontinuities in segments before the first; written in live lists only.
    pub discontinuity_sequence: u64,
    /// EXT-X-INDEPENDENT-SEGMENTS: every segment begins with a sync sample.
    pub independent_segments: bool,
    /// EXT-X-SERVER-CONTROL.
    pub server_control: ServerControl,
    /// EXT-X-PART-INF: no part is longer. `None` when there are no parts.
    pub part_target_ms: Option<u32>,
}

/// How a playlist changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaylistKind {
    /// Never.
    Vod,
    /// Segments are added, none removed.
    Event,
    /// Segments are added at the end and removed at the front.
    Live,
}

/// Container of the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentFormat {
    /// Movie fragments after a media initialization section.
    FragmentedMp4,
    /// MPEG-2 transport stream, no initialization.
    MpegTs,
}

impl MediaPlaylist {
    /// EXT-X-VERSION (bis §8): 3 allows decimals in EXTINF, 6 EXT-X-MAP, 9 EXT-X-SKIP; 7 is what
    /// the original service writes. Full and delta forms of a list agree.
    fn version(&self, least: u64) -> u64 {
        let format = match self.format {
            SegmentFormat::FragmentedMp4 => 7,
            SegmentFormat::MpegTs => 3,
        };
        let skip = if self.server_control.can_skip_until_ms.is_some() { 9 } else { 1 };
        least.max(format).max(skip)
    }

    /// Writes the head and is ready for segments. Text is appended to `out`, so give it the
    /// capacity that is expected.
    pub fn writer(&self, out: Vec<u8>) -> MediaPlaylistWriter {
        self.writer_with(out, 1, b"")
    }

    /// `version_min` and `tag` are the I-frame playlist's.
    pub(super) fn writer_with(
        &self,
        mut out: Vec<u8>,
        version_min: u64,
        tag: &[u8],
    ) -> MediaPlaylistWriter {
        let mut number = |name: &str, n| {
            out.extend_from_slice(name.as_bytes());
            push_u64(&mut out, n);
            out.push(b'\n');
        };
        number("#EXTM3U\n#EXT-X-VERSION:", self.version(version_min));
        let target = self.target_duration_secs.max(1).into();
        match self.kind {
            PlaylistKind::Vod => {
                number("#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-TARGETDURATION:", target);
            }
            PlaylistKind::Event => {
                number("#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-TARGETDURATION:", target);
            }
            PlaylistKind::Live => number("#EXT-X-TARGETDURATION:", target),
        }
        self.server_control.push(&mut out);
        if let Some(target_ms) = self.part_target_ms {
            out.extend_from_slice(b"#EXT-X-PART-INF:PART-TARGET=");
            push_millis_as_secs(&mut out, target_ms.into(), 1);
            out.push(b'\n');
        }
        out.extend_from_slice(b"#EXT-X-MEDIA-SEQUENCE:");
        push_u64(&mut out, self.media_sequence);
        if self.kind == PlaylistKind::Live {
            // Always, also while 0: players stop when it appears later (packaging.md §7).
            out.extend_from_slice(b"\n#EXT-X-DISCONTINUITY-SEQUENCE:");
            push_u64(&mut out, self.discontinuity_sequence);
        }
        out.push(b'\n');
        if self.independent_segments {
            out.extend_from_slice(b"#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        out.extend_from_slice(tag);
        MediaPlaylistWriter { out, map_version: None }
    }
}

/// Writes a playlist segment by segment, oldest first.
#[derive(Clone, Debug)]
pub struct MediaPlaylistWriter {
    out: Vec<u8>,
    /// Of the EXT-X-MAP written last.
    map_version: Option<u32>,
}

/// What holds for a segment from its first part on. Whoever has listed it once must list it the
/// same way for ever (packaging.md §5.2 rule 2).
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentStart<'a> {
    /// EXT-X-DISCONTINUITY before this segment.
    pub discontinuity: bool,
    /// Fragmented MP4 only: the media initialization section. Given with every segment, written
    /// when it differs from the one before.
    pub map: Option<MediaInitialization<'a>>,
    /// EXT-X-PROGRAM-DATE-TIME: of every segment in every list of the presentation, or of none.
    pub program_date_time: Option<UnixMillis>,
}

/// A media initialization section.
#[derive(Clone, Copy, Debug)]
pub struct MediaInitialization<'a> {
    /// Equal while the sample description is; then the URI is equal too.
    pub version: u32,
    /// Where it is.
    pub uri: Uri<'a>,
}

/// A partial segment (bis §4.4.4.9).
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// At most the part target.
    pub duration: MediaDuration,
    /// Where it is; never changes.
    pub uri: Uri<'a>,
    /// The part begins with a sync sample.
    pub independent: bool,
}

/// How far another playlist of the presentation has come (bis §4.4.5.4).
#[derive(Clone, Copy, Debug)]
pub struct RenditionReport<'a> {
    /// That playlist, with the query that the client needs, so without delivery directives.
    pub uri: Uri<'a>,
    /// Media Sequence Number of its last segment or, if it has any part, of the unfinished one.
    pub last_msn: u64,
    /// Index of the last part of `last_msn`; `None` when that list has no parts.
    pub last_part: Option<u64>,
}

impl MediaPlaylistWriter {
    /// Delta update: `count` segments from the first on are left out. Before any segment, and with
    /// EXT-X-SERVER-CONTROL CAN-SKIP-UNTIL; nothing is written for 0.
    pub fn skip(&mut self, count: u64) {
        if count > 0 {
            self.out.extend_from_slice(b"#EXT-X-SKIP:SKIPPED-SEGMENTS=");
            push_u64(&mut self.out, count);
            self.out.push(b'\n');
        }
    }

    /// Begins a segment. Without [`SegmentWriter::finish`] it stays the unfinished last one.
    pub fn segment(&mut self, start: &SegmentStart<'_>) -> SegmentWriter<'_> {
        let out = &mut self.out;
        if start.discontinuity {
            out.extend_from_slice(b"#EXT-X-DISCONTINUITY\n");
        }
        if let Some(map) = &start.map
            && self.map_version != Some(map.version)
        {
            quoted::push_uri(out, "#EXT-X-MAP:URI", &map.uri);
            out.push(b'\n');
            self.map_version = Some(map.version);
        }
        if let Some(at) = start.program_date_time {
            out.extend_from_slice(b"#EXT-X-PROGRAM-DATE-TIME:");
            push_date_time(out, at);
            out.push(b'\n');
        }
        SegmentWriter { out }
    }

    /// The part that comes next; its URL is accepted at once and answered when the part is whole
    /// (bis §4.4.5.3).
    pub fn preload_hint(&mut self, uri: &Uri<'_>) {
        quoted::push_uri(&mut self.out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI", uri);
        self.out.push(b'\n');
    }

    /// After the last segment, one per other playlist.
    pub fn rendition_report(&mut self, report: &RenditionReport<'_>) {
        let out = &mut self.out;
        quoted::push_uri(out, "#EXT-X-RENDITION-REPORT:URI", &report.uri);
        out.extend_from_slice(b",LAST-MSN=");
        push_u64(out, report.last_msn);
        if let Some(part) = report.last_part {
            out.extend_from_slice(b",LAST-PART=");
            push_u64(out, part);
        }
        out.push(b'\n');
    }

    /// How much text waits to be taken, in bytes.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Nothing waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Hands over the text so far, whole lines, and goes on with `out`: for lists too long to hold.
    pub fn take(&mut self, out: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.out, out)
    }

    /// The text of a list that may still change, UTF-8.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The text of a list that never changes again: ends with EXT-X-ENDLIST.
    pub fn end_list(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"#EXT-X-ENDLIST\n");
        self.out
    }
}

/// One segment: its parts, then its end.
#[derive(Debug)]
pub struct SegmentWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl SegmentWriter<'_> {
    /// The next part of the segment.
    pub fn part(&mut self, part: &Part<'_>) {
        let out = &mut *self.out;
        out.extend_from_slice(b"#EXT-X-PART:DURATION=");
        part.duration.push_secs(out);
        quoted::push_uri(out, ",URI", &part.uri);
        out.extend_from_slice(if part.independent { b",INDEPENDENT=YES\n" } else { b"\n" });
    }

    /// The whole segment.
    pub fn finish(self, duration: MediaDuration, uri: &Uri<'_>) {
        self.out.extend_from_slice(b"#EXTINF:");
        duration.push_secs(self.out);
        self.out.extend_from_slice(b",\n");
        uri.push(self.out);
        self.out.push(b'\n');
    }
}
