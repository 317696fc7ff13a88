//! How fast fragments become durable, next to what the disk does by itself.
//!
//! ```text
//! cargo bench -p streamkeep-engine --bench write_path -- --dir /data/bench
//! ```
//!
//! Rounds (`--rounds`, 5) of the same amount of media (`--mb`, 1,000), one after another on one disk:
//!
//! - *plain*: one file, preallocated, written from start to end in pieces of 256 KiB, `fdatasync`
//!   after each;
//! - *plain, 8 MiB*: the same in pieces of the store's largest batch;
//! - *store*: fragments of `--len` (250,000) bytes and 50 frames for `--streams` (1,000) streams,
//!   from `--threads` (4) threads, as fast as they are taken.
//!
//! With `--sort` each volume is rewritten in order of stream when it is sealed; that work ends with
//! the close and does not count as time.
//!
//! What is written per byte of media counts records, padding and footers (the store's own count)
//! and what the kernel wrote for this process, file system structures not included.
//!
//! A table goes to standard error, JSON to standard output.

#![allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
#![allow(clippy::print_stdout, reason = "its output")]

mod support;

use std::fs;
use std::io::IoSlice;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use streamkeep_engine::SortOnSeal;
use streamkeep_io::{LocalDirectory, VolumeIo};
use support::{Arguments, Gate, Outcome, Shape, of_process, open, put_streams, rounded, stream};

fn main() -> Outcome<()> {
    let arguments = Arguments::of_process();
    let dir = arguments.dir()?;
    // Without `--bench`, as in `cargo test --benches`, a short run shows that it works.
    let (mb, rounds) = if arguments.flag("--bench") { (1_000, 5) } else { (20, 1) };
    let load = Load {
        media_len: arguments.number("--mb", mb)? * 1_000_000,
        fragment_len: arguments.number("--len", 250_000)?,
        streams: arguments.number("--streams", 1_000)?,
        threads: arguments.number("--threads", 4)?,
        sort_on_seal: if arguments.flag("--sort") { SortOnSeal::Always } else { SortOnSeal::Never },
    };
    let rounds: usize = arguments.number("--rounds", rounds)?;

    let (mut plain, mut plain_large, mut store) = (Vec::new(), Vec::new(), Vec::new());
    let (mut shares, mut details) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        fs::create_dir_all(&dir)?;
        // Each is first in turn: a disk that has rested may be faster.
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => plain.push(write_plainly(&dir, load.media_len, 256 << 10)?),
                1 => details.push(write_to_store(&dir.join("store"), &load)?),
                _ => plain_large.push(write_plainly(&dir, load.media_len, 8 << 20)?),
            }
        }
        let (plain, plain_large) = (plain[round], plain_large[round]);
        let report = &details[round];
        let mb_per_second = report["mb_per_second"].as_f64().unwrap_or_default();
        store.push(mb_per_second);
        shares.push(mb_per_second / plain * 100.0);
        eprintln!(
            "round {round}: plain {plain:.0} MB/s, plain 8 MiB {plain_large:.0} MB/s, store {report}"
        );
        fs::remove_dir_all(&dir)?;
    }
    let report = json!({
        "bench": "write_path",
        "plain_mb_per_second": spread(plain),
        "plain_8mib_mb_per_second": spread(plain_large),
        "store_mb_per_second": spread(store),
        "store_percent_of_plain": spread(shares),
        "rounds": details,
    });
    println!("{report:#}");
    Ok(())
}

struct Load {
    media_len: u64,
    fragment_len: usize,
    streams: u32,
    threads: u32,
    sort_on_seal: SortOnSeal,
}

/// MB per second of writing and syncing a file piece by piece.
fn write_plainly(dir: &Path, len: u64, piece_len: usize) -> Outcome<f64> {
    let directory = LocalDirectory::open_or_create(dir)?;
    let file = directory.create("plain")?;
    file.allocate(len + piece_len as u64)?;
    file.sync_all()?;
    let piece = vec![0x5a; piece_len];
    let started = Instant::now();
    for position in (0..len).step_by(piece_len) {
        file.write_at(&[IoSlice::new(&piece)], position)?;
        file.sync_data()?;
    }
    let took = started.elapsed();
    directory.unlink("plain")?;
    Ok(len as f64 / 1e6 / took.as_secs_f64())
}

fn write_to_store(dir: &Path, load: &Load) -> Outcome<Value> {
    let engine = open(dir, |options| options.sort_on_seal = load.sort_on_seal)?;
    put_streams(&engine, load.streams);
    let shape = Shape::new(load.fragment_len, 50);
    // Less than a lane takes: nothing is refused.
    let gate = Gate::new((48 << 20) / (load.fragment_len + 4096));
    let count = load.media_len / load.fragment_len as u64;
    let written_before = of_process("io", "write_bytes:");
    let cpu_before = cpu_seconds();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..load.threads)
            .map(|thread| {
                let (engine, shape, gate) = (&engine, &shape, &gate);
                scope.spawn(move || -> Result<(), String> {
                    let mine = (u64::from(thread)..count).step_by(load.threads as usize);
                    for index in mine {
                        let id = stream(u32::try_from(index).unwrap_or(0) % load.streams);
                        let done = gate.enter().map_err(|error| error.to_string())?;
                        let begun = engine.begin_fragment(id);
                        let (number, server) = begun.map_err(|error| error.to_string())?;
                        let fragment = shape.fragment(number, server);
                        engine.append(id, fragment, done).map_err(|error| error.to_string())?;
                    }
                    Ok(())
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a thread failed")?)
    })?;
    engine.flush();
    let took = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds().zip(cpu_before).map(|(after, before)| after - before);
    gate.check()?;
    let stats = engine.stats();
    engine.close();
    let written = of_process("io", "write_bytes:").zip(written_before);
    let media = stats.media_bytes as f64;
    Ok(json!({
        "mb_per_second": rounded(media / 1e6 / took),
        "written_per_media_byte": rounded(stats.written_bytes as f64 / media),
        "written_per_media_byte_sealed": rounded(engine.stats().written_bytes as f64 / media),
        "kernel_per_media_byte": written.map(|(after, before)| rounded((after - before) as f64 / media)),
        "fragments_per_sync": rounded(stats.fragments as f64 / stats.syncs.max(1) as f64),
        "sync_ms_mean": rounded(stats.sync_latency.sum_us as f64 / 1e3 / stats.sync_latency.count().max(1) as f64),
        "append_ms_p99_at_most": stats.append_latency.percentile_us(99).map(|us| us as f64 / 1e3),
        "cpu_cores": cpu.map(|cpu| rounded(cpu / took)),
        "peak_memory_mb": support::peak_memory_mb(),
    }))
}

/// Processor time of this process so far, in the kernel's ticks of 10 ms (proc(5)).
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

fn spread(mut figures: Vec<f64>) -> Value {
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().map(rounded);
    json!({ "min": at(0), "median": at(figures.len() / 2), "max": at(figures.len().saturating_sub(1)) })
}
