//! The paths below a playback session (playback.md §§5, 6).

use crate::PlaybackPath as P;

/// What a sub-request of a playback session is for. Its session token is in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaybackPath {
    /// The master playlist.
    HlsMasterPlaylist,
    /// The media playlist of a track.
    HlsMediaPlaylist,
    /// `ftyp` and `moov` of a track.
    HlsInitFragment,
    /// `moof` and `mdat` of a fragment.
    HlsMediaFragment,
    /// A partial segment of low-latency HLS.
    HlsPart,
    /// A fragment as a transport stream.
    HlsTsFragment,
    /// The key frame of a fragment, for I-frame playlists.
    HlsIFrame,
    /// The list of thumbnails.
    HlsThumbnails,
    /// One thumbnail.
    HlsThumbnail,
    /// The manifest.
    DashManifest,
    /// `ftyp` and `moov` of a track.
    DashInitFragment,
    /// `moof` and `mdat` of a fragment.
    DashMediaFragment,
}

const PATHS: [(P, &str); 12] = [
    (P::HlsMasterPlaylist, "/hls/v1/getHLSMasterPlaylist.m3u8"),
    (P::HlsMediaPlaylist, "/hls/v1/getHLSMediaPlaylist.m3u8"),
    (P::HlsInitFragment, "/hls/v1/getMP4InitFragment.mp4"),
    (P::HlsMediaFragment, "/hls/v1/getMP4MediaFragment.mp4"),
    (P::HlsPart, "/hls/v1/getMP4Part.mp4"),
    (P::HlsTsFragment, "/hls/v1/getTSFragment.ts"),
    (P::HlsIFrame, "/hls/v1/getIFrame.mp4"),
    (P::HlsThumbnails, "/hls/v1/getThumbnails.vtt"),
    (P::HlsThumbnail, "/hls/v1/getThumbnail.jpg"),
    (P::DashManifest, "/dash/v1/getDASHManifest.mpd"),
    (P::DashInitFragment, "/dash/v1/getMP4InitFragment.mp4"),
    (P::DashMediaFragment, "/dash/v1/getMP4MediaFragment.mp4"),
];

impl PlaybackPath {
    /// Every path.
    pub fn all() -> impl Iterator<Item = Self> {
        PATHS.iter().map(|(path, _)| *path)
    }

    /// As in the URLs that this server hands out, from the root.
    pub fn path(self) -> &'static str {
        // A test checks that the table is in the order of the enum.
        PATHS[self as usize].1
    }

    /// The file name: what URLs inside playlists and manifests are, besides their query.
    pub fn file_name(self) -> &'static str {
        let path = self.path();
        path.rsplit_once('/').map_or(path, |(_, name)| name)
    }

    /// Exact case: nobody but this server makes these URLs.
    pub(super) fn find(path: &str) -> Option<Self> {
        PATHS.iter().find(|(_, known)| *known == path).map(|(found, _)| *found)
    }

    /// Calls per second of one session with the quotas of KVS (quotas.md §2): 5 for what a player
    /// reads again and again, 20 for media.
    pub fn calls_per_second(self) -> u32 {
        match self {
            Self::HlsMasterPlaylist
            | Self::HlsMediaPlaylist
            | Self::HlsInitFragment
            | Self::HlsThumbnails
            | Self::DashManifest
            | Self::DashInitFragment => 5,
            Self::HlsMediaFragment
            | Self::HlsPart
            | Self::HlsTsFragment
            | Self::HlsIFrame
            | Self::HlsThumbnail
            | Self::DashMediaFragment => 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (path, text)) in PATHS.iter().enumerate() {
            assert_eq!(*path as usize, index, "{text}");
            assert_eq!(P::find(text), Some(*path));
            assert!(text.ends_with(path.file_name()) && !path.file_name().contains('/'));
        }
        assert_eq!(PATHS.len(), P::DashMediaFragment as usize + 1);
    }
}
