//! What several tests share.

use std::sync::atomic::{AtomicU8, Ordering};

use streamkeep_io::Rng;
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use crate::*;

/// Bytes that count up.
#[derive(Debug)]
pub(crate) struct CountingRng(AtomicU8);

impl CountingRng {
    pub(crate) fn starting_at(first: u8) -> Self {
        Self(AtomicU8::new(first))
    }
}

impl Rng for CountingRng {
    fn fill(&self, out: &mut [u8]) {
        out.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// JPEG each second on the producer's clock, of tagged fragments.
pub(crate) fn image_generation(uri: &str) -> ImageGeneration {
    ImageGeneration {
        trigger: ImageTrigger::Tagged,
        selector: TimestampSelector::Producer,
        destination: ImageDestination::parse(uri, "us-west-2").unwrap(),
        sampling_interval_ms: 1000,
        format: ImageFormat::Jpeg { quality: 80 },
        width_pixels: None,
        height_pixels: Some(240),
    }
}

pub(crate) fn topic() -> NotificationDestination {
    NotificationDestination::parse("arn:aws:sns:us-west-2:111122223333:alerts").unwrap()
}

/// A notification of fragment `sequence` of the stream `[stream; 16]`.
pub(crate) fn notification(stream: u8, sequence: u64, destination: &str) -> Intent {
    intent(
        stream,
        sequence,
        Work::Notification(NotificationWork {
            destination: NotificationDestination::parse(destination).unwrap(),
            delivery_id: format!("delivery-{stream}-{sequence}"),
            payload: vec![("zone".into(), "north \"gate\"".into())],
        }),
    )
}

/// An image of fragment `sequence` of the stream `[stream; 16]`.
pub(crate) fn image(stream: u8, sequence: u64) -> Intent {
    let key = format!("cams/gate 1_{stream}_{sequence}.jpg");
    intent(
        stream,
        sequence,
        Work::Image(ImageWork {
            instant: UnixMillis(1_690_707_290_324),
            selector: TimestampSelector::Server,
            format: ImageFormat::Jpeg { quality: 80 },
            width_pixels: Some(320),
            height_pixels: None,
            bucket: "pictures".into(),
            region: "us-west-2".into(),
            key,
            metadata: vec![("zone".into(), "north".into())],
        }),
    )
}

fn intent(stream: u8, sequence: u64, work: Work) -> Intent {
    let server_timestamp = UnixMillis(1_690_707_290_501);
    Intent {
        stream_id: StreamId([stream; 16]),
        stream_name: "demo".into(),
        stream_arn: "arn:aws:kinesisvideo:us-west-2:111122223333:stream/demo/1690000000000".into(),
        fragment_number: FragmentNumber::new(server_timestamp, 1, sequence),
        producer_timestamp: UnixMillis(1_690_707_290_324),
        server_timestamp,
        work,
    }
}
