//! What the longest list costs: a day of two-second fragments, 43,200 of them, each with a
//! discontinuity, its time and a session token of 160 characters. Run by hand on a quiet machine:
//! `cargo bench -p streamkeep-playlist`. The aim is 50 ms for the whole list, 1 µs a segment.

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]
#![allow(clippy::disallowed_methods, reason = "real time is what it measures")]

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use streamkeep_media::UnixMillis;
use streamkeep_playlist::check;
use streamkeep_playlist::dash::{
    AdaptationSet, Content, Mpd, Presentation, TimelineSegment, UtcTiming,
};
use streamkeep_playlist::hls::{
    MediaInitialization, MediaPlaylist, PlaylistKind, SegmentFormat, SegmentStart, ServerControl,
};
use streamkeep_playlist::webvtt::{SpriteGrid, ThumbnailsWriter};
use streamkeep_playlist::{MediaDuration, PlainText, Uri, Value};

const SEGMENTS: u64 = 43_200;
const DAY_START: u64 = 1_795_132_800_000;
const FIRST_NUMBER: u128 = 0x1000 << 112;

fn main() -> Result<(), Box<dyn Error>> {
    let token = "x".repeat(159) + "~";
    let token = PlainText::new(&token)?;

    // The buffers are warm, as in a server that reuses them.
    let mut text = Vec::with_capacity(20 << 20);
    measure("HLS media playlist: a segment", SEGMENTS, || {
        text.clear();
        text = media_playlist(token, std::mem::take(&mut text));
        black_box(&text);
    });
    println!("{:<42} {:>10.1} MB", "  its text", text.len() as f64 / 1e6);
    let mut chunk = Vec::with_capacity(80 << 10);
    measure("HLS media playlist in pieces: a segment", SEGMENTS, || {
        chunk.clear();
        chunk = in_pieces(token, std::mem::take(&mut chunk));
    });
    let mut manifest = Vec::with_capacity(8 << 20);
    measure("MPD with kvs:ts and kvs:fn: a segment", SEGMENTS, || {
        manifest.clear();
        manifest = mpd(token, std::mem::take(&mut manifest));
        black_box(&manifest);
    });
    println!("{:<42} {:>10.1} MB", "  its text", manifest.len() as f64 / 1e6);
    measure("WebVTT thumbnails: a cue", 8640, || {
        black_box(thumbnails());
    });
    let text = String::from_utf8(text)?;
    measure("checker: a segment", SEGMENTS, || {
        assert_eq!(check::media_playlists(&[&text]), []);
    });
    let manifest = String::from_utf8(manifest)?;
    measure("MPD checker: a segment", SEGMENTS, || {
        assert_eq!(check::mpds(&[&manifest]), []);
    });
    Ok(())
}

fn list() -> MediaPlaylist {
    MediaPlaylist {
        kind: PlaylistKind::Vod,
        format: SegmentFormat::FragmentedMp4,
        target_duration_secs: 3,
        media_sequence: 0,
        discontinuity_sequence: 0,
        independent_segments: true,
        server_control: ServerControl::default(),
        part_target_ms: None,
    }
}

fn media_playlist(token: PlainText<'_>, out: Vec<u8>) -> Vec<u8> {
    let mut list = list().writer(out);
    (0..SEGMENTS).for_each(|index| segment(&mut list, token, index));
    list.end_list()
}

/// As an HTTP body is sent: 64 KiB at a time.
fn in_pieces(token: PlainText<'_>, out: Vec<u8>) -> Vec<u8> {
    let mut list = list().writer(out);
    for index in 0..SEGMENTS {
        segment(&mut list, token, index);
        if list.len() >= 64 << 10 {
            let mut sent = list.take(Vec::new());
            black_box(&sent);
            sent.clear();
            list.take(sent);
        }
    }
    list.end_list()
}

fn segment(
    list: &mut streamkeep_playlist::hls::MediaPlaylistWriter,
    token: PlainText<'_>,
    index: u64,
) {
    let map =
        [("SessionToken", token.into()), ("TrackNumber", 1.into()), ("SequenceNumber", 0.into())];
    let number = FIRST_NUMBER | u128::from(DAY_START + 2000 * index) << 64 | u128::from(index);
    let query = [
        ("FragmentNumber", Value::Number(number)),
        ("SessionToken", token.into()),
        ("TrackNumber", 1.into()),
        ("At", (180_000 * index).into()),
    ];
    let start = SegmentStart {
        discontinuity: true,
        map: Some(MediaInitialization {
            version: 0,
            uri: Uri { path: "getMP4InitFragment.mp4", query: &map },
        }),
        program_date_time: Some(UnixMillis(DAY_START + 2000 * index)),
    };
    let duration = MediaDuration::from_ticks_90k(179_910 + index % 180);
    list.segment(&start).finish(duration, &Uri { path: "getMP4MediaFragment.mp4", query: &query });
}

fn mpd(token: PlainText<'_>, out: Vec<u8>) -> Vec<u8> {
    let duration = MediaDuration::from_ticks_90k(180_000 * SEGMENTS);
    let manifest = Mpd {
        presentation: Presentation::Static { duration, availability_start_time: None },
        min_buffer_time_ms: 2000,
        max_segment_duration_ms: None,
        kvs_attributes: true,
        title: None,
        utc_timing: Some(UtcTiming::HttpHead("/time")),
    };
    let initialization = [("SessionToken", token.into()), ("TrackNumber", 1.into())];
    let media = [
        ("FragmentNumber", Value::NumberTemplate),
        ("SessionToken", token.into()),
        ("TrackNumber", 1.into()),
    ];
    let set = AdaptationSet {
        id: 1,
        content: Content::Video { width: 1280, height: 720, frame_rate: Some((30, 1)) },
        codecs: PlainText::new("avc1.64001f").expect("no special character"),
        bandwidth: 1_500_000,
        timescale: 90_000,
        presentation_time_offset: 0,
        start_number: 1,
        initialization: Uri { path: "getMP4InitFragment.mp4", query: &initialization },
        media: Uri { path: "getMP4MediaFragment.mp4", query: &media },
    };
    let mut writer = manifest.writer(out);
    writer.adaptation_set(
        &set,
        (0..SEGMENTS).map(|index| TimelineSegment {
            time: 180_000 * index,
            duration: 180_000,
            timestamp: Some(UnixMillis(DAY_START + 2000 * index)),
            fragment_number: Some(FIRST_NUMBER | u128::from(index)),
        }),
    );
    writer.finish()
}

fn thumbnails() -> Vec<u8> {
    let ten = NonZeroU32::new(10).expect("not zero");
    let grid = SpriteGrid { columns: ten, rows: ten, tile_width: 160, tile_height: 90 };
    let mut track = ThumbnailsWriter::new(grid, Vec::new());
    for index in 0..8640 {
        let sprite = grid.sprite(index);
        let query = [("Sheet", sprite.sheet.into())];
        let sheet = Uri { path: "getThumbnails.jpg", query: &query };
        track.cue(10_000 * index, 10_000 * (index + 1), &sheet, sprite);
    }
    track.finish()
}

/// Runs `what` ten times and reports the best, per item.
fn measure(name: &str, count: u64, mut what: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..10 {
        let started = Instant::now();
        what();
        best = best.min(started.elapsed());
    }
    let each = best.as_secs_f64() * 1e9 / count as f64;
    println!("{name:<42} {each:>10.1} ns {:>8.2} ms in all", best.as_secs_f64() * 1e3);
}
