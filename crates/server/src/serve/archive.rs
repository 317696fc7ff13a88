//! ListFragments and GetMediaForFragmentList: the archive by time and by number.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use streamkeep_api::{
    ConnectionPermit, FragmentInfo, FragmentSelectorType, FragmentsPage, RequestedFragment,
};
use streamkeep_engine::{Engine, IndexedRow, PageKey, RowQuery, RowRange, StoreError};
use streamkeep_http::{BodyError, BodyStream};
use streamkeep_media::StreamId;
use streamkeep_mkv::get_media::{
    TimestampNames, encode_document_start, encode_exception_tags, encode_fragment_tags,
};
use tokio::task::spawn_blocking;

use super::streams::StreamRuntime;

/// One page of ListFragments, and whether more follow (get-media.md §4).
pub(crate) fn list(
    engine: &Engine,
    stream: StreamId,
    page: &FragmentsPage,
) -> Result<(Vec<FragmentInfo>, bool), StoreError> {
    let query = RowQuery {
        range: match page.range.by {
            FragmentSelectorType::ProducerTimestamp => {
                RowRange::Producer(page.range.start..=page.range.end)
            }
            FragmentSelectorType::ServerTimestamp => {
                RowRange::Server(page.range.start..=page.range.end)
            }
        },
        after: page.after.map(|(time, number)| PageKey { time, number }),
        // One more than asked tells whether there is another page.
        limit: page.max_results + 1,
    };
    let mut rows = engine.rows(stream, &query)?;
    let more = rows.len() > page.max_results;
    rows.truncate(page.max_results);
    let info = |row: &IndexedRow| FragmentInfo {
        number: row.number,
        size_bytes: u64::from(row.media_len),
        producer_timestamp: row.producer_timestamp,
        server_timestamp: row.server_timestamp,
        duration_ms: row.duration_ms,
    };
    Ok((rows.iter().map(info).collect(), more))
}

/// The body of a GetMediaForFragmentList response: the fragments in the order of the request,
/// each a document of its own. One that cannot be given is told in tags, and the others follow.
pub(crate) fn fragments_body(
    engine: Engine,
    stream: Arc<StreamRuntime>,
    fragments: Vec<RequestedFragment>,
    permit: ConnectionPermit,
) -> BodyStream {
    let (wanted, ready) = (fragments.into(), VecDeque::new());
    let reader = Reader { engine, stream, wanted, ready, _permit: permit };
    Box::pin(futures_util::stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next_part().await?;
        Some((Ok::<_, BodyError>(bytes), reader))
    }))
}

struct Reader {
    engine: Engine,
    stream: Arc<StreamRuntime>,
    wanted: VecDeque<RequestedFragment>,
    ready: VecDeque<Bytes>,
    _permit: ConnectionPermit,
}

impl Reader {
    async fn next_part(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() {
            let fragment = self.wanted.pop_front()?;
            self.load(fragment).await;
        }
        let bytes = self.ready.pop_front()?;
        self.stream.metrics.archive_bytes.inc_by(bytes.len() as u64);
        Some(bytes)
    }

    async fn load(&mut self, fragment: RequestedFragment) {
        let number = match fragment {
            RequestedFragment::Number(number) => number,
            RequestedFragment::Foreign(digits) => {
                return self.fail(&digits, NOT_FOUND, "The fragment was not found.");
            }
        };
        let (engine, id) = (self.engine.clone(), self.stream.id);
        let read = spawn_blocking(move || match engine.row(id, number)? {
            Some(row) => engine.read_row(id, &row).map(Some),
            None => Ok(None),
        });
        match read.await {
            Ok(Ok(Some(stored))) => {
                self.stream.metrics.archive_fragments.inc();
                self.stream.metrics.archive_frames.inc_by(stored.meta.frames.len() as u64);
                self.ready.push_back(stored.meta.session_header);
                let mut tags = Vec::with_capacity(384);
                encode_fragment_tags(
                    &mut tags,
                    &number.to_string(),
                    stored.row.server_timestamp,
                    stored.row.producer_timestamp,
                    TimestampNames::PlainAndSide,
                );
                self.ready.push_back(tags.into());
                self.ready.push_back(stored.media);
            }
            Ok(Ok(None)) => {
                self.fail(&number.to_string(), NOT_FOUND, "The fragment was not found.");
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, fragment = %number, stream = self.stream.name, "unreadable");
                self.fail(&number.to_string(), INTERNAL, "The fragment could not be read.");
            }
            Err(_) => self.fail(&number.to_string(), INTERNAL, "The server is stopping."),
        }
    }

    fn fail(&mut self, digits: &str, code: u32, message: &str) {
        self.stream.metrics.archive_failures.inc();
        // A document of its own: readers take Tags only inside a Segment.
        let mut tags = Vec::with_capacity(256);
        encode_document_start(&mut tags);
        encode_exception_tags(&mut tags, digits, code, message);
        self.ready.push_back(tags.into());
    }
}

/// Error ids of GetMedia (get-media.md §1.4), used here as well.
const NOT_FOUND: u32 = 4000;
const INTERNAL: u32 = 5000;
