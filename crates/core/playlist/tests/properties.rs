//! What the writers write, the checkers find nothing in; and a second reader reads the same.

use proptest::prelude::*;
use streamkeep_media::UnixMillis;
use streamkeep_playlist::check;
use streamkeep_playlist::dash::{
    AdaptationSet, Content, Mpd, Presentation, TimelineSegment, UtcTiming,
};
use streamkeep_playlist::hls::{
    MediaInitialization, MediaPlaylist, Part, PlaylistKind, RenditionReport, SegmentFormat,
    SegmentStart, ServerControl, skipped_segments,
};
use streamkeep_playlist::{MediaDuration, PlainText, Uri, Value};

const T0: u64 = 1_795_165_200_000;
const PART_TICKS: u64 = 22_500;

/// A segment as a list knows it; times in ticks of 90 kHz.
#[derive(Clone, Debug)]
struct Entry {
    start_ticks: u64,
    parts: Vec<u64>,
    discontinuity: bool,
    map_version: u32,
    /// Discontinuities before this segment.
    discontinuities: u64,
}

impl Entry {
    fn ticks(&self) -> u64 {
        self.parts.iter().sum()
    }

    fn duration(&self) -> MediaDuration {
        MediaDuration::from_ticks_90k(self.ticks())
    }
}

/// 1 to 8 whole parts and a last one of any length; now and then a gap, sometimes a new map.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (1..8_usize, 90..=PART_TICKS, 0..4_u8, 0..900_000_u64);
    prop::collection::vec(entry, 1..24).prop_map(|shapes| {
        let (mut at, mut map_version, mut discontinuities) = (0, 0, 0);
        let mut entries = Vec::new();
        for (whole, last, change, gap) in shapes {
            let discontinuity = change < 2;
            let entry = Entry {
                start_ticks: at + if discontinuity { gap } else { 0 },
                parts: [vec![PART_TICKS; whole], vec![last]].concat(),
                discontinuity,
                map_version: map_version + u32::from(change == 0),
                discontinuities,
            };
            at = entry.start_ticks + entry.ticks();
            map_version = entry.map_version;
            discontinuities += u64::from(discontinuity);
            entries.push(entry);
        }
        entries
    })
}

struct View<'a> {
    list: MediaPlaylist,
    entries: &'a [Entry],
    first: usize,
    /// Complete segments, and parts of the one after them.
    end: (usize, usize),
    skip: usize,
    ended: bool,
}

fn write(view: &View<'_>) -> String {
    let token = PlainText::new("CiC_-~").expect("plain");
    let mut writer = view.list.writer(Vec::new());
    writer.skip(view.skip as u64);
    let (complete, open_parts) = view.end;
    let open: u64 =
        view.entries[complete..].iter().take(1).flat_map(|e| &e.parts[..open_parts]).sum();
    let length = open + view.entries[..complete].iter().map(Entry::ticks).sum::<u64>();
    let mut before: u64 = view.entries[..view.first + view.skip].iter().map(Entry::ticks).sum();
    let part_uri = |index: usize, part: usize| {
        [
            ("FragmentNumber", Value::Number(1 << 124 | index as u128)),
            ("SessionToken", token.into()),
            ("Part", (part as u64).into()),
        ]
    };
    for (index, entry) in view.entries.iter().enumerate().skip(view.first + view.skip) {
        if index > complete || (index == complete && open_parts == 0) {
            break;
        }
        before += entry.ticks();
        let map = [("SequenceNumber", u64::from(entry.map_version).into())];
        let start = SegmentStart {
            discontinuity: entry.discontinuity,
            map: (view.list.format == SegmentFormat::FragmentedMp4).then_some(
                MediaInitialization {
                    version: entry.map_version,
                    uri: Uri { path: "getMP4InitFragment.mp4", query: &map },
                },
            ),
            program_date_time: Some(UnixMillis(T0 + entry.start_ticks / 90)),
        };
        let mut segment = writer.segment(&start);
        // Parts stay for the last three target durations.
        let target_ticks = 90_000 * u64::from(view.list.target_duration_secs);
        if view.list.part_target_ms.is_some()
            && length.saturating_sub(before) + 90 < 3 * target_ticks
        {
            let listed = if index == complete { open_parts } else { entry.parts.len() };
            for (part, ticks) in entry.parts[..listed].iter().enumerate() {
                segment.part(&Part {
                    duration: MediaDuration::from_ticks_90k(*ticks),
                    uri: Uri { path: "getMP4Part.mp4", query: &part_uri(index, part) },
                    independent: part == 0,
                });
            }
        }
        if index < complete {
            let query = [
                ("FragmentNumber", Value::Number(1 << 124 | index as u128)),
                ("SessionToken", token.into()),
            ];
            let path = match view.list.format {
                SegmentFormat::FragmentedMp4 => "getMP4MediaFragment.mp4",
                SegmentFormat::MpegTs => "getTSFragment.ts",
            };
            segment.finish(entry.duration(), &Uri { path, query: &query });
        }
    }
    let text = if view.ended {
        writer.end_list()
    } else {
        if view.list.part_target_ms.is_some() {
            let query = part_uri(complete, open_parts);
            writer.preload_hint(&Uri { path: "getMP4Part.mp4", query: &query });
            writer.rendition_report(&RenditionReport {
                uri: Uri { path: "getHLSMediaPlaylist.m3u8", query: &query[1..2] },
                last_msn: complete as u64,
                last_part: Some(0),
            });
        }
        writer.finish()
    };
    String::from_utf8(text).expect("UTF-8")
}

