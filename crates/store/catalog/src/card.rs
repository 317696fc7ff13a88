//! Stream cards: one small file per stream that repeats its control row.
//!
//! ```text
//! streamkeep stream card 1       or 2, when it has a line that version 1 does not know
//! id 0f0e0d0c0b0a09080706050403020100
//! name front door
//! …                               one "key value" per line; \ \n \r in values are escaped
//! tag site=Beijing                names escape = as well
//! image-generation {…}            version 2; a text whose writer versions it
//! notification {…}                version 2; likewise
//! wrapped-key 00ff…
//! crc32c 1a2b3c4d                 over every byte before this line
//! ```
//!
//! A card is written in the lowest version that holds it, so that streams without the newer settings
//! stay readable to older programs.
//!
//! Text, so that a person can see which stream a card belongs to when nothing else is left. The
//! wrapped key is sealed by the root key; the rest of a card is as open as the control database.
//!
//! A card is written before its database row and removed before it, so that at any crash a card
//! without a row is a stream whose creation had begun, and a row without a card one whose deletion
//! had.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use streamkeep_io::{Access, VolumeIo, read_whole, replace_whole};
use streamkeep_media::{StreamId, UnixMillis};

use crate::{CatalogError, ControlCatalog, StorageTier, StreamRecord, StreamStatus};

/// The directory of stream cards.
#[derive(Clone, Debug)]
pub struct StreamCards {
    dir: Arc<dyn VolumeIo>,
}

/// What [`StreamCards::reconcile`] found and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Streams that had a card but no row, and have a row now.
    pub imported: Vec<StreamId>,
    /// Streams whose card was missing, damaged or different from the row, and was written again.
    pub rewritten: Vec<StreamId>,
    /// Cards without a row that hold no stream: what a deletion or a creation left when it was
    /// interrupted. Removed when all their bytes are zero, else kept for a person to look at.
    pub damaged: Vec<(String, CardDamage)>,
}

/// What is wrong with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardDamage {
    /// All bytes are zero: overwritten by a deletion.
    Shredded,
    /// The first line is not that of a card we can read.
    NotACard,
    /// The checksum is missing or does not match.
    Checksum,
    /// The line with this key is missing, repeated or holds no valid value.
    Line(&'static str),
    /// A line that no card of its version has.
    UnknownLine,
    /// The card is for another stream than its file name says.
    OtherStream(StreamId),
}

impl fmt::Display for CardDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shredded => f.write_str("overwritten with zeros"),
            Self::NotACard => f.write_str("not a stream card of version 1 or 2"),
            Self::Checksum => f.write_str("checksum missing or wrong"),
            Self::Line(key) => write!(f, "bad or missing line {key:?}"),
            Self::UnknownLine => f.write_str("a line of an unknown kind"),
            Self::OtherStream(id) => write!(f, "it belongs to stream {id}"),
        }
    }
}

impl StreamCards {
    /// The cards in `dir`, which holds nothing else.
    pub fn new(dir: Arc<dyn VolumeIo>) -> Self {
        Self { dir }
    }

