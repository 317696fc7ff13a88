//! The server's own figures, read when asked: connections, the store, deliveries.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use streamkeep_delivery::MetricsSnapshot;
use streamkeep_engine::{Engine, LATENCY_BOUNDS_US, LatencyHistogram};
use streamkeep_http::Counters;

/// Appends them to an OpenMetrics text and closes it.
pub(crate) fn append(
    text: &mut String,
    engine: &Engine,
    counters: Option<&Counters>,
    streams: usize,
    deliveries: &MetricsSnapshot,
) {
    let mut line = |name: &str, kind: &str, help: &str, value: f64| {
        let suffix = if kind == "counter" { "_total" } else { "" };
        write!(
            text,
            "# HELP streamkeep_{name} {help}.\n# TYPE streamkeep_{name} {kind}\n\
             streamkeep_{name}{suffix} {value}\n"
        )
        .expect("writing to a String does not fail");
    };
    line("streams", "gauge", "Streams", streams as f64);
    if let Some(counters) = counters {
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
        line("connections_open", "gauge", "Connections open", of(&counters.connections_open));
        line("connections_accepted", "counter", "Accepted", of(&counters.connections_accepted));
        line("connections_refused", "counter", "Refused", of(&counters.connections_refused));
        line("tls_failures", "counter", "TLS handshakes failed", of(&counters.tls_failures));
        line("requests", "counter", "Requests", of(&counters.requests));
        line("requests_refused", "counter", "Malformed requests", of(&counters.requests_refused));
        line("received_bytes", "counter", "Bytes read from sockets", of(&counters.bytes_in));
        line("sent_bytes", "counter", "Bytes written to sockets", of(&counters.bytes_out));
    }
    let stats = engine.stats();
    for (name, kind, help, value) in [
        ("store_fragments", "counter", "Fragments stored", stats.fragments),
        ("store_media_bytes", "counter", "Media bytes stored", stats.media_bytes),
        ("store_written_bytes", "counter", "Bytes written to volumes", stats.written_bytes),
        ("store_batches", "counter", "Group commits", stats.batches),
        ("store_syncs", "counter", "Syncs of volumes", stats.syncs),
        ("store_queued_bytes", "gauge", "Bytes waiting to become durable", stats.queued_bytes),
        ("store_duplicates", "counter", "Fragments stored before", stats.duplicates),
        ("store_failed_appends", "counter", "Appends refused or failed", stats.failed_appends),
        ("store_reads", "counter", "Fragments read", stats.reads),
        ("store_damaged_reads", "counter", "Reads that failed a check", stats.damaged_reads),
        ("store_volumes_opened", "counter", "Volumes opened for writing", stats.volumes_opened),
        ("store_volumes_sealed", "counter", "Volumes sealed", stats.volumes_sealed),
        ("store_volumes_deleted", "counter", "Volumes deleted", stats.volumes_deleted),
        ("store_write_failures", "counter", "Writes or syncs that failed", stats.write_failures),
        ("store_unsealed_volumes", "gauge", "Volumes not sealed", stats.unsealed_volumes),
    ] {
        line(name, kind, help, value as f64);
    }
    let outbox = &deliveries.outbox;
    for (name, kind, help, value) in [
        ("delivery_images", "counter", "Images delivered", deliveries.image_count),
        ("delivery_image_bytes", "counter", "Bytes of images delivered", deliveries.image_bytes),
        ("delivery_notifications", "counter", "Sent", deliveries.notification_count),
        ("delivery_retries", "counter", "Attempts that failed", deliveries.retry_count),
        ("delivery_given_up", "counter", "Deliveries given up", deliveries.given_up_count),
        ("delivery_waiting", "gauge", "Deliveries that wait or are at work", outbox.job_count),
        ("delivery_dead", "gauge", "Deliveries given up and kept", outbox.dead_count),
        ("delivery_refused", "counter", "Refused for want of room", outbox.refused_count),
        (
            "delivery_outbox_failures",
            "counter",
            "Failures of the queue itself",
            deliveries.outbox_failure_count,
        ),
    ] {
        line(name, kind, help, value as f64);
    }
    line(
        "delivery_delay_seconds",
        "counter",
        "Time from the writing of deliveries to their end, summed",
        deliveries.delay_ms_sum as f64 / 1000.0,
    );
    histogram(text, "store_sync_latency_seconds", "Syncs of batches", &stats.sync_latency);
    histogram(text, "store_append_latency_seconds", "Append to durable", &stats.append_latency);
    text.push_str("# EOF\n");
}

fn histogram(text: &mut String, name: &str, help: &str, latencies: &LatencyHistogram) {
    const EXPECT: &str = "writing to a String does not fail";
    write!(
        text,
        "# HELP streamkeep_{name} {help}.\n# TYPE streamkeep_{name} histogram\n\
         # UNIT streamkeep_{name} seconds\n"
    )
    .expect(EXPECT);
    let mut total = 0;
    for (bound, count) in LATENCY_BOUNDS_US.iter().zip(&latencies.counts) {
        total += count;
        let seconds = *bound as f64 / 1e6;
        writeln!(text, "streamkeep_{name}_bucket{{le=\"{seconds:?}\"}} {total}").expect(EXPECT);
    }
    let count = latencies.count();
    writeln!(text, "streamkeep_{name}_bucket{{le=\"+Inf\"}} {count}").expect(EXPECT);
    let sum = latencies.sum_us as f64 / 1e6;
    writeln!(text, "streamkeep_{name}_sum {sum}\nstreamkeep_{name}_count {count}").expect(EXPECT);
}
