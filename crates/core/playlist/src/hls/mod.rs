//! HTTP Live Streaming: playlists and what a player asks of them.

mod directives;
mod iframe_playlist;
mod media_playlist;
mod multivariant_playlist;
mod quoted;
mod server_control;

pub use directives::{
    Answer, BadDirective, Directives, ListState, Position, Reload, Skip, skipped_segments,
};
pub use iframe_playlist::{IFramePlaylist, IFramePlaylistWriter};
pub use media_playlist::{
    MediaInitialization, MediaPlaylist, MediaPlaylistWriter, Part, PlaylistKind, RenditionReport,
    SegmentFormat, SegmentStart, SegmentWriter,
};
pub use multivariant_playlist::{
    AudioRendition, IFrameVariant, MultivariantPlaylist, Variant, VideoRange,
};
pub use server_control::ServerControl;
