//! The MPD: one Period, one AdaptationSet with one Representation per track (ISO/IEC 23009-1,
//! kvs/playback.md §6, packaging.md §6).
//!
//! ```text
//! MPD
//!   ProgramInformation / Title          when there is a title
//!   Period
//!     AdaptationSet …                   video first, then audio
//!       SegmentTemplate
//!         SegmentTimeline / S …         one per fragment, with @t and @d
//!       Representation
//!   UTCTiming                           dynamic
//! ```
//!
//! A codec change would need a second Period, which the original service does not have: the caller
//! refuses it. Gaps are closed by the caller, by the same rule for `S@t` and for `tfdt`.

use streamkeep_media::UnixMillis;

use super::escape::push_text;
use crate::decimal::{push_u64, push_u128};
use crate::time::{push_date_time, push_duration};
use crate::{MediaDuration, PlainText, Uri};

/// The namespace of `kvs:ts` and `kvs:fn`. The original's is not known; readers go by the prefix.
pub const KVS_NAMESPACE: &str = "urn:kvs:dash";

/// What an MPD says about the whole presentation.
#[derive(Clone, Copy, Debug)]
pub struct Mpd<'a> {
    /// Static or dynamic.
    pub presentation: Presentation,
    /// @minBufferTime in milliseconds.
    pub min_buffer_time_ms: u64,
    /// @maxSegmentDuration in milliseconds.
    pub max_segment_duration_ms: Option<u64>,
    /// Declare the prefix of [`TimelineSegment::timestamp`] and
    /// [`TimelineSegment::fragment_number`].
    pub kvs_attributes: bool,
    /// ProgramInformation/Title, any text.
    pub title: Option<&'a str>,
    /// Where players set their clock. Needed when dynamic: with a wrong clock and without it
    /// nothing is shown.
    pub utc_timing: Option<UtcTiming<'a>>,
}

/// Whether the presentation still grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// Complete. Also the end of a live presentation.
    Static {
        /// @mediaPresentationDuration: end of the last segment.
        duration: MediaDuration,
        /// @availabilityStartTime; kept when a live presentation has ended.
        availability_start_time: Option<UnixMillis>,
    },
    /// Growing.
    Dynamic {
        /// Wall time of media time zero. Never changes: players do not follow.
        availability_start_time: UnixMillis,
        /// When this text was made.
        publish_time: UnixMillis,
        /// How often players ask again, in milliseconds.
        minimum_update_period_ms: u64,
        /// How far back segments are listed, in milliseconds.
        time_shift_buffer_depth_ms: Option<u64>,
        /// How far from the live edge players stay, in milliseconds.
        suggested_presentation_delay_ms: Option<u64>,
    },
}

/// A clock for players (ISO/IEC 23009-1 §5.8.4.11).
#[derive(Clone, Copy, Debug)]
pub enum UtcTiming<'a> {
    /// The `Date` header of a HEAD answer from this URL.
    HttpHead(&'a str),
    /// A body with an ISO 8601 instant from this URL.
    HttpIso(&'a str),
    /// The time now.
    Direct(UnixMillis),
}

/// One track.
#[derive(Clone, Copy, Debug)]
pub struct AdaptationSet<'a> {
    /// @id of the set and of its representation: the track number.
    pub id: u32,
    /// Kind of media, with what is said of it.
    pub content: Content<'a>,
    /// RFC 6381.
    pub codecs: PlainText<'a>,
    /// Bits per second.
    pub bandwidth: u64,
    /// Ticks per second of `S@t` and `S@d`; that of the track's `mdhd`.
    pub timescale: u32,
    /// Media time, in ticks, that lies at the start of the Period.
    pub presentation_time_offset: u64,
    /// Number of the first listed segment: rises by exactly the segments removed. Equal in audio
    /// and video.
    pub start_number: u64,
    /// The media initialization section.
    pub initialization: Uri<'a>,
    /// The segments; has a parameter with [`crate::Value::NumberTemplate`].
    pub media: Uri<'a>,
}

