//! What `/metrics` shows: the counters of observability.md §1 by stream, and the server's own.
//!
//! Names follow the published metric with the Prometheus form: `PutMedia.IncomingBytes` is
//! `streamkeep_put_media_incoming_bytes_total`. Latencies are in seconds. Handles are kept per
//! stream, so the frame path costs one atomic addition per counter.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use streamkeep_engine::LatencyCounts;

/// Everything measured, with the registry that prints it.
pub(crate) struct Metrics {
    registry: Registry,
    families: Families,
    /// PutMedia, over all streams.
    pub(crate) put: PutHistograms,
    /// Control-plane and archive calls.
    pub(crate) calls: Family<CallLabels, Counter>,
    /// Time to answer them.
    pub(crate) call_seconds: Histogram,
}

/// Latencies of PutMedia over all streams, in seconds; the meanings are those of
/// observability.md §1.
#[derive(Clone)]
pub(crate) struct PutHistograms {
    /// Request to response head.
    pub(crate) latency: Histogram,
    /// First byte to last byte of a fragment.
    pub(crate) fragment_ingestion: Histogram,
    /// Fragment complete to durable.
    pub(crate) fragment_persist: Histogram,
    /// First byte of a fragment to its BUFFERING ack.
    pub(crate) buffering_ack: Histogram,
    /// Last byte to RECEIVED ack.
    pub(crate) received_ack: Histogram,
    /// Last byte to PERSISTED ack.
    pub(crate) persisted_ack: Histogram,
    /// The same, for GetServerHealth: the registry's histograms cannot be read back.
    pub(crate) persisted: Arc<LatencyCounts>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StreamLabels {
    stream: String,
}

/// Operation and outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CallLabels {
    /// `DescribeStream` and the like.
    pub(crate) operation: &'static str,
    /// Exception name, or `ok`.
    pub(crate) outcome: &'static str,
}

macro_rules! stream_metrics {
    ($($field:ident: $kind:ty, $name:literal, $help:literal;)*) => {
        #[derive(Default)]
        struct Families { $($field: Family<StreamLabels, $kind>,)* }

        /// Handles of one stream.
        #[derive(Debug)]
        pub(crate) struct StreamMetrics { $(#[doc = $help] pub(crate) $field: $kind,)* }

        impl Families {
            fn register(&self, registry: &mut Registry) {
                $(registry.register($name, $help, self.$field.clone());)*
            }
            fn of(&self, stream: &str) -> StreamMetrics {
                let labels = StreamLabels { stream: stream.to_owned() };
                StreamMetrics { $($field: self.$field.get_or_create_owned(&labels),)* }
            }
            fn forget(&self, stream: &str) {
                let labels = StreamLabels { stream: stream.to_owned() };
                $(self.$field.remove(&labels);)*
            }
        }
    };
}

stream_metrics! {
    put_requests: Counter, "put_media_requests", "PutMedia calls";
    put_bytes: Counter, "put_media_incoming_bytes", "Bytes received by PutMedia";
    put_fragments: Counter, "put_media_incoming_fragments", "Complete fragments received";
    put_frames: Counter, "put_media_incoming_frames", "Complete frames received";
    put_connections: Gauge, "put_media_active_connections", "PutMedia connections open";
    put_connection_errors: Counter, "put_media_connection_errors", "PutMedia calls refused";
    put_persisted: Counter, "put_media_persisted_fragments", "Fragments acked PERSISTED";
    put_duplicates: Counter, "put_media_duplicate_fragments", "Fragments sent again";
    put_error_acks: Counter, "put_media_error_acks", "ERROR acks sent";
    get_requests: Counter, "get_media_requests", "GetMedia calls";
    get_connections: Gauge, "get_media_active_connections", "GetMedia connections open";
    get_bytes: Counter, "get_media_outgoing_bytes", "Bytes sent by GetMedia";
    get_fragments: Counter, "get_media_outgoing_fragments", "Fragments sent by GetMedia";
    get_frames: Counter, "get_media_outgoing_frames", "Frames sent by GetMedia";
    get_millis_behind: Gauge, "get_media_millis_behind_now", "Now less the server time of the last fragment sent";
    open_live_tiles: Gauge, "open_live_tiles", "Tiles of OpenLive that show the stream";
    open_live_bytes: Counter, "open_live_outgoing_bytes", "Bytes sent by OpenLive";
    open_live_frames: Counter, "open_live_outgoing_frames", "Frames sent by OpenLive";
    open_live_left_out: Counter, "open_live_left_out_milliseconds", "Media that OpenLive left out because a page was slow";
    list_requests: Counter, "list_fragments_requests", "ListFragments calls";
    archive_requests: Counter, "get_media_for_fragment_list_requests", "GetMediaForFragmentList calls";
    archive_bytes: Counter, "get_media_for_fragment_list_outgoing_bytes", "Bytes sent by it";
    archive_fragments: Counter, "get_media_for_fragment_list_outgoing_fragments", "Fragments sent by it";
    archive_frames: Counter, "get_media_for_fragment_list_outgoing_frames", "Frames sent by it";
    archive_failures: Counter, "get_media_for_fragment_list_failures", "Fragments it could not send";
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("streamkeep");
        let families = Families::default();
        families.register(&mut registry);
        let mut histogram = |name: &str, help: &str| {
            let histogram = latency_histogram();
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
            histogram
        };
        let put = PutHistograms {
            latency: histogram("put_media_latency", "Request to response head"),
            fragment_ingestion: histogram(
                "put_media_fragment_ingestion_latency",
                "First byte to last byte of a fragment",
            ),
            fragment_persist: histogram(
                "put_media_fragment_persist_latency",
                "Fragment complete to durable",
            ),
            buffering_ack: histogram(
                "put_media_buffering_ack_latency",
                "First byte of a fragment to its BUFFERING ack",
            ),
            received_ack: histogram(
                "put_media_received_ack_latency",
                "Last byte of a fragment to its RECEIVED ack",
            ),
            persisted_ack: histogram(
                "put_media_persisted_ack_latency",
                "Last byte of a fragment to its PERSISTED ack",
            ),
            persisted: Arc::default(),
        };
        let call_seconds = histogram("call_latency", "Time to answer a call");
        let calls = Family::<CallLabels, Counter>::default();
        registry.register("calls", "Calls by operation and outcome", calls.clone());
        Self { registry, families, put, calls, call_seconds }
    }

    /// The handles of a stream.
    pub(crate) fn stream(&self, name: &str) -> StreamMetrics {
        self.families.of(name)
    }

    /// Drops the series of a deleted stream.
    pub(crate) fn forget_stream(&self, name: &str) {
        self.families.forget(name);
    }

    /// The text of `/metrics` (OpenMetrics 1.0), without the closing `# EOF`.
    pub(crate) fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// From a quarter of a millisecond to half a minute.
fn latency_histogram() -> Histogram {
    Histogram::new([
        0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        10.0, 30.0,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_stream_leaves_no_series() {
        let metrics = Metrics::new();
        metrics.stream("cam").put_bytes.inc_by(5);
        let text = metrics.encode().unwrap();
        assert!(
            text.contains("streamkeep_put_media_incoming_bytes_total{stream=\"cam\"} 5"),
            "{text}"
        );
        metrics.forget_stream("cam");
        assert!(!metrics.encode().unwrap().contains("cam"));
    }
}
