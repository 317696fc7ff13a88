//! The exact texts: the original service's samples and our own forms.

use streamkeep_media::UnixMillis;
use streamkeep_playlist::check::{self, Level};
use streamkeep_playlist::dash::{
    AdaptationSet, Content, Mpd, Presentation, TimelineSegment, UtcTiming,
};
use streamkeep_playlist::hls::{
    AudioRendition, IFramePlaylist, IFrameVariant, MediaInitialization, MediaPlaylist,
    MultivariantPlaylist, Part, PlaylistKind, RenditionReport, SegmentFormat, SegmentStart,
    ServerControl, Variant, VideoRange,
};
use streamkeep_playlist::{MediaDuration, Parameter, PlainText, Uri, Value};

/// kvs/playback.md §5, the master playlist.
const KVS_MASTER: &str = r#"#EXTM3U
#EXT-X-VERSION:1
#EXT-X-MEDIA:AUTOSELECT=YES,FORCED=NO,TYPE=AUDIO,URI="getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=2",GROUP-ID="audio",DEFAULT=NO,NAME="audio"
#EXT-X-STREAM-INF:CODECS="avc1.42c032,mp4a.40.2",RESOLUTION=2592x1944,FRAME-RATE=15.01,BANDWIDTH=2583047,AUDIO="audio"
getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=1
"#;

/// kvs/playback.md §5, the media playlist; the fragment numbers are cut there, here completed.
const KVS_MEDIA: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=CiC~&TrackNumber=1&SequenceNumber=0"
#EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:35.994Z
#EXTINF:2.663,
getMP4MediaFragment.mp4?FragmentNumber=91343852333181432392682062607743920146&SessionToken=CiC~&TrackNumber=1
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2023-05-17T13:48:38.656Z
#EXTINF:2.68,
getMP4MediaFragment.mp4?FragmentNumber=91343852333181432392682062607743920147&SessionToken=CiC~&TrackNumber=1
#EXT-X-DISCONTINUITY
#EXT-X-ENDLIST
"#;

fn token() -> PlainText<'static> {
    PlainText::new("CiC~").expect("plain")
}

fn codec(text: &str) -> PlainText<'_> {
    PlainText::new(text).expect("plain")
}

