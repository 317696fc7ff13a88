use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use streamkeep_codec::VideoCodec;

use super::*;

/// What a source gave: its last tracks, and all frames.
fn read(mut source: impl Source) -> Result<(Vec<Track>, Vec<SourceFrame>), Error> {
    let (mut tracks, mut frames) = (Vec::new(), Vec::new());
    while let Some(item) = source.next()? {
        match item {
            SourceItem::Tracks(found) => tracks = found,
            SourceItem::Frame(frame) => {
                assert!(frame.track_index < tracks.len(), "a frame before its track");
                frames.push(frame);
            }
            SourceItem::Tags(_) => {}
        }
    }
    Ok((tracks, frames))
}

fn matroska(bytes: Vec<u8>) -> Result<(Vec<Track>, Vec<SourceFrame>), Error> {
    read(MatroskaSource::new(Box::new(Cursor::new(bytes))))
}

fn mp4(bytes: Vec<u8>) -> Result<(Vec<Track>, Vec<SourceFrame>), Error> {
    read(Mp4Source::new(Cursor::new(bytes))?)
}

fn fixture(name: &str) -> Option<Vec<u8>> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/fixtures").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

/// Runs ffmpeg; `None`, with a note, when there is none.
fn ffmpeg(dir: &Path, arguments: &str, output: &str) -> Option<Vec<u8>> {
    let path = dir.join(output);
    let status = Command::new("ffmpeg")
        .current_dir(dir)
        .args(["-v", "error", "-y", "-nostdin"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .status();
    match status {
        Ok(status) if status.success() => Some(std::fs::read(path).unwrap()),
        other => {
            println!("skipped: ffmpeg {arguments}: {other:?}");
            None
        }
    }
}

fn of_track(frames: &[SourceFrame], track_index: usize) -> Vec<&SourceFrame> {
    frames.iter().filter(|frame| frame.track_index == track_index).collect()
}

/// Same payload, key flags and presentation times to the millisecond.
fn assert_same(found: &[&SourceFrame], expected: &[&SourceFrame], shift_ns: i64) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(found.data == expected.data, "payload of frame {index}");
        assert_eq!(found.flags.key, expected.flags.key, "frame {index}");
        let difference = found.pts_ns - expected.pts_ns - shift_ns;
        assert!(difference.abs() <= 1_000_000, "frame {index}: {difference} ns");
    }
}

/// B-frames and sound: Matroska, MP4 and fragmented MP4 of the same media give the same frames.
#[test]
fn containers_agree() {
    let dir = tempfile::tempdir().unwrap();
    let make = "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine=440:r=48000 -t 3 \
                -c:v libx264 -g 25 -bf 3 -x264-params b-pyramid=normal:scenecut=0 \
                -pix_fmt yuv420p -c:a aac -b:a 64k";
    let Some(plain) = ffmpeg(dir.path(), make, "a.mp4") else { return };
    let copy = |extra: &str, output: &str| {
        ffmpeg(dir.path(), &format!("-i a.mp4 -c copy {extra}"), output).unwrap()
    };
    let (tracks, frames) = matroska(copy("", "a.mkv")).unwrap();
    assert_eq!(
        frames.iter().filter(|frame| frame.flags.key).count(),
        3 + of_track(&frames, 1).len()
    );
    for (bytes, what) in [
        (plain, "plain"),
        (copy("-movflags +faststart", "f.mp4"), "moov first"),
        (copy("-movflags +frag_keyframe+delay_moov+default_base_moof", "m.mp4"), "fragmented"),
        (copy("-movflags +frag_keyframe+delay_moov+separate_moof", "n.mp4"), "moof per track"),
        (copy("-f mov", "q.mov"), "QuickTime"),
    ] {
        println!("{what}");
        let (mp4_tracks, mp4_frames) = mp4(bytes).unwrap();
        for index in [0, 1] {
            assert_eq!(mp4_tracks[index].codec_id, tracks[index].codec_id);
            assert_eq!(mp4_tracks[index].codec_private, tracks[index].codec_private);
            assert_eq!(mp4_tracks[index].video, tracks[index].video);
            let (found, expected) = (of_track(&mp4_frames, index), of_track(&frames, index));
            // Matroska has no time before 0: ffmpeg moves all by the sound's priming.
            let shift_ns = found[0].pts_ns - expected[0].pts_ns;
            assert!((-43_000_000..=1_000_000).contains(&shift_ns), "{shift_ns}");
            assert_same(&found, &expected, shift_ns);
        }
        let sound_ahead =
            |frames: &[SourceFrame]| of_track(frames, 0)[0].pts_ns - of_track(frames, 1)[0].pts_ns;
        let difference = sound_ahead(&mp4_frames) - sound_ahead(&frames);
        assert!(difference.abs() <= 1_000_000, "picture and sound moved by {difference} ns");
    }
}

