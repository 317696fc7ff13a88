//! The answer to a job.

use crate::fields::{Fields, printable};
use crate::frame::{ANSWER_LEN_MAX, framed};
use crate::{Error, PictureSize};

/// What a worker made of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The image.
    Image {
        /// Its size.
        size: PictureSize,
        /// Where the time went.
        timing: Timing,
        /// JPEG or PNG, as asked.
        bytes: &'a [u8],
    },
    /// There is none.
    Failure {
        /// Who is at fault.
        kind: FailureKind,
        /// For the log: at most 200 bytes, printable.
        reason: String,
    },
}

/// Why there is no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The stream is damaged, or does not hold the wanted picture.
    Media,
    /// This worker has no decoder for such a stream.
    Unsupported,
    /// The picture or the image exceeds a cap.
    TooLarge,
    /// The worker, or who gave it the job, is wrong.
    Internal,
}

/// Where the time of a job went, microseconds of the worker's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Coded frames to picture.
    pub decode_us: u32,
    /// Picture to image: scaling, colour, coding.
    pub encode_us: u32,
}

impl<'a> Answer<'a> {
    /// The message, framed.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Image { size, timing, bytes } => {
                let size = size.to_wire()?;
                framed(bytes.len() + 16, ANSWER_LEN_MAX, |out| {
                    out.push(TAG_IMAGE);
                    size.iter().for_each(|side| out.extend_from_slice(&side.to_le_bytes()));
                    out.extend_from_slice(&timing.decode_us.to_le_bytes());
                    out.extend_from_slice(&timing.encode_us.to_le_bytes());
                    out.extend_from_slice(bytes);
                })
            }
            Self::Failure { kind, reason } => framed(REASON_LEN_MAX + 2, ANSWER_LEN_MAX, |out| {
                let kind = match kind {
                    FailureKind::Media => 1,
                    FailureKind::Unsupported => 2,
                    FailureKind::TooLarge => 3,
                    FailureKind::Internal => 4,
                };
                out.extend_from_slice(&[TAG_FAILURE, kind]);
                out.extend_from_slice(printable(reason, REASON_LEN_MAX).as_bytes());
            }),
        }
    }

    /// Parses a message without its prefix.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(message);
        match fields.u8()? {
            TAG_IMAGE => {
                let size = PictureSize::from_wire([fields.u16()?, fields.u16()?])?;
                let timing = Timing { decode_us: fields.u32()?, encode_us: fields.u32()? };
                Ok(Self::Image { size, timing, bytes: fields.rest() })
            }
            TAG_FAILURE => {
                let kind = match fields.u8()? {
                    1 => FailureKind::Media,
                    2 => FailureKind::Unsupported,
                    3 => FailureKind::TooLarge,
                    4 => FailureKind::Internal,
                    value => return Err(Error::Invalid { field: "kind", value: value.into() }),
                };
                let reason = printable(&String::from_utf8_lossy(fields.rest()), REASON_LEN_MAX);
                Ok(Self::Failure { kind, reason })
            }
            value => Err(Error::Invalid { field: "tag", value: value.into() }),
        }
    }
}

const TAG_IMAGE: u8 = 1;
const TAG_FAILURE: u8 = 2;
const REASON_LEN_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn round_trip() {
        let image = Answer::Image {
            size: PictureSize { width: 64, height: 48 },
            timing: Timing { decode_us: 1, encode_us: u32::MAX },
            bytes: &[0xff, 0xd8],
        };
        let failure =
            Answer::Failure { kind: FailureKind::Media, reason: "no key frame".to_owned() };
        for answer in [image, failure] {
            assert_eq!(Answer::parse(&answer.encode().unwrap()[4..]), Ok(answer));
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (message, expected) in [
            (&[][..], Error::Truncated),
            (&[3], Error::Invalid { field: "tag", value: 3 }),
            (&[2, 9], Error::Invalid { field: "kind", value: 9 }),
            (&[1, 0, 0, 1, 0], Error::Invalid { field: "size", value: 0 }),
            (&[1, 1, 0, 0xff, 0xff], Error::Invalid { field: "size", value: 0xffff }),
        ] {
            assert_eq!(Answer::parse(message), Err(expected), "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_come(message: Vec<u8>) {
            if let Ok(answer) = Answer::parse(&message) {
                prop_assert!(answer.encode().is_ok());
            }
        }
    }
}
