//! What the demo did, checked by reading it back over the wire.

use std::error::Error;
use std::time::Duration;

use streamkeep_client::Client;
use streamkeep_client::media::{TimestampAxis, list_fragments};
use streamkeep_media::UnixMillis;

use super::camera::Outcome;
use super::playback;
use crate::serve::Running;

/// The outcome of a demo.
pub(super) struct Summary {
    lines: Vec<String>,
    good: bool,
    checked: PlaybackCheck,
}

/// Whether every camera is played at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlaybackCheck {
    Yes,
    No,
}

impl Summary {
    /// Asks the archive for every fragment the cameras were told is kept, and plays what came
    /// last.
    pub(super) async fn take(
        client: &Client,
        running: &Running,
        outcomes: Vec<Outcome>,
        elapsed: Duration,
        checked: PlaybackCheck,
    ) -> Result<Self, Box<dyn Error>> {
        let mut lines = vec![format!("After {:.0} s:", elapsed.as_secs_f64())];
        let (mut good, mut cameras, mut played) = (true, 0, 0);
        for outcome in outcomes {
            let Outcome { name, status, trouble } = outcome;
            let forever = UnixMillis(4_102_444_800_000); // 2100-01-01
            let listed =
                list_fragments(client, &name, TimestampAxis::Server, UnixMillis(0), forever)
                    .await?;
            let kept = listed.len() as u64;
            let fine = trouble.is_none() && status.done > 0 && kept >= status.done;
            good &= fine;
            lines.push(format!(
                "  {name}: {} frames, {} fragments, {} PERSISTED, {kept} in the archive, {:.1} MB{}",
                status.frames,
                status.fragments,
                status.done,
                status.bytes as f64 / 1e6,
                match trouble {
                    Some(trouble) => format!(": {trouble}"),
                    None if fine => String::new(),
                    None => ": NOT ALL WAS KEPT".into(),
                }
            ));
            if checked == PlaybackCheck::Yes {
                cameras += 1;
                match playback::check(client, &name, &listed).await {
                    Ok(played_back) => {
                        played += 1;
                        lines.push(format!("    plays: {played_back}"));
                    }
                    Err(trouble) => lines.push(format!("    DOES NOT PLAY: {trouble}")),
                }
            }
        }
        good &= played == cameras;
        let stats = running.stats();
        let percentile = |percent| {
            stats.append_latency.percentile_us(percent).map_or("-".into(), |us| us.to_string())
        };
        lines.push(format!(
            "  complete to durable: 50 % within {} us, 99 % within {} us; {} syncs",
            percentile(50),
            percentile(99),
            stats.syncs
        ));
        if checked == PlaybackCheck::Yes {
            lines.push(format!(
                "  playback: {played} of {cameras} cameras, {} failed",
                cameras - played
            ));
        }
        Ok(Self { lines, good, checked })
    }

    #[allow(clippy::print_stdout, reason = "this is the command's output")]
    pub(super) fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
        println!(
            "{}",
            match (self.good, self.checked) {
                (true, PlaybackCheck::Yes) => "All was kept, and plays.",
                (true, PlaybackCheck::No) => "All was kept.",
                (false, _) => "Something went wrong.",
            }
        );
    }

    pub(super) fn is_good(&self) -> bool {
        self.good
    }
}
