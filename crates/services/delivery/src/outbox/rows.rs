//! Rows of the outbox to and from our types.
//!
//! `kind` is 1 for an image, 2 for a notification. `work` is JSON, so that a later version can
//! add members; the names below are the format and never change meaning.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use serde::{Deserialize, Serialize};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use super::{Cursor, DeadJob, Job, JobId};
use crate::{
    ImageFormat, ImageWork, Intent, NotificationDestination, NotificationWork, TimestampSelector,
    Work,
};

/// A due job, or why it cannot be read.
pub(super) struct Candidate {
    pub(super) id: JobId,
    pub(super) lane: String,
    pub(super) job: Result<Box<Job>, String>,
}

pub(super) fn write_job(
    transaction: &Transaction<'_>,
    intent: &Intent,
    now: UnixMillis,
) -> rusqlite::Result<()> {
    let (kind, work) = encode_work(&intent.work);
    transaction
        .prepare_cached(
            "INSERT INTO job (kind, lane, stream, stream_name, stream_arn, fragment,
                producer_timestamp, server_timestamp, work, attempt_count, next_attempt, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?10)",
        )?
        .execute(params![
            kind,
            intent.lane(),
            intent.stream_id.0,
            intent.stream_name,
            intent.stream_arn,
            intent.fragment_number.to_be_bytes(),
            instant(intent.producer_timestamp),
            instant(intent.server_timestamp),
            work,
            instant(now),
        ])
        .map(|_| ())
}

/// Due jobs outside `saturated` lanes, the longest due first.
pub(super) fn due(
    connection: &Connection,
    now: UnixMillis,
    saturated: &[String],
    count_max: usize,
) -> rusqlite::Result<Vec<Candidate>> {
    // There are few numbers of saturated lanes, so the statement cache holds these texts.
    let places = vec!["?"; saturated.len()].join(", ");
    let text = format!(
        "SELECT * FROM job WHERE next_attempt <= ? AND lane NOT IN ({places})
         ORDER BY next_attempt, id LIMIT ?"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let lanes = saturated.iter().map(|lane| lane.clone().into());
    let count_max = i64::try_from(count_max).unwrap_or(i64::MAX);
    let values = std::iter::once(rusqlite::types::Value::Integer(instant(now)))
        .chain(lanes)
        .chain([count_max.into()]);
    statement
        .query_map(params_from_iter(values), |row| {
            Ok(Candidate {
                id: JobId(row.get("id")?),
                lane: row.get("lane")?,
                job: read_job(row).map(Box::new),
            })
        })?
        .collect()
}

fn read_job(row: &Row<'_>) -> Result<Job, String> {
    let text = |error: rusqlite::Error| error.to_string();
    Ok(Job {
        id: JobId(row.get("id").map_err(text)?),
        intent: read_intent(row)?,
        attempt_count: row.get("attempt_count").map_err(text)?,
        created: read_instant(row, "created").map_err(text)?,
    })
}

fn read_intent(row: &Row<'_>) -> Result<Intent, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let kind: i64 = row.get("kind").map_err(text)?;
    let work: String = row.get("work").map_err(text)?;
    let work = decode_work(kind, &work)?;
    let read = |row: &Row<'_>| {
        Ok(Intent {
            stream_id: StreamId(row.get("stream")?),
            stream_name: row.get("stream_name")?,
            stream_arn: row.get("stream_arn")?,
            fragment_number: row.get("fragment").map(FragmentNumber::from_be_bytes)?,
            producer_timestamp: read_instant(row, "producer_timestamp")?,
            server_timestamp: read_instant(row, "server_timestamp")?,
            work,
        })
    };
    read(row).map_err(text)
}

