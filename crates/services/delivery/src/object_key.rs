//! Names of image objects (playback.md §8).

use streamkeep_media::UnixMillis;

use crate::{Guid, ImageFormat};

/// The parts of an object key.
#[derive(Clone, Copy, Debug)]
pub struct ObjectKey<'a> {
    /// What follows the bucket in the destination URI; empty when nothing does.
    pub destination_prefix: &'a str,
    /// `AWS_KINESISVIDEO_IMAGE_PREFIX`.
    pub image_prefix: Option<&'a str>,
    /// The account that owns the stream.
    pub account_id: &'a str,
    /// The stream's name.
    pub stream_name: &'a str,
    /// The instant of the image.
    pub image_timecode: UnixMillis,
    /// Makes the key unique.
    pub guid: Guid,
    /// Gives the extension.
    pub format: ImageFormat,
}

impl ObjectKey<'_> {
    /// `{DestinationUri prefix}{ImagePrefix}_{AccountId}_{StreamName}_{ImageTimecode}_{GUID}.{jpg|png}`;
    /// without an image prefix its underscore is missing too. The prefix of the URI is joined as
    /// it stands: one that is meant as a folder ends with `/`.
    pub fn encode(&self) -> String {
        let (prefix, separator) = match self.image_prefix {
            Some(prefix) if !prefix.is_empty() => (prefix, "_"),
            _ => ("", ""),
        };
        format!(
            "{}{prefix}{separator}{}_{}_{}_{}.{}",
            self.destination_prefix,
            self.account_id,
            self.stream_name,
            self.image_timecode.0,
            self.guid,
            self.format.extension(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::CountingRng;

    #[test]
    fn keys() {
        let guid = Guid::draw(&CountingRng::starting_at(0));
        for (destination_prefix, image_prefix, format, expected) in [
            (
                "",
                None,
                ImageFormat::Jpeg { quality: 80 },
                "111122223333_demo-stream_1690707290324_{}.jpg",
            ),
            (
                "",
                Some(""),
                ImageFormat::Jpeg { quality: 80 },
                "111122223333_demo-stream_1690707290324_{}.jpg",
            ),
            (
                "",
                Some("gate"),
                ImageFormat::Png,
                "gate_111122223333_demo-stream_1690707290324_{}.png",
            ),
            (
                "cams/",
                Some("gate"),
                ImageFormat::Png,
                "cams/gate_111122223333_demo-stream_1690707290324_{}.png",
            ),
            ("cams", None, ImageFormat::Png, "cams111122223333_demo-stream_1690707290324_{}.png"),
        ] {
            let key = ObjectKey {
                destination_prefix,
                image_prefix,
                account_id: "111122223333",
                stream_name: "demo-stream",
                image_timecode: UnixMillis(1_690_707_290_324),
                guid,
                format,
            };
            let expected = expected.replace("{}", "00010203-0405-4607-8809-0a0b0c0d0e0f");
            assert_eq!(key.encode(), expected);
        }
    }
}
