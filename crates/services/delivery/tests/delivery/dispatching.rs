//! The dispatcher over a real outbox, to receivers that fail, and through crashes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use streamkeep_delivery::outbox::OutboxStats;
use streamkeep_delivery::*;
use streamkeep_io::SystemClock;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::fixtures::*;
use crate::receiver::{Receiver, Reply};

/// Makes pictures, failing as told.
struct Pictures {
    failures: AtomicUsize,
    how: fn() -> Failure,
}

impl Pictures {
    fn good() -> Self {
        Self::failing(0, || unreachable!("fails 0 times"))
    }

    fn failing(count: usize, how: fn() -> Failure) -> Self {
        Self { failures: AtomicUsize::new(count), how }
    }
}

impl ImageSource for Pictures {
    async fn image(&self, _: &Intent, work: &ImageWork) -> Result<EncodedImage, Failure> {
        tokio::task::yield_now().await;
        let take = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            return Err((self.how)());
        }
        Ok(EncodedImage { bytes: picture(work) })
    }
}

const LIMITS: DispatchLimits = DispatchLimits {
    concurrency: 8,
    per_lane: 4,
    image_timeout: Duration::from_secs(5),
    shutdown_grace: Duration::from_secs(5),
};

fn dispatcher(
    outbox: &Arc<Outbox>,
    config: DeliveryConfig,
    source: Pictures,
    limits: DispatchLimits,
) -> Dispatcher<Pictures> {
    let clock = Arc::new(SystemClock::new());
    Dispatcher::new(Arc::clone(outbox), config, source, clock, Arc::new(ZeroRng), limits).unwrap()
}

/// Runs a dispatcher until the outbox holds no job, then shuts it down.
async fn run_until_empty(outbox: &Arc<Outbox>, dispatcher: &Dispatcher<Pictures>) {
    let (stop, stopped) = oneshot::channel();
    let running = dispatcher.run(async { stopped.await.unwrap() });
    let watching = async {
        for _ in 0..4000 {
            if outbox.stats().job_count == 0 {
                stop.send(()).unwrap();
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?} {:?}", outbox.stats(), dispatcher.metrics());
    };
    tokio::join!(running, watching);
}

fn keys(receiver: &Receiver) -> BTreeSet<String> {
    receiver.received().into_iter().map(|received| received.target).collect()
}

#[tokio::test]
async fn everything_is_delivered() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), LIMITS);
    let intents =
        [image(1), image(2), notification(3, TOPIC), notification(4, &receiver.url("/hook"))];
    outbox.enqueue(&intents, now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;

    let received = receiver.received();
    let find = |target: &str| received.iter().find(|each| each.target == target).unwrap();
    let put = find("/pictures/cams/gate%201_1.jpg");
    put.verify("s3", "us-west-2", SECRET);
    assert_eq!(put.text(), "picture of cams/gate 1_1.jpg");
    assert_eq!(put.header("x-amz-meta-aws_kinesisvideo_fragment_number"), "1");
    find("/").verify("sns", "us-west-2", SECRET);
    let hook = find("/hook");
    assert_eq!(hook.header(webhook::DELIVERY_HEADER), "delivery-4");
    assert_eq!(
        hook.text(),
        notification_message(&intents[3], &[("customKey".into(), "custom Value & more".into())])
    );
    let metrics = dispatcher.metrics();
    assert_eq!((metrics.image_count, metrics.notification_count), (2, 2));
    assert_eq!(metrics.image_bytes, 2 * 28);
    assert_eq!((metrics.retry_count, metrics.given_up_count), (0, 0));
    assert_eq!(metrics.outbox, OutboxStats::default());
}

#[tokio::test]
async fn jobs_added_while_it_runs_are_met_at_once() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), LIMITS);
    let (stop, stopped) = oneshot::channel();
    let running = dispatcher.run(async { stopped.await.unwrap() });
    let adding = async {
        for sequence in 1..=3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            outbox.enqueue(&[image(sequence)], now()).unwrap();
            receiver.wait_for(sequence as usize).await;
        }
        stop.send(()).unwrap();
    };
    tokio::join!(running, adding);
    assert_eq!(outbox.stats(), OutboxStats::default());
}

