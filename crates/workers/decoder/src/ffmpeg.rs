//! H.265 by the system's FFmpeg, and the H.264 that OpenH264 cannot do.
//!
//! Parameter sets go in front of the first frame, as in a raw stream, so that FFmpeg needs no
//! configuration record; presentation times go through it, so that the wanted picture is known by
//! its own. It runs on one thread: the worker may start no other.

use std::borrow::Cow;

use ffmpeg_next::codec::{Context, Id, decoder, threading};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Packet, color};
use streamkeep_codec::h264::AvcDecoderConfigurationRecord;
use streamkeep_codec::h265::HevcDecoderConfigurationRecord;
use streamkeep_codec::{ColourDescription, h264, h265};
use streamkeep_decoder_protocol::{Codec, Job};

use crate::annex_b;
use crate::colour::Colour;
use crate::failure::Failure;
use crate::picture::{Picture, Plane};
use crate::run::Run;

/// Decodes the wanted picture and gives it to `take`.
pub(crate) fn decode<T>(
    job: &Job<'_>,
    take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let run = Run::of(job)?;
    let (length_size, mut coded) = parameter_sets(job)?;
    let (id, keep): (_, fn(&[u8]) -> bool) = match job.codec {
        Codec::H264 => (Id::H264, is_decoded_h264),
        Codec::H265 => (Id::HEVC, is_decoded_h265),
    };
    let codec = decoder::find(id)
        .ok_or_else(|| Failure::unsupported(format_args!("FFmpeg was built without {id:?}")))?;
    let mut context = Context::new_with_codec(codec);
    context.set_threading(threading::Config::count(1));
    let mut decoder = context.decoder().video().map_err(Failure::internal)?;

    let mut frame = Video::empty();
    let mut wanted = 0; // the last one fed: a run ends with it
    for (index, sample) in (0i64..).zip(run.samples()) {
        annex_b::append_frame(&mut coded, sample.data, length_size, keep)?;
        let mut packet = Packet::copy(&coded);
        packet.set_pts(Some(index));
        // A frame that FFmpeg refuses may still be followed by good ones; if the wanted one needs
        // it, it comes marked as corrupt or not at all.
        let _ = decoder.send_packet(&packet);
        while receive(&mut decoder, &mut frame)? {
            if frame.pts() == Some(index) && run.samples().count() as i64 == index + 1 {
                return take(&view(&frame)?);
            }
        }
        wanted = index;
        coded.clear();
    }
    let _ = decoder.send_eof();
    while receive(&mut decoder, &mut frame)? {
        if frame.pts() == Some(wanted) {
            return take(&view(&frame)?);
        }
    }
    Err(Failure::media("the frames hold no such picture"))
}

/// Whether a frame came out.
fn receive(decoder: &mut decoder::Video, frame: &mut Video) -> Result<bool, Failure> {
    match decoder.receive_frame(frame) {
        Ok(()) => Ok(true),
        Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => Ok(false),
        Err(error) => Err(Failure::media(format_args!("FFmpeg: {error}"))),
    }
}

/// The length size of frames and the parameter sets of the record, behind start codes.
fn parameter_sets(job: &Job<'_>) -> Result<(u8, Vec<u8>), Failure> {
    let (record, mut sets) = (job.configuration, Vec::new());
    if record.is_empty() {
        return Ok((4, sets));
    }
    if annex_b::is_annex_b(record) {
        annex_b::append_frame(&mut sets, record, 4, |_| true)?;
        return Ok((4, sets));
    }
    let length_size = match job.codec {
        Codec::H264 => {
            let record = AvcDecoderConfigurationRecord::parse(record)?;
            let parts = [record.sequence_parameter_sets, record.picture_parameter_sets];
            parts.iter().flatten().for_each(|nal| annex_b::append_nal(&mut sets, nal));
            record.length_size
        }
        Codec::H265 => {
            let record = HevcDecoderConfigurationRecord::parse(record)?;
            let nal_units = record.arrays.iter().flat_map(|array| &array.nal_units);
            nal_units
                .filter(|nal| is_decoded_h265(nal))
                .for_each(|nal| annex_b::append_nal(&mut sets, nal));
            record.length_size
        }
    };
    Ok((length_size, sets))
}

fn is_decoded_h264(nal: &[u8]) -> bool {
    use h264::NalUnitType;
    NalUnitType::of(nal).is_some_and(|kind| {
        matches!(kind.0, 1..=5) || kind == NalUnitType::SPS || kind == NalUnitType::PPS
    })
}

