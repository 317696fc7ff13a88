//! Which of a fragment's two times a command goes by.

use clap::ValueEnum;
use streamkeep_client::media::TimestampAxis;

/// A fragment's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Axis {
    /// When the producer took it
    Producer,
    /// When the service received it
    Server,
}

impl From<Axis> for TimestampAxis {
    fn from(axis: Axis) -> Self {
        match axis {
            Axis::Producer => Self::Producer,
            Axis::Server => Self::Server,
        }
    }
}
