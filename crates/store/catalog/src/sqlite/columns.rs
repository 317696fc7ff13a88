//! Conversions between our types and SQLite's: 64-bit signed integers and blobs.

use rusqlite::Row;
use rusqlite::types::Type;
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

/// A number as SQLite holds it. Sizes and instants stay far below 2^63; a producer timestamp from a
/// broken clock may not, and then sorts as the largest instant there is.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn instant(value: UnixMillis) -> i64 {
    integer(value.0)
}

pub(super) fn read_u64(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| out_of_range(row, column, value))
}

pub(super) fn read_u32(row: &Row<'_>, column: &str) -> rusqlite::Result<u32> {
    let value: i64 = row.get(column)?;
    u32::try_from(value).map_err(|_| out_of_range(row, column, value))
}

pub(super) fn read_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<UnixMillis> {
    read_u64(row, column).map(UnixMillis)
}

pub(super) fn read_number(row: &Row<'_>, column: &str) -> rusqlite::Result<FragmentNumber> {
    row.get(column).map(FragmentNumber::from_be_bytes)
}

pub(super) fn read_stream_id(row: &Row<'_>, column: &str) -> rusqlite::Result<StreamId> {
    row.get(column).map(StreamId)
}

/// A stored code that stands for none of our variants, or a number out of its range.
pub(super) fn out_of_range(row: &Row<'_>, column: &str, value: i64) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or(0);
    let text = format!("{value} is no valid {column}");
    rusqlite::Error::FromSqlConversionFailure(index, Type::Integer, text.into())
}