/// Failed attempts and creation time of a job.
pub(super) fn progress(
    connection: &Connection,
    id: JobId,
) -> rusqlite::Result<Option<(u32, UnixMillis)>> {
    connection
        .prepare_cached("SELECT attempt_count, created FROM job WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, read_instant(row, "created")?)))
        .optional()
}

pub(super) fn dead(connection: &Connection, count_max: usize) -> rusqlite::Result<Vec<DeadJob>> {
    connection
        .prepare_cached("SELECT * FROM dead ORDER BY died DESC, id DESC LIMIT ?1")?
        .query_map([i64::try_from(count_max).unwrap_or(i64::MAX)], |row| {
            Ok(DeadJob {
                id: JobId(row.get("id")?),
                intent: read_intent(row).ok(),
                attempt_count: row.get("attempt_count")?,
                created: read_instant(row, "created")?,
                died: read_instant(row, "died")?,
                reason: row.get("reason")?,
            })
        })?
        .collect()
}

pub(super) fn read_cursor(
    connection: &Connection,
    stream: StreamId,
) -> rusqlite::Result<Option<Cursor>> {
    connection
        .prepare_cached("SELECT fragment, last_image FROM cursor WHERE stream = ?1")?
        .query_row([stream.0], |row| {
            let last_image: Option<i64> = row.get("last_image")?;
            Ok(Cursor {
                fragment_number: row.get("fragment").map(FragmentNumber::from_be_bytes)?,
                last_image: last_image.map(|value| UnixMillis(value.unsigned_abs())),
            })
        })
        .optional()
}

pub(super) fn write_cursor(
    transaction: &Transaction<'_>,
    stream: StreamId,
    cursor: Cursor,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO cursor (stream, fragment, last_image) VALUES (?1, ?2, ?3)
             ON CONFLICT (stream) DO UPDATE
             SET fragment = excluded.fragment, last_image = excluded.last_image",
        )?
        .execute(params![
            stream.0,
            cursor.fragment_number.to_be_bytes(),
            cursor.last_image.map(instant)
        ])
        .map(|_| ())
}

/// An instant as SQLite holds it. A producer timestamp from a broken clock may be past 2^63, and
/// then counts as the largest instant there is.
pub(super) fn instant(value: UnixMillis) -> i64 {
    i64::try_from(value.0).unwrap_or(i64::MAX)
}

fn read_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<UnixMillis> {
    row.get(column).map(|value: i64| UnixMillis(value.unsigned_abs()))
}

const IMAGE: i64 = 1;
const NOTIFICATION: i64 = 2;

#[derive(Serialize, Deserialize)]
struct StoredImage {
    instant: u64,
    /// `server` or `producer`.
    selector: String,
    /// `jpeg` or `png`.
    format: String,
    /// Of a JPEG.
    quality: Option<u8>,
    width: Option<u32>,
    height: Option<u32>,
    bucket: String,
    region: String,
    key: String,
    metadata: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredNotification {
    destination: String,
    delivery_id: String,
    payload: Vec<(String, String)>,
}

fn encode_work(work: &Work) -> (i64, String) {
    let text = |json: serde_json::Result<String>| json.expect("texts and numbers are valid JSON");
    match work {
        Work::Image(image) => {
            let (format, quality) = match image.format {
                ImageFormat::Jpeg { quality } => ("jpeg", Some(quality)),
                ImageFormat::Png => ("png", None),
            };
            let selector = match image.selector {
                TimestampSelector::Server => "server",
                TimestampSelector::Producer => "producer",
            };
            let stored = StoredImage {
                instant: image.instant.0,
                selector: selector.into(),
                format: format.into(),
                quality,
                width: image.width_pixels,
                height: image.height_pixels,
                bucket: image.bucket.clone(),
                region: image.region.clone(),
                key: image.key.clone(),
                metadata: image.metadata.clone(),
            };
            (IMAGE, text(serde_json::to_string(&stored)))
        }
        Work::Notification(work) => {
            let stored = StoredNotification {
                destination: work.destination.uri().into(),
                delivery_id: work.delivery_id.clone(),
                payload: work.payload.clone(),
            };
            (NOTIFICATION, text(serde_json::to_string(&stored)))
        }
    }
}

fn decode_work(kind: i64, text: &str) -> Result<Work, String> {
    let malformed = |error: serde_json::Error| format!("malformed work: {error}");
    match kind {
        IMAGE => {
            let stored: StoredImage = serde_json::from_str(text).map_err(malformed)?;
            let format = match (stored.format.as_str(), stored.quality) {
                ("jpeg", Some(quality)) => ImageFormat::Jpeg { quality },
                ("png", _) => ImageFormat::Png,
                (other, _) => return Err(format!("unknown image format {other:?}")),
            };
            let selector = match stored.selector.as_str() {
                "server" => TimestampSelector::Server,
                "producer" => TimestampSelector::Producer,
                other => return Err(format!("unknown selector {other:?}")),
            };
            Ok(Work::Image(ImageWork {
                instant: UnixMillis(stored.instant),
                selector,
                format,
                width_pixels: stored.width,
                height_pixels: stored.height,
                bucket: stored.bucket,
                region: stored.region,
                key: stored.key,
                metadata: stored.metadata,
            }))
        }
        NOTIFICATION => {
            let stored: StoredNotification = serde_json::from_str(text).map_err(malformed)?;
            let destination = NotificationDestination::parse(&stored.destination)
                .map_err(|error| format!("destination: {error}"))?;
            Ok(Work::Notification(NotificationWork {
                destination,
                delivery_id: stored.delivery_id,
                payload: stored.payload,
            }))
        }
        other => Err(format!("unknown kind {other}")),
    }
}
