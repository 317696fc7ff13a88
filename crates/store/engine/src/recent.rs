//! The fragments a stream got lately, to find those that are sent again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use streamkeep_media::FragmentNumber;

use crate::fingerprint::Identity;

/// Identities of the last minutes' fragments of one stream.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    copies: HashMap<Identity, FirstCopy>,
    /// Settled identities by the time they became durable, oldest first.
    settled: VecDeque<(Duration, Identity)>,
}

/// Where the first copy of a fragment is on its way to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstCopy {
    /// Queued: whether it will be durable is not known yet.
    Pending,
    /// Durable under this number.
    Durable(FragmentNumber),
}

impl Recent {
    pub(crate) fn find(&self, identity: &Identity) -> Option<FirstCopy> {
        self.copies.get(identity).copied()
    }

    /// Notes a fragment that was queued.
    pub(crate) fn queue(&mut self, identity: Identity) {
        self.copies.insert(identity, FirstCopy::Pending);
    }

    /// Notes that a fragment is durable, and forgets those that were before `now - window`.
    pub(crate) fn settle(
        &mut self,
        identity: Identity,
        number: FragmentNumber,
        now: Duration,
        window: Duration,
    ) {
        self.copies.insert(identity, FirstCopy::Durable(number));
        self.settled.push_back((now, identity));
        while let Some((at, oldest)) = self.settled.front() {
            if now.saturating_sub(*at) <= window {
                break;
            }
            // It may have been queued again since, after its number was lost from the index.
            if self.copies.get(oldest) != Some(&FirstCopy::Pending) {
                self.copies.remove(oldest);
            }
            self.settled.pop_front();
        }
    }

    /// Forgets a fragment that could not be stored.
    pub(crate) fn forget(&mut self, identity: &Identity) {
        if self.find(identity) == Some(FirstCopy::Pending) {
            self.copies.remove(identity);
        }
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_media::UnixMillis;

    use super::*;

    fn identity(producer: u64) -> Identity {
        Identity { producer_timestamp: UnixMillis(producer), fingerprint: [1; 32] }
    }

    fn number(sequence: u64) -> FragmentNumber {
        FragmentNumber::new(UnixMillis(1), 1, sequence)
    }

    #[test]
    fn pending_then_durable_then_forgotten() {
        let window = Duration::from_secs(600);
        let at = Duration::from_secs;
        let mut recent = Recent::default();
        recent.queue(identity(1));
        assert_eq!(recent.find(&identity(1)), Some(FirstCopy::Pending));
        recent.settle(identity(1), number(1), at(10), window);
        assert_eq!(recent.find(&identity(1)), Some(FirstCopy::Durable(number(1))));
        recent.forget(&identity(1));
        assert!(recent.find(&identity(1)).is_some(), "a durable copy stays");
        recent.settle(identity(2), number(2), at(610), window);
        assert!(recent.find(&identity(1)).is_some(), "exactly the window");
        recent.settle(identity(3), number(3), at(611), window);
        assert_eq!(recent.find(&identity(1)), None);
        assert!(recent.find(&identity(2)).is_some());
    }

    #[test]
    fn failed_copies_do_not_count() {
        let mut recent = Recent::default();
        recent.queue(identity(1));
        recent.forget(&identity(1));
        assert_eq!(recent.find(&identity(1)), None);
    }
}
