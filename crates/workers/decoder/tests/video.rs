//! Real video by FFmpeg's encoders: formats, orders, colours.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

mod support;

use streamkeep_codec::VideoCodec;
use streamkeep_pictures::{
    Codec, Format, PictureError, PictureJob, PictureSize, Wanted, source_size,
};
use support::{Video, job_of, picture, pixel, pixels, pool, settings, video};

fn assert_colour(found: [u8; 3], expected: [u8; 3], within: u8, what: &str) {
    let off = (0..3).map(|index| found[index].abs_diff(expected[index])).max();
    assert!(off <= Some(within), "{what}: {found:?}, not {expected:?}");
}

/// A uniform picture, whatever the profile, size, matrix and range, has the colour it was given.
#[test]
fn colours() {
    let pool = pool(settings());
    for (what, size, arguments) in [
        ("601 by size", "320x240", &["-vf", "scale=out_color_matrix=bt601,format=yuv420p"][..]),
        ("709 by size", "1280x720", &["-vf", "scale=out_color_matrix=bt709,format=yuv420p"]),
        (
            "709 as told",
            "320x240",
            &["-vf", "scale=out_color_matrix=bt709,format=yuv420p", "-colorspace", "bt709"],
        ),
        (
            "601 as told",
            "1280x720",
            &["-vf", "scale=out_color_matrix=bt601,format=yuv420p", "-colorspace", "smpte170m"],
        ),
        (
            "full range",
            "320x240",
            &["-vf", "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p"],
        ),
        ("cropped", "322x242", &["-vf", "scale=out_color_matrix=bt601,format=yuv420p"]),
        (
            "baseline",
            "320x240",
            &["-vf", "scale=out_color_matrix=bt601,format=yuv420p", "-profile:v", "baseline"],
        ),
    ] {
        let source = format!("color=c=0xC04060:s={size}:r=5");
        let input = ["-f", "lavfi", "-i", &source, "-frames:v", "1", "-c:v", "libx264"];
        let Some(Video { configuration, frames, .. }) =
            video(VideoCodec::H264, &[&input, arguments].concat())
        else {
            return;
        };
        let job = job_of(Codec::H264, &configuration, frames);
        let expected = source_size(Codec::H264, &configuration).unwrap();
        assert_eq!(format!("{}x{}", expected.width, expected.height), size);
        for format in [job.format, Format::Png] {
            let made = picture(&pool, PictureJob { format, ..job.clone() }).unwrap();
            assert_eq!(made.size, expected, "{what}");
            let (x, y) = (made.size.width - 1, made.size.height - 1);
            assert_colour(pixel(&made, 0, 0), [0xc0, 0x40, 0x60], 4, what);
            assert_colour(pixel(&made, x, y), [0xc0, 0x40, 0x60], 4, what);
        }
    }
}

