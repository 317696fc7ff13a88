//! JPEG (ITU-T T.81) in JFIF (T.871), 4:2:0, straight from the planes: never by way of RGB.

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor};
use streamkeep_decoder_protocol::{JpegQuality, WIDTH_MAX};

use crate::colour::Transform;
use crate::failure::Failure;
use crate::picture::Picture;

pub(crate) fn encode(picture: &Picture<'_>, quality: JpegQuality) -> Result<Vec<u8>, Failure> {
    // A sixth of the 12 bits per pixel that came in is usual.
    let mut image = Vec::with_capacity(picture.luma.width * picture.luma.height / 4 + 1024);
    let mut encoder = Encoder::new(&mut image, quality.get());
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let planes = Planes { picture, transform: picture.colour.to_jfif() };
    encoder.encode_image(planes).map_err(Failure::internal)?;
    Ok(image)
}

/// The encoder wants full rows of all three components and drops three of four chroma samples
/// again: it keeps those of even columns and rows.
struct Planes<'a> {
    picture: &'a Picture<'a>,
    transform: Transform,
}

impl ImageBuffer for Planes<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.picture.luma.width as u16 // at most WIDTH_MAX: the scaler saw to it
    }

    fn height(&self) -> u16 {
        self.picture.luma.height as u16 // at most HEIGHT_MAX
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let Picture { luma, cb, cr, .. } = self.picture;
        let (transform, y) = (&self.transform, usize::from(y));
        let (luma_row, cb_row, cr_row) = (luma.row(y), cb.row(y / 2), cr.row(y / 2));
        let chroma = || cb_row.iter().zip(cr_row);
        let [luma_out, cb_out, cr_out, _] = buffers;

        let mut shares = [0; ROW_LEN];
        for (pair, (&cb, &cr)) in shares.chunks_exact_mut(2).zip(chroma()) {
            pair.fill(transform.share(0, cb, cr));
        }
        luma_out.extend(luma_row.iter().zip(&shares).map(|(&y, &share)| transform.luma(y, share)));

        // Odd rows are dropped, unless the last one is repeated to fill up a block.
        let kept = y % 2 == 0 || y + 1 == luma.height;
        for (index, out) in [(1, cb_out), (2, cr_out)] {
            let mut row = [0; ROW_LEN];
            if kept {
                for (pair, (&cb, &cr)) in row.chunks_exact_mut(2).zip(chroma()) {
                    pair.fill(transform.chroma(transform.share(index, cb, cr)));
                }
            }
            out.extend_from_slice(&row[..luma.width]);
        }
    }
}

const ROW_LEN: usize = WIDTH_MAX as usize;