    /// Writes or replaces the card of a stream; durable on return. The bytes of the card that was
    /// there are overwritten afterwards.
    ///
    /// # Errors
    /// `Io`; the old card, if any, is then still in place or already fully replaced.
    pub fn write(&self, stream: &StreamRecord) -> Result<(), CatalogError> {
        let name = file_name(stream.id);
        let io_error = |source| io_error("write stream card", &name, source);
        let old = match self.dir.open(&name, Access::ReadWrite) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(error)),
        };
        replace_whole(&*self.dir, &name, encode(stream).as_bytes()).map_err(io_error)?;
        // Its name is gone, its blocks are not yet.
        old.map_or(Ok(()), |file| zero(&*file)).map_err(io_error)
    }

    /// Reads the card of a stream; `None` when there is none.
    ///
    /// # Errors
    /// `Card` when the file holds no valid card of this stream, `Io`.
    pub fn read(&self, id: StreamId) -> Result<Option<StreamRecord>, CatalogError> {
        let name = file_name(id);
        match self.read_file(&name, id) {
            Ok(stream) => Ok(Some(stream)),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(ReadError::Io(error)) => Err(io_error("read stream card", &name, error)),
            Err(ReadError::Damage(damage)) => {
                Err(CatalogError::Card { path: PathBuf::from(name), damage })
            }
        }
    }

    /// Overwrites and removes the card of a stream; durable on return. Succeeds when there is none.
    ///
    /// # Errors
    /// `Io`: call again.
    pub fn remove(&self, id: StreamId) -> Result<(), CatalogError> {
        // A temporary file is one that a crash left while the card was being replaced.
        let name = file_name(id);
        for name in [format!("{name}.tmp"), name] {
            self.shred(&name).map_err(|error| io_error("remove stream card", &name, error))?;
        }
        Ok(())
    }

    /// Makes cards and rows agree, at start, before streams are used: a card without a row becomes
    /// a row, a row without its card gets one. Where both exist and differ the row wins, because a
    /// row is only ever missing or whole. Streams being deleted get no new card.
    ///
    /// # Errors
    /// `Io`, and what `control` returns.
    pub fn reconcile(&self, control: &dyn ControlCatalog) -> Result<ReconcileReport, CatalogError> {
        let mut report = ReconcileReport::default();
        let rows: BTreeMap<_, _> =
            control.streams()?.into_iter().map(|stream| (stream.id, stream)).collect();
        let mut intact = Vec::new();
        let files = self.dir.list().map_err(|error| io_error("list stream cards", "", error))?;
        for file in files {
            let Some(id) = file.name.strip_suffix(SUFFIX).and_then(StreamId::from_hex) else {
                self.remove_temporary(&file.name)?;
                continue;
            };
            let card = match self.read_file(&file.name, id) {
                Ok(card) => Ok(card),
                Err(ReadError::Damage(damage)) => Err(damage),
                Err(ReadError::Io(error)) => {
                    return Err(io_error("read stream card", &file.name, error));
                }
            };
            match (rows.get(&id), card) {
                (Some(row), Ok(card)) if *row == card => intact.push(id),
                (Some(_), _) => {}
                (None, Ok(card)) => {
                    control.insert_stream(&card)?;
                    report.imported.push(id);
                }
                (None, Err(damage)) => {
                    if damage == CardDamage::Shredded {
                        self.remove(id)?;
                    }
                    report.damaged.push((file.name, damage));
                }
            }
        }
        for row in rows.values() {
            if row.status == StreamStatus::Active && !intact.contains(&row.id) {
                self.write(row)?;
                report.rewritten.push(row.id);
            }
        }
        Ok(report)
    }

    fn read_file(&self, name: &str, id: StreamId) -> Result<StreamRecord, ReadError> {
        let bytes = read_whole(&*self.dir, name, CARD_LEN_MAX).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                ReadError::Damage(CardDamage::NotACard)
            } else {
                ReadError::Io(error)
            }
        })?;
        let stream = parse(&bytes).map_err(ReadError::Damage)?;
        if stream.id != id {
            return Err(ReadError::Damage(CardDamage::OtherStream(stream.id)));
        }
        Ok(stream)
    }

    /// What a crash leaves of a card being replaced may hold a wrapped key.
    fn remove_temporary(&self, name: &str) -> Result<(), CatalogError> {
        let of_card = name.strip_suffix(".tmp").and_then(|name| name.strip_suffix(SUFFIX));
        if of_card.and_then(StreamId::from_hex).is_none() {
            return Ok(()); // none of ours: leave it alone
        }
        self.shred(name).map_err(|error| io_error("remove temporary card", name, error))
    }

    /// Overwrite, sync, unlink, sync the directory.
    fn shred(&self, name: &str) -> io::Result<()> {
        match self.dir.open(name, Access::ReadWrite) {
            Ok(file) => {
                zero(&*file)?;
                self.dir.unlink(name)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Also when it was gone already: an earlier call may have been cut off here.
        self.dir.sync_dir()
    }
}

/// The file name of a stream's card.
fn file_name(id: StreamId) -> String {
    format!("{id}{SUFFIX}")
}

const SUFFIX: &str = ".key";

/// 50 tags of 128 + 256 characters of up to 4 bytes, each byte escaped at worst: 160 KB. The two
/// configurations have some 1 KB each.
const CARD_LEN_MAX: u64 = 256 << 10;

enum ReadError {
    Io(io::Error),
    Damage(CardDamage),
}

fn io_error(operation: &'static str, name: &str, source: io::Error) -> CatalogError {
    CatalogError::Io { operation, path: PathBuf::from(name), source }
}

fn zero(file: &dyn streamkeep_io::VolumeFile) -> io::Result<()> {
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX).min(CARD_LEN_MAX as usize);
    file.write_at(&[IoSlice::new(&vec![0; len])], 0)?;
    file.sync_data()
}