fn plain(kind: PlaylistKind, format: SegmentFormat) -> MediaPlaylist {
    MediaPlaylist {
        kind,
        format,
        target_duration_secs: 2,
        media_sequence: 0,
        discontinuity_sequence: 0,
        independent_segments: true,
        server_control: ServerControl::default(),
        part_target_ms: None,
    }
}

/// Index of the first segment of a window that keeps six segments and three target durations.
fn window(entries: &[Entry], complete: usize, segments: usize) -> usize {
    let mut first = complete.saturating_sub(segments.max(6));
    let kept = |first: usize| entries[first..complete].iter().map(Entry::ticks).sum::<u64>();
    while first > 0 && kept(first) < 3 * 2 * 90_000 {
        first -= 1;
    }
    first
}

proptest! {
    // Each case is a series of up to two hundred lists.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn on_demand_and_event(entries in entries(), fmp4: bool) {
        let format = if fmp4 { SegmentFormat::FragmentedMp4 } else { SegmentFormat::MpegTs };
        let count = entries.len();
        let view = |kind, complete, ended| View {
            list: plain(kind, format),
            entries: &entries,
            first: 0,
            end: (complete, 0),
            skip: 0,
            ended,
        };
        let vod = write(&view(PlaylistKind::Vod, count, true));
        prop_assert_eq!(check::media_playlists(&[&vod]), []);
        read_by_another(&vod, &entries);
        let event: Vec<String> =
            (1..=count).map(|n| write(&view(PlaylistKind::Event, n, n == count))).collect();
        let series: Vec<&str> = event.iter().map(String::as_str).collect();
        prop_assert_eq!(check::media_playlists(&series), []);
    }

    #[test]
    fn live(entries in entries(), segments in 6..12_usize, low_latency: bool) {
        let mut texts = Vec::new();
        let control = ServerControl {
            can_block_reload: true,
            part_hold_back_ms: low_latency.then_some(753),
            hold_back_ms: None,
            can_skip_until_ms: Some(12_000),
        };
        for complete in 0..entries.len() {
            let first = window(&entries, complete, segments);
            let part_counts = if low_latency { entries[complete].parts.len() } else { 1 };
            for parts in 0..part_counts {
                let mut view = View {
                    list: MediaPlaylist {
                        media_sequence: first as u64,
                        discontinuity_sequence: entries[first].discontinuities,
                        server_control: control,
                        part_target_ms: low_latency.then_some(251),
                        ..plain(PlaylistKind::Live, SegmentFormat::FragmentedMp4)
                    },
                    entries: &entries,
                    first,
                    end: (complete, parts),
                    skip: 0,
                    ended: false,
                };
                texts.push(write(&view));
                let unfinished: u64 = entries[complete].parts[..parts].iter().sum();
                let newest_first = entries[first..complete].iter().rev().map(Entry::duration);
                let skip = skipped_segments(newest_first, unfinished / 90, 12_000);
                if skip > 0 {
                    view.skip = skip as usize;
                    texts.push(write(&view));
                }
            }
        }
        let series: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(check::media_playlists(&series), []);
        if let Some(last) = series.last() {
            prop_assert_eq!(check::renditions(&[last, last]), []);
        }
    }

    #[test]
    fn manifests(entries in entries(), depth in 1..8_usize, title: String, url: String) {
        // Gaps are closed: the timeline is the sum of the durations.
        let mut time = 0;
        let timeline: Vec<TimelineSegment> = entries.iter().map(|entry| {
            let segment = TimelineSegment {
                time,
                duration: entry.ticks(),
                timestamp: Some(UnixMillis(T0 + entry.start_ticks / 90)),
                fragment_number: Some(1 << 124 | u128::from(entry.start_ticks)),
            };
            time += entry.ticks();
            segment
        }).collect();
        let media = [("FragmentNumber", Value::NumberTemplate)];
        let write = |complete: usize, ended: bool| {
            let first = complete.saturating_sub(depth);
            let last = timeline[complete - 1];
            let end = MediaDuration::from_ticks_90k(last.time + last.duration);
            let manifest = Mpd {
                presentation: if ended {
                    Presentation::Static {
                        duration: end,
                        availability_start_time: Some(UnixMillis(T0)),
                    }
                } else {
                    Presentation::Dynamic {
                        availability_start_time: UnixMillis(T0),
                        publish_time: UnixMillis(T0 + end.rounded_millis()),
                        minimum_update_period_ms: 1000,
                        time_shift_buffer_depth_ms: Some(10_000),
                        suggested_presentation_delay_ms: None,
                    }
                },
                min_buffer_time_ms: 2000,
                max_segment_duration_ms: None,
                kvs_attributes: true,
                title: Some(&title),
                utc_timing: Some(UtcTiming::HttpIso(&url)),
            };
            let video = AdaptationSet {
                id: 1,
                content: Content::Video { width: 640, height: 360, frame_rate: Some((25, 1)) },
                codecs: PlainText::new("avc1.64001f").unwrap(),
                bandwidth: 1_000_000,
                timescale: 90_000,
                presentation_time_offset: 0,
                start_number: first as u64 + 1,
                initialization: Uri { path: "getMP4InitFragment.mp4", query: &[] },
                media: Uri { path: "getMP4MediaFragment.mp4", query: &media },
            };
            let audio = AdaptationSet {
                id: 2,
                content: Content::Audio { sampling_rate: 8000, channels: 1, language: None },
                ..video
            };
            let mut writer = manifest.writer(Vec::new());
            for set in [video, audio] {
                writer.adaptation_set(&set, timeline[first..complete].iter().copied());
            }
            String::from_utf8(writer.finish()).unwrap()
        };
        let count = timeline.len();
        let mut texts: Vec<String> = (1..=count).map(|n| write(n, false)).collect();
        texts.push(write(count, true));
        let series: Vec<&str> = texts.iter().map(String::as_str).collect();
        prop_assert_eq!(check::mpds(&series), []);
    }

    #[test]
    fn any_text(bytes: Vec<u8>) {
        streamkeep_playlist::fuzz::any(&bytes);
    }
}

