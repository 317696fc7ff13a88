//! What a socket may reach: implemented by the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_live::LiveTail;
use streamkeep_media::FragmentNumber;
use streamkeep_playback::{FrameGroup, LiveVideo};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The streams that whoever opened the socket may see.
pub trait Streams: Send + Sync {
    /// Finds a stream by name or ARN and authorises the reading of it: called for each `open`.
    ///
    /// # Errors
    /// Why the tile stays closed.
    fn open(&self, stream: &str) -> Result<Arc<dyn LiveStream>, Refusal>;

    /// Whether the page may go on when nobody has touched it for long.
    fn may_be_unattended(&self) -> bool;
}

/// A stream that is open in a tile; dropped when the tile ends.
pub trait LiveStream: Send + Sync {
    /// What is arriving.
    fn tail(&self) -> &LiveTail;

    /// An ingest session is open.
    fn has_session(&self) -> bool;

    /// The video of a session, by the bytes of its session header.
    ///
    /// # Errors
    /// What is wrong with the tracks.
    fn video(&self, session_header: &Bytes) -> Result<LiveVideo, Refusal>;

    /// What of the archive a tile begins with when nothing is arriving.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn newest_key_frame(&self) -> BoxFuture<'_, Result<Option<StoredKeyFrame>, Refusal>>;

    /// Counts what was sent.
    fn sent(&self, frames: usize, bytes: usize);

    /// The tile left frames out, `behind_ms` of media, because the page or the way to it was slow.
    fn fell_behind(&self, behind_ms: u64);
}

/// The last key frame of the newest stored fragment.
#[derive(Clone, Debug)]
pub struct StoredKeyFrame {
    /// The fragment.
    pub number: FragmentNumber,
    /// Its video.
    pub video: LiveVideo,
    /// The key frame, as long as what is left of the fragment.
    pub picture: FrameGroup,
}

/// Why a tile is not opened or cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For want of a permission.
    pub is_denied: bool,
    /// Name of the exception.
    pub name: &'static str,
    /// For a person.
    pub text: String,
}
