//! One tile: a task that asks its [`Feed`] what to do and does it.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use streamkeep_io::Clock;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use crate::feed::{Feed, Step, TileMessage};
use crate::limits::{BEHIND_NS_MAX, TURN_PATIENCE};
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
    has_sound: Option<bool>,
    credit_bytes: u64,
    is_closing: bool,
}

impl Control {
    pub(crate) fn set_tier(&self, tier: Tier) {
        self.change(|wishes| wishes.tier = Some(tier));
    }

    pub(crate) fn set_sound(&self, is_on: bool) {
        self.change(|wishes| wishes.has_sound = Some(is_on));
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

/// What a tile sends when it is its turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) messages: Vec<TileMessage>,
    /// For the turn.
    pub(crate) waited: Duration,
    /// The next tile's turn comes when this is dropped. A tile's last word needs none.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// The way to the socket, of all tiles.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) queue: mpsc::Sender<Turn>,
    /// One permit, first come first served. Only who has it makes a message: what cannot leave yet is
    /// not made, and what leaves is new.
    pub(crate) turn: Arc<Semaphore>,
}

impl Turns {
    async fn say_last(&self, text: String) {
        let messages = vec![TileMessage::Text(text)];
        let turn = Turn { messages, waited: Duration::ZERO, permit: None };
        // The socket may be gone; then nobody is to be told.
        let _ = self.queue.send(turn).await;
    }
}

/// Sends a tile's messages until the page closes it, or it is over by itself. The last message says
/// so.
pub(crate) async fn run(
    tile: u16,
    tier: Tier,
    stream: Arc<dyn LiveStream>,
    control: Arc<Control>,
    turns: Turns,
    clock: Arc<dyn Clock>,
) {
    let mut feed = Feed::new(tile, tier, Instant::now().into_std());
    let mut stored = None;
    let (mut kept, mut patient_until) = (None, None);
    loop {
        let asked = Instant::now();
        let mut turn = pin!(turns.turn.clone().acquire_owned());
        let permit = loop {
            if control.is_closing() {
                return turns.say_last(reply::end(tile, "closed")).await;
            }
            if let Some(permit) = kept.take() {
                break permit;
            }
            tokio::select! {
                // It is never closed.
                permit = &mut turn => if let Ok(permit) = permit { break permit } else { return },
                () = control.changed.notified() => {}
            }
        };
        let waited = asked.elapsed();
        let was_blocked = waited.as_nanos() > BEHIND_NS_MAX.unsigned_abs();
        if was_blocked {
            feed.was_blocked();
        }
        let wishes = control.take();
        if let Some(tier) = wishes.tier {
            feed.set_tier(tier);
        }
        if let Some(is_on) = wishes.has_sound {
            feed.set_sound(is_on);
        }
        feed.grant(wishes.credit_bytes);
        // Enabled before looking: a change between the look and the wait is not missed.
        let mut changed = pin!(stream.tail().changed());
        changed.as_mut().enable();
        let (now, wall) = (Instant::now().into_std(), clock.now());
        let step = match stored.take() {
            None => feed.step(stream.as_ref(), now, wall),
            Some(Ok(stored)) => feed.show_stored(stored, now, wall),
            Some(Err(refusal)) => Step::End(reply::refused(tile, &refusal)),
        };
        let left_out_ms = feed.take_left_out();
        if left_out_ms > 0 {
            stream.fell_behind(left_out_ms);
        }
        match step {
            Step::Send { messages, frames } => {
                let bytes: usize = messages.iter().map(TileMessage::len).sum();
                stream.sent(frames, bytes);
                patient_until = None;
                let turn = Turn { messages, waited, permit: Some(permit) };
                if turns.queue.send(turn).await.is_err() {
                    return;
                }
            }
            Step::Wait { until, for_tail } => {
                let mut until = until;
                let now = Instant::now();
                if was_blocked {
                    patient_until = Some(now + TURN_PATIENCE);
                }
                // Nobody looked meanwhile: what has arrived comes in a moment, and the turn is now.
                if let Some(patient) = patient_until.filter(|patient| for_tail && now < *patient) {
                    until = until.min(patient.into_std());
                    kept = Some(permit);
                } else {
                    patient_until = None;
                    drop(permit);
                }
                tokio::select! {
                    () = control.changed.notified() => {}
                    () = changed, if for_tail => {}
                    () = tokio::time::sleep_until(until.into()) => {}
                }
            }
            Step::End(text) => return turns.say_last(text).await,
            Step::ReadStored => {
                // Not while the others wait for their turn.
                drop(permit);
                stored = Some(stream.newest_key_frame().await);
            }
        }
    }
}
