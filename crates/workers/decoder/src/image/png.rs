//! PNG (ISO/IEC 15948), 8-bit RGB.

use png::{BitDepth, ColorType, Compression, Encoder};

use crate::failure::Failure;
use crate::picture::Picture;

/// Fast, and only if that gives more than `len_max` bytes with more effort.
pub(crate) fn encode(picture: &Picture<'_>, len_max: usize) -> Result<Vec<u8>, Failure> {
    let rgb = rgb(picture);
    let image = compress(picture, &rgb, Compression::Fast)?;
    if image.len() <= len_max {
        return Ok(image);
    }
    compress(picture, &rgb, Compression::Balanced)
}

fn compress(
    picture: &Picture<'_>,
    rgb: &[u8],
    compression: Compression,
) -> Result<Vec<u8>, Failure> {
    let mut image = Vec::with_capacity(rgb.len() / 2 + 1024);
    let size = picture.size();
    let mut encoder = Encoder::new(&mut image, size.width, size.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().map_err(Failure::internal)?;
    writer.write_image_data(rgb).map_err(Failure::internal)?;
    writer.finish().map_err(Failure::internal)?;
    Ok(image)
}

/// Each chroma sample colours the four pixels it covers.
fn rgb(picture: &Picture<'_>) -> Vec<u8> {
    let Picture { luma, cb, cr, colour } = picture;
    let transform = colour.to_rgb();
    let mut pixels = vec![0; luma.width * luma.height * 3];
    for (y, line) in pixels.chunks_exact_mut(luma.width * 3).enumerate() {
        let chroma = cb.row(y / 2).iter().zip(cr.row(y / 2));
        let luma = luma.row(y).chunks(2);
        for ((pixels, luma), (&cb, &cr)) in line.chunks_mut(6).zip(luma).zip(chroma) {
            let shares = [0, 1, 2].map(|index| transform.share(index, cb, cr));
            for (pixel, &luma) in pixels.chunks_exact_mut(3).zip(luma) {
                for (out, share) in pixel.iter_mut().zip(shares) {
                    *out = transform.luma(luma, share);
                }
            }
        }
    }
    pixels
}