fn track_query(track: u64) -> [Parameter<'static>; 2] {
    [("SessionToken", token().into()), ("TrackNumber", track.into())]
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

const VOD: MediaPlaylist = MediaPlaylist {
    kind: PlaylistKind::Vod,
    format: SegmentFormat::FragmentedMp4,
    target_duration_secs: 4,
    media_sequence: 0,
    discontinuity_sequence: 0,
    independent_segments: true,
    server_control: ServerControl {
        can_block_reload: false,
        part_hold_back_ms: None,
        hold_back_ms: None,
        can_skip_until_ms: None,
    },
    part_target_ms: None,
};

/// The original's media playlist, with two differences: five decimals, and no discontinuity that
/// applies to no segment.
#[test]
fn media_playlist_of_the_original() {
    let mut list = VOD.writer(Vec::new());
    for (index, at, millis) in [(0, 1_684_331_315_994, 2663), (1, 1_684_331_318_656, 2680)] {
        let map = [
            ("SessionToken", token().into()),
            ("TrackNumber", 1.into()),
            ("SequenceNumber", 0.into()),
        ];
        let query = [
            (
                "FragmentNumber",
                Value::Number(91_343_852_333_181_432_392_682_062_607_743_920_146 + index),
            ),
            ("SessionToken", token().into()),
            ("TrackNumber", 1.into()),
        ];
        let start = SegmentStart {
            discontinuity: true,
            map: Some(MediaInitialization {
                version: 0,
                uri: Uri { path: "getMP4InitFragment.mp4", query: &map },
            }),
            program_date_time: Some(UnixMillis(at)),
        };
        let uri = Uri { path: "getMP4MediaFragment.mp4", query: &query };
        list.segment(&start).finish(MediaDuration::from_ticks_90k(millis * 90), &uri);
    }
    let expected = KVS_MEDIA
        .replace("2.663,", "2.66300,")
        .replace("2.68,", "2.68000,")
        .replace("#EXT-X-DISCONTINUITY\n#EXT-X-ENDLIST", "#EXT-X-ENDLIST");
    let written = text(list.end_list());
    assert_eq!(written, expected);
    assert_eq!(check::media_playlists(&[&written]), []);
}

#[test]
fn what_the_checker_finds_in_the_original() {
    let found = |findings: Vec<check::Finding>| -> Vec<_> {
        findings.into_iter().map(|f| (f.level, f.line, f.rule)).collect()
    };
    assert_eq!(
        found(check::media_playlists(&[KVS_MEDIA])),
        [(Level::Should, 16, "RFC 8216 §4.3.2")],
        "the last discontinuity"
    );
    assert_eq!(
        found(check::multivariant_playlist(KVS_MASTER)),
        [(Level::Must, 3, "RFC 8216 §4.3.4.1")],
        "FORCED on audio"
    );
}

/// packaging.md §5.2, the multivariant form. Attributes have no order; players read them by name.
#[test]
fn multivariant_playlist() {
    let queries = [track_query(1), track_query(2)];
    let uri = |track: usize| Uri { path: "getHLSMediaPlaylist.m3u8", query: &queries[track - 1] };
    let i_frames = [queries[0][0], queries[0][1], ("IFrames", 1.into())];
    let codecs = [codec("avc1.42c032"), codec("mp4a.40.2")];
    let audio = AudioRendition {
        group_id: "audio",
        name: "audio",
        channels: Some(1),
        language: None,
        uri: uri(2),
    };
    let variant = Variant {
        bandwidth: 2_583_047,
        average_bandwidth: Some(2_100_000),
        codecs: &codecs,
        resolution: Some((2592, 1944)),
        frame_rate_milli: Some(15_010),
        video_range: None,
        audio: Some("audio"),
        uri: uri(1),
    };
    let i_frame_variant = IFrameVariant {
        bandwidth: 180_000,
        codecs: &codecs[..1],
        resolution: Some((2592, 1944)),
        uri: Uri { path: "getHLSMediaPlaylist.m3u8", query: &i_frames },
    };
    let mut out = Vec::new();
    MultivariantPlaylist {
        version: 7,
        independent_segments: true,
        audio: &[audio],
        variants: &[variant],
        i_frames: &[i_frame_variant],
    }
    .write(&mut out);
    let written = text(out);
    assert_eq!(
        written,
        r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=2"
#EXT-X-STREAM-INF:BANDWIDTH=2583047,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.42c032,mp4a.40.2",RESOLUTION=2592x1944,FRAME-RATE=15.010,AUDIO="audio"
getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=1
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=180000,CODECS="avc1.42c032",RESOLUTION=2592x1944,URI="getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=1&IFrames=1"
"#
    );
    assert_eq!(check::multivariant_playlist(&written), []);

    // Audio only, a hostile name, a transfer that is not SDR.
    let hostile = AudioRendition {
        name: "say \"hi\"\n#EXT-X-ENDLIST & é",
        language: Some(codec("und")),
        ..audio
    };
    let only_audio = Variant {
        codecs: &codecs[1..],
        average_bandwidth: None,
        resolution: None,
        frame_rate_milli: None,
        audio: None,
        uri: uri(2),
        ..variant
    };
    let hdr = Variant { video_range: Some(VideoRange::Pq), ..variant };
    let mut out = Vec::new();
    MultivariantPlaylist {
        version: 7,
        independent_segments: false,
        audio: &[hostile],
        variants: &[only_audio, hdr],
        i_frames: &[],
    }
    .write(&mut out);
    let written = text(out);
    assert_eq!(
        written,
        r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="say 'hi' #EXT-X-ENDLIST & é",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="und",CHANNELS="1",URI="getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=2"
#EXT-X-STREAM-INF:BANDWIDTH=2583047,CODECS="mp4a.40.2"
getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=2
#EXT-X-STREAM-INF:BANDWIDTH=2583047,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.42c032,mp4a.40.2",RESOLUTION=2592x1944,FRAME-RATE=15.010,VIDEO-RANGE=PQ,AUDIO="audio"
getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=1
"#
    );
    assert_eq!(check::multivariant_playlist(&written), []);
}

/// packaging.md §5.2, the low-latency excerpt, line by line.
#[test]
fn low_latency() {
    let list = MediaPlaylist {
        kind: PlaylistKind::Live,
        target_duration_secs: 3,
        media_sequence: 806,
        discontinuity_sequence: 3,
        independent_segments: false,
        server_control: ServerControl {
            can_block_reload: true,
            part_hold_back_ms: Some(750),
            hold_back_ms: None,
            can_skip_until_ms: Some(18_000),
        },
        part_target_ms: Some(250),
        ..VOD
    };
    let write = |skip: u64| {
        let mut writer = list.writer(Vec::new());
        writer.skip(skip);
        let map = [("SequenceNumber", 0.into())];
        let start = |discontinuity, at| SegmentStart {
            discontinuity,
            map: Some(MediaInitialization {
                version: 0,
                uri: Uri { path: "getMP4InitFragment.mp4", query: &map },
            }),
            program_date_time: Some(UnixMillis(at)),
        };
        let whole = |fragment: u64| [("FragmentNumber", fragment.into())];
        let part =
            |fragment: u64, part: u64| [("FragmentNumber", fragment.into()), ("Part", part.into())];
        let millis = MediaDuration::from_millis;
        if skip == 0 {
            let segment = writer.segment(&start(false, 1_795_165_200_040));
            let uri = Uri { path: "getMP4MediaFragment.mp4", query: &whole(70) };
            segment.finish(millis(2000), &uri);
        }
        let mut segment = writer.segment(&start(true, 1_795_165_231_200));
        for n in 0..2 {
            let uri = Uri { path: "getMP4Part.mp4", query: &part(71, n) };
            segment.part(&Part { duration: millis(240), uri, independent: n == 0 });
        }
        let uri = Uri { path: "getMP4MediaFragment.mp4", query: &whole(71) };
        segment.finish(millis(480), &uri);
        let mut segment = writer.segment(&start(false, 1_795_165_231_680));
        let uri = Uri { path: "getMP4Part.mp4", query: &part(72, 0) };
        segment.part(&Part { duration: millis(240), uri, independent: true });
        writer.preload_hint(&Uri { path: "getMP4Part.mp4", query: &part(72, 1) });
        writer.rendition_report(&RenditionReport {
            uri: Uri { path: "getHLSMediaPlaylist.m3u8", query: &track_query(2) },
            last_msn: 808,
            last_part: Some(0),
        });
        text(writer.finish())
    };
    let head = "#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.75,CAN-SKIP-UNTIL=18.0
#EXT-X-PART-INF:PART-TARGET=0.25
#EXT-X-MEDIA-SEQUENCE:806
#EXT-X-DISCONTINUITY-SEQUENCE:3
";
    let first = r#"#EXT-X-MAP:URI="getMP4InitFragment.mp4?SequenceNumber=0"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:00.040Z
#EXTINF:2.00000,
getMP4MediaFragment.mp4?FragmentNumber=70
"#;
    let tail = r#"#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:31.200Z
#EXT-X-PART:DURATION=0.24000,URI="getMP4Part.mp4?FragmentNumber=71&Part=0",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.24000,URI="getMP4Part.mp4?FragmentNumber=71&Part=1"
#EXTINF:0.48000,
getMP4MediaFragment.mp4?FragmentNumber=71
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T09:00:31.680Z
#EXT-X-PART:DURATION=0.24000,URI="getMP4Part.mp4?FragmentNumber=72&Part=0",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="getMP4Part.mp4?FragmentNumber=72&Part=1"
#EXT-X-RENDITION-REPORT:URI="getHLSMediaPlaylist.m3u8?SessionToken=CiC~&TrackNumber=2",LAST-MSN=808,LAST-PART=0
"#;
    let full = write(0);
    assert_eq!(full, format!("{head}{first}#EXT-X-DISCONTINUITY\n{tail}"));
    assert_eq!(check::media_playlists(&[&full]), []);
    // The delta form repeats the map before the first kept segment.
    let map = first.lines().next().unwrap();
    let skip = "#EXT-X-SKIP:SKIPPED-SEGMENTS=1";
    assert_eq!(write(1), format!("{head}{skip}\n#EXT-X-DISCONTINUITY\n{map}\n{tail}"));
}

#[test]
fn event_transport_stream_and_pieces() {
    let list = MediaPlaylist {
        kind: PlaylistKind::Event,
        format: SegmentFormat::MpegTs,
        independent_segments: false,
        target_duration_secs: 0,
        ..VOD
    };
    let mut writer = list.writer(Vec::new());
    let query = [("FragmentNumber", Value::Number(u128::MAX))];
    let uri = Uri { path: "getTSFragment.ts", query: &query };
    let head = text(writer.take(Vec::new()));
    assert!(writer.is_empty());
    writer.segment(&SegmentStart::default()).finish(MediaDuration::from_ticks_90k(1), &uri);
    assert_eq!(writer.len(), 89);
    assert_eq!(
        head + &text(writer.finish()),
        "#EXTM3U
#EXT-X-VERSION:3
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:0.00001,
getTSFragment.ts?FragmentNumber=340282366920938463463374607431768211455
"
    );
}

#[test]
fn i_frame_playlist() {
    let list = IFramePlaylist {
        kind: PlaylistKind::Live,
        format: SegmentFormat::FragmentedMp4,
        target_duration_secs: 3,
        media_sequence: 7,
        discontinuity_sequence: 0,
        server_control: ServerControl {
            can_block_reload: true,
            part_hold_back_ms: Some(750),
            ..ServerControl::default()
        },
    };
    let mut writer = list.writer(Vec::new());
    let map = track_query(1);
    for (n, version) in [(0_u64, 0), (1, 0), (2, 1)] {
        let query = [("FragmentNumber", n.into()), ("IFrame", 1.into())];
        let start = SegmentStart {
            discontinuity: n == 2,
            map: Some(MediaInitialization {
                version,
                uri: Uri { path: "getMP4InitFragment.mp4", query: &map[1..] },
            }),
            program_date_time: None,
        };
        let uri = Uri { path: "getMP4MediaFragment.mp4", query: &query };
        writer.i_frame(&start, MediaDuration::from_ticks_90k(180_000), &uri);
    }
    let written = text(writer.end_list());
    assert_eq!(
        written,
        r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:3
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-I-FRAMES-ONLY
#EXT-X-MAP:URI="getMP4InitFragment.mp4?TrackNumber=1"
#EXTINF:2.00000,
getMP4MediaFragment.mp4?FragmentNumber=0&IFrame=1
#EXTINF:2.00000,
getMP4MediaFragment.mp4?FragmentNumber=1&IFrame=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="getMP4InitFragment.mp4?TrackNumber=1"
#EXTINF:2.00000,
getMP4MediaFragment.mp4?FragmentNumber=2&IFrame=1
#EXT-X-ENDLIST
"#
    );
    assert_eq!(check::media_playlists(&[&written]), []);
}

fn mpd_queries(track: u64) -> ([Parameter<'static>; 2], [Parameter<'static>; 3]) {
    let [token, track] = track_query(track);
    ([token, track], [("FragmentNumber", Value::NumberTemplate), token, track])
}

/// kvs/playback.md §6, with the order of attributes of packaging.md §6.
#[test]
fn dynamic_mpd() {
    let manifest = Mpd {
        presentation: Presentation::Dynamic {
            availability_start_time: UnixMillis(1_795_165_200_000),
            publish_time: UnixMillis(1_795_165_242_000),
            minimum_update_period_ms: 1000,
            time_shift_buffer_depth_ms: Some(20_000),
            suggested_presentation_delay_ms: Some(6000),
        },
        min_buffer_time_ms: 4000,
        max_segment_duration_ms: Some(2500),
        kvs_attributes: true,
        title: Some("Tom & \"Jerry\" </Title><x y='z'>\u{1}"),
        utc_timing: Some(UtcTiming::HttpHead("/time?a=1&b=2")),
    };
    let (initialization, media) = mpd_queries(1);
    let (audio_initialization, audio_media) = mpd_queries(2);
    let video = AdaptationSet {
        id: 1,
        content: Content::Video { width: 1280, height: 720, frame_rate: Some((30_000, 1001)) },
        codecs: codec("avc1.4d401e"),
        bandwidth: 1_500_000,
        timescale: 1000,
        presentation_time_offset: 0,
        start_number: 17,
        initialization: Uri { path: "getMP4InitFragment.mp4", query: &initialization },
        media: Uri { path: "getMP4MediaFragment.mp4", query: &media },
    };
    let audio = AdaptationSet {
        id: 2,
        content: Content::Audio {
            sampling_rate: 48_000,
            channels: 2,
            language: Some(codec("und")),
        },
        codecs: codec("mp4a.40.2"),
        bandwidth: 64_000,
        timescale: 48_000,
        presentation_time_offset: 480,
        initialization: Uri { path: "getMP4InitFragment.mp4", query: &audio_initialization },
        media: Uri { path: "getMP4MediaFragment.mp4", query: &audio_media },
        ..video
    };
    let mut writer = manifest.writer(Vec::new());
    let segment = |time, duration| TimelineSegment { time, duration, ..TimelineSegment::default() };
    writer.adaptation_set(
        &video,
        [
            TimelineSegment {
                timestamp: Some(UnixMillis(1_690_707_290_324)),
                fragment_number: Some(91_343_852_333_181_432_392_682_062_607_743_920_146),
                ..segment(32_000, 2000)
            },
            segment(34_000, 2040),
        ],
    );
    writer.adaptation_set(&audio, [segment(1_536_480, 96_256), segment(1_632_736, 97_280)]);
    let written = text(writer.finish());
    assert_eq!(
        written,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:kvs="urn:kvs:dash" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="dynamic" availabilityStartTime="2026-11-20T09:00:00.000Z" publishTime="2026-11-20T09:00:42.000Z" minimumUpdatePeriod="PT1S" timeShiftBufferDepth="PT20S" suggestedPresentationDelay="PT6S" minBufferTime="PT4S" maxSegmentDuration="PT2.5S">
 <ProgramInformation><Title>Tom &amp; &quot;Jerry&quot; &lt;/Title&gt;&lt;x y=&apos;z&apos;&gt;�</Title></ProgramInformation>
 <Period id="0" start="PT0S">
  <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
   <SegmentTemplate timescale="1000" startNumber="17" initialization="getMP4InitFragment.mp4?SessionToken=CiC~&amp;TrackNumber=1" media="getMP4MediaFragment.mp4?FragmentNumber=$Number$&amp;SessionToken=CiC~&amp;TrackNumber=1">
    <SegmentTimeline><S t="32000" d="2000" kvs:ts="1690707290324" kvs:fn="91343852333181432392682062607743920146"/><S t="34000" d="2040"/></SegmentTimeline>
   </SegmentTemplate>
   <Representation id="1" codecs="avc1.4d401e" width="1280" height="720" frameRate="30000/1001" bandwidth="1500000"/>
  </AdaptationSet>
  <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" lang="und" segmentAlignment="true" startWithSAP="1">
   <SegmentTemplate timescale="48000" presentationTimeOffset="480" startNumber="17" initialization="getMP4InitFragment.mp4?SessionToken=CiC~&amp;TrackNumber=2" media="getMP4MediaFragment.mp4?FragmentNumber=$Number$&amp;SessionToken=CiC~&amp;TrackNumber=2">
    <SegmentTimeline><S t="1536480" d="96256"/><S t="1632736" d="97280"/></SegmentTimeline>
   </SegmentTemplate>
   <Representation id="2" codecs="mp4a.40.2" audioSamplingRate="48000" bandwidth="64000"><AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/></Representation>
  </AdaptationSet>
 </Period>
 <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="/time?a=1&amp;b=2"/>
</MPD>
"#
    );
    assert_eq!(check::mpds(&[&written]), []);
}

#[test]
fn static_mpd() {
    let manifest = Mpd {
        presentation: Presentation::Static {
            duration: MediaDuration::from_ticks_90k(360_045),
            availability_start_time: Some(UnixMillis(0)),
        },
        min_buffer_time_ms: 2000,
        max_segment_duration_ms: None,
        kvs_attributes: false,
        title: None,
        utc_timing: Some(UtcTiming::Direct(UnixMillis(1))),
    };
    let (initialization, media) = mpd_queries(1);
    let video = AdaptationSet {
        id: 1,
        content: Content::Video { width: 64, height: 36, frame_rate: None },
        codecs: codec("hvc1.1.6.L120.90"),
        bandwidth: 1,
        timescale: 90_000,
        presentation_time_offset: 0,
        start_number: 1,
        initialization: Uri { path: "getMP4InitFragment.mp4", query: &initialization },
        media: Uri { path: "getMP4MediaFragment.mp4", query: &media },
    };
    let mut writer = manifest.writer(Vec::new());
    let segments = [(0, 180_000), (180_000, 180_045)];
    writer.adaptation_set(
        &video,
        segments.map(|(time, duration)| TimelineSegment {
            time,
            duration,
            ..TimelineSegment::default()
        }),
    );
    let written = text(writer.finish());
    for expected in [
        "type=\"static\" availabilityStartTime=\"1970-01-01T00:00:00.000Z\" mediaPresentationDuration=\"PT4.001S\" minBufferTime=\"PT2S\">",
        "<Representation id=\"1\" codecs=\"hvc1.1.6.L120.90\" width=\"64\" height=\"36\" bandwidth=\"1\"/>",
        "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\"1970-01-01T00:00:00.001Z\"/>",
    ] {
        assert!(written.contains(expected), "{expected}\n{written}");
    }
    assert!(!written.contains("kvs"));
    assert_eq!(check::mpds(&[&written]), []);
}
