//! The thumbnails track: a WebVTT file whose cues name a piece of a sprite sheet.
//!
//! ```text
//! WEBVTT
//!
//! 00:00:00.000 --> 00:00:10.000
//! getThumbnails.jpg?Sheet=0#xywh=0,0,160,90
//! ```
//!
//! Source: WebVTT (W3C) for the cues, Media Fragments URI 1.0 for `#xywh`, packaging.md §5.5 for
//! the use. Times are relative to the session origin. While live, the file only grows.

use std::num::NonZeroU32;

use crate::Uri;
use crate::decimal::{push_padded, push_u64};

/// How thumbnails lie on a sheet: row by row from the upper left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpriteGrid {
    /// Thumbnails beside each other.
    pub columns: NonZeroU32,
    /// Thumbnails below each other.
    pub rows: NonZeroU32,
    /// Width of one thumbnail in pixels.
    pub tile_width: u32,
    /// Height of one thumbnail in pixels.
    pub tile_height: u32,
}

/// Where one thumbnail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sprite {
    /// Index of the sheet, the first is 0.
    pub sheet: u64,
    /// Pixels from the left edge.
    pub x: u64,
    /// Pixels from the upper edge.
    pub y: u64,
}

impl SpriteGrid {
    /// The place of the thumbnail with this index, counted from 0 over all sheets.
    pub fn sprite(&self, index: u64) -> Sprite {
        let columns = u64::from(self.columns.get());
        let per_sheet = columns * u64::from(self.rows.get());
        let on_sheet = index % per_sheet;
        Sprite {
            sheet: index / per_sheet,
            x: on_sheet % columns * u64::from(self.tile_width),
            y: on_sheet / columns * u64::from(self.tile_height),
        }
    }
}

/// Writes the track cue by cue.
#[derive(Clone, Debug)]
pub struct ThumbnailsWriter {
    grid: SpriteGrid,
    out: Vec<u8>,
}

impl ThumbnailsWriter {
    /// Appends to `out`, beginning with the header.
    pub fn new(grid: SpriteGrid, mut out: Vec<u8>) -> Self {
        out.extend_from_slice(b"WEBVTT\n");
        Self { grid, out }
    }

    /// One thumbnail, shown for `start_ms..end_ms` since the session origin. `sheet` is the sheet
    /// that [`SpriteGrid::sprite`] names.
    pub fn cue(&mut self, start_ms: u64, end_ms: u64, sheet: &Uri<'_>, sprite: Sprite) {
        let out = &mut self.out;
        out.push(b'\n');
        push_timestamp(out, start_ms);
        out.extend_from_slice(b" --> ");
        push_timestamp(out, end_ms);
        out.push(b'\n');
        sheet.push(out);
        out.extend_from_slice(b"#xywh=");
        push_u64(out, sprite.x);
        out.push(b',');
        push_u64(out, sprite.y);
        out.push(b',');
        push_u64(out, self.grid.tile_width.into());
        out.push(b',');
        push_u64(out, self.grid.tile_height.into());
        out.push(b'\n');
    }

    /// The text, UTF-8.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// One thumbnail that is a picture of its own, shown for `start_ms..end_ms` since the session
/// origin; `out` began with the header `WEBVTT`.
pub fn push_image_cue(out: &mut Vec<u8>, start_ms: u64, end_ms: u64, image: &Uri<'_>) {
    out.push(b'\n');
    push_timestamp(out, start_ms);
    out.extend_from_slice(b" --> ");
    push_timestamp(out, end_ms);
    out.push(b'\n');
    image.push(out);
    out.push(b'\n');
}

/// WebVTT timestamp: at least two digits of hours.
fn push_timestamp(out: &mut Vec<u8>, millis: u64) {
    let hours = millis / 3_600_000;
    if hours < 10 {
        out.push(b'0');
    }
    push_u64(out, hours);
    out.push(b':');
    push_padded(out, millis / 60_000 % 60, 2);
    out.push(b':');
    push_padded(out, millis / 1000 % 60, 2);
    out.push(b'.');
    push_padded(out, millis % 1000, 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sheets() {
        let two = NonZeroU32::new(2).unwrap();
        let grid = SpriteGrid { columns: two, rows: two, tile_width: 160, tile_height: 90 };
        let mut track = ThumbnailsWriter::new(grid, Vec::new());
        for index in [0, 1, 3, 4, 36_004] {
            let sprite = grid.sprite(index);
            let query = [("Sheet", sprite.sheet.into())];
            let sheet = Uri { path: "getThumbnails.jpg", query: &query };
            track.cue(index * 10_000, (index + 1) * 10_000, &sheet, sprite);
        }
        let expected = "WEBVTT\n\
            \n00:00:00.000 --> 00:00:10.000\ngetThumbnails.jpg?Sheet=0#xywh=0,0,160,90\n\
            \n00:00:10.000 --> 00:00:20.000\ngetThumbnails.jpg?Sheet=0#xywh=160,0,160,90\n\
            \n00:00:30.000 --> 00:00:40.000\ngetThumbnails.jpg?Sheet=0#xywh=160,90,160,90\n\
            \n00:00:40.000 --> 00:00:50.000\ngetThumbnails.jpg?Sheet=1#xywh=0,0,160,90\n\
            \n100:00:40.000 --> 100:00:50.000\ngetThumbnails.jpg?Sheet=9001#xywh=0,0,160,90\n";
        assert_eq!(String::from_utf8(track.finish()).unwrap(), expected);
    }
}