const FIRST_LINE_1: &str = "streamkeep stream card 1";
const FIRST_LINE_2: &str = "streamkeep stream card 2";
const IMAGE_GENERATION: &str = "image-generation";
const NOTIFICATION: &str = "notification";
const CRC_KEY: &str = "crc32c ";
const ACTIVE: &str = "active";
const DELETING: &str = "deleting";
const HOT: &str = "hot";
const WARM: &str = "warm";

/// The card's text.
fn encode(stream: &StreamRecord) -> String {
    let configurations =
        [(IMAGE_GENERATION, &stream.image_generation), (NOTIFICATION, &stream.notification)];
    let is_version_2 = configurations.iter().any(|(_, value)| value.is_some());
    let first_line = if is_version_2 { FIRST_LINE_2 } else { FIRST_LINE_1 };
    let mut text = format!("{first_line}\n");
    let mut line = |key: &str, value: &str| {
        text.push_str(key);
        text.push(' ');
        escape(value, &mut text, false);
        text.push('\n');
    };
    line("id", &stream.id.to_string());
    line("name", &stream.name);
    line("created-ms", &stream.created.0.to_string());
    line("version", &stream.version);
    let status = match stream.status {
        StreamStatus::Active => ACTIVE,
        StreamStatus::Deleting => DELETING,
    };
    line("status", status);
    let optional = [
        ("device-name", &stream.device_name),
        ("media-type", &stream.media_type),
        ("kms-key-id", &stream.kms_key_id),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            line(key, value);
        }
    }
    line("retention-hours", &stream.retention_hours.to_string());
    line("visible-from-ms", &stream.visible_from.0.to_string());
    let tier = match stream.storage_tier {
        StorageTier::Hot => HOT,
        StorageTier::Warm => WARM,
    };
    line("storage-tier", tier);
    for (name, value) in &stream.tags {
        text.push_str("tag ");
        escape(name, &mut text, true);
        text.push('=');
        escape(value, &mut text, false);
        text.push('\n');
    }
    for (key, value) in configurations {
        if let Some(value) = value {
            text.push_str(key);
            text.push(' ');
            escape(value, &mut text, false);
            text.push('\n');
        }
    }
    text.push_str("wrapped-key ");
    for byte in &stream.wrapped_key {
        text.push_str(&format!("{byte:02x}"));
    }
    text.push('\n');
    let crc = crc32c(text.as_bytes());
    text.push_str(&format!("{CRC_KEY}{crc:08x}\n"));
    text
}