/// What an [`AdaptationSet`] holds.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Pictures.
    Video {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Frames and the seconds they take: (30, 1), (60000, 1001).
        frame_rate: Option<(u32, u32)>,
    },
    /// Sound.
    Audio {
        /// In Hz.
        sampling_rate: u32,
        /// Number of channels.
        channels: u16,
        /// Language tag.
        language: Option<PlainText<'a>>,
    },
}

/// An `S` element: one fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimelineSegment {
    /// @t: the segment's `tfdt`.
    pub time: u64,
    /// @d: the sum of its sample durations.
    pub duration: u64,
    /// `kvs:ts`: milliseconds since 1970 (DisplayFragmentTimestamp).
    pub timestamp: Option<UnixMillis>,
    /// `kvs:fn`: the fragment number (DisplayFragmentNumber).
    pub fragment_number: Option<u128>,
}

impl<'a> Mpd<'a> {
    /// Writes the head and is ready for adaptation sets. Text is appended to `out`.
    pub fn writer(&self, out: Vec<u8>) -> MpdWriter<'a> {
        let mut w = MpdWriter { out, utc_timing: self.utc_timing };
        w.text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        w.text("<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"");
        if self.kvs_attributes {
            w.text(" xmlns:kvs=\"");
            w.text(KVS_NAMESPACE);
            w.text("\"");
        }
        w.text(" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"");
        match self.presentation {
            Presentation::Static { duration, availability_start_time } => {
                w.text(" type=\"static\"");
                if let Some(at) = availability_start_time {
                    w.instant("availabilityStartTime", at);
                }
                w.millis("mediaPresentationDuration", Some(duration.rounded_millis()));
            }
            Presentation::Dynamic {
                availability_start_time,
                publish_time,
                minimum_update_period_ms,
                time_shift_buffer_depth_ms,
                suggested_presentation_delay_ms,
            } => {
                w.text(" type=\"dynamic\"");
                w.instant("availabilityStartTime", availability_start_time);
                w.instant("publishTime", publish_time);
                w.millis("minimumUpdatePeriod", Some(minimum_update_period_ms));
                w.millis("timeShiftBufferDepth", time_shift_buffer_depth_ms);
                w.millis("suggestedPresentationDelay", suggested_presentation_delay_ms);
            }
        }
        w.millis("minBufferTime", Some(self.min_buffer_time_ms));
        w.millis("maxSegmentDuration", self.max_segment_duration_ms);
        w.text(">\n");
        if let Some(title) = self.title {
            w.text(" <ProgramInformation><Title>");
            push_text(&mut w.out, title);
            w.text("</Title></ProgramInformation>\n");
        }
        w.text(" <Period id=\"0\" start=\"PT0S\">\n");
        w
    }
}

/// Writes the adaptation sets and the end.
#[derive(Clone, Debug)]
pub struct MpdWriter<'a> {
    out: Vec<u8>,
    utc_timing: Option<UtcTiming<'a>>,
}

