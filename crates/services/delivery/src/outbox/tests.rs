use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::fixtures::{CountingRng, image, notification};
use crate::{Failure, Work};

const NOW: UnixMillis = UnixMillis(1_795_166_438_000);
const HOUR_MS: u64 = 3_600_000;
const TOPIC: &str = "arn:aws:sns:us-west-2:111122223333:alerts";

struct Bench {
    directory: TempDir,
    outbox: Option<Outbox>,
    limits: Limits,
}

impl Bench {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let mut bench = Self { directory: tempfile::tempdir().unwrap(), outbox: None, limits };
        bench.restart();
        bench
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("outbox.db")
    }

    /// As after a crash: what is in memory is lost.
    fn restart(&mut self) {
        drop(self.outbox.take());
        self.outbox = Some(Outbox::open(&self.path(), self.limits).unwrap());
    }

    fn outbox(&self) -> &Outbox {
        self.outbox.as_ref().expect("open between calls")
    }

    fn claim(&self, now: UnixMillis) -> Vec<Job> {
        self.outbox().claim(now, 1000, 1000).unwrap()
    }

    fn fail(&self, job: &Job, failure: &Failure, now: UnixMillis) -> Disposition {
        self.outbox().fail(job.id, failure, now, &CountingRng::starting_at(0x80)).unwrap()
    }
}

fn retry() -> Failure {
    Failure::Retry("the receiver answered 500".into())
}

