//! Playback from the service: session URLs, playlists, clips and images (playback.md §§2, 5, 7).

mod clip;
mod images;
mod playlist;
mod session;

pub use clip::{Clip, ClipCut, ClipLimits, ClipOptions};
pub use images::{Image, ImageError, ImageFormat, ImageSelection, Images};
pub use playlist::Playlist;
pub use session::{
    Container, DiscontinuityMode, EXPIRES_SECONDS, HlsOptions, SessionOptions, Span,
    dash_session_url, hls_session_url,
};