/// m3u8-rs knows no parts, but plain lists it reads as we mean them.
fn read_by_another(text: &str, entries: &[Entry]) {
    let list = m3u8_rs::parse_media_playlist_res(text.as_bytes()).expect("a media playlist");
    assert!(list.end_list && list.independent_segments);
    assert_eq!((list.media_sequence, list.target_duration as u64), (0, 2));
    assert_eq!(list.segments.len(), entries.len());
    let mut map_version = None;
    for ((index, segment), entry) in list.segments.iter().enumerate().zip(entries) {
        assert_eq!(segment.discontinuity, entry.discontinuity);
        let seconds = entry.ticks() as f64 / 90_000.0;
        assert!((f64::from(segment.duration) - seconds).abs() < 0.000_01, "{segment:?}");
        assert!(segment.uri.contains(&(1_u128 << 124 | index as u128).to_string()));
        let at = segment.program_date_time.expect("a time");
        assert_eq!(at.timestamp_millis() as u64, T0 + entry.start_ticks / 90);
        if let Some(map) = &segment.map {
            assert_ne!(map_version.replace(entry.map_version), Some(entry.map_version));
            assert_eq!(
                map.uri,
                format!("getMP4InitFragment.mp4?SequenceNumber={}", entry.map_version)
            );
        }
    }
}
