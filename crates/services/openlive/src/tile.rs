//! One tile: a task that asks its [`Feed`] what to do and does it.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use streamkeep_io::Clock;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::feed::{Feed, Step, TileMessage};
use crate::limits::{BEHIND_NS_MAX, HELD_INTERVAL};
use crate::request::Tier;
use crate::{LiveStream, reply};

/// What the page has asked of a tile since its task last looked. Asking again replaces or adds, so
/// this does not grow.
#[derive(Debug, Default)]
pub(crate) struct Control {
    wishes: Mutex<Wishes>,
    changed: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    tier: Option<Tier>,
    credit_bytes: u64,
    is_closing: bool,
}

impl Control {
    pub(crate) fn set_tier(&self, tier: Tier) {
        self.change(|wishes| wishes.tier = Some(tier));
    }

    pub(crate) fn grant(&self, bytes: u64) {
        self.change(|wishes| wishes.credit_bytes = wishes.credit_bytes.saturating_add(bytes));
    }

    pub(crate) fn close(&self) {
        self.change(|wishes| wishes.is_closing = true);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lock().is_closing
    }

    fn change(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut self.lock());
        self.changed.notify_one();
    }

    /// All but the wish to close, which stays.
    fn take(&self) -> Wishes {
        let mut wishes = self.lock();
        let taken = *wishes;
        *wishes = Wishes { is_closing: taken.is_closing, ..Wishes::default() };
        taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Wishes> {
        // Whole between any two statements.
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a tile's messages into `queue` until the page closes it, or it is over by itself. The last
/// message says so.
pub(crate) async fn run(
    tile: u16,
    tier: Tier,
    stream: Arc<dyn LiveStream>,
    control: Arc<Control>,
    queue: mpsc::Sender<TileMessage>,
    clock: Arc<dyn Clock>,
) {
    let mut feed = Feed::new(tile, tier, Instant::now().into_std());
    loop {
        let wishes = control.take();
        if wishes.is_closing {
            // The socket may be gone; then nobody is to be told.
            let _ = queue.send(TileMessage::Text(reply::end(tile, "closed"))).await;
            return;
        }
        if let Some(tier) = wishes.tier {
            feed.set_tier(tier);
        }
        feed.grant(wishes.credit_bytes);
        // Enabled before looking: a change between the look and the wait is not missed.
        let mut changed = pin!(stream.tail().changed());
        changed.as_mut().enable();
        let mut step = feed.step(stream.as_ref(), Instant::now().into_std(), clock.now());
        if matches!(step, Step::ReadStored) {
            step = match stream.newest_key_frame().await {
                Ok(stored) => feed.show_stored(stored, Instant::now().into_std(), clock.now()),
                Err(refusal) => Step::End(reply::refused(tile, &refusal)),
            };
        }
        let left_out_ms = feed.take_left_out();
        if left_out_ms > 0 {
            stream.fell_behind(left_out_ms);
        }
        match step {
            Step::Send { messages, frames } => {
                let asked = Instant::now();
                let bytes: usize = messages.iter().map(TileMessage::len).sum();
                stream.sent(frames, bytes);
                for message in messages {
                    if queue.send(message).await.is_err() {
                        return;
                    }
                }
                if asked.elapsed().as_nanos() > BEHIND_NS_MAX.unsigned_abs() {
                    feed.was_blocked();
                }
            }
            Step::Wait { until, for_tail } => {
                tokio::select! {
                    () = control.changed.notified() => {}
                    () = changed, if for_tail => {}
                    () = tokio::time::sleep_until(until.into()) => {}
                }
            }
            Step::End(text) => {
                let _ = queue.send(TileMessage::Text(text)).await;
                return;
            }
            // Answered above; not a second time without a pause.
            Step::ReadStored => tokio::time::sleep(HELD_INTERVAL).await,
        }
    }
}
