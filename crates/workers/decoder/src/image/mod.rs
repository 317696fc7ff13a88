//! From a picture to the bytes of an image.

mod jpeg;
mod png;

use streamkeep_decoder_protocol::{Format, PictureSize};

use crate::failure::Failure;
use crate::picture::Picture;
use crate::scale::scale;

/// Scales and codes. An image above `len_max` bytes is refused.
pub(crate) fn encode(
    picture: &Picture<'_>,
    size: Option<PictureSize>,
    format: Format,
    len_max: usize,
) -> Result<(PictureSize, Vec<u8>), Failure> {
    let picture = scale(picture, size)?;
    let image = match format {
        Format::Jpeg(quality) => jpeg::encode(&picture, quality)?,
        Format::Png => png::encode(&picture, len_max)?,
    };
    if image.len() > len_max {
        return Err(Failure::too_large(format_args!(
            "an image of {} bytes, at most {len_max} are wanted",
            image.len()
        )));
    }
    Ok((picture.size(), image))
}

#[cfg(test)]
mod tests;