fn at(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

fn number(sequence: u64) -> FragmentNumber {
    notification(1, sequence, TOPIC).fragment_number
}

fn sequences(jobs: &[Job]) -> Vec<String> {
    jobs.iter()
        .map(|job| match &job.intent.work {
            Work::Image(image) => image.key.clone(),
            Work::Notification(notification) => notification.delivery_id.clone(),
        })
        .collect()
}

#[test]
fn intents_come_back_as_they_were() {
    let mut bench = Bench::new();
    let intents =
        [image(1, 1), notification(1, 2, TOPIC), notification(2, 3, "https://h:8443/x?y")];
    bench.outbox().enqueue(&intents, NOW).unwrap();
    bench.restart();
    let jobs = bench.claim(NOW);
    assert_eq!(jobs.iter().map(|job| &job.intent).collect::<Vec<_>>(), intents.each_ref());
    assert!(jobs.iter().all(|job| job.attempt_count == 0 && job.created == NOW));
}

#[test]
fn a_job_lives_until_it_is_settled() {
    let mut bench = Bench::new();
    bench.outbox().enqueue(&[image(1, 1)], NOW).unwrap();
    bench.restart();
    // Claimed, then crash: given out again.
    assert_eq!(bench.claim(NOW).len(), 1);
    assert_eq!(bench.claim(NOW).len(), 0, "claimed jobs are not given out twice");
    bench.restart();
    // Failed, then crash: put off.
    let job = bench.claim(NOW).remove(0);
    let disposition = bench.fail(&job, &retry(), NOW);
    let Disposition::Retry { at: due } = disposition else { panic!("{disposition:?}") };
    assert!(due > NOW && due <= at(1000), "{due:?}");
    bench.restart();
    assert_eq!(bench.claim(NOW).len(), 0);
    assert_eq!(bench.outbox().next_due_after(NOW).unwrap(), Some(due));
    let job = bench.claim(due).remove(0);
    assert_eq!((job.attempt_count, job.created), (1, NOW));
    // Released: due as before.
    bench.outbox().release(job.id);
    let job = bench.claim(due).remove(0);
    // Done, then crash: gone.
    bench.outbox().complete(job.id).unwrap();
    bench.restart();
    assert_eq!(bench.claim(at(HOUR_MS)).len(), 0);
    assert_eq!(bench.outbox().stats(), OutboxStats::default());
    // Settling it again does nothing.
    bench.outbox().complete(job.id).unwrap();
    assert_eq!(bench.fail(&job, &retry(), NOW), Disposition::Gone);
    assert_eq!(bench.outbox().stats(), OutboxStats::default());
}

#[test]
fn the_cursor_moves_with_its_intents() {
    let mut bench = Bench::new();
    let stream = StreamId([1; 16]);
    assert_eq!(bench.outbox().cursor(stream).unwrap(), None);
    let cursor = Cursor { fragment_number: number(5), last_image: Some(UnixMillis(7)) };
    let advance = |bench: &Bench, cursor, intents: &[Intent]| {
        bench.outbox().advance(stream, cursor, intents, NOW).unwrap()
    };
    assert_eq!(advance(&bench, cursor, &[image(1, 5)]), Advanced::Written);
    bench.restart();
    assert_eq!(bench.outbox().cursor(stream).unwrap(), Some(cursor));
    // The same fragments again, as after a crash that lost the answer: no second job.
    assert_eq!(advance(&bench, cursor, &[image(1, 5)]), Advanced::AlreadyPast);
    assert_eq!(advance(&bench, Cursor::at(number(4)), &[image(1, 4)]), Advanced::AlreadyPast);
    assert_eq!(bench.claim(NOW).len(), 1);
    assert_eq!(bench.outbox().cursor(stream).unwrap(), Some(cursor));
    // Nothing in it: the cursor moves all the same.
    assert_eq!(advance(&bench, Cursor::at(number(6)), &[]), Advanced::Written);
    bench.restart();
    assert_eq!(bench.outbox().cursor(stream).unwrap(), Some(Cursor::at(number(6))));
    assert_eq!(bench.outbox().cursor(StreamId([2; 16])).unwrap(), None);
}

#[test]
fn several_streams_advance_together() {
    let mut bench = Bench::new();
    let step = |stream, sequence, intents| Advance {
        stream: StreamId([stream; 16]),
        to: Cursor::at(number(sequence)),
        intents,
    };
    let (one, two, again) = ([image(1, 5)], [image(2, 7), image(2, 8)], [image(1, 4)]);
    let steps = [step(1, 5, &one[..]), step(2, 8, &two), step(1, 4, &again), step(3, 9, &[])];
    let ended = bench.outbox().advance_all(&steps, NOW).unwrap();
    use Advanced::{AlreadyPast, Written};
    assert_eq!(ended, [Written, Written, AlreadyPast, Written]);
    assert_eq!(bench.outbox().stats().job_count, 3);
    bench.restart();
    assert_eq!(bench.claim(NOW).len(), 3);
    for (stream, sequence) in [(1, 5), (2, 8), (3, 9)] {
        let cursor = bench.outbox().cursor(StreamId([stream; 16])).unwrap();
        assert_eq!(cursor, Some(Cursor::at(number(sequence))));
    }
    assert_eq!(bench.outbox().advance_all(&[], NOW).unwrap(), []);
}

#[test]
fn a_full_outbox_refuses_and_tells() {
    let bench = Bench::with(Limits { jobs_max: 2, dead_max: 10 });
    let stream = StreamId([1; 16]);
    bench.outbox().enqueue(&[image(1, 1)], NOW).unwrap();
    let error = bench
        .outbox()
        .advance(stream, Cursor::at(number(3)), &[image(1, 2), image(1, 3)], NOW)
        .unwrap_err();
    assert!(matches!(error, OutboxError::Full { jobs_max: 2 }), "{error}");
    assert_eq!(bench.outbox().cursor(stream).unwrap(), None, "the cursor waits for room");
    let stats = bench.outbox().stats();
    assert_eq!((stats.job_count, stats.refused_count), (1, 2));
    let job = bench.claim(NOW).remove(0);
    bench.outbox().complete(job.id).unwrap();
    bench
        .outbox()
        .advance(stream, Cursor::at(number(3)), &[image(1, 2), image(1, 3)], NOW)
        .unwrap();
    assert_eq!(bench.outbox().stats().job_count, 2);
}

#[test]
fn the_dead_are_kept_with_their_reason() {
    let mut bench = Bench::new();
    bench.outbox().enqueue(&[image(1, 1)], NOW).unwrap();
    let job = bench.claim(NOW).remove(0);
    let failure = Failure::Permanent("S3 answered 403: AccessDenied".into());
    assert_eq!(bench.fail(&job, &failure, at(5)), Disposition::Dead);
    bench.restart();
    assert_eq!(bench.claim(at(HOUR_MS)).len(), 0);
    let dead = bench.outbox().dead(10).unwrap().remove(0);
    assert_eq!(dead.intent.as_ref(), Some(&job.intent));
    assert_eq!((dead.attempt_count, dead.created, dead.died), (1, NOW, at(5)));
    assert_eq!(dead.reason, "S3 answered 403: AccessDenied");
    let stats = bench.outbox().stats();
    assert_eq!((stats.job_count, stats.dead_count, stats.claimed_count), (0, 1, 0));
    // Once the cause is removed it starts anew.
    assert!(bench.outbox().revive(dead.id, at(10)).unwrap());
    assert!(!bench.outbox().revive(dead.id, at(10)).unwrap());
    bench.restart();
    let revived = bench.claim(at(10)).remove(0);
    assert_eq!((revived.attempt_count, revived.created), (0, at(10)));
    assert_eq!(revived.intent, job.intent);
    bench.fail(&revived, &failure, at(20));
    assert_eq!(bench.outbox().drop_dead(at(20)).unwrap(), 0);
    assert_eq!(bench.outbox().drop_dead(at(21)).unwrap(), 1);
    assert_eq!(bench.outbox().stats().dead_count, 0);
}

#[test]
fn given_up_after_a_day_and_enough_attempts() {
    let day_ms = 24 * HOUR_MS;
    // Age at each failure, number of failures, expected end.
    for (age_ms, failures, dead) in [
        (day_ms - 1, 20, false),
        (day_ms, ATTEMPTS_MIN - 1, false),
        (day_ms, ATTEMPTS_MIN, true),
        (10 * day_ms, 1, false), // the clock was put forward
    ] {
        let bench = Bench::new();
        bench.outbox().enqueue(&[image(1, 1)], NOW).unwrap();
        let mut last = None;
        for _ in 0..failures {
            let job = bench.claim(at(20 * day_ms)).remove(0);
            last = Some(bench.fail(&job, &retry(), at(age_ms)));
        }
        assert_eq!(last == Some(Disposition::Dead), dead, "{age_ms} {failures}");
    }
}

#[test]
fn the_oldest_dead_make_room() {
    let bench = Bench::with(Limits { jobs_max: 10, dead_max: 2 });
    let intents = [image(1, 1), image(1, 2), image(1, 3)];
    bench.outbox().enqueue(&intents, NOW).unwrap();
    for (index, job) in (0..).zip(bench.claim(NOW)) {
        bench.fail(&job, &Failure::Permanent("no".into()), at(index));
    }
    let dead: Vec<_> =
        bench.outbox().dead(10).unwrap().into_iter().map(|dead| dead.intent.unwrap()).collect();
    assert_eq!(dead, [intents[2].clone(), intents[1].clone()]);
    let stats = bench.outbox().stats();
    assert_eq!((stats.dead_count, stats.dead_dropped_count), (2, 1));
}

#[test]
fn a_lane_that_hangs_holds_up_no_other() {
    let bench = Bench::new();
    let slow: Vec<Intent> = (0..50).map(|n| notification(1, n, "https://slow.example/")).collect();
    bench.outbox().enqueue(&slow, NOW).unwrap();
    bench.outbox().enqueue(&[notification(2, 1, "https://fast.example/")], at(1)).unwrap();
    let claim = || bench.outbox().claim(at(2), 8, 3).unwrap();
    let jobs = claim();
    assert_eq!(sequences(&jobs), ["delivery-1-0", "delivery-1-1", "delivery-1-2", "delivery-2-1"]);
    assert!(claim().is_empty());
    bench.outbox().complete(jobs[1].id).unwrap();
    assert_eq!(sequences(&claim()), ["delivery-1-3"]);
    // The count is kept whatever the lane.
    bench.outbox().enqueue(&[image(1, 1), image(1, 2), image(1, 3)], at(2)).unwrap();
    assert_eq!(bench.outbox().claim(at(2), 2, 3).unwrap().len(), 2);
}

#[test]
fn a_clock_that_was_put_back_stops_nothing() {
    let mut bench = Bench::new();
    bench.outbox().enqueue(&[image(1, 1)], at(100 * HOUR_MS)).unwrap();
    assert_eq!(bench.claim(NOW).len(), 1, "at the first claim");
    bench.restart();
    assert_eq!(bench.claim(NOW).len(), 1);
    bench.outbox().enqueue(&[image(1, 2)], at(100 * HOUR_MS)).unwrap();
    assert_eq!(bench.claim(NOW).len(), 0, "an hour and less may be a backoff");
    assert_eq!(bench.claim(UnixMillis(NOW.0 - 1)).len(), 1, "when time goes back");
}

#[test]
fn what_cannot_be_read_is_buried() {
    let mut bench = Bench::new();
    bench.outbox().enqueue(&[image(1, 1), image(1, 2), notification(1, 3, TOPIC)], NOW).unwrap();
    drop(bench.outbox.take());
    let connection = Connection::open(bench.path()).unwrap();
    connection.execute("UPDATE job SET work = '{}' WHERE id = 1", []).unwrap();
    connection.execute("UPDATE job SET kind = 9 WHERE id = 2", []).unwrap();
    drop(connection);
    bench.restart();
    assert_eq!(sequences(&bench.outbox().claim(NOW, 1, 1).unwrap()), ["delivery-1-3"]);
    let dead = bench.outbox().dead(10).unwrap();
    assert_eq!(dead.len(), 2);
    assert!(dead.iter().all(|dead| dead.intent.is_none()));
    assert_eq!(dead[0].reason, "cannot be read: unknown kind 9");
    assert_eq!(bench.outbox().stats().job_count, 1);
}

#[test]
fn removed_streams_leave_nothing() {
    let bench = Bench::new();
    let stream = StreamId([1; 16]);
    let advance =
        bench.outbox().advance(stream, Cursor::at(number(2)), &[image(1, 1), image(1, 2)], NOW);
    advance.unwrap();
    bench.outbox().enqueue(&[image(2, 1)], NOW).unwrap();
    let job = bench.claim(NOW).remove(0);
    bench.fail(&job, &Failure::Permanent("no".into()), NOW);
    bench.outbox().remove_stream(stream).unwrap();
    assert_eq!(bench.outbox().cursor(stream).unwrap(), None);
    let stats = bench.outbox().stats();
    assert_eq!((stats.job_count, stats.dead_count), (1, 0));
    assert_eq!(bench.outbox().oldest_created().unwrap(), Some(NOW));
}

#[test]
fn other_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = |name: &str, sql: &str| {
        let path = directory.path().join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        Outbox::open(&path, Limits::default()).unwrap_err()
    };
    let error = open("foreign.db", "PRAGMA application_id = 5; CREATE TABLE t (x);");
    assert!(matches!(error, OutboxError::Foreign { application_id: 5 }), "{error}");
    let error = open("unknown.db", "CREATE TABLE t (x);");
    assert!(matches!(error, OutboxError::Foreign { application_id: 0 }), "{error}");
    let id = u32::from_be_bytes(*b"SKob");
    let error =
        open("newer.db", &format!("PRAGMA application_id = {id}; PRAGMA user_version = 99;"));
    assert!(matches!(error, OutboxError::NewerSchema { found: 99, .. }), "{error}");
    std::fs::write(directory.path().join("noise.db"), [7; 8192]).unwrap();
    assert!(Outbox::open(&directory.path().join("noise.db"), Limits::default()).is_err());
}

