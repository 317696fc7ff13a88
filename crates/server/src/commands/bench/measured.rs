//! What a load run counts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::histogram::Histogram;

/// Counts and latencies over all cameras.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Sessions that the service accepted.
    pub(super) sessions: u64,
    /// Sessions that the service refused, or whose connection failed, by reason.
    pub(super) refused: BTreeMap<String, u64>,
    /// Sessions that ended before their time, by reason.
    pub(super) broken: BTreeMap<String, u64>,
    /// ERROR acks by code.
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    /// Fragments whose end was sent.
    pub(super) fragments: u64,
    pub(super) received: u64,
    pub(super) persisted: u64,
    /// Fragments without PERSISTED when the wait for it ended.
    pub(super) missing: u64,
    /// Acks that broke the rules: order within a session, rising fragment numbers.
    pub(super) ack_order_violations: u64,
    /// First byte of a fragment sent → BUFFERING.
    pub(super) buffering: Histogram,
    /// End of a fragment sent → RECEIVED.
    pub(super) received_latency: Histogram,
    /// End of a fragment sent → PERSISTED.
    pub(super) persisted_latency: Histogram,
    /// How late the generator itself was with a frame.
    pub(super) schedule_lag: Histogram,
    /// How late frames were because the service did not take the ones before.
    pub(super) backpressure_lag: Histogram,
}

impl Measured {
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.refused, &other.refused),
            (&mut self.broken, &other.broken),
            (&mut self.errors, &other.errors),
        ] {
            for (reason, count) in theirs {
                *mine.entry(reason.clone()).or_default() += count;
            }
        }
        self.sessions += other.sessions;
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.fragments += other.fragments;
        self.received += other.received;
        self.persisted += other.persisted;
        self.missing += other.missing;
        self.ack_order_violations += other.ack_order_violations;
        self.buffering.merge(&other.buffering);
        self.received_latency.merge(&other.received_latency);
        self.persisted_latency.merge(&other.persisted_latency);
        self.schedule_lag.merge(&other.schedule_lag);
        self.backpressure_lag.merge(&other.backpressure_lag);
    }

    /// Everything that was sent is durable, and nothing went wrong.
    pub(super) fn is_clean(&self) -> bool {
        self.refused.is_empty()
            && self.broken.is_empty()
            && self.errors.is_empty()
            && self.missing == 0
            && self.ack_order_violations == 0
            && self.fragments > 0
    }

    pub(super) fn to_json(&self, seconds: f64) -> Value {
        json!({
            "sessions": self.sessions,
            "refused": self.refused,
            "broken": self.broken,
            "errors": self.errors,
            "frames": self.frames,
            "mbit_per_s": (self.bytes as f64 * 8.0 / seconds / 1e4).round() / 100.0,
            "fragments": self.fragments,
            "received": self.received,
            "persisted": self.persisted,
            "missing": self.missing,
            "ack_order_violations": self.ack_order_violations,
            "latency_ms": {
                "fragment_start_to_buffering": self.buffering.to_json(),
                "fragment_end_to_received": self.received_latency.to_json(),
                "fragment_end_to_persisted": self.persisted_latency.to_json(),
            },
            "lag_ms": {
                "generator": self.schedule_lag.to_json(),
                "backpressure": self.backpressure_lag.to_json(),
            },
        })
    }

    pub(super) fn summary(&self, seconds: f64) -> String {
        let mut text = format!(
            "{} sessions, {:.1} Mbit/s, {} frames\n\
             {} fragments sent, {} received, {} persisted, {} missing\n\
             end → PERSISTED   {}\n\
             end → RECEIVED    {}\n\
             start → BUFFERING {}\n\
             generator lag     {}\n",
            self.sessions,
            self.bytes as f64 * 8.0 / seconds / 1e6,
            self.frames,
            self.fragments,
            self.received,
            self.persisted,
            self.missing,
            self.persisted_latency.summary(),
            self.received_latency.summary(),
            self.buffering.summary(),
            self.schedule_lag.summary(),
        );
        if self.backpressure_lag.count() > 0 {
            text += &format!(
                "the service held up {} frames: {}\n",
                self.backpressure_lag.count(),
                self.backpressure_lag.summary()
            );
        }
        for (what, counts) in
            [("refused", &self.refused), ("broken off", &self.broken), ("error ack", &self.errors)]
        {
            for (reason, count) in counts {
                text += &format!("{count} × {what}: {reason}\n");
            }
        }
        if self.ack_order_violations > 0 {
            text += &format!("{} acks out of order\n", self.ack_order_violations);
        }
        if self.is_overloaded() {
            text += "the generator itself was late: what it measured says little\n";
        }
        text
    }

    /// The generator could not keep its own schedule.
    pub(super) fn is_overloaded(&self) -> bool {
        self.schedule_lag.quantile(0.99) > GENERATOR_LAG_MAX
    }
}

/// Half the distance of two frames at 25 frames/s.
const GENERATOR_LAG_MAX: Duration = Duration::from_millis(20);
