//! The multivariant playlist (RFC 8216 §4.3.4; there "master playlist").
//!
//! One rendition of the video, at most one of the audio. Audio-only is a [`Variant`] without
//! resolution and without audio group.

use super::quoted;
use crate::decimal::{push_millis_as_secs, push_u64};
use crate::{PlainText, Uri};

/// The whole playlist.
#[derive(Clone, Copy, Debug)]
pub struct MultivariantPlaylist<'a> {
    /// EXT-X-VERSION; the original service writes 1, we write 7 (packaging.md §5.2).
    pub version: u8,
    /// EXT-X-INDEPENDENT-SEGMENTS: true of all segments of all playlists.
    pub independent_segments: bool,
    /// EXT-X-MEDIA, each in a group of its own or in a common one.
    pub audio: &'a [AudioRendition<'a>],
    /// EXT-X-STREAM-INF. H.264 before H.265, each complete.
    pub variants: &'a [Variant<'a>],
    /// EXT-X-I-FRAME-STREAM-INF.
    pub i_frames: &'a [IFrameVariant<'a>],
}

/// An audio rendition: EXT-X-MEDIA with TYPE=AUDIO.
#[derive(Clone, Copy, Debug)]
pub struct AudioRendition<'a> {
    /// Named by [`Variant::audio`].
    pub group_id: &'static str,
    /// Shown to people; a double quote in it becomes a single one.
    pub name: &'a str,
    /// Number of channels, if known.
    pub channels: Option<u16>,
    /// Language tag, `und` when nothing is known.
    pub language: Option<PlainText<'a>>,
    /// The media playlist.
    pub uri: Uri<'a>,
}

/// A variant stream: EXT-X-STREAM-INF.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    /// Bits per second of the largest segment, all renditions together. Too low stalls Safari.
    pub bandwidth: u64,
    /// Bits per second over the whole list.
    pub average_bandwidth: Option<u64>,
    /// Every format of every rendition (RFC 6381), video first.
    pub codecs: &'a [PlainText<'a>],
    /// Display size in pixels: width, height. `None` for audio-only.
    pub resolution: Option<(u32, u32)>,
    /// Frames per 1000 seconds, so three decimals are exact.
    pub frame_rate_milli: Option<u32>,
    /// VIDEO-RANGE; must be there when the transfer is not SDR (packaging.md §1.3).
    pub video_range: Option<VideoRange>,
    /// GROUP-ID of the audio.
    pub audio: Option<&'static str>,
    /// The media playlist.
    pub uri: Uri<'a>,
}

/// VIDEO-RANGE of a variant (bis §4.4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// Hybrid log-gamma, transfer 18.
    Hlg,
    /// Perceptual quantisation, transfer 16.
    Pq,
}

/// An I-frame playlist: EXT-X-I-FRAME-STREAM-INF.
#[derive(Clone, Copy, Debug)]
pub struct IFrameVariant<'a> {
    /// Bits per second of the largest key frame.
    pub bandwidth: u64,
    /// The video codec alone.
    pub codecs: &'a [PlainText<'a>],
    /// Display size in pixels: width, height.
    pub resolution: Option<(u32, u32)>,
    /// The I-frame playlist.
    pub uri: Uri<'a>,
}

impl MultivariantPlaylist<'_> {
    /// Appends the text to `out`, UTF-8.
    pub fn write(&self, out: &mut Vec<u8>) {
        push_number(out, "#EXTM3U\n#EXT-X-VERSION:", self.version.into());
        out.push(b'\n');
        if self.independent_segments {
            out.extend_from_slice(b"#EXT-X-INDEPENDENT-SEGMENTS\n");
        }
        self.audio.iter().for_each(|audio| audio.push(out));
        self.variants.iter().for_each(|variant| variant.push(out));
        self.i_frames.iter().for_each(|variant| variant.push(out));
    }
}

impl AudioRendition<'_> {
    fn push(&self, out: &mut Vec<u8>) {
        quoted::push_text(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID", self.group_id);
        quoted::push_text(out, ",NAME", self.name);
        out.extend_from_slice(b",DEFAULT=YES,AUTOSELECT=YES");
        if let Some(language) = self.language {
            quoted::push_text(out, ",LANGUAGE", language.as_str());
        }
        if let Some(channels) = self.channels {
            push_number(out, ",CHANNELS=\"", channels.into());
            out.push(b'"');
        }
        quoted::push_uri(out, ",URI", &self.uri);
        out.push(b'\n');
    }
}

impl Variant<'_> {
    fn push(&self, out: &mut Vec<u8>) {
        push_number(out, "#EXT-X-STREAM-INF:BANDWIDTH=", self.bandwidth);
        if let Some(average) = self.average_bandwidth {
            push_number(out, ",AVERAGE-BANDWIDTH=", average);
        }
        out.push(b',');
        quoted::push_codecs(out, self.codecs);
        push_resolution(out, self.resolution);
        if let Some(milli) = self.frame_rate_milli {
            out.extend_from_slice(b",FRAME-RATE=");
            push_millis_as_secs(out, milli.into(), 3);
        }
        out.extend_from_slice(match self.video_range {
            None => b"",
            Some(VideoRange::Sdr) => b",VIDEO-RANGE=SDR",
            Some(VideoRange::Hlg) => b",VIDEO-RANGE=HLG",
            Some(VideoRange::Pq) => b",VIDEO-RANGE=PQ",
        });
        if let Some(group) = self.audio {
            quoted::push_text(out, ",AUDIO", group);
        }
        out.push(b'\n');
        self.uri.push(out);
        out.push(b'\n');
    }
}

impl IFrameVariant<'_> {
    fn push(&self, out: &mut Vec<u8>) {
        push_number(out, "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=", self.bandwidth);
        out.push(b',');
        quoted::push_codecs(out, self.codecs);
        push_resolution(out, self.resolution);
        quoted::push_uri(out, ",URI", &self.uri);
        out.push(b'\n');
    }
}

fn push_number(out: &mut Vec<u8>, name: &str, n: u64) {
    out.extend_from_slice(name.as_bytes());
    push_u64(out, n);
}

fn push_resolution(out: &mut Vec<u8>, resolution: Option<(u32, u32)>) {
    if let Some((width, height)) = resolution {
        push_number(out, ",RESOLUTION=", width.into());
        push_number(out, "x", height.into());
    }
}