/// Raw streams give the frames and times of the container they were taken from.
#[test]
fn raw_streams_agree_with_their_container() {
    let dir = tempfile::tempdir().unwrap();
    let x264 = "-c:v libx264 -g 25 -pix_fmt yuv420p";
    let x265 = "-c:v libx265 -pix_fmt yuv420p -x265-params log-level=none:keyint=25";
    for (name, codec, arguments) in [
        ("plain", VideoCodec::H264, format!("{x264} -bf 0")),
        ("pyramid", VideoCodec::H264, format!("{x264} -bf 3 -x264-params b-pyramid=normal")),
        ("open", VideoCodec::H264, format!("{x264} -bf 3 -x264-params open-gop=1")),
        ("slices", VideoCodec::H264, format!("{x264} -bf 2 -x264-params slices=4")),
        (
            "fields",
            VideoCodec::H264,
            format!("{x264} -flags +ilme+ildct -x264-params interlaced=1"),
        ),
        ("open-gop", VideoCodec::H265, format!("{x265}:bframes=3:open-gop=1")),
        ("closed-gop", VideoCodec::H265, format!("{x265}:bframes=3:open-gop=0")),
        ("radl", VideoCodec::H265, format!("{x265}:bframes=3:open-gop=0:radl=2")),
    ] {
        let input = "-f lavfi -i testsrc2=s=320x180:r=25 -t 4";
        let Some(file) =
            ffmpeg(dir.path(), &format!("{input} {arguments}"), &format!("{name}.mkv"))
        else {
            return;
        };
        println!("{name}");
        let (filter, extension) = match codec {
            VideoCodec::H264 => ("h264_mp4toannexb", "h264"),
            VideoCodec::H265 => ("hevc_mp4toannexb", "h265"),
        };
        let raw = ffmpeg(
            dir.path(),
            &format!("-i {name}.mkv -c copy -bsf:v {filter}"),
            &format!("{name}.{extension}"),
        )
        .unwrap();
        let (tracks, frames) = matroska(file).unwrap();
        let source = RawVideoSource::new(Box::new(Cursor::new(raw)), codec, None);
        let (raw_tracks, raw_frames) = read(source).unwrap();
        assert_eq!(raw_tracks[0].video, tracks[0].video);
        assert_eq!(raw_frames.len(), frames.len());
        let shift_ns = raw_frames[0].pts_ns - frames[0].pts_ns;
        for (index, (raw, frame)) in raw_frames.iter().zip(&frames).enumerate() {
            assert_eq!(raw.flags.key, frame.flags.key, "frame {index}");
            let difference = raw.pts_ns - frame.pts_ns - shift_ns;
            assert!(difference.abs() <= 1_000_000, "frame {index}: {difference} ns");
            // The raw form has parameter sets in key frames; the rest is the same.
            assert!(raw.data.ends_with(&frame.data[frame.data.len() / 2..]), "frame {index}");
        }
    }
}

#[test]
fn recorded_producers() {
    for (name, video_frames, key_frames) in [
        ("kvssink/h264-realtime.put-media.mkv", 200, 5),
        ("kvssink/h264-aac.put-media.mkv", 75, 2),
        ("kvssink/h265.put-media.mkv", 75, 2),
    ] {
        let Some(bytes) = fixture(name) else { return };
        let (tracks, frames) = matroska(bytes).unwrap();
        let video = of_track(&frames, 0);
        assert!(video.len() >= video_frames, "{name}: {}", video.len());
        assert!(video.iter().filter(|frame| frame.flags.key).count() >= key_frames, "{name}");
        assert!(tracks[0].codec_id.starts_with("V_MPEG"));
        // kvssink sends epoch times.
        assert!(frames[0].pts_ns > 1_700_000_000_000_000_000, "{}", frames[0].pts_ns);
    }
}

/// A recorded GetMedia answer is several documents with the same tracks.
#[test]
fn recorded_answers() {
    let Some(bytes) = fixture("get-media/continuous.mkv") else { return };
    let mut source = MatroskaSource::new(Box::new(Cursor::new(bytes)));
    let (mut tracks, mut frames) = (0, 0);
    while let Some(item) = source.next().unwrap() {
        match item {
            SourceItem::Tracks(_) => tracks += 1,
            SourceItem::Frame(_) => frames += 1,
            SourceItem::Tags(groups) => {
                assert!(groups.iter().flat_map(|g| &g.tags).all(|t| !t.name.starts_with("AWS")));
            }
        }
    }
    assert!(tracks == 1 && frames > 50, "{tracks} {frames}");
}

#[test]
fn what_is_no_media_is_refused() {
    for bytes in [&b""[..], b"hello", &[0x1a, 0x45, 0xdf, 0xa3, 0x80]] {
        assert!(matroska(bytes.to_vec()).is_err(), "{bytes:?}");
        assert!(mp4(bytes.to_vec()).is_err(), "{bytes:?}");
        let raw = RawVideoSource::new(Box::new(Cursor::new(bytes)), VideoCodec::H264, None);
        assert!(read(raw).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_recording_cut_off_is_good_up_to_there() {
    let Some(bytes) = fixture("kvssink/h264-realtime.put-media.mkv") else { return };
    let whole = matroska(bytes.clone()).unwrap().1;
    let (_, part) = matroska(bytes[..bytes.len() / 2].to_vec()).unwrap();
    assert!(part.len() > 50 && part[..] == whole[..part.len()]);
}
