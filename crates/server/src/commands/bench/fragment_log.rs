//! The fragments of one session on their way: sent, received, persisted.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use streamkeep_client::put_media::{Ack, AckEvent};

use super::measured::Measured;

/// What is known of the fragments that have no final ack yet.
#[derive(Debug)]
pub(super) struct FragmentLog {
    measured: Rc<RefCell<Measured>>,
    /// In order of sending.
    open: VecDeque<Fragment>,
    /// Of the last BUFFERING, as text of equal or rising length.
    last_number: String,
    /// Latencies count from here on.
    measure_from: Instant,
    /// An ERROR ack came, or the session ended.
    pub(super) is_dead: bool,
}

#[derive(Debug)]
struct Fragment {
    timecode: u64,
    started: Instant,
    ended: Option<Instant>,
    received: bool,
}

impl FragmentLog {
    pub(super) fn new(measured: Rc<RefCell<Measured>>, measure_from: Instant) -> Self {
        Self {
            measured,
            open: VecDeque::new(),
            last_number: String::new(),
            measure_from,
            is_dead: false,
        }
    }

    /// The fragment before has ended by this, if there was one.
    pub(super) fn started(&mut self, timecode: u64, at: Instant) {
        self.ended(at);
        self.open.push_back(Fragment { timecode, started: at, ended: None, received: false });
    }

    /// The last fragment is complete.
    pub(super) fn ended(&mut self, at: Instant) {
        if let Some(last) = self.open.back_mut().filter(|last| last.ended.is_none()) {
            last.ended = Some(at);
            self.measured.borrow_mut().fragments += 1;
        }
    }

    /// Every fragment has its PERSISTED.
    pub(super) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// The wait is over: what is still open is missing.
    pub(super) fn give_up(&mut self) {
        let ended = self.open.iter().filter(|fragment| fragment.ended.is_some()).count();
        self.measured.borrow_mut().missing += ended as u64;
        self.open.clear();
    }

    pub(super) fn ack(&mut self, ack: &Ack, now: Instant) {
        let mut measured = self.measured.borrow_mut();
        if let AckEvent::Error { id, code } = &ack.event {
            *measured.errors.entry(format!("{id} {code}")).or_default() += 1;
            self.is_dead = true;
            return;
        }
        if !matches!(ack.event, AckEvent::Buffering | AckEvent::Received | AckEvent::Persisted) {
            return;
        }
        let found = self.open.iter().position(|open| Some(open.timecode) == ack.timecode);
        let Some(index) = found else {
            measured.ack_order_violations += 1; // for a fragment never sent, or settled before
            return;
        };
        let fragment = &mut self.open[index];
        let counts = fragment.started >= self.measure_from;
        match ack.event {
            AckEvent::Buffering => {
                let number = ack.fragment_number.clone().unwrap_or_default();
                let rises = (number.len(), &number) > (self.last_number.len(), &self.last_number);
                measured.ack_order_violations += u64::from(!rises);
                self.last_number = number;
                if counts {
                    measured.buffering.record(now - fragment.started);
                }
            }
            AckEvent::Received => {
                measured.received += 1;
                measured.ack_order_violations +=
                    u64::from(fragment.received || fragment.ended.is_none());
                fragment.received = true;
                if let Some(ended) = fragment.ended.filter(|_| counts) {
                    measured.received_latency.record(now.saturating_duration_since(ended));
                }
            }
            _ => {
                measured.persisted += 1;
                // In order: the oldest first, and RECEIVED before it.
                measured.ack_order_violations += u64::from(index != 0 || !fragment.received);
                if let Some(ended) = fragment.ended.filter(|_| counts) {
                    measured.persisted_latency.record(now.saturating_duration_since(ended));
                }
                self.open.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ack(event: AckEvent, timecode: u64, number: &str) -> Ack {
        Ack { event, timecode: Some(timecode), fragment_number: Some(number.into()) }
    }

    #[test]
    fn latencies_and_order() {
        let measured = Rc::new(RefCell::new(Measured::default()));
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut log = FragmentLog::new(measured.clone(), start);
        log.started(0, at(0));
        log.ack(&ack(AckEvent::Buffering, 0, "9"), at(3));
        log.started(2000, at(2000));
        log.ack(&ack(AckEvent::Buffering, 2000, "10"), at(2001));
        log.ack(&ack(AckEvent::Received, 0, "9"), at(2002));
        log.ack(&ack(AckEvent::Persisted, 0, "9"), at(2020));
        {
            let measured = measured.borrow();
            assert_eq!((measured.fragments, measured.received, measured.persisted), (1, 1, 1));
            assert_eq!(measured.ack_order_violations, 0);
            assert_eq!(measured.persisted_latency.count(), 1);
            let p99 = measured.persisted_latency.quantile(0.99).as_millis();
            assert_eq!(p99, 20);
        }
        assert!(!log.is_settled());
        // PERSISTED without RECEIVED, a second PERSISTED, a number that falls.
        log.ended(at(2100));
        log.ack(&ack(AckEvent::Persisted, 2000, "10"), at(2200));
        assert!(log.is_settled());
        log.ack(&ack(AckEvent::Persisted, 2000, "10"), at(2201));
        log.started(4000, at(4000));
        log.ack(&ack(AckEvent::Buffering, 4000, "9"), at(4001));
        assert_eq!(measured.borrow().ack_order_violations, 3);
        log.ended(at(4100));
        log.give_up();
        assert_eq!(measured.borrow().missing, 1);
        log.ack(
            &ack(AckEvent::Error { id: 4006, code: "INVALID_MKV_DATA".into() }, 4000, "9"),
            at(4200),
        );
        assert!(log.is_dead && !measured.borrow().is_clean());
    }

    #[test]
    fn warm_up_is_not_measured() {
        let measured = Rc::new(RefCell::new(Measured::default()));
        let start = Instant::now();
        let mut log = FragmentLog::new(measured.clone(), start + Duration::from_secs(1));
        log.started(0, start);
        log.ack(&ack(AckEvent::Buffering, 0, "1"), start);
        log.ended(start);
        log.ack(&ack(AckEvent::Received, 0, "1"), start);
        log.ack(&ack(AckEvent::Persisted, 0, "1"), start);
        let measured = measured.borrow();
        assert_eq!((measured.persisted, measured.persisted_latency.count()), (1, 0));
    }
}
