//! Fragment numbers of one stream: unique and rising, whatever the wall clock does.

use streamkeep_media::{FragmentNumber, UnixMillis};

/// Issues the numbers of one stream.
#[derive(Debug)]
pub(crate) struct Numbering {
    last: FragmentNumber,
}

impl Numbering {
    /// Continues after `last`, the largest durable number of the stream.
    pub(crate) fn after(last: FragmentNumber) -> Self {
        Self { last }
    }

    /// Notes a number that was issued elsewhere.
    pub(crate) fn observe(&mut self, number: FragmentNumber) {
        self.last = self.last.max(number);
    }

    /// The next number. Its server timestamp is `now`, or one millisecond past the last number's
    /// when the clock stands still or runs back. So no two numbers share a millisecond, and a
    /// number carries the epoch of the process that issued it: one that an earlier process issued
    /// and did not store is never issued again.
    pub(crate) fn issue(&mut self, now: UnixMillis, epoch: u32) -> FragmentNumber {
        let after_last = UnixMillis(self.last.server_timestamp().0 + 1);
        self.last = FragmentNumber::new(now.max(after_last), epoch, 0).max(self.last.next());
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_through_clock_jumps_and_restarts() {
        let mut numbering = Numbering::after(FragmentNumber::MIN);
        let mut last = FragmentNumber::MIN;
        let mut restarted = false;
        for now in [1_000, 1_000, 1_001, 5_000, 4_000, 0, 4_999, 5_003, 5_004, 5_004] {
            let number = numbering.issue(UnixMillis(now), 1 + u32::from(restarted));
            assert!(number > last, "{now}");
            assert!(
                number.server_timestamp() > last.server_timestamp()
                    || last.server_timestamp().0 == 0
            );
            assert!(number.server_timestamp().0 >= now);
            last = number;
            if now == 5_000 {
                numbering = Numbering::after(last);
                restarted = true;
            }
        }
        assert_eq!(last.server_timestamp(), UnixMillis(5_006));
    }

    /// The process before issued a number, told the camera, and died before it was durable.
    #[test]
    fn a_number_that_was_lost_is_not_issued_again() {
        let mut before = Numbering::after(FragmentNumber::MIN);
        let durable = before.issue(UnixMillis(9_000), 1);
        let lost = before.issue(UnixMillis(9_000), 1);
        let mut after = Numbering::after(durable);
        assert_ne!(after.issue(UnixMillis(8_000), 2), lost);
    }
}