#[tokio::test]
async fn failures_are_tried_again_under_the_same_key() {
    let replies =
        [Reply::Status(500, ""), Reply::Close, Reply::Status(503, "SlowDown"), Reply::HalfHead];
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start(replies).await);
    let outbox = open_outbox(&directory);
    let pictures = Pictures::failing(2, || Failure::Retry("the decoder died".into()));
    let dispatcher = dispatcher(&outbox, config(&receiver), pictures, LIMITS);
    outbox.enqueue(&[image(1)], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    assert_eq!(receiver.received().len(), 5);
    assert_eq!(keys(&receiver).len(), 1, "one object whatever the attempts");
    let metrics = dispatcher.metrics();
    // Two pictures, the 500 and the 503: a kept connection that breaks is replaced without one.
    assert_eq!((metrics.retry_count, metrics.image_count), (4, 1));
}

#[tokio::test]
async fn what_is_permanent_dies_with_its_reason() {
    let denied = "<Error><Code>AccessDenied</Code></Error>";
    let replies = [Reply::Status(403, denied)];
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start(replies).await);
    let outbox = open_outbox(&directory);
    let limits = DispatchLimits { concurrency: 1, ..LIMITS };
    let config = DeliveryConfig { webhook_secret: None, ..config(&receiver) };
    let dispatcher = dispatcher(&outbox, config, Pictures::good(), limits);
    outbox.enqueue(&[image(1), image(2)], now()).unwrap();
    outbox.enqueue(&[notification(3, "http://10.0.0.1/")], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    let dead = outbox.dead(10).unwrap();
    let reasons: BTreeSet<_> = dead.iter().map(|dead| dead.reason.as_str()).collect();
    assert_eq!(
        reasons,
        BTreeSet::from(["S3 answered 403: AccessDenied", "no webhook secret is configured"])
    );
    assert_eq!(dispatcher.metrics().given_up_count, 2);
    assert_eq!(dispatcher.metrics().image_count, 1);

    // The permission is given: nothing is lost.
    let denied = dead.iter().find(|dead| dead.reason.contains("Denied")).unwrap();
    assert!(outbox.revive(denied.id, now()).unwrap());
    run_until_empty(&outbox, &dispatcher).await;
    assert_eq!(dispatcher.metrics().image_count, 2);
    assert_eq!(keys(&receiver).len(), 2);
}

#[tokio::test]
async fn users_cannot_reach_inside() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    // The operator's own endpoint is allowed by being configured; a user's URL is not.
    let config = DeliveryConfig { allowed_addresses: Vec::new(), ..config(&receiver) };
    let dispatcher = dispatcher(&outbox, config, Pictures::good(), LIMITS);
    outbox.enqueue(&[image(1), notification(2, &receiver.url("/hook"))], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    assert_eq!(keys(&receiver), BTreeSet::from(["/pictures/cams/gate%201_1.jpg".to_owned()]));
    let reason = outbox.dead(1).unwrap().remove(0).reason;
    assert!(reason.contains("is a loopback address, and not allowed"), "{reason}");
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    // The panic's own message would be noise.
    let pictures = Pictures::failing(2, || std::panic::resume_unwind(Box::new("poisoned picture")));
    let dispatcher = dispatcher(&outbox, config(&receiver), pictures, LIMITS);
    outbox.enqueue(&[image(1)], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    let metrics = dispatcher.metrics();
    assert_eq!((metrics.retry_count, metrics.image_count), (2, 1));
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let hanging = Receiver::start([]).await;
    hanging.otherwise(Reply::Hang);
    let outbox = open_outbox(&directory);
    let limits = DispatchLimits { shutdown_grace: Duration::from_millis(50), ..LIMITS };
    let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), limits);
    let stuck: Vec<_> = (0..30).map(|n| notification(n, &hanging.url("/"))).collect();
    outbox.enqueue(&stuck, now()).unwrap();
    let fine: Vec<_> = (0..30).map(image).collect();
    outbox.enqueue(&fine, now()).unwrap();
    let (stop, stopped) = oneshot::channel();
    let running = dispatcher.run(async { stopped.await.unwrap() });
    let watching = async {
        receiver.wait_for(30).await;
        let stats = outbox.stats();
        stop.send(()).unwrap();
        stats
    };
    let ((), stats) = tokio::join!(running, watching);
    assert!(stats.claimed_count >= 4, "{stats:?}");
    assert_eq!(hanging.received().len(), 4, "as many as a lane may have");
    // Cut off at the shutdown, they are still there and free.
    let stats = outbox.stats();
    assert_eq!((stats.job_count, stats.claimed_count, stats.dead_count), (30, 0, 0));
}

