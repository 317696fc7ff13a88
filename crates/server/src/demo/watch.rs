//! Where to watch the cameras.

use std::error::Error;

use streamkeep_client::Client;
use streamkeep_client::media::TimestampAxis;
use streamkeep_client::playback::{
    Container, DiscontinuityMode, EXPIRES_SECONDS, HlsOptions, SessionOptions, Span,
    hls_session_url,
};

/// A camera, live over HLS, as long as a session can last.
pub(super) async fn live_url(client: &Client, name: &str) -> Result<String, Box<dyn Error>> {
    let options = HlsOptions {
        session: SessionOptions {
            span: Span::Live,
            axis: TimestampAxis::Producer,
            expires_seconds: *EXPIRES_SECONDS.end(),
            timestamps: true,
            fragments_max: None,
        },
        container: Container::FragmentedMp4,
        discontinuity: Some(DiscontinuityMode::OnDiscontinuity),
        low_latency: false,
    };
    Ok(hls_session_url(client, name, &options).await?)
}

/// Prints URLs to open. Without them the demo goes on: its summary says what is wrong.
#[allow(clippy::print_stdout, reason = "this is the command's output")]
pub(super) async fn announce(client: &Client, names: &[String]) {
    let mut urls = Vec::new();
    for name in names.iter().take(SHOWN_MAX) {
        match live_url(client, name).await {
            Ok(url) => urls.push((name, url)),
            Err(error) => eprintln!("no URL to watch {name}: {error}"),
        }
    }
    let Some((first, first_url)) = urls.first() else { return };
    println!();
    println!("Watch them, for 12 hours and without credentials:");
    println!();
    for (name, url) in &urls {
        println!("  {name}");
        println!("    {url}");
    }
    if let Some(name) = names.get(SHOWN_MAX) {
        println!("  and more: streamkeep url {name} --hls");
    }
    println!();
    println!(
        "In VLC, in ffplay, or in a browser that plays HLS by itself (Safari; Chrome, Edge and"
    );
    println!("Chromium from version 142), where the URL alone is the page. Of {first}:");
    println!();
    for player in ["vlc", "ffplay"] {
        println!("  {player} '{first_url}'");
    }
    println!();
}

/// URLs are long.
const SHOWN_MAX: usize = 4;
