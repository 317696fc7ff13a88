//! Processor time and memory of a process, from Linux's /proc.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Reads a process at two moments and tells the difference.
#[derive(Debug)]
pub(super) struct ProcessWatch {
    pid: String,
    start: Option<(Instant, Sample)>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    cpu: Duration,
    rss_bytes: u64,
    written_bytes: Option<u64>,
}

impl ProcessWatch {
    /// `self`, or a process id.
    pub(super) fn start(pid: &str) -> Self {
        let sample = Sample::take(pid);
        Self { pid: pid.to_owned(), start: sample.map(|sample| (Instant::now(), sample)) }
    }

    /// What was used since the start; `null` where /proc does not tell.
    pub(super) fn finish(&self) -> Value {
        let (Some((since, first)), Some(last)) = (self.start, Sample::take(&self.pid)) else {
            return Value::Null;
        };
        let elapsed = since.elapsed().as_secs_f64();
        let cores = last.cpu.saturating_sub(first.cpu).as_secs_f64() / elapsed;
        let written = last.written_bytes.zip(first.written_bytes);
        json!({
            "cpu_cores": (cores * 1000.0).round() / 1000.0,
            "rss_mb": last.rss_bytes / 1_000_000,
            "rss_growth_mb": last.rss_bytes as i64 / 1_000_000 - first.rss_bytes as i64 / 1_000_000,
            "disk_write_mb_per_s": written
                .map(|(last, first)| ((last - first) as f64 / 1e5 / elapsed).round() / 10.0),
        })
    }
}

impl Sample {
    fn take(pid: &str) -> Option<Self> {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
        // The process name in brackets may hold spaces; utime and stime are the 12th and 13th
        // fields behind it, in ticks of 10 ms (proc(5)).
        let stat = read("stat")?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let ticks: u64 =
            fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        let number_in = |text: String, key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Self {
            cpu: Duration::from_millis(ticks * 10),
            rss_bytes: number_in(read("status")?, "VmRSS:")? * 1024,
            // Readable for one's own processes only.
            written_bytes: read("io").and_then(|text| number_in(text, "write_bytes:")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let watch = ProcessWatch::start("self");
        if watch.start.is_none() {
            println!("skipped: no /proc here");
            return;
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(60) {
            std::hint::black_box(begun.elapsed());
        }
        let used = watch.finish();
        assert!(used["cpu_cores"].as_f64().is_some_and(|cores| cores > 0.1), "{used}");
        assert!(used["rss_mb"].as_u64().is_some_and(|mb| mb > 0), "{used}");
        assert_eq!(ProcessWatch::start("no-such-process").finish(), Value::Null);
    }
}