/// The same picture by our worker and by FFmpeg.
#[test]
fn as_ffmpeg_has_it() {
    let source = ["-f", "lavfi", "-i", "testsrc2=s=640x480:r=5", "-frames:v", "1"];
    let coded = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "15"];
    let Some(Video { configuration, frames, .. }) =
        video(VideoCodec::H264, &[&source[..], &coded].concat())
    else {
        return;
    };
    let job = job_of(Codec::H264, &configuration, frames);
    let made = picture(&pool(settings()), PictureJob { format: Format::Png, ..job }).unwrap();
    let raw = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(source)
        .args(["-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
        .output()
        .unwrap()
        .stdout;
    let ours = pixels(&made);
    assert_eq!(ours.len(), raw.len());
    let off: u64 = ours.iter().zip(&raw).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let mean = off as f64 / raw.len() as f64;
    assert!(mean < 4.0, "the mean difference is {mean}"); // a shift or a wrong matrix: above 8
}

/// Thirty pictures from black to white with B-frames: each one asked for is the one given.
#[test]
fn the_wanted_picture_of_a_run() {
    let source = "color=black:s=64x64:r=30,format=yuv420p,geq=lum='16+7*N':cb=128:cr=128";
    let encoder = ["-frames:v", "30", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "30"];
    for options in [&["-bf", "0"][..], &["-bf", "3", "-b_strategy", "0"], &["-tune", "zerolatency"]]
    {
        let input = ["-f", "lavfi", "-i", source];
        let Some(Video { configuration, frames, .. }) =
            video(VideoCodec::H264, &[&input[..], &encoder, options].concat())
        else {
            return;
        };
        assert_eq!(frames.len(), 30);
        let pool = pool(settings());
        let levels: Vec<u8> = (0..30)
            .map(|pts| {
                let job = job_of(Codec::H264, &configuration, frames.clone());
                let job = PictureJob { wanted: Wanted::At(pts), format: Format::Png, ..job };
                pixel(&picture(&pool, job).unwrap(), 32, 32)[0]
            })
            .collect();
        for (pts, level) in levels.iter().enumerate() {
            let expected = (7.0 * pts as f64 * 255.0 / 219.0).round() as u8;
            assert!(level.abs_diff(expected) <= 4, "{options:?}: {pts}: {level}, not {expected}");
        }
    }
}

/// Formats beyond 4:2:0 with 8 bits, and interlaced: an error without FFmpeg, a picture with it.
#[test]
fn formats_openh264_lacks() {
    let pool = pool(settings());
    for (what, arguments) in [
        ("4:4:4", &["-pix_fmt", "yuv444p"][..]),
        ("4:2:2", &["-pix_fmt", "yuv422p"]),
        ("10 bits", &["-pix_fmt", "yuv420p10le"]),
        ("interlaced", &["-pix_fmt", "yuv420p", "-flags", "+ilme+ildct", "-x264opts", "tff=1"]),
    ] {
        let input = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-frames:v", "1"];
        let Some(Video { configuration, frames, .. }) =
            video(VideoCodec::H264, &[&input[..], &["-c:v", "libx264"], arguments].concat())
        else {
            return;
        };
        let result = picture(&pool, job_of(Codec::H264, &configuration, frames));
        assert_eq!(result.is_ok(), cfg!(feature = "ffmpeg"), "{what}: {result:?}");
        match result {
            Ok(made) => assert_eq!(made.size, PictureSize { width: 320, height: 240 }, "{what}"),
            Err(PictureError::Unsupported { .. } | PictureError::Media { .. }) => {}
            Err(other) => panic!("{what}: {other:?}"),
        }
    }
    let stats = pool.stats();
    assert_eq!((stats.lost_by_death, stats.lost_by_deadline), (0, 0), "no worker was lost");
}

#[test]
#[cfg(feature = "ffmpeg")]
fn h265() {
    let source = "color=black:s=320x240:r=30,format=yuv420p,geq=lum='16+7*N':cb=128:cr=128";
    let input = ["-f", "lavfi", "-i", source, "-frames:v", "20", "-c:v", "libx265"];
    for format in ["yuv420p", "yuv420p10le"] {
        let options = ["-x265-params", "log-level=none:bframes=3", "-pix_fmt", format];
        let Some(Video { configuration, frames, .. }) =
            video(VideoCodec::H265, &[&input[..], &options].concat())
        else {
            return;
        };
        let pool = pool(settings());
        for pts in 0..20 {
            let job = job_of(Codec::H265, &configuration, frames.clone());
            let job = PictureJob { wanted: Wanted::At(pts), format: Format::Png, ..job };
            let level = pixel(&picture(&pool, job).unwrap(), 160, 120)[0];
            let expected = (7.0 * pts as f64 * 255.0 / 219.0).round() as u8;
            assert!(level.abs_diff(expected) <= 4, "{format}: {pts}: {level}, not {expected}");
        }
        assert_eq!(pool.stats().lost_by_death, 0);
    }
}

/// A stream cut, mixed up and overwritten in many places: errors, never a lost server, and the
/// pool goes on.
#[test]
fn damaged_streams() {
    let input = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-frames:v", "6"];
    let coded = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "6"];
    let Some(Video { configuration, frames, .. }) =
        video(VideoCodec::H264, &[&input[..], &coded].concat())
    else {
        return;
    };
    let pool = pool(settings());
    let mut seed = 1u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..60 {
        let mut damaged = frames.clone();
        let frame = random(damaged.len());
        let mut bytes = damaged[frame].data.to_vec();
        match random(3) {
            0 => bytes.truncate(random(bytes.len())),
            1 => (0..20).for_each(|_| {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }),
            _ => damaged.swap(0, frame),
        }
        damaged[frame].data = bytes.into();
        match picture(&pool, job_of(Codec::H264, &configuration, damaged)) {
            Ok(_) | Err(PictureError::Media { .. } | PictureError::Unsupported { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    picture(&pool, support::job()).unwrap();
}
