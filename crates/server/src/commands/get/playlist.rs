//! M3U8: an HLS session's multivariant playlist, with absolute URLs.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use streamkeep_client::Client;
use streamkeep_client::media::TimestampAxis;
use streamkeep_client::playback::{
    Container, DiscontinuityMode, HlsOptions, Playlist, SessionOptions, Span, hls_session_url,
};

use super::whole_file::WholeFile;
use crate::commands::session::{self, Expires};

pub(super) async fn get(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    span: Span,
    expires: Expires,
    output: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    let options = HlsOptions {
        session: SessionOptions {
            span,
            axis,
            expires_seconds: expires.0,
            timestamps: false,
            fragments_max: session::fragments_max(span),
        },
        container: Container::FragmentedMp4,
        discontinuity: Some(DiscontinuityMode::OnDiscontinuity),
        low_latency: false,
    };
    let url = hls_session_url(client, stream_name, &options).await?;
    let playlist = Playlist::fetch(client, &url.parse()?).await?;
    let mut file = WholeFile::create(output)?;
    file.write_all(playlist.text().as_bytes()).map_err(|error| format!("{output}: {error}"))?;
    file.finish()?;
    eprintln!("plays for {} min from now on, by whoever has it", expires.0 / 60);
    if let Some(left_out) = session::left_out(client, stream_name, axis, span).await {
        eprintln!("{}", session::left_out_note(left_out));
    }
    Ok(ExitCode::SUCCESS)
}
