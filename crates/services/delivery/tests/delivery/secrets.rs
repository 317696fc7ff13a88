//! No secret and no signature reaches a log, whatever the level and whatever fails.

use std::io;
use std::sync::{Arc, Mutex};

use streamkeep_delivery::*;
use streamkeep_io::SystemClock;
use tempfile::TempDir;

use crate::fixtures::*;
use crate::receiver::{Receiver, Reply};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pictures;

impl ImageSource for Pictures {
    async fn image(&self, _: &Intent, work: &ImageWork) -> Result<EncodedImage, Failure> {
        Ok(EncodedImage { bytes: picture(work) })
    }
}

#[tokio::test]
async fn logs_hold_none() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let replies =
        [Reply::Status(500, ""), Reply::Close, Reply::Status(403, "<Code>AccessDenied</Code>")];
    let (directory, receiver) = (TempDir::new().unwrap(), Receiver::start(replies).await);
    let outbox = open_outbox(&directory);
    let config = config(&receiver);
    tracing::info!(?config, "configured");
    let clock = Arc::new(SystemClock::new());
    let limits = DispatchLimits { concurrency: 1, ..DispatchLimits::default() };
    let dispatcher =
        Dispatcher::new(Arc::clone(&outbox), config, Pictures, clock, Arc::new(ZeroRng), limits)
            .unwrap();
    let intents = [image(1), notification(2, TOPIC), notification(3, &receiver.url("/hook"))];
    outbox.enqueue(&intents, now()).unwrap();
    let finishing = async {
        while outbox.stats().job_count > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let running = dispatcher.run(finishing);
    tokio::time::timeout(std::time::Duration::from_secs(30), running).await.unwrap();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("configured") && log.contains("delivery given up"), "{log}");
    assert!(log.contains("delivery put off"), "{log}");
    let signatures: Vec<String> = receiver
        .received()
        .iter()
        .flat_map(|received| received.headers.clone())
        .filter(|(name, _)| ["authorization", webhook::SIGNATURE_HEADER].contains(&name.as_str()))
        .map(|(_, value)| value.rsplit('=').next().unwrap().to_owned())
        .collect();
    assert!(signatures.len() >= 3);
    for secret in signatures.iter().map(String::as_str).chain([SECRET, WEBHOOK_SECRET]) {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