/// What is on the disk, as comparable text.
fn contents(path: &Path) -> String {
    let outbox = Outbox::open(path, Limits::default()).unwrap();
    let jobs = outbox.claim(at(100 * HOUR_MS), 1000, 1000).unwrap();
    let jobs: BTreeSet<_> = jobs
        .iter()
        .map(|job| format!("{}x{}", sequences(std::slice::from_ref(job))[0], job.attempt_count))
        .collect();
    let dead: BTreeSet<_> = outbox.dead(100).unwrap().iter().map(|dead| dead.id).collect();
    let cursors: Vec<_> =
        (0..4).map(|stream| outbox.cursor(StreamId([stream; 16])).unwrap()).collect();
    format!("{jobs:?} {dead:?} {cursors:?}")
}

/// The power goes at any byte of the log: what is left is what some number of the calls wrote,
/// never a part of a call, and never without a call whose log was complete.
#[test]
fn a_cut_log_holds_whole_calls() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("outbox.db");
    let log = directory.path().join("outbox.db-wal");
    drop(Outbox::open(&path, Limits::default()).unwrap());
    let outbox = Outbox::open(&path, Limits::default()).unwrap();

    let copy = directory.path().join("copy.db");
    let copied = |log: &[u8]| {
        let _ = std::fs::remove_file(directory.path().join("copy.db-shm"));
        std::fs::copy(&path, &copy).unwrap();
        std::fs::write(directory.path().join("copy.db-wal"), log).unwrap();
        contents(&copy)
    };
    // After each call: length of the log, contents.
    let mut states = vec![(0, copied(&[]))];
    let mut note = || {
        let log = std::fs::read(&log).unwrap();
        states.push((log.len(), copied(&log)));
    };
    for sequence in 1..=3 {
        let stream = StreamId([1; 16]);
        let intents = [image(1, sequence), notification(1, sequence, TOPIC)];
        outbox.advance(stream, Cursor::at(number(sequence)), &intents, NOW).unwrap();
        note();
    }
    let jobs = outbox.claim(NOW, 3, 3).unwrap();
    outbox.complete(jobs[0].id).unwrap();
    note();
    outbox.fail(jobs[1].id, &retry(), NOW, &CountingRng::starting_at(0)).unwrap();
    note();
    outbox
        .fail(jobs[2].id, &Failure::Permanent("no".into()), NOW, &CountingRng::starting_at(0))
        .unwrap();
    note();
    outbox.remove_stream(StreamId([3; 16])).unwrap();
    note();
    let whole = std::fs::read(&log).unwrap();
    assert_eq!(states.len(), 8);

    for cut in (0..whole.len()).step_by(1531).chain(states.iter().map(|(len, _)| *len)) {
        let found = copied(&whole[..cut]);
        let complete = states.iter().rposition(|(len, _)| *len <= cut).unwrap();
        // SQLite fills the last sector of a commit with copies of its last frame, so a call may
        // be whole before its log is.
        let allowed = states[complete..].iter().take(2).any(|(_, contents)| *contents == found);
        assert!(allowed, "cut at {cut}, after call {complete}: {found}");
    }
    // The process still has the file open: the copies were of a live outbox.
    assert_eq!(outbox.stats().dead_count, 1);
}

