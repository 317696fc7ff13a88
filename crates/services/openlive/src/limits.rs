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

/// Bytes that a socket may have on the way before anything is known of its line: 1.7 s at 300 kbit/s.
pub(crate) const LINE_BYTES_FIRST: usize = 64 * 1024;

/// However slow the line: some frames of all tiles, or one message of any size.
pub(crate) const LINE_BYTES_MIN: usize = 16 * 1024;

/// However fast: 160 Mbit/s over 200 ms.
pub(crate) const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long what is sent may take to arrive, and the answer to come back.
pub(crate) const LINE_DELAY: Duration = Duration::from_millis(750);

/// On a long line: so much longer than at best.
pub(crate) const LINE_QUEUE: Duration = Duration::from_millis(300);

/// No line is longer: what took longer at best was a large message on a slow one.
pub(crate) const LINE_DISTANCE_MAX: Duration = Duration::from_secs(1);

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

/// What has arrived of a stream that nobody watched is handed on at the first look, a moment later.
pub(crate) const ARRIVING_PATIENCE: Duration = Duration::from_millis(150);

/// A tile that waited for its turn looks so long for something new before it gives the turn on: a frame of
/// a slow line's time, against another round of all tiles.
pub(crate) const TURN_PATIENCE: Duration = Duration::from_millis(400);

/// A fragment that stops arriving while a newer one has begun belongs to a connection that died.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(2);

/// How often the server pings. Half of [`IDLE_TIMEOUT`] would do; the round trip is for the log.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A socket from which no byte came for this long is dead: every peer answers pings.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