impl MpdWriter<'_> {
    /// A track with its segments, oldest first.
    pub fn adaptation_set(
        &mut self,
        set: &AdaptationSet<'_>,
        segments: impl IntoIterator<Item = TimelineSegment>,
    ) {
        self.text("  <AdaptationSet");
        self.number("id", set.id);
        match set.content {
            Content::Video { .. } => self.text(" contentType=\"video\" mimeType=\"video/mp4\""),
            Content::Audio { language, .. } => {
                self.text(" contentType=\"audio\" mimeType=\"audio/mp4\"");
                if let Some(language) = language {
                    self.plain("lang", language);
                }
            }
        }
        self.text(" segmentAlignment=\"true\" startWithSAP=\"1\">\n   <SegmentTemplate");
        self.number("timescale", set.timescale);
        if set.presentation_time_offset != 0 {
            self.number("presentationTimeOffset", set.presentation_time_offset);
        }
        self.number("startNumber", set.start_number);
        self.uri("initialization", &set.initialization);
        self.uri("media", &set.media);
        self.text(">\n    <SegmentTimeline>");
        segments.into_iter().for_each(|segment| self.segment(&segment));
        self.text("</SegmentTimeline>\n   </SegmentTemplate>\n   <Representation");
        self.number("id", set.id);
        self.plain("codecs", set.codecs);
        match set.content {
            Content::Video { width, height, frame_rate } => {
                self.number("width", width);
                self.number("height", height);
                if let Some((frames, seconds)) = frame_rate {
                    self.text(" frameRate=\"");
                    push_u64(&mut self.out, frames.into());
                    if seconds != 1 {
                        self.text("/");
                        push_u64(&mut self.out, seconds.into());
                    }
                    self.text("\"");
                }
                self.number("bandwidth", set.bandwidth);
                self.text("/>\n");
            }
            Content::Audio { sampling_rate, channels, .. } => {
                self.number("audioSamplingRate", sampling_rate);
                self.number("bandwidth", set.bandwidth);
                self.text("><AudioChannelConfiguration schemeIdUri=\"");
                self.text("urn:mpeg:dash:23003:3:audio_channel_configuration:2011\"");
                self.number("value", channels);
                self.text("/></Representation>\n");
            }
        }
        self.text("  </AdaptationSet>\n");
    }

    /// The text, UTF-8.
    pub fn finish(mut self) -> Vec<u8> {
        self.text(" </Period>\n");
        if let Some(timing) = self.utc_timing {
            let (scheme, url) = match timing {
                UtcTiming::HttpHead(url) => ("http-head", Ok(url)),
                UtcTiming::HttpIso(url) => ("http-iso", Ok(url)),
                UtcTiming::Direct(now) => ("direct", Err(now)),
            };
            self.text(" <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:");
            self.text(scheme);
            self.text(":2014\" value=\"");
            match url {
                Ok(url) => push_text(&mut self.out, url),
                Err(now) => push_date_time(&mut self.out, now),
            }
            self.text("\"/>\n");
        }
        self.text("</MPD>\n");
        self.out
    }

    /// One `S` per fragment, never folded by @r, always with @t: as the original writes them.
    fn segment(&mut self, segment: &TimelineSegment) {
        let out = &mut self.out;
        out.extend_from_slice(b"<S t=\"");
        push_u64(out, segment.time);
        out.extend_from_slice(b"\" d=\"");
        push_u64(out, segment.duration);
        if let Some(at) = segment.timestamp {
            out.extend_from_slice(b"\" kvs:ts=\"");
            push_u64(out, at.0);
        }
        if let Some(number) = segment.fragment_number {
            out.extend_from_slice(b"\" kvs:fn=\"");
            push_u128(out, number);
        }
        out.extend_from_slice(b"\"/>");
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn open(&mut self, name: &str) {
        self.text(" ");
        self.text(name);
        self.text("=\"");
    }

    fn number(&mut self, name: &str, n: impl Into<u64>) {
        self.open(name);
        push_u64(&mut self.out, n.into());
        self.text("\"");
    }

    fn plain(&mut self, name: &str, text: PlainText<'_>) {
        self.open(name);
        self.text(text.as_str());
        self.text("\"");
    }

    fn uri(&mut self, name: &str, uri: &Uri<'_>) {
        self.open(name);
        uri.push_xml(&mut self.out);
        self.text("\"");
    }

    fn instant(&mut self, name: &str, at: UnixMillis) {
        self.open(name);
        push_date_time(&mut self.out, at);
        self.text("\"");
    }

    fn millis(&mut self, name: &str, millis: Option<u64>) {
        if let Some(millis) = millis {
            self.open(name);
            push_duration(&mut self.out, millis);
            self.text("\"");
        }
    }
}
