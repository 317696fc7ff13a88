//! Sending as fast as media plays.

use std::time::Duration;

use tokio::time::Instant;

/// The clock of a real-time producer.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    first_pts_ns: i64,
}

impl Pace {
    /// Now is the time of the first frame.
    pub(super) fn start(first_pts_ns: i64) -> Self {
        Self { begun: Instant::now(), first_pts_ns }
    }

    /// Waits until a frame with this time may be sent. A frame that is presented before others
    /// that were sent already goes out at once.
    pub(super) async fn wait_for(&mut self, pts_ns: i64) {
        let after = u64::try_from(pts_ns.saturating_sub(self.first_pts_ns)).unwrap_or(0);
        tokio::time::sleep_until(self.begun + Duration::from_nanos(after)).await;
    }
}
