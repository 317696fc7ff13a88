//! Which frames of a job have to be decoded, and which of their pictures is the wanted one.

use streamkeep_decoder_protocol::{Job, Sample, Wanted};

use crate::failure::Failure;

/// The part of a job's frames that has to be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run<'job, 'data> {
    samples: &'job [Sample<'data>],
    /// How many of their pictures are presented before the wanted one.
    pub(crate) rank: usize,
}

impl<'job, 'data> Run<'job, 'data> {
    /// Frames behind the wanted one in decode order are not needed. Leading pictures, presented
    /// before the key frame they follow, may refer to what came before it: nobody can decode them
    /// here, and nothing behind them refers to them.
    pub(crate) fn of(job: &'job Job<'data>) -> Result<Self, Failure> {
        let first = job.samples.first().ok_or_else(|| Failure::internal("no samples"))?.pts;
        let presentable = || job.samples.iter().enumerate().filter(|(_, s)| s.pts >= first);
        let index = match job.wanted {
            Wanted::Last => job.samples.len() - 1,
            Wanted::At(pts) => presentable()
                .filter(|(_, sample)| sample.pts <= pts)
                .max_by_key(|(_, sample)| sample.pts)
                .map_or(0, |(index, _)| index),
        };
        let samples = &job.samples[..=index];
        let wanted = samples[index].pts;
        if wanted < first {
            return Err(Failure::media("the picture depends on frames before the key frame"));
        }
        let rank = samples.iter().filter(|s| s.pts >= first && s.pts < wanted).count();
        Ok(Self { samples, rank })
    }

    /// The frames to decode, in order.
    pub(crate) fn samples(&self) -> impl Iterator<Item = &'job Sample<'data>> {
        let first = self.samples[0].pts;
        self.samples.iter().filter(move |sample| sample.pts >= first)
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_decoder_protocol::{Codec, Format};

    use super::*;

    /// Presentation times in decode order, what is wanted; the times decoded and the rank.
    fn check(pts: &[i64], wanted: Wanted, expected: Option<(&[i64], usize)>) {
        let job = Job {
            codec: Codec::H264,
            configuration: b"",
            samples: pts.iter().map(|&pts| Sample { pts, data: b"" }).collect(),
            wanted,
            format: Format::Png,
            size: None,
            image_len_max: 0,
        };
        let run = Run::of(&job).ok();
        let found = run.map(|run| (run.samples().map(|s| s.pts).collect::<Vec<_>>(), run.rank));
        let expected = expected.map(|(samples, rank)| (samples.to_vec(), rank));
        assert_eq!(found, expected, "{pts:?} {wanted:?}");
    }

    #[test]
    fn what_has_to_be_decoded() {
        check(&[7], Wanted::Last, Some((&[7], 0)));
        check(&[7], Wanted::At(0), Some((&[7], 0)));
        check(&[0, 40, 80], Wanted::Last, Some((&[0, 40, 80], 2)));
        check(&[0, 40, 80], Wanted::At(79), Some((&[0, 40], 1)));
        check(&[0, 40, 80], Wanted::At(i64::MAX), Some((&[0, 40, 80], 2)));
        check(&[0, 40, 80], Wanted::At(-1), Some((&[0], 0)));
        // I B-pyramid: 0 160 80 40 120.
        check(&[0, 160, 80, 40, 120], Wanted::At(90), Some((&[0, 160, 80], 1)));
        check(&[0, 160, 80, 40, 120], Wanted::Last, Some((&[0, 160, 80, 40, 120], 3)));
        // Leading pictures behind an open key frame.
        check(&[80, 40, 60, 160], Wanted::Last, Some((&[80, 160], 1)));
        check(&[80, 40, 60, 160], Wanted::At(70), Some((&[80], 0)));
        check(&[80, 40], Wanted::Last, None);
        check(&[], Wanted::Last, None);
    }
}
