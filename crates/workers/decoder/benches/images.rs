//! What an image costs through the pool: GetImages' bars are 60 ms for one of 1080p and 2 s for 25.
//! Run by hand on a quiet machine: `cargo bench -p streamkeep-decoder`.
//!
//! The video is made by FFmpeg: 1080p, libx264, 15 frames per second, a key frame every two seconds,
//! moving noise over a test pattern so that key frames have the size of a camera's: once a quiet
//! scene, once a busy one. The size of the key frame decides what it costs.

#![allow(clippy::print_stdout, reason = "the numbers are what it is for")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use streamkeep_codec::VideoCodec;
use streamkeep_pictures::{
    Codec, CodedFrame, Format, PictureJob, PictureSize, Pictures, Settings, Wanted,
};
use support::{job_of, video};

fn main() {
    measure("a quiet scene, 2 Mbit/s", "2M", 3);
    measure("a busy scene, 4 Mbit/s", "4M", 10);
}

fn measure(scene: &str, rate: &str, noise: u32) {
    let source = format!("testsrc2=s=1920x1080:r=15,noise=alls={noise}:allf=t");
    let input = ["-f", "lavfi", "-i", &source, "-t", "54"];
    let coded = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-pix_fmt",
        "yuv420p",
        "-b:v",
        rate,
        "-maxrate",
        rate,
        "-bufsize",
        rate,
        "-g",
        "30",
        "-keyint_min",
        "30",
    ];
    let Some(track) = video(VideoCodec::H264, &[&input[..], &coded].concat()) else { return };
    let keys: Vec<_> =
        track.frames.iter().zip(&track.keys).filter(|(_, key)| **key).map(|(f, _)| f).collect();
    let bytes: usize = keys.iter().map(|frame| frame.data.len()).sum();
    println!("{scene}: {} key frames of {} KB", keys.len(), bytes / keys.len() / 1000);

    let executable = Some(env!("CARGO_BIN_EXE_streamkeep-decoder").into());
    let pool = Pictures::new(Settings { executable, ..Settings::default() }).expect("threads");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let one = |frame: &CodedFrame| {
        let frame = CodedFrame { pts: 0, data: frame.data.clone() };
        job_of(Codec::H264, &track.configuration, vec![frame])
    };
    let make = |job: PictureJob| runtime.block_on(pool.picture(job)).expect("a picture");

    let started = Instant::now();
    make(one(keys[0]));
    println!("{:<44} {:>8.1} ms", "first image, with the start of a worker", ms(started.elapsed()));
    let small = Some(PictureSize { width: 640, height: 360 });
    let before = pool.stats();
    for (name, format, size) in [
        ("warm single image, JPEG 80", one(keys[0]).format, None),
        ("warm single image, JPEG 80, 640×360", one(keys[0]).format, small),
        ("warm single image, PNG", Format::Png, None),
        ("warm single image, PNG, 640×360", Format::Png, small),
    ] {
        let jobs = keys.iter().map(|frame| PictureJob { format, size, ..one(frame) });
        let mut times: Vec<_> = jobs
            .map(|job| {
                let started = Instant::now();
                make(PictureJob { image_len_max: u32::MAX, ..job });
                started.elapsed()
            })
            .collect();
        times.sort();
        let (half, last) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{name:<44} {:>8.1} ms, slowest {:.1} ms", ms(half), ms(last));
    }
    let after = pool.stats();
    let images = (after.pictures - before.pictures) as f64;
    println!(
        "  of which decoding {:.1} ms, scaling and coding {:.1} ms on average",
        (after.decode_us - before.decode_us) as f64 / images / 1e3,
        (after.encode_us - before.encode_us) as f64 / images / 1e3,
    );

    // A picture in the middle between two key frames.
    let middle: Vec<_> = track.frames[..8].to_vec();
    let job = job_of(Codec::H264, &track.configuration, middle);
    let started = Instant::now();
    make(PictureJob { wanted: Wanted::Last, ..job });
    println!("{:<44} {:>8.1} ms", "eighth picture of a run", ms(started.elapsed()));

    for (name, at_once) in
        [("one after the other", 1), ("all workers at once", pool.worker_count())]
    {
        let mut times = Vec::new();
        for _ in 0..3 {
            let started = Instant::now();
            for jobs in keys[..25].chunks(at_once) {
                runtime.block_on(async {
                    let made = jobs.iter().map(|frame| pool.picture(one(frame)));
                    for made in join_all(made).await {
                        made.expect("a picture");
                    }
                });
            }
            times.push(started.elapsed());
        }
        times.sort();
        println!("25 images, {name:<33} {:>8.1} ms, slowest {:.1} ms", ms(times[1]), ms(times[2]));
    }
    println!(
        "{} workers, the largest {} MB\n",
        pool.worker_count(),
        pool.stats().worker_bytes_peak / 1_000_000
    );
}

/// All of them, polled together.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        match waiting.iter().all(|(_, output)| output.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
