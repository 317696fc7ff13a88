//! What a file is to be, by its name.

use std::path::Path;

use clap::ValueEnum;
use streamkeep_client::playback::ImageFormat;

/// What `get` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Matroska: media as it was sent, by time or live
    Mkv,
    /// MP4: a clip, cut at the very instants
    Mp4,
    /// One picture, or one every so often
    Jpeg,
    /// The same without loss
    Png,
    /// A playlist that a player opens
    M3u8,
}

impl Format {
    /// That of a file's extension. Without one, and on standard output, Matroska.
    ///
    /// # Errors
    /// The name promises a format that is not written.
    pub(super) fn of_name(path: &str) -> Result<Self, String> {
        let extension = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" => Ok(Self::Mp4),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            "png" => Ok(Self::Png),
            "m3u8" => Ok(Self::M3u8),
            "mpd" => Err(format!("{path}: for DASH there is `streamkeep url STREAM --dash`")),
            other @ ("mov" | "ts" | "avi" | "flv" | "webp" | "gif") => Err(format!(
                "{path}: .{other} is not written; .mkv, .mp4, .jpg, .png and .m3u8 are, and \
                 ffmpeg makes others of them"
            )),
            _ => Ok(Self::Mkv),
        }
    }

    /// As an image.
    pub(super) fn image(self) -> Option<ImageFormat> {
        match self {
            Self::Jpeg => Some(ImageFormat::Jpeg),
            Self::Png => Some(ImageFormat::Png),
            Self::Mkv | Self::Mp4 | Self::M3u8 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, format) in [
            ("-", Format::Mkv),
            ("a", Format::Mkv),
            ("a.mkv", Format::Mkv),
            ("a.webm", Format::Mkv),
            ("dir.mp4/a", Format::Mkv),
            ("clip.MP4", Format::Mp4),
            ("still.jpg", Format::Jpeg),
            ("still.jpeg", Format::Jpeg),
            ("still.png", Format::Png),
            ("list.m3u8", Format::M3u8),
        ] {
            assert_eq!(Format::of_name(name), Ok(format), "{name}");
        }
        assert!(Format::of_name("a.mov").is_err_and(|why| why.contains(".mov is not written")));
        assert!(Format::of_name("a.mpd").is_err_and(|why| why.contains("--dash")));
    }
}
