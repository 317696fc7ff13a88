//! The index of one long stream: pages, starts from a time, and how long a start takes.
//!
//! ```text
//! cargo bench -p streamkeep-engine --bench index -- --fragments 1000000 --dir /data/bench [--keep]
//! ```
//!
//! Makes a stream of `--fragments` (10 million) small fragments, 2 s apart, and measures
//!
//! - pages of 1,000 rows by number, server time and producer time, at `--places` (1,000) random
//!   places: first with the files dropped from the page cache, then as the kernel has them;
//! - what starts a GetMedia: the row that contains a random time, and the read of its fragment;
//! - the start of a store, after a clean end and after a kill, once with a volume full of small
//!   fragments and once with 1 GiB of large ones.
//!
//! A table goes to standard error, JSON to standard output. With `--keep` the store stays, and the
//! next run uses it as it is.

#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
#![allow(clippy::print_stdout, reason = "its output")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use streamkeep_engine::{Engine, RowQuery, RowRange, TimeAxis};
use streamkeep_io::sim::SimRng;
use streamkeep_io::{Access, Clock, LocalDirectory, Rng, SystemClock, VolumeIo};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use support::{Arguments, Gate, Outcome, Shape, Timings, milliseconds, open, put_streams};

fn main() -> Outcome<()> {
    let arguments = Arguments::of_process();
    let dir = arguments.dir()?;
    if let Some(phase) = arguments.text("--phase")? {
        return run_phase(phase, &arguments, &dir);
    }
    // Without `--bench`, as in `cargo test --benches`, a short run shows that it works.
    let default = if arguments.flag("--bench") { 10_000_000 } else { 20_000 };
    let fragments: u64 = arguments.number("--fragments", default)?;
    let places: u32 = arguments.number("--places", 1_000)?;

    let mut report = json!({ "bench": "index", "fragments": fragments });
    if !dir.join("index.db").exists() {
        report["build"] = build(&dir, fragments)?;
        eprintln!("build               {}", report["build"]);
    }
    report["store_mb"] = json!(store_len(&dir)? / 1_000_000);
    report["start"]["clean"] = time_start(&dir)?;
    eprintln!("start, clean        {}", report["start"]["clean"]);

    drop_cache(&dir)?;
    let engine = open_store(&dir)?;
    let span = span_of(&engine, fragments)?;
    for state in ["cold", "warm"] {
        report[state] = measure(&engine, &span, places)?;
        for (kind, figures) in report[state].as_object().into_iter().flatten() {
            eprintln!("{:<24}{figures}", format!("{kind}, {state} "));
        }
    }
    report["peak_memory_mb"] = json!(support::peak_memory_mb());
    eprintln!("peak memory         {} MB", report["peak_memory_mb"]);
    engine.close();
    drop(engine);

    for (name, count, len) in
        [("killed, small fragments", 30_000, SMALL), ("killed, 1 GiB of large", 4_100, LARGE)]
    {
        kill_while_writing(&dir, count, len)?;
        report["start"][name] = time_start(&dir)?;
        eprintln!("start, {name}  {}", report["start"][name]);
    }
    println!("{report:#}");
    if !arguments.flag("--keep") {
        fs::remove_dir_all(&dir)?;
    }
    Ok(())
}

/// What runs in a process of its own, so that its memory is its own and it can be killed.
fn run_phase(phase: &str, arguments: &Arguments, dir: &Path) -> Outcome<()> {
    let count: u64 = arguments.number("--fragments", 0)?;
    let len: usize = arguments.number("--len", SMALL)?;
    let started = Instant::now();
    let engine = open_store(dir)?;
    match phase {
        "build" => {
            // Ends well before now: later phases append.
            let now = SystemClock::new().now();
            let start = UnixMillis(now.0 - (count + ROOM_FOR_MORE) * SPACING_MS);
            append(&engine, start, count, len)?;
            let took = started.elapsed();
            let closing = Instant::now();
            engine.close();
            let report = json!({
                "seconds": took.as_secs(),
                "fragments_per_second": (count as f64 / took.as_secs_f64()).round(),
                "close_ms": milliseconds(closing.elapsed()),
                "peak_memory_mb": support::peak_memory_mb(),
            });
            println!("{report}");
        }
        "write until killed" => {
            let last = engine.last_row(ID)?.map_or(UnixMillis(0), |row| row.server_timestamp);
            append(&engine, UnixMillis(last.0 + SPACING_MS), count, len)?;
            println!("written");
            let last = last.0 + (count + 1) * SPACING_MS;
            for index in 0.. {
                append(&engine, UnixMillis(last + index * SPACING_MS), 1, len)?;
            }
        }
        "start" => {
            let took = started.elapsed();
            let memory = support::peak_memory_mb();
            let recovery = engine.recovery().clone();
            engine.close();
            let report = json!({
                "ms": milliseconds(took),
                "peak_memory_mb": memory,
                "sealed": recovery.sealed,
                "walked": recovery.walked,
                "damaged": recovery.damaged.len(),
            });
            println!("{report}");
        }
        other => return Err(format!("no phase {other}").into()),
    }
    Ok(())
}

