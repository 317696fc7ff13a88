//! Live media: GetMedia from now on.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use streamkeep_client::media::{FragmentReader, MediaBody, MediaEvent, StartSelector};
use streamkeep_client::{Client, Error as ClientError};
use streamkeep_media::UnixMillis;

use super::output::Output;

pub(super) async fn get(
    client: &Client,
    stream_name: &str,
    output: &str,
    duration: Option<Duration>,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut output = Output::new(output);
    let end = async {
        match duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    let result = tokio::select! {
        result = follow(client, stream_name, &mut output) => result,
        () = end => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    output.finish()?;
    eprintln!("{} fragments, {:.1} MB", output.fragments, output.bytes as f64 / 1e6);
    result?;
    Ok(if output.fragments > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads until an error that will not pass. A connection that breaks is replaced; the fragment at
/// hand may then stand cut off, and is followed by the next.
async fn follow(
    client: &Client,
    stream_name: &str,
    output: &mut Output,
) -> Result<(), Box<dyn Error>> {
    let mut start = StartSelector::Now;
    let mut failures = 0;
    loop {
        let mut last_number = None;
        let result = read(client, stream_name, &start, output, &mut last_number).await;
        if let Some(number) = last_number {
            start = StartSelector::FragmentNumber(number);
            failures = 0;
        }
        let error = match result {
            Ok(()) => "the service ended the answer".to_owned(),
            Err(error) => match error.downcast_ref::<ClientError>() {
                Some(known)
                    if known.is_retriable() || matches!(known, ClientError::Matroska(_)) =>
                {
                    error.to_string()
                }
                _ => return Err(error),
            },
        };
        failures += 1;
        if failures > FAILURES_MAX {
            return Err(error.into());
        }
        eprintln!("{error}; going on");
        tokio::time::sleep(Duration::from_millis(500 * failures)).await;
    }
}

async fn read(
    client: &Client,
    stream_name: &str,
    start: &StartSelector,
    output: &mut Output,
    last_number: &mut Option<String>,
) -> Result<(), Box<dyn Error>> {
    let body = MediaBody::get_media(client, stream_name, start).await?;
    let mut reader = FragmentReader::new(body);
    while let Some(event) = reader.next().await? {
        match event {
            MediaEvent::Fragment { number, producer_timestamp, document, timecode, .. } => {
                let by_timecode = || {
                    let ns = u128::from(timecode) * u128::from(document.timestamp_scale_ns);
                    UnixMillis(u64::try_from(ns / 1_000_000).unwrap_or(u64::MAX))
                };
                let time = producer_timestamp.unwrap_or_else(by_timecode);
                output.open_fragment(&document, time)?;
                *last_number = Some(number).filter(|number| !number.is_empty());
            }
            MediaEvent::Block { element, relative_timestamp, .. } => {
                output.block(&element, relative_timestamp)?;
            }
            MediaEvent::Failed { id, message, .. } => {
                return Err(format!("the service broke off: {id} {message}").into());
            }
            _ => {}
        }
    }
    Ok(())
}

const FAILURES_MAX: u64 = 10;