#[tokio::test]
async fn shutdown_lets_jobs_end() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let limits = DispatchLimits { concurrency: 2, ..LIMITS };
    let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), limits);
    let intents: Vec<_> = (0..50).map(image).collect();
    outbox.enqueue(&intents, now()).unwrap();
    let (stop, stopped) = oneshot::channel();
    let running = dispatcher.run(async { stopped.await.unwrap() });
    let stopping = async {
        receiver.wait_for(1).await;
        stop.send(()).unwrap();
    };
    tokio::join!(running, stopping);
    let (stats, received) = (outbox.stats(), receiver.received().len() as u64);
    assert_eq!(stats.claimed_count, 0);
    assert_eq!(stats.job_count + received, 50, "each was delivered or is still there");
}

/// The process dies after any number of steps, again and again: every object arrives, none under
/// two keys, and what the cursor passed is never asked for twice.
#[tokio::test]
async fn nothing_is_lost_over_crashes() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let stream = streamkeep_media::StreamId([1; 16]);
    let mut next: u64 = 1;
    for life in 0..25 {
        let outbox = open_outbox(&directory);
        // Go on behind the cursor.
        let cursor = outbox.cursor(stream).unwrap();
        assert_eq!(
            cursor.map(|cursor| cursor.fragment_number),
            (next > 1).then(|| image(next - 1).fragment_number)
        );
        for _ in 0..4 {
            let intent = image(next);
            let to = Cursor::at(intent.fragment_number);
            outbox.advance(stream, to, &[intent], now()).unwrap();
            next += 1;
        }
        if life % 3 == 0 {
            receiver.otherwise(Reply::Close);
        } else {
            receiver.otherwise(Reply::Status(200, ""));
        }
        let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), LIMITS);
        let running = dispatcher.run(std::future::pending());
        // Dropped wherever it is.
        let _ = tokio::time::timeout(Duration::from_micros(700 * life), running).await;
    }
    receiver.otherwise(Reply::Status(200, ""));
    let outbox = open_outbox(&directory);
    let dispatcher = dispatcher(&outbox, config(&receiver), Pictures::good(), LIMITS);
    run_until_empty(&outbox, &dispatcher).await;
    let expected: BTreeSet<_> =
        (1..next).map(|n| format!("/pictures/cams/gate%201_{n}.jpg")).collect();
    assert_eq!(keys(&receiver), expected);
    assert_eq!(outbox.dead(1).unwrap(), []);
}

#[tokio::test]
async fn into_a_directory() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let root = directory.path().join("images");
    let config =
        DeliveryConfig { images: ImageStore::Directory(root.clone()), ..config(&receiver) };
    let dispatcher = dispatcher(&outbox, config, Pictures::good(), LIMITS);
    outbox.enqueue(&[image(1)], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    let file = root.join("pictures/cams/gate 1_1.jpg");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "picture of cams/gate 1_1.jpg");
    assert!(root.join("pictures/cams/gate 1_1.jpg.json").exists());
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn each_where_its_destination_says() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let root = directory.path().join("images");
    let images = ImageStore::ByDestination { directory: root.clone(), s3: None };
    let config = DeliveryConfig { images, ..config(&receiver) };
    let dispatcher = dispatcher(&outbox, config, Pictures::good(), LIMITS);
    let mut local = image(1);
    let Work::Image(work) = &mut local.work else { panic!("not an image") };
    work.region.clear();
    outbox.enqueue(&[local, image(2)], now()).unwrap();
    run_until_empty(&outbox, &dispatcher).await;
    assert!(root.join("pictures/cams/gate 1_1.jpg").exists());
    let dead = outbox.dead(9).unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason, "no S3 service is configured");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn configurations_that_cannot_be_used() {
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start([]).await);
    let outbox = open_outbox(&directory);
    let good = config(&receiver);
    let with_query = HttpUrl::parse("http://h/?x").unwrap();
    let missing = directory.path().join("no/such/parent");
    for (config, expected) in [
        (
            DeliveryConfig { allowed_addresses: vec!["10.0.0.1/8".into()], ..good.clone() },
            "\"10.0.0.1/8\" is no host name",
        ),
        (DeliveryConfig { ca_bundle: Some(missing.clone()), ..good.clone() }, "CA bundle"),
        (
            DeliveryConfig { images: ImageStore::Directory(missing), ..good.clone() },
            "image directory",
        ),
        (
            DeliveryConfig {
                sns: Some(SnsConfig { endpoint: Some(with_query), credentials: credentials() }),
                ..good
            },
            "must not have a query",
        ),
    ] {
        let clock = Arc::new(SystemClock::new());
        let rng = Arc::new(ZeroRng);
        let made =
            Dispatcher::new(Arc::clone(&outbox), config, Pictures::good(), clock, rng, LIMITS);
        let error = made.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