fn build(dir: &Path, fragments: u64) -> Outcome<Value> {
    let output = phase(dir, "build", fragments, SMALL)?.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the store could not be made".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Appends in a child process and kills it while it goes on.
fn kill_while_writing(dir: &Path, count: u64, len: usize) -> Outcome<()> {
    let mut child = phase(dir, "write until killed", count, len)?.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    let line = BufReader::new(output).lines().next().transpose()?;
    child.kill()?;
    child.wait()?;
    if line.as_deref() != Some("written") {
        return Err("the writing process ended by itself".into());
    }
    Ok(())
}

fn phase(dir: &Path, name: &str, fragments: u64, len: usize) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--dir").arg(dir).args(["--phase", name]);
    command.args(["--fragments", &fragments.to_string(), "--len", &len.to_string()]);
    Ok(command)
}

fn open_store(dir: &Path) -> Outcome<Engine> {
    let engine = open(dir, |options| {
        // In the time that a camera needs for some three hundred fragments millions are made here;
        // what is remembered of them to find repeated ones should be as much as there.
        options.recent_window = Duration::from_millis(10);
    })?;
    put_streams(&engine, 1);
    Ok(engine)
}

/// Starts the store in a process of its own, with nothing of it in the page cache.
fn time_start(dir: &Path) -> Outcome<Value> {
    drop_cache(dir)?;
    let output = phase(dir, "start", 0, 0)?.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the store did not start".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn append(engine: &Engine, start: UnixMillis, count: u64, len: usize) -> Outcome<()> {
    let shape = Shape::new(len, if len == SMALL { 2 } else { 50 });
    let gate = Gate::new((QUEUED_MAX / (len + 700)).max(8));
    for index in 0..count {
        let server = UnixMillis(start.0 + index * SPACING_MS);
        let number = FragmentNumber::new(server, 1, 0);
        // Media arrives some time after it was taken. Now and then a piece comes late, so that
        // producer time is not the order of numbers.
        let late = if index % 4096 == 4095 { 60_000 + index % 7 } else { 700 };
        let producer = UnixMillis(server.0 - late);
        engine.append(ID, shape.fragment(number, producer), gate.enter()?)?;
        if index > 0 && index % 1_000_000 == 0 {
            eprintln!("  {} million fragments", index / 1_000_000);
        }
    }
    engine.flush();
    gate.check()
}

/// Server timestamps of the fragments that were built; what a kept store got later is left out.
fn span_of(engine: &Engine, fragments: u64) -> Outcome<Range<u64>> {
    let first = engine.first_row(ID)?.ok_or("the store is empty")?.server_timestamp.0;
    Ok(first..first + (fragments - 1) * SPACING_MS)
}

/// All calls at random places, each kind at its own.
fn measure(engine: &Engine, span: &Range<u64>, places: u32) -> Outcome<Value> {
    let rng = SimRng::new(2);
    let random = |below: u64| {
        let mut bytes = [0; 8];
        rng.fill(&mut bytes);
        u64::from_le_bytes(bytes) % below
    };
    // The last thousand rows are no place for a page.
    let room = (span.end - span.start).saturating_sub(1_001 * SPACING_MS).max(1);
    let place = || UnixMillis(span.start + random(room));
    let forever = UnixMillis(u64::MAX);

    let mut pages = [Timings::default(), Timings::default(), Timings::default()];
    let (mut containing, mut started) = (Timings::default(), Timings::default());
    for _ in 0..places {
        let ranges = [
            RowRange::Number(FragmentNumber::first_at(place())..=FragmentNumber::MAX),
            RowRange::Server(place()..=forever),
            RowRange::Producer(place()..=forever),
        ];
        for (range, timings) in ranges.into_iter().zip(&mut pages) {
            let query = RowQuery { range, after: None, limit: 1_000 };
            let since = Instant::now();
            let rows = engine.rows(ID, &query)?;
            timings.add(since.elapsed());
            if rows.len() != 1_000 {
                return Err(format!("{} rows for {query:?}", rows.len()).into());
            }
        }
        let since = Instant::now();
        let row = engine.containing(ID, TimeAxis::Server, place())?.ok_or("no fragment")?;
        containing.add(since.elapsed());
        let stored = engine.read_row(ID, &row)?;
        started.add(since.elapsed());
        if stored.media.len() != SMALL {
            return Err("a fragment of another length".into());
        }
    }
    let [by_number, by_server, by_producer] = &pages;
    Ok(json!({
        "page by number": by_number.to_json(),
        "page by server": by_server.to_json(),
        "page by producer": by_producer.to_json(),
        "containing": containing.to_json(),
        "get-media start": started.to_json(),
    }))
}

/// Has the kernel forget what it holds of the volumes.
fn drop_cache(dir: &Path) -> Outcome<()> {
    let volumes = LocalDirectory::open_or_create(&dir.join("volumes"))?;
    for entry in volumes.list()? {
        let file = volumes.open(&entry.name, Access::Read)?;
        file.drop_cache(0..entry.len)?;
    }
    Ok(())
}

fn store_len(dir: &Path) -> Outcome<u64> {
    let volumes = LocalDirectory::open_or_create(&dir.join("volumes"))?;
    Ok(volumes.list()?.iter().map(|entry| entry.len).sum())
}

const ID: StreamId = StreamId([0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
/// Bytes of media of a fragment of the long stream.
const SMALL: usize = 200;
/// 2 s of 1 Mbit/s.
const LARGE: usize = 250_000;
const SPACING_MS: u64 = 2_000;
/// Fragments that later phases may add.
const ROOM_FOR_MORE: u64 = 1_000_000;
/// Bytes of records that wait: half of what a lane takes.
const QUEUED_MAX: usize = 32 << 20;
