//! A time range out of the archive: ListFragments, then GetMediaForFragmentList.

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use streamkeep_client::media::{
    Document, FragmentInfo, FragmentReader, MediaBody, MediaEvent, TimestampAxis, list_fragments,
};
use streamkeep_client::{Client, DataApi, Endpoint};
use streamkeep_media::UnixMillis;

use super::output::Output;

pub(super) async fn get(
    client: &Client,
    stream_name: &str,
    axis: TimestampAxis,
    (from, to): (UnixMillis, UnixMillis),
    output: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    // The service lists by where fragments start; the one that holds `from` may start before it.
    let earliest = UnixMillis(from.0.saturating_sub(FRAGMENT_LENGTH_MAX_MS));
    let listed = list_fragments(client, stream_name, axis, earliest, to).await?;
    let fragments = in_presentation_order(listed, axis, from);
    if fragments.is_empty() {
        return Err("the stream has no media in this range".into());
    }
    let endpoint = client.data_endpoint(stream_name, DataApi::GetMediaForFragmentList).await?;
    let mut writing = Writing {
        output: Output::new(output),
        expected: fragments.iter().map(|info| (info.number.clone(), info.clone())).collect(),
        open: None,
    };
    let mut lost = 0;
    let mut rest = &fragments[..];
    while !rest.is_empty() {
        let (batch, later) = rest.split_at(rest.len().min(FRAGMENTS_PER_CALL));
        match writing.fetch(client, &endpoint, stream_name, batch).await? {
            None => rest = later,
            Some(failure) => {
                eprintln!("fragment {}: {}", batch[failure.index].number, failure.message);
                lost += 1;
                rest = &rest[failure.index + 1..];
            }
        }
    }
    writing.output.finish()?;
    let missing = writing.expected.len();
    eprintln!(
        "{} fragments, {:.1} MB",
        writing.output.fragments,
        writing.output.bytes as f64 / 1e6
    );
    if missing > 0 {
        eprintln!("{missing} fragments are missing, {lost} of them by an error of the service");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Those that reach into the range, by producer time. Of fragments with the same producer time,
/// which a producer sent twice after it lost a connection, the newest stands.
fn in_presentation_order(
    mut fragments: Vec<FragmentInfo>,
    axis: TimestampAxis,
    from: UnixMillis,
) -> Vec<FragmentInfo> {
    fragments.retain(|info| {
        let start = info.timestamp(axis).0;
        start >= from.0 || start + info.length_ms > from.0
    });
    let number = |info: &FragmentInfo| (info.number.len(), info.number.clone());
    fragments.sort_by_key(|info| (info.producer_timestamp, std::cmp::Reverse(number(info))));
    fragments.dedup_by_key(|info| info.producer_timestamp);
    fragments
}

/// What has been written, and what is to come.
struct Writing {
    output: Output,
    /// Not written yet.
    expected: HashMap<String, FragmentInfo>,
    open: Option<OpenFragment>,
}

struct OpenFragment {
    info: FragmentInfo,
    document: Document,
    blocks: Vec<Bytes>,
}

/// The service broke off at a fragment of the batch.
struct Failure {
    index: usize,
    message: String,
}

impl Writing {
    async fn fetch(
        &mut self,
        client: &Client,
        endpoint: &Endpoint,
        stream_name: &str,
        batch: &[FragmentInfo],
    ) -> Result<Option<Failure>, Box<dyn Error>> {
        let numbers: Vec<String> = batch.iter().map(|info| info.number.clone()).collect();
        let body =
            MediaBody::get_media_for_fragment_list(client, endpoint, stream_name, &numbers).await?;
        let mut reader = FragmentReader::new(body);
        while let Some(event) = reader.next().await? {
            match event {
                MediaEvent::Fragment { number, document, .. } => {
                    self.complete()?;
                    let info = self.expected.get(&number).cloned();
                    self.open =
                        info.map(|info| OpenFragment { info, document, blocks: Vec::new() });
                }
                MediaEvent::Block { element, .. } => {
                    if let Some(open) = &mut self.open {
                        open.blocks.push(element);
                    }
                }
                MediaEvent::Failed { fragment_number, id, message } => {
                    self.complete()?;
                    let failed = |info: &FragmentInfo| match &fragment_number {
                        Some(number) => info.number == *number,
                        None => self.expected.contains_key(&info.number),
                    };
                    let index = batch.iter().position(failed).unwrap_or(batch.len() - 1);
                    return Ok(Some(Failure { index, message: format!("{id} {message}") }));
                }
                _ => {}
            }
        }
        self.complete()?;
        Ok(None)
    }

    fn complete(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(OpenFragment { info, document, blocks }) = self.open.take() else {
            return Ok(());
        };
        self.output.fragment(&document, info.producer_timestamp, info.length_ms, &blocks)?;
        self.expected.remove(&info.number);
        Ok(())
    }
}

/// The service takes none longer (put-media.md §6).
const FRAGMENT_LENGTH_MAX_MS: u64 = 20_000;
/// The service takes up to 1,000; a failure costs fewer repeats with less.
const FRAGMENTS_PER_CALL: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn info(number: &str, producer: u64, length_ms: u64) -> FragmentInfo {
        FragmentInfo {
            number: number.into(),
            size_bytes: 1,
            producer_timestamp: UnixMillis(producer),
            server_timestamp: UnixMillis(producer + 500),
            length_ms,
        }
    }

    #[test]
    fn order_and_doubles() {
        let listed = vec![
            info("12", 6_000, 2000),
            info("9", 4_000, 2000),
            info("10", 4_000, 2000), // the same, sent again: 10 is newer than 9
            info("11", 2_000, 2000),
            info("8", 0, 2000), // ends before the range
        ];
        let ordered = in_presentation_order(listed, TimestampAxis::Producer, UnixMillis(3_000));
        let numbers: Vec<&str> = ordered.iter().map(|info| info.number.as_str()).collect();
        assert_eq!(numbers, ["11", "10", "12"]);
    }
}
