//! Against an S3 and SNS server that is not ours, which checks signatures. Not run by default: it
//! needs the environment below, a bucket `pictures` and a topic.

use std::sync::Arc;

use streamkeep_delivery::s3::S3Addressing;
use streamkeep_delivery::*;
use streamkeep_io::SystemClock;
use streamkeep_sigv4::{AccessKeyId, Credentials, SecretKey};
use tempfile::TempDir;

use crate::fixtures::{ZeroRng, config, image, now, open_outbox, picture};
use crate::receiver::Receiver;

struct Pictures;

impl ImageSource for Pictures {
    async fn image(&self, _: &Intent, work: &ImageWork) -> Result<EncodedImage, Failure> {
        Ok(EncodedImage { bytes: picture(work) })
    }
}

/// Keys and metadata that encoders differ on.
fn hard_images() -> Vec<Intent> {
    let keys = [
        "plain.jpg",
        "cams/gate 1_a.jpg",
        "100%25 + ~!*'()&=;:@,$.jpg",
        "门/é?#\\\"<>.jpg",
        "/leading//double.jpg",
    ];
    (1..)
        .zip(keys)
        .map(|(sequence, key)| {
            let mut intent = image(sequence);
            let Work::Image(work) = &mut intent.work else { unreachable!("an image") };
            work.key = key.into();
            let custom = [("Zone".to_owned(), "North Gate"), ("site".to_owned(), "门 é")];
            let tags: Vec<_> = custom
                .map(|(name, value)| streamkeep_media::Tag { name, value: value.into() })
                .into();
            work.metadata = metadata(
                intent.fragment_number,
                intent.producer_timestamp,
                intent.server_timestamp,
                &tags,
            );
            intent
        })
        .collect()
}

#[tokio::test]
#[ignore = "needs AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, TOPIC_ARN"]
async fn deliveries() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let credentials = Credentials {
        access_key_id: AccessKeyId::parse(&variable("AWS_ACCESS_KEY_ID")).unwrap(),
        secret: SecretKey::new(variable("AWS_SECRET_ACCESS_KEY")).unwrap(),
        session_token: None,
    };
    let endpoint = Some(HttpUrl::parse(&variable("AWS_ENDPOINT_URL")).unwrap());
    let (directory, unused) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let config = DeliveryConfig {
        images: ImageStore::S3(S3Config {
            endpoint: endpoint.clone(),
            addressing: S3Addressing::Path,
            region: Some("us-east-1".into()),
            credentials: credentials.clone(),
        }),
        sns: Some(SnsConfig { endpoint, credentials }),
        ..config(&unused)
    };
    let outbox = open_outbox(&directory);
    let mut intents = hard_images();
    intents.push(crate::fixtures::notification(9, &variable("TOPIC_ARN")));
    outbox.enqueue(&intents, now()).unwrap();
    let (clock, rng) = (Arc::new(SystemClock::new()), Arc::new(ZeroRng));
    let limits = DispatchLimits::default();
    let dispatcher =
        Dispatcher::new(Arc::clone(&outbox), config, Pictures, clock, rng, limits).unwrap();
    let finishing = async {
        while outbox.stats().job_count > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let running = dispatcher.run(finishing);
    tokio::time::timeout(std::time::Duration::from_secs(30), running).await.unwrap();
    let dead: Vec<_> = outbox.dead(10).unwrap().into_iter().map(|dead| dead.reason).collect();
    assert!(dead.is_empty(), "{dead:?}");
}
