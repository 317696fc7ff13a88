//! MP4: GetClip, without its limits, to a file.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use streamkeep_client::Client;
use streamkeep_client::media::TimestampAxis;
use streamkeep_client::playback::{Clip, ClipCut, ClipLimits, ClipOptions};
use streamkeep_media::UnixMillis;

use super::transfer::Transfer;
use super::whole_file::WholeFile;

pub(super) async fn get(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    range: (UnixMillis, UnixMillis),
    cut: ClipCut,
    output: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    // Before the service lays a long clip out.
    let mut file = WholeFile::create(output)?;
    let options = ClipOptions { limits: ClipLimits::Off, cut };
    let work = async {
        let mut clip = Clip::open(client, stream_name, axis, range, options).await?;
        let mut transfer = Transfer::start(clip.len());
        loop {
            match clip.next().await {
                Ok(Some(piece)) => {
                    file.write_all(&piece).map_err(|error| format!("{output}: {error}"))?;
                    transfer.add(piece.len());
                }
                Ok(None) => return Ok::<_, Box<dyn Error>>(transfer.total()),
                Err(error) => {
                    let so_far = transfer.so_far();
                    return Err(format!("the clip broke off after {so_far}: {error}").into());
                }
            }
        }
    };
    let total = tokio::select! {
        total = work => total?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted; nothing was kept".into()),
    };
    file.finish()?;
    eprintln!("{total}");
    Ok(ExitCode::SUCCESS)
}
