//! What the load runs with cameras have in common: how many, what they send, to which streams.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use streamkeep_client::Client;

use super::camera::Shared;
use super::picture::{Noise, Profile};
use super::process_stats::ProcessWatch;
use super::{runtime, streams};
use crate::commands::connect_args::ConnectArgs;
use crate::commands::units::{bits_per_second, duration};

/// Cameras and their streams.
#[derive(Args, Clone, Debug)]
pub(super) struct LoadArgs {
    /// Cameras, each with a stream of its own
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) streams: u32,
    /// Bits per second of each camera
    #[arg(long, default_value = "1M", value_parser = bits_per_second)]
    pub(super) bitrate: u64,
    /// Frames per second
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub(super) fps: u32,
    /// Fragment duration: the distance of two key frames
    #[arg(long, default_value = "2s", value_parser = fragment_duration)]
    pub(super) fragment: Duration,
    /// How long to measure; each camera then completes its fragment
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(super) seconds: Duration,
    /// What happens within this time does not count
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub(super) warm_up: Duration,
    /// Complete each fragment with the end-of-fragment tag after its last frame
    #[arg(long)]
    pub(super) end_of_fragment_tags: bool,
    /// Names of the streams are this and a number
    #[arg(long, default_value = "bench-")]
    pub(super) prefix: String,
    /// Retention of the streams made
    #[arg(long, default_value_t = 1, value_name = "HOURS")]
    pub(super) retention_hours: u32,
    /// Leave the streams made for the run in place
    #[arg(long)]
    pub(super) keep_streams: bool,
    /// Process id of the server, to report its processor time and memory
    #[arg(long, value_name = "PID")]
    pub(super) server_pid: Option<u32>,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

impl LoadArgs {
    /// What all cameras share.
    pub(super) fn shared(&self) -> Shared {
        let seconds = self.fragment.as_secs_f64();
        let frames = ((seconds * f64::from(self.fps)).round() as u32).max(1);
        let profile = Profile::new(self.bitrate, seconds, frames);
        Shared {
            profile,
            noise: Noise::new(profile.key_frame_len),
            period: Duration::from_secs(1) / self.fps,
            end_of_fragment_tags: self.end_of_fragment_tags,
        }
    }

    pub(super) fn send_for(&self) -> Duration {
        self.warm_up + self.seconds
    }

    pub(super) fn client(&self) -> Result<Client, Box<dyn Error>> {
        Ok(self.connect.client()?)
    }

    pub(super) fn stream_names(&self, count: u32) -> Vec<String> {
        (0..count).map(|index| format!("{}{index:05}", self.prefix)).collect()
    }

    /// Makes the streams that are not there; gives the names of those it made.
    pub(super) fn create_streams(&self, names: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
        let client = self.client()?;
        Ok(runtime()?.block_on(streams::create(&client, names, self.retention_hours))?)
    }

    /// Deletes the streams made for the run, unless they are to stay.
    pub(super) fn clean_up(&self, made: &[String]) -> Result<(), Box<dyn Error>> {
        if !self.keep_streams && !made.is_empty() {
            let failed = runtime()?.block_on(streams::delete(&self.client()?, made));
            if failed > 0 {
                eprintln!("{failed} of {} streams could not be deleted", made.len());
            }
        }
        Ok(())
    }

    pub(super) fn watch_server(&self) -> Option<ProcessWatch> {
        self.server_pid.map(|pid| ProcessWatch::start(&pid.to_string()))
    }
}

/// The n-th point of a sequence that fills 0..1 evenly however far it goes (multiples of the
/// golden ratio), so that key frames of cameras do not meet.
pub(super) fn spread(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_895).fract()
}

fn fragment_duration(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    match (0.2..=20.0).contains(&duration.as_secs_f64()) {
        true => Ok(duration),
        false => Err("must be between 200ms and 20s".into()),
    }
}