#[derive(Clone, Debug)]
enum Step {
    Advance { stream: u8, sequence: u64, count: u8 },
    Claim { count: u8 },
    Complete(u8),
    Fail(u8),
    Bury(u8),
    Release(u8),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3u8, 0..30u64, 0..4u8)
            .prop_map(|(stream, sequence, count)| Step::Advance { stream, sequence, count }),
        3 => (0..5u8).prop_map(|count| Step::Claim { count }),
        2 => any::<u8>().prop_map(Step::Complete),
        2 => any::<u8>().prop_map(Step::Fail),
        1 => any::<u8>().prop_map(Step::Bury),
        1 => any::<u8>().prop_map(Step::Release),
        2 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against a model: every intent that was written and not completed is waiting, at work or
    /// dead, whatever happens and wherever the process dies.
    #[test]
    fn nothing_is_lost(steps in proptest::collection::vec(step(), 1..40)) {
        let mut bench = Bench::new();
        let (mut alive, mut dead) = (BTreeSet::new(), BTreeSet::new());
        let mut cursors = [None; 3];
        let mut claimed: Vec<Job> = Vec::new();
        let mut now = NOW;
        for step in steps {
            now.0 += 100;
            let take = |claimed: &mut Vec<Job>, index: u8| {
                (!claimed.is_empty()).then(|| claimed.remove(usize::from(index) % claimed.len()))
            };
            match step {
                Step::Advance { stream, sequence, count } => {
                    let intents: Vec<Intent> = (0..count)
                        .map(|n| notification(stream, sequence * 10 + u64::from(n), TOPIC))
                        .collect();
                    let to = Cursor::at(number(sequence));
                    let advanced =
                        bench.outbox().advance(StreamId([stream; 16]), to, &intents, now).unwrap();
                    let cursor = &mut cursors[usize::from(stream)];
                    let is_new = cursor.is_none_or(|cursor| cursor < sequence);
                    prop_assert_eq!(advanced == Advanced::Written, is_new);
                    if is_new {
                        *cursor = Some(sequence);
                        alive.extend((0..count).map(|n| {
                            format!("delivery-{stream}-{}", sequence * 10 + u64::from(n))
                        }));
                    }
                }
                Step::Claim { count } => {
                    claimed.extend(bench.outbox().claim(now, usize::from(count), 100).unwrap());
                }
                Step::Complete(index) => if let Some(job) = take(&mut claimed, index) {
                    bench.outbox().complete(job.id).unwrap();
                    alive.remove(&sequences(&[job])[0]);
                },
                Step::Fail(index) => if let Some(job) = take(&mut claimed, index) {
                    bench.fail(&job, &retry(), now);
                },
                Step::Bury(index) => if let Some(job) = take(&mut claimed, index) {
                    bench.fail(&job, &Failure::Permanent("no".into()), now);
                    let name = sequences(&[job]).remove(0);
                    alive.remove(&name);
                    dead.insert(name);
                },
                Step::Release(index) => if let Some(job) = take(&mut claimed, index) {
                    bench.outbox().release(job.id);
                },
                Step::Crash => {
                    claimed.clear();
                    bench.restart();
                }
            }
            let stats = bench.outbox().stats();
            prop_assert_eq!(
                (stats.job_count, stats.dead_count, stats.claimed_count),
                (alive.len() as u64, dead.len() as u64, claimed.len() as u64)
            );
        }
        bench.restart();
        let found: BTreeSet<_> = sequences(&bench.claim(at(48 * HOUR_MS))).into_iter().collect();
        prop_assert_eq!(found, alive);
        let found: BTreeSet<_> = bench.outbox().dead(1000).unwrap().into_iter()
            .map(|dead| match dead.intent.unwrap().work {
                Work::Notification(work) => work.delivery_id,
                Work::Image(work) => work.key,
            })
            .collect();
        prop_assert_eq!(found, dead);
        for (stream, cursor) in (0..).zip(cursors) {
            let found = bench.outbox().cursor(StreamId([stream; 16])).unwrap();
            prop_assert_eq!(found, cursor.map(|sequence| Cursor::at(number(sequence))));
        }
    }
}