/// The inverse of [`encode`]. Any changed byte is found.
fn parse(bytes: &[u8]) -> Result<StreamRecord, CardDamage> {
    if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
        return Err(CardDamage::Shredded);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CardDamage::NotACard)?;
    let (first_line, text) = text.split_once('\n').ok_or(CardDamage::NotACard)?;
    let is_version_2 = match first_line {
        FIRST_LINE_1 => false,
        FIRST_LINE_2 => true,
        _ => return Err(CardDamage::NotACard),
    };
    let (lines, crc) = text
        .strip_suffix('\n')
        .and_then(|text| text.rsplit_once('\n'))
        .and_then(|(lines, last)| Some((lines, last.strip_prefix(CRC_KEY)?)))
        .ok_or(CardDamage::Checksum)?;
    let covered = first_line.len() + 1 + lines.len() + 1;
    if crc != format!("{:08x}", crc32c(&bytes[..covered])) {
        return Err(CardDamage::Checksum);
    }
    let mut fields = BTreeMap::new();
    let mut tags = BTreeMap::new();
    for line in lines.split('\n') {
        let (key, value) = line.split_once(' ').ok_or(CardDamage::UnknownLine)?;
        if key == "tag" {
            let (name, value) = value.split_once('=').ok_or(CardDamage::Line("tag"))?;
            let tag = (unescape(name), unescape(value));
            let (Some(name), Some(value)) = tag else { return Err(CardDamage::Line("tag")) };
            if tags.insert(name, value).is_some() {
                return Err(CardDamage::Line("tag"));
            }
        } else if fields.insert(key, value).is_some() {
            return Err(CardDamage::UnknownLine);
        }
    }
    let mut optional = |key: &'static str| match fields.remove(key) {
        Some(value) => unescape(value).map(Some).ok_or(CardDamage::Line(key)),
        None => Ok(None),
    };
    let mut required =
        |key: &'static str| optional(key).and_then(|value| value.ok_or(CardDamage::Line(key)));
    let stream = StreamRecord {
        id: StreamId::from_hex(&required("id")?).ok_or(CardDamage::Line("id"))?,
        name: required("name")?,
        created: UnixMillis(number(&required("created-ms")?, "created-ms")?),
        version: required("version")?,
        status: match required("status")?.as_str() {
            ACTIVE => StreamStatus::Active,
            DELETING => StreamStatus::Deleting,
            _ => return Err(CardDamage::Line("status")),
        },
        retention_hours: number(&required("retention-hours")?, "retention-hours")?,
        visible_from: UnixMillis(number(&required("visible-from-ms")?, "visible-from-ms")?),
        storage_tier: match required("storage-tier")?.as_str() {
            HOT => StorageTier::Hot,
            WARM => StorageTier::Warm,
            _ => return Err(CardDamage::Line("storage-tier")),
        },
        wrapped_key: hex(&required("wrapped-key")?).ok_or(CardDamage::Line("wrapped-key"))?,
        device_name: optional("device-name")?,
        media_type: optional("media-type")?,
        kms_key_id: optional("kms-key-id")?,
        image_generation: if is_version_2 { optional(IMAGE_GENERATION)? } else { None },
        notification: if is_version_2 { optional(NOTIFICATION)? } else { None },
        tags,
    };
    if fields.is_empty() { Ok(stream) } else { Err(CardDamage::UnknownLine) }
}

fn number<T: std::str::FromStr>(text: &str, key: &'static str) -> Result<T, CardDamage> {
    text.parse().map_err(|_| CardDamage::Line(key))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| u8::try_from(digit(high)? << 4 | digit(low)?).ok()).collect()
}

fn escape(value: &str, out: &mut String, in_name: bool) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '=' if in_name => out.push_str("\\e"),
            other => out.push(other),
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                'e' => '=',
                _ => return None,
            },
            other => other,
        });
    }
    Some(out)
}

fn crc32c(bytes: &[u8]) -> u32 {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    u32::try_from(sum).expect("a CRC of 32 bits")
}

#[cfg(test)]
#[path = "card/tests.rs"]
mod tests;
