//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use streamkeep_delivery::http::{HttpClient, Timeouts};
use streamkeep_delivery::outbox::Limits;
use streamkeep_delivery::s3::S3Addressing;
use streamkeep_delivery::*;
use streamkeep_io::Rng;
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};
use streamkeep_sigv4::{AccessKeyId, Credentials, SecretKey, UnixSeconds};
use streamkeep_trust::{Authorities, connector};

use crate::receiver::Receiver;

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const WEBHOOK_SECRET: &str = "correct horse battery staple";

/// All zeros: every backoff is 1 ms.
#[derive(Debug)]
pub(crate) struct ZeroRng;

impl Rng for ZeroRng {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials {
        access_key_id: AccessKeyId::parse("AKIDEXAMPLE").unwrap(),
        secret: SecretKey::new(SECRET).unwrap(),
        session_token: None,
    }
}

pub(crate) fn now() -> UnixMillis {
    UnixMillis::from_system_time(std::time::SystemTime::now())
}

pub(crate) fn seconds() -> UnixSeconds {
    UnixSeconds(now().0 / 1000)
}

/// Short, but not so short that a busy machine meets them.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(5),
    body: Duration::from_millis(200),
};

pub(crate) fn client(allowed: &[&str]) -> HttpClient {
    client_with(allowed, TIMEOUTS)
}

pub(crate) fn client_with(allowed: &[&str], timeouts: Timeouts) -> HttpClient {
    let policy = AddressPolicy::allowing(allowed.iter().copied()).unwrap();
    HttpClient::new(policy, connector(Authorities::System).unwrap(), timeouts)
}

pub(crate) fn s3(receiver: &Receiver) -> S3Config {
    S3Config {
        endpoint: Some(HttpUrl::parse(&receiver.url("")).unwrap()),
        addressing: S3Addressing::Path,
        region: None,
        credentials: credentials(),
    }
}

pub(crate) fn sns(receiver: &Receiver) -> SnsConfig {
    SnsConfig {
        endpoint: Some(HttpUrl::parse(&receiver.url("/")).unwrap()),
        credentials: credentials(),
    }
}

/// Everything to one receiver.
pub(crate) fn config(receiver: &Receiver) -> DeliveryConfig {
    DeliveryConfig {
        images: ImageStore::S3(s3(receiver)),
        sns: Some(sns(receiver)),
        webhook_secret: WebhookSecret::new(WEBHOOK_SECRET),
        allowed_addresses: vec!["127.0.0.0/8".into()],
        ca_bundle: None,
        timeouts: TIMEOUTS,
    }
}

fn intent(sequence: u64, work: Work) -> Intent {
    let server_timestamp = UnixMillis(1_690_707_290_501);
    Intent {
        stream_id: StreamId([1; 16]),
        stream_name: "demo".into(),
        stream_arn: "arn:aws:kinesisvideo:us-west-2:111122223333:stream/demo/1690000000000".into(),
        fragment_number: FragmentNumber::new(server_timestamp, 1, sequence),
        producer_timestamp: UnixMillis(1_690_707_290_324),
        server_timestamp,
        work,
    }
}

pub(crate) fn image(sequence: u64) -> Intent {
    intent(
        sequence,
        Work::Image(ImageWork {
            instant: UnixMillis(1_690_707_290_324),
            selector: TimestampSelector::Producer,
            format: ImageFormat::Jpeg { quality: 80 },
            width_pixels: None,
            height_pixels: None,
            bucket: "pictures".into(),
            region: "us-west-2".into(),
            key: format!("cams/gate 1_{sequence}.jpg"),
            metadata: vec![
                ("aws_kinesisvideo_fragment_number".into(), sequence.to_string()),
                ("zone".into(), "North Gate".into()),
            ],
        }),
    )
}

pub(crate) fn notification(sequence: u64, destination: &str) -> Intent {
    intent(
        sequence,
        Work::Notification(NotificationWork {
            destination: NotificationDestination::parse(destination).unwrap(),
            delivery_id: format!("delivery-{sequence}"),
            payload: vec![("customKey".into(), "custom Value & more".into())],
        }),
    )
}

pub(crate) const TOPIC: &str = "arn:aws:sns:us-west-2:111122223333:alerts";

/// A picture that tells of what it is.
pub(crate) fn picture(work: &ImageWork) -> Bytes {
    format!("picture of {}", work.key).into()
}

pub(crate) fn open_outbox(directory: &tempfile::TempDir) -> Arc<Outbox> {
    let path = directory.path().join("outbox.db");
    Arc::new(Outbox::open(&path, Limits::default()).unwrap())
}
