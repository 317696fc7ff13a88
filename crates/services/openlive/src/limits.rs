//! What one socket may take, each with its reason.

use std::time::Duration;

/// Tiles of a socket: a page with more opens a second socket. At most as many tasks, fragments held
/// and windows of [`WINDOW_BYTES`].
pub(crate) const TILES_MAX: usize = 32;

/// Bytes of a text message. The longest that makes sense, an `open` with an ARN, has some 1,200.
pub(crate) const TEXT_BYTES_MAX: usize = 32 * 1024;

/// Bytes of binary messages that a tile may have on the way: half a second at 16 Mbit/s.
pub(crate) const WINDOW_BYTES: i64 = 1024 * 1024;

/// Payload of one media message, unless one frame is larger: tiles take turns at this grain, so one
/// that catches up does not keep the others' pictures waiting.
pub(crate) const GROUP_BYTES_MAX: usize = 128 * 1024;

/// Messages of all tiles between their tasks and the socket: with messages of
/// [`GROUP_BYTES_MAX`] half a megabyte.
pub(crate) const QUEUE_LEN: usize = 4;

/// Answers to the page waiting to be written, above which it is not read from.
pub(crate) const REPLIES_MAX: usize = 64;

/// A tile's frames are gathered for this long: at 25 frames a second two leave together, and a frame
/// waits 40 ms on average.
pub(crate) const GROUP_INTERVAL: Duration = Duration::from_millis(80);

/// How often the key-frame tier looks for a new fragment; one lasts a second or more.
pub(crate) const KEY_INTERVAL: Duration = Duration::from_millis(200);

/// How often a tile that may not send looks whether it has fallen behind.
pub(crate) const HELD_INTERVAL: Duration = Duration::from_millis(250);

/// How often a tile to which nothing comes looks whether the producer is there.
pub(crate) const QUIET_INTERVAL: Duration = Duration::from_millis(500);

/// A tile that could not send goes on without loss unless it is this far behind a newer key frame.
pub(crate) const BEHIND_NS_MAX: i128 = 500_000_000;

/// A fragment that stops arriving while a newer one has begun belongs to a connection that died.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// How often the server pings. Half of [`IDLE_TIMEOUT`] would do; the round trip is for the log.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A socket from which no byte came for this long is dead: every peer answers pings.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
