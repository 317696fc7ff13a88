//! The pool with real workers.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

mod support;

use std::num::NonZero;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamkeep_pictures::{
    Codec, CodedFrame, Format, PictureError, PictureJob, PictureSize, Settings, Stats,
};
use support::{job, misbehaving, picture, pixel, pool, settings};

const COLOUR: [u8; 3] = [64, 128, 192];

fn assert_colour(found: [u8; 3], expected: [u8; 3]) {
    let off = (0..3).map(|index| found[index].abs_diff(expected[index])).max();
    assert!(off <= Some(3), "{found:?}, not {expected:?}");
}

#[test]
fn pictures_in_both_formats() {
    let pool = pool(settings());
    for format in [job().format, Format::Png] {
        for size in [None, Some(PictureSize { width: 30, height: 50 })] {
            let made = picture(&pool, PictureJob { format, size, ..job() });
            let made = made.unwrap();
            assert_eq!(made.size, size.unwrap_or(PictureSize { width: 64, height: 64 }));
            assert_colour(pixel(&made, 0, 0), COLOUR);
            assert_colour(pixel(&made, made.size.width - 1, made.size.height - 1), COLOUR);
        }
    }
    let stats = pool.stats();
    assert_eq!((stats.pictures, stats.workers, stats.waiting), (4, stats.starts, 0));
    assert!(stats.worker_bytes_peak > 1 << 20 && stats.worker_bytes_peak < 256 << 20);
    // Where the kernel has Landlock, it holds.
    let lsm = std::fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    if lsm.contains("landlock") {
        assert_eq!(stats.workers_with_landlock, stats.workers);
    }
}

#[test]
fn errors_by_kind() {
    let pool = pool(settings());
    let no_frames = PictureJob { frames: Vec::new(), ..job() };
    assert!(matches!(picture(&pool, no_frames), Err(PictureError::Internal { .. })));
    let damaged = CodedFrame { pts: 0, data: Bytes::from_static(&[0, 0, 0, 9, 0x65]) };
    let damaged = PictureJob { frames: vec![damaged], ..job() };
    assert!(matches!(picture(&pool, damaged), Err(PictureError::Media { .. })));
    let small = PictureJob { image_len_max: 10, ..job() };
    assert!(matches!(picture(&pool, small), Err(PictureError::TooLarge { .. })));
    let large = CodedFrame { pts: 0, data: Bytes::from(vec![0; 33 << 20]) };
    let large = PictureJob { frames: vec![large], ..job() };
    assert!(matches!(picture(&pool, large), Err(PictureError::TooLarge { .. })));
    if !cfg!(feature = "ffmpeg") {
        let h265 = PictureJob { codec: Codec::H265, ..job() };
        let error = picture(&pool, h265).unwrap_err();
        assert!(matches!(error, PictureError::Unsupported { .. }));
        assert!(error.to_string().contains("ffmpeg"), "{error}");
    }
    let stats = pool.stats();
    assert_eq!((stats.starts, stats.lost_by_death), (stats.workers, 0), "all by the same workers");
}

#[test]
fn a_missing_worker_is_explained_and_may_come_later() {
    let folder = std::env::temp_dir().join(format!("streamkeep-decoder-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let executable = folder.join("decoder");
    let pool = pool(Settings { executable: Some(executable.clone()), ..settings() });
    for _ in 0..3 {
        match picture(&pool, job()) {
            Err(PictureError::Unavailable { reason }) => assert!(reason.contains("cargo build")),
            other => panic!("{other:?}"),
        }
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_streamkeep-decoder"), &executable).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while picture(&pool, job()).is_err() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn workers_are_replaced() {
    let one = NonZero::new(1).unwrap();
    let jobs_per_worker = NonZero::new(3).unwrap();
    let pool = pool(Settings { workers: one, jobs_per_worker, ..settings() });
    for _ in 0..7 {
        picture(&pool, job()).unwrap();
    }
    let stats = pool.stats();
    assert_eq!((stats.pictures, stats.replaced), (7, 2));
    assert_eq!(stats.lost_by_death + stats.lost_by_deadline + stats.lost_by_nonsense, 0);
}

/// One worker, blocked: what does not fit in the queue, and what waits too long, is told so.
#[test]
fn busy() {
    let settings = Settings {
        workers: NonZero::new(1).unwrap(),
        queue_len_max: 2,
        wait_max: Duration::from_millis(500),
        decode_max: Duration::from_secs(2),
        ..settings()
    };
    let pool = pool(settings);
    picture(&pool, job()).unwrap();
    let until = |what: &dyn Fn(Stats) -> bool| {
        let deadline = Instant::now() + Duration::from_secs(2);
        while !what(pool.stats()) {
            assert!(Instant::now() < deadline, "{:?}", pool.stats());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    std::thread::scope(|scope| {
        let blocking = scope.spawn(|| picture(&pool, misbehaving("loop")));
        until(&|stats| stats.running == 1);
        let waiting: Vec<_> = (0..2).map(|_| scope.spawn(|| picture(&pool, job()))).collect();
        until(&|stats| stats.waiting == 2);
        assert_eq!(picture(&pool, job()), Err(PictureError::Busy), "the queue is full");
        assert_eq!(pool.stats().running, 1, "it was told at once");
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Err(PictureError::Busy), "it waited too long");
        }
        assert!(matches!(blocking.join().unwrap(), Err(PictureError::Media { .. })));
    });
    assert_eq!(pool.stats().busy, 3);
    picture(&pool, job()).unwrap();
}

/// Closing does not wait for a worker that loops.
#[test]
fn closes_quickly() {
    let pool = pool(settings());
    picture(&pool, job()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let looping = pool.picture(misbehaving("loop"));
        let timeout = tokio::time::timeout(Duration::from_millis(100), looping).await;
        assert!(timeout.is_err());
    });
    let started = Instant::now();
    drop(pool);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
