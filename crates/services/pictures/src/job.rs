//! What goes into the pool and what comes out.

use bytes::Bytes;
use streamkeep_decoder_protocol::{Codec, Format, Job, PictureSize, Sample, Wanted};

/// One image to make.
#[derive(Clone, Debug)]
pub struct PictureJob {
    /// How the frames are coded.
    pub codec: Codec,
    /// The decoder configuration record of the track: avcC or hvcC, the Matroska CodecPrivate.
    pub configuration: Bytes,
    /// Frames in decode order, at least one, at most 1024, 32 MiB in all. The first is a key
    /// frame; usually it is the only one.
    pub frames: Vec<CodedFrame>,
    /// Which of their pictures.
    pub wanted: Wanted,
    /// How the image is coded.
    pub format: Format,
    /// Its size, at most 3840×2160; `None` for that of the video, made to fit.
    pub size: Option<PictureSize>,
    /// A larger image is refused. Bytes. GetImages allows 6,291,456 characters of base64
    /// (playback.md §7): [`PictureJob::GET_IMAGES_LEN_MAX`].
    pub image_len_max: u32,
}

/// One coded frame.
#[derive(Clone, Debug)]
pub struct CodedFrame {
    /// Presentation time, in whatever unit all frames of the job share.
    pub pts: i64,
    /// NAL units with length prefixes, as in a Matroska block; Annex B is understood as well.
    pub data: Bytes,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its size in pixels.
    pub size: PictureSize,
    /// A whole JPEG or PNG file. It comes from the worker and begins as such a file does; more
    /// is not known of it.
    pub bytes: Bytes,
}

impl PictureJob {
    /// Bytes whose base64 has 6,291,456 characters.
    pub const GET_IMAGES_LEN_MAX: u32 = 6_291_456 / 4 * 3;

    pub(crate) fn message(&self) -> Job<'_> {
        Job {
            codec: self.codec,
            configuration: &self.configuration,
            samples: self.frames.iter().map(CodedFrame::sample).collect(),
            wanted: self.wanted,
            format: self.format,
            size: self.size,
            image_len_max: self.image_len_max,
        }
    }
}

impl CodedFrame {
    fn sample(&self) -> Sample<'_> {
        Sample { pts: self.pts, data: &self.data }
    }
}

/// Whether these bytes begin like a file of this format.
pub(crate) fn begins_like(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Jpeg(_) => bytes.starts_with(&[0xff, 0xd8, 0xff]), // T.81 §B.1.1.3: SOI, a marker
        Format::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),    // ISO/IEC 15948 §5.2
    }
}
