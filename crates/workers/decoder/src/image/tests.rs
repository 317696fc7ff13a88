use streamkeep_codec::ColourDescription;
use streamkeep_decoder_protocol::{FailureKind, JpegQuality};

use super::*;
use crate::colour::Colour;
use crate::picture::Plane;

/// The left half one colour, the right half another; limited range BT.709.
fn halves(width: usize, height: usize) -> Picture<'static> {
    let plane = |width: usize, height: usize, values: [u8; 2]| {
        let row: Vec<u8> = (0..width).map(|x| values[usize::from(x * 2 >= width)]).collect();
        Plane::new(row.repeat(height), width, width, height).unwrap()
    };
    let description = ColourDescription { primaries: 1, transfer: 1, matrix: 1, full_range: false };
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    Picture::new(
        plane(width, height, [63, 173]),
        plane(chroma_width, chroma_height, [102, 42]),
        plane(chroma_width, chroma_height, [240, 26]),
        Colour::of(Some(description), height),
    )
    .unwrap()
}

fn pixels(format: Format, image: &[u8]) -> (PictureSize, Vec<u8>) {
    match format {
        Format::Jpeg(_) => {
            let mut decoder = jpeg_decoder::Decoder::new(image);
            let pixels = decoder.decode().unwrap();
            let info = decoder.info().unwrap();
            (PictureSize { width: info.width.into(), height: info.height.into() }, pixels)
        }
        Format::Png => {
            let mut reader = ::png::Decoder::new(std::io::Cursor::new(image)).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let info = reader.next_frame(&mut pixels).unwrap();
            (PictureSize { width: info.width, height: info.height }, pixels)
        }
    }
}

/// Red left, green right, to the very edges, in any size and format.
#[test]
fn colours_and_sizes() {
    let jpeg = Format::Jpeg(JpegQuality::new(95).unwrap());
    for (width, height) in [(64, 48), (62, 46), (16, 8), (66, 50)] {
        let picture = halves(width, height);
        let own = picture.size();
        for to in [None, Some((32, 16)), Some((33, 17)), Some((100, 75)), Some((16, 160))] {
            for format in [jpeg, Format::Png] {
                let to = to.map(|(width, height)| PictureSize { width, height });
                let (size, image) = encode(&picture, to, format, usize::MAX).unwrap();
                assert_eq!(size, to.unwrap_or(own));
                let (coded, pixels) = pixels(format, &image);
                assert_eq!(coded, size);
                let pixel = |x: u32, y: u32| {
                    let at = (y * size.width + x) as usize * 3;
                    [pixels[at], pixels[at + 1], pixels[at + 2]]
                };
                // Away from the middle, where both colours meet.
                for (x, expected) in [(0, [255, 0, 0]), (size.width - 1, [0, 255, 0])] {
                    for y in [0, size.height / 2, size.height - 1] {
                        let found = pixel(x, y);
                        let off = (0..3).map(|i| found[i].abs_diff(expected[i])).max();
                        assert!(
                            off <= Some(12),
                            "{width}×{height} as {format:?} of {size:?}: at {x}, {y} {found:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn one_pixel() {
    let plane = || Plane::new(&[128][..], 1, 1, 1).unwrap();
    let picture = Picture::new(plane(), plane(), plane(), Colour::of(None, 1)).unwrap();
    for format in [Format::Jpeg(JpegQuality::DEFAULT), Format::Png] {
        let (size, image) = encode(&picture, None, format, 4096).unwrap();
        assert_eq!(size, PictureSize { width: 1, height: 1 });
        assert_eq!(pixels(format, &image).0, size);
    }
}

#[test]
fn too_many_bytes() {
    for format in [Format::Jpeg(JpegQuality::DEFAULT), Format::Png] {
        let failure = encode(&halves(64, 48), None, format, 10).unwrap_err();
        assert_eq!(failure.kind, FailureKind::TooLarge);
    }
}
