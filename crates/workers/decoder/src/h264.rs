//! H.264 by OpenH264: progressive, 4:2:0, 8 bits; not H.264's other formats.

use openh264::OpenH264API;
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;
use streamkeep_codec::h264::{AvcDecoderConfigurationRecord, NalUnitType, SequenceParameterSet};
use streamkeep_codec::{ColourDescription, NalFraming, NalUnits};
use streamkeep_decoder_protocol::Job;

use crate::annex_b;
use crate::colour::Colour;
use crate::failure::Failure;
use crate::picture::{Picture, Plane};
use crate::run::Run;

/// Decodes the wanted picture and gives it to `take`.
///
/// Each job has its own decoder: no state of one stream meets another's.
pub(crate) fn decode<T>(
    job: &Job<'_>,
    take: impl FnOnce(&Picture<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let run = Run::of(job)?;
    let (length_size, mut coded) = parameter_sets(job.configuration)?;
    let mut decoder = Decoder::with_api_config(
        OpenH264API::from_source(),
        // Flushing after each frame would undo the decoder's reordering.
        DecoderConfig::new().flush_after_decode(Flush::NoFlush),
    )
    .map_err(Failure::internal)?;
    let mut colour = None;
    let mut presented = 0;
    for (index, sample) in run.samples().enumerate() {
        annex_b::append_frame(&mut coded, sample.data, length_size, is_decoded)?;
        if index == 0 {
            // Those in the key frame come later than those of the record, and count.
            colour = Some(check(&coded)?);
        }
        if let Some(decoded) = decoder.decode(&coded).map_err(|e| damaged(index, &e))? {
            if presented == run.rank {
                return take(&view(&decoded, colour.flatten())?);
            }
            presented += 1;
        }
        coded.clear();
    }
    let rest = decoder.flush_remaining().map_err(|e| damaged(run.rank, &e))?;
    match rest.get(run.rank - presented) {
        Some(decoded) => take(&view(decoded, colour.flatten())?),
        None => Err(Failure::media("the frames hold no such picture")),
    }
}

fn damaged(index: usize, error: &openh264::Error) -> Failure {
    Failure::media(format_args!("frame {index} of the run: {error}"))
}

/// The length size of frames and the parameter sets of a record, behind start codes.
fn parameter_sets(configuration: &[u8]) -> Result<(u8, Vec<u8>), Failure> {
    let mut sets = Vec::new();
    if configuration.is_empty() {
        return Ok((4, sets));
    }
    if annex_b::is_annex_b(configuration) {
        annex_b::append_frame(&mut sets, configuration, 4, is_decoded)?;
        return Ok((4, sets));
    }
    let record = AvcDecoderConfigurationRecord::parse(configuration)?;
    for nal in record.sequence_parameter_sets.iter().chain(&record.picture_parameter_sets) {
        annex_b::append_nal(&mut sets, nal);
    }
    Ok((record.length_size, sets))
}

/// Coded slices without data partitioning and their parameter sets; no SEI, no SVC, no MVC.
fn is_decoded(nal: &[u8]) -> bool {
    matches!(
        NalUnitType::of(nal),
        Some(NalUnitType::SLICE | NalUnitType::SLICE_IDR | NalUnitType::SPS | NalUnitType::PPS)
    )
}

/// Refuses what the decoder cannot do before it sees it, and tells the colour.
fn check(coded: &[u8]) -> Result<Option<ColourDescription>, Failure> {
    let sps = NalUnits::new(coded, NalFraming::AnnexB)
        .filter(|nal| NalUnitType::of(nal) == Some(NalUnitType::SPS))
        .last()
        .ok_or_else(|| Failure::media("no sequence parameter set"))?;
    let sps = SequenceParameterSet::parse(sps)?;
    if sps.chroma_format_idc != 1 || sps.bit_depth_luma != 8 || sps.bit_depth_chroma != 8 {
        return Err(Failure::unsupported(format_args!(
            "H.264 profile {} with chroma_format_idc {} and {} bits: only 4:2:0 with 8 bits \
             without the FFmpeg worker",
            sps.profile_idc, sps.chroma_format_idc, sps.bit_depth_luma
        )));
    }
    Picture::check_size(sps.width, sps.height)?;
    Ok(sps.colour)
}

fn view<'a>(
    decoded: &'a DecodedYUV<'_>,
    colour: Option<ColourDescription>,
) -> Result<Picture<'a>, Failure> {
    let (width, height) = decoded.dimensions();
    let (luma_stride, cb_stride, cr_stride) = decoded.strides();
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    Picture::new(
        Plane::new(decoded.y(), luma_stride, width, height)?,
        Plane::new(decoded.u(), cb_stride, chroma_width, chroma_height)?,
        Plane::new(decoded.v(), cr_stride, chroma_width, chroma_height)?,
        Colour::of(colour, height),
    )
}

#[cfg(test)]
mod tests;
