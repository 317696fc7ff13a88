//! Where streams come from.

use std::sync::Arc;

use streamkeep_live::LiveTail;
use streamkeep_media::StreamId;

/// A stream that can be played.
pub trait PlaybackStream: Send + Sync {
    /// Its name now.
    fn name(&self) -> &str;
    /// What is arriving.
    fn tail(&self) -> &LiveTail;
}

/// All streams that are there now.
pub trait Source: Send + Sync {
    /// `None` when the stream was deleted.
    fn stream(&self, id: StreamId) -> Option<Arc<dyn PlaybackStream>>;
}
