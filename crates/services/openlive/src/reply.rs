//! What a page is told: text messages.

use std::time::Duration;

use serde_json::json;
use streamkeep_media::UnixMillis;
use streamkeep_playback::{LiveSound, LiveVideo};
use streamkeep_playlist::date_time;

use crate::Refusal;
use crate::quiet::GapReason;
use crate::request::Tier;

/// The first text of a socket: what its page may do.
pub(crate) fn hello(may_be_unattended: bool) -> String {
    json!({ "is": "hello", "unattended": may_be_unattended }).to_string()
}

/// An init segment follows, then media by it.
pub(crate) fn init_follows(tile: u16, video: &LiveVideo, tier: Tier) -> String {
    let (width, height) = video.size();
    // Sound is asked for by itself.
    let sound = if video.has_sound() { "left-out" } else { "none" };
    json!({
        "tile": tile,
        "is": "init-follows",
        "codec": video.codec(),
        "w": width,
        "h": height,
        "tier": tier.name(),
        "why": "asked",
        "sound": sound,
    })
    .to_string()
}

/// The init segment of the sound follows, then sound by it.
pub(crate) fn sound(tile: u16, sound: &LiveSound) -> String {
    json!({ "tile": tile, "is": "sound", "codec": sound.codec() }).to_string()
}

/// No sound comes, and why.
pub(crate) fn no_sound(tile: u16) -> String {
    let text = "The stream has no sound that can be played.";
    json!({ "tile": tile, "is": "sound", "codec": null, "name": "NoSound", "text": text })
        .to_string()
}

/// Nothing comes since `from`.
pub(crate) fn gap(tile: u16, from: UnixMillis, reason: GapReason) -> String {
    json!({ "tile": tile, "is": "gap", "from": date_time(from), "reason": reason.name() })
        .to_string()
}

/// The tile is over: its number may be used again.
pub(crate) fn end(tile: u16, name: &str) -> String {
    json!({ "tile": tile, "is": "end", "name": name }).to_string()
}

/// The tile was not opened, or cannot go on.
pub(crate) fn refused(tile: u16, refusal: &Refusal) -> String {
    let is = if refusal.is_denied { "denied" } else { "error" };
    json!({ "tile": tile, "is": is, "name": refusal.name, "text": refusal.text }).to_string()
}

/// A request about a tile was not granted; the tile is as before.
pub(crate) fn error(tile: u16, name: &str) -> String {
    json!({ "tile": tile, "is": "error", "name": name }).to_string()
}

/// What came was no request.
pub(crate) fn bad_message() -> String {
    json!({ "is": "error", "name": "BadMessage" }).to_string()
}

/// The page's time back, ours, and how long a tile waited for its turn to send; milliseconds.
pub(crate) fn pong(at: &serde_json::Number, now: UnixMillis, waited: Duration) -> String {
    let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
    json!({ "is": "pong", "at": at, "server": now.0, "waited": waited }).to_string()
}
