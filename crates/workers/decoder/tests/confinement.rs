//! A worker that misbehaves costs one job one error. Each case is a real process that really tries.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

mod support;

use std::time::{Duration, Instant};

use streamkeep_pictures::{PictureError, Settings};
use support::{job, misbehaving, picture, pool, settings};

/// Misbehaves once; the error's reason must contain `expected`. Before and after, in the same
/// pool, pictures come.
fn check(how: &str, expected: &str) {
    check_within(Duration::from_secs(3), how, expected);
}

fn check_within(decode_max: Duration, how: &str, expected: &str) {
    let pool = pool(Settings { decode_max, ..settings() });
    picture(&pool, job()).unwrap();
    let started = Instant::now();
    let error = picture(&pool, misbehaving(how)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5), "{how}: {:?}", started.elapsed());
    match &error {
        PictureError::Media { reason } => assert!(reason.contains(expected), "{how}: {reason}"),
        other => panic!("{how}: {other:?}"),
    }
    picture(&pool, job()).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.pictures, stats.media_errors), (2, 1), "{how}");
    let lost = stats.lost_by_deadline + stats.lost_by_death + stats.lost_by_nonsense;
    assert_eq!(lost, 1, "{how}");
}

const FORBIDDEN: &str = "forbidden system call";

#[test]
fn no_network() {
    check("tcp", FORBIDDEN);
    check("udp", FORBIDDEN);
    check("unix", FORBIDDEN);
}

#[test]
fn no_files() {
    check("read-file", FORBIDDEN);
    check("write-file", FORBIDDEN);
    check("list", FORBIDDEN);
    assert!(!std::path::Path::new("/tmp/streamkeep-decoder-escaped").exists());
}

#[test]
fn no_other_processes() {
    check("exec", FORBIDDEN);
    check("thread", FORBIDDEN);
    check("kill-parent", FORBIDDEN);
}

#[test]
fn memory_ends() {
    check("allocate", "out of memory");
    check("hoard", "out of memory");
}

#[test]
fn time_ends() {
    const SHORT: Duration = Duration::from_secs(1);
    check_within(SHORT, "loop", "longer than");
    check_within(SHORT, "silence", "longer than");
    check_within(SHORT, "half", "longer than");
}

#[test]
fn it_dies() {
    check("exit", "status 0");
    check("abort", "SIGABRT");
    check("crash", "SIGS"); // SIGSYS: it may not even send itself that signal
}

#[test]
fn it_lies() {
    check("garbage", "nonsense");
    check("huge", "nonsense");
    check("flood", "nonsense");
    check("not-an-image", "nonsense");
}

/// While one worker loops, hoards or dies, the other's pictures come as ever.
#[test]
fn others_do_not_notice() {
    let pool = pool(settings());
    picture(&pool, job()).unwrap();
    std::thread::scope(|scope| {
        let hostile = scope.spawn(|| {
            let started = Instant::now();
            let error = picture(&pool, misbehaving("loop")).unwrap_err();
            (error, started.elapsed())
        });
        std::thread::sleep(Duration::from_millis(100));
        let mut slowest = Duration::ZERO;
        while !hostile.is_finished() {
            let started = Instant::now();
            picture(&pool, job()).unwrap();
            slowest = slowest.max(started.elapsed());
        }
        let (error, took) = hostile.join().unwrap();
        assert!(matches!(error, PictureError::Media { .. }), "{error:?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        // The worker that loops is killed after three: nobody waited for it.
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    });
}

/// Killed from outside while idle: no job pays.
#[test]
fn killed_while_idle() {
    let pool = pool(Settings { workers: std::num::NonZero::<usize>::MIN, ..settings() });
    picture(&pool, job()).unwrap();
    let me = std::process::id();
    let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let after_name = stat.rsplit_once(')')?.1;
        let parent = after_name.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        (parent == me && stat.contains("streamkeep-deco")).then_some(pid)
    });
    let children: Vec<_> = children.collect();
    assert_eq!(children.len(), 1, "{children:?}");
    let pid = rustix::process::Pid::from_raw(children[0]).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    picture(&pool, job()).unwrap();
    assert_eq!((pool.stats().lost_by_death, pool.stats().media_errors), (1, 0));
}

/// A worker that is not allowed to misbehave answers such a job as any other without sense.
#[test]
fn without_self_test_it_behaves() {
    let pool = pool(Settings { arguments: Vec::new(), ..settings() });
    let error = picture(&pool, misbehaving("exit")).unwrap_err();
    assert!(matches!(error, PictureError::Media { .. }), "{error:?}");
    assert_eq!(pool.stats().lost_by_death, 0);
}