/// Slice segments (ITU-T H.265 Table 7-1: 0 to 31) and parameter sets (32 to 34).
fn is_decoded_h265(nal: &[u8]) -> bool {
    h265::NalUnitType::of(nal).is_some_and(|kind| kind.0 <= 34)
}

fn view(frame: &Video) -> Result<Picture<'_>, Failure> {
    if frame.is_corrupt() {
        return Err(Failure::media("FFmpeg had to conceal damage in the picture"));
    }
    Picture::check_size(frame.width(), frame.height())?;
    let layout = Layout::of(frame.format())?;
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let chroma = |index| match layout.chroma {
        None => Plane::new(
            vec![128; chroma_width * chroma_height],
            chroma_width,
            chroma_width,
            chroma_height,
        ),
        Some(steps) => plane(frame, index, layout.bits, (chroma_width, chroma_height), steps),
    };
    Picture::new(
        plane(frame, 0, layout.bits, (width, height), [1, 1])?,
        chroma(1)?,
        chroma(2)?,
        Colour::of(Some(description(frame, layout)), height),
    )
}

/// One plane with 8 bits, every so many columns and rows of it.
fn plane<'a>(
    frame: &'a Video,
    index: usize,
    bits: u32,
    (width, height): (usize, usize),
    [column_step, row_step]: [usize; 2],
) -> Result<Plane<'a>, Failure> {
    let (data, stride) = (frame.data(index), frame.stride(index));
    if bits == 8 && [column_step, row_step] == [1, 1] {
        return Plane::new(data, stride, width, height);
    }
    let sample_len = if bits == 8 { 1 } else { 2 };
    let mut samples = Vec::with_capacity(width * height);
    for y in 0..height {
        let row = data.get(y * row_step * stride..).unwrap_or_default();
        let taken = row.chunks_exact(sample_len).step_by(column_step).take(width);
        samples.extend(taken.map(|sample| match *sample {
            [low, high] => (u16::from_le_bytes([low, high]) >> (bits - 8)).min(255) as u8,
            [sample] => sample,
            _ => 0,
        }));
    }
    Plane::new(Cow::Owned(samples), width, width, height)
}

/// How a frame lies in memory.
#[derive(Clone, Copy)]
struct Layout {
    bits: u32,
    /// Columns and rows of a chroma plane per sample of 4:2:0; `None` without chroma.
    chroma: Option<[usize; 2]>,
    full_range: bool,
}

impl Layout {
    fn of(format: Pixel) -> Result<Self, Failure> {
        let (c420, c422, c444) = (Some([1, 1]), Some([1, 2]), Some([2, 2]));
        let (bits, chroma, full_range) = match format {
            Pixel::YUV420P => (8, c420, false),
            Pixel::YUV422P => (8, c422, false),
            Pixel::YUV444P => (8, c444, false),
            Pixel::YUVJ420P => (8, c420, true),
            Pixel::YUVJ422P => (8, c422, true),
            Pixel::YUVJ444P => (8, c444, true),
            Pixel::YUV420P10LE => (10, c420, false),
            Pixel::YUV422P10LE => (10, c422, false),
            Pixel::YUV444P10LE => (10, c444, false),
            Pixel::YUV420P12LE => (12, c420, false),
            Pixel::YUV422P12LE => (12, c422, false),
            Pixel::YUV444P12LE => (12, c444, false),
            Pixel::GRAY8 => (8, None, false),
            Pixel::GRAY10LE => (10, None, false),
            Pixel::GRAY12LE => (12, None, false),
            other => return Err(Failure::unsupported(format_args!("pixels of format {other:?}"))),
        };
        Ok(Self { bits, chroma, full_range })
    }
}

/// Code points of ISO/IEC 23091-2 from FFmpeg's names.
fn description(frame: &Video, layout: Layout) -> ColourDescription {
    let matrix = match frame.color_space() {
        color::Space::BT709 => 1,
        color::Space::FCC => 4,
        color::Space::BT470BG | color::Space::SMPTE170M => 6,
        color::Space::SMPTE240M => 7,
        color::Space::BT2020NCL | color::Space::BT2020CL => 9,
        _ => 2,
    };
    let full_range = layout.full_range || frame.color_range() == color::Range::JPEG;
    ColourDescription { primaries: 2, transfer: 2, matrix, full_range }
}
