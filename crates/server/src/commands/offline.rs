//! `fsck`, `rebuild-index` and `dump-volume`: on a data directory that no server has open.
#![allow(clippy::print_stdout, reason = "these are commands")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use streamkeep_catalog::{CardedControl, ControlCatalog, SqliteControl, SqliteIndex, StreamCards};
use streamkeep_engine::{
    FsckLevel, Host, Offline, Options, StoreLock, StreamConfig, fsck, rebuild_index,
};
use streamkeep_io::{Access, LocalDirectory, VolumeIo};
use streamkeep_volume::dump;

use crate::serve::keys::{Keyring, load_root_key, load_store_id};

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub(crate) struct DirectoryArgs {
    /// The data directory
    #[arg(
        long,
        value_name = "DIR",
        env = "STREAMKEEP_DATA_DIR",
        default_value = "streamkeep-data"
    )]
    data_dir: PathBuf,
}

/// Options of `streamkeep fsck`.
#[derive(Args, Clone, Debug)]
pub(crate) struct FsckArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// How closely to look
    #[arg(long, value_enum, default_value_t = Level::Decrypt)]
    level: Level,
}

/// How closely to look; each includes those before it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    /// Files against the index: a few reads per volume
    Presence,
    /// All headers
    Headers,
    /// All bytes against their checksums; needs no keys
    Checksums,
    /// All fragments decrypted
    Decrypt,
}

/// Options of `streamkeep dump-volume`.
#[derive(Args, Clone, Debug)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// The volume: its file, or its name in the data directory
    #[arg(value_name = "VOLUME")]
    volume: String,
}

/// A data directory, locked against servers.
struct Opened {
    _lock: StoreLock,
    volumes: LocalDirectory,
    keyring: Keyring,
    index: SqliteIndex,
}

fn open(data_dir: &Path, renew_index: bool) -> Result<Opened, Box<dyn Error>> {
    if !data_dir.join("volumes").is_dir() {
        return Err(format!("{} is not a Streamkeep data directory", data_dir.display()).into());
    }
    let directory = LocalDirectory::open(data_dir)?;
    let lock = StoreLock::acquire(&directory, &Host::current())?;
    let volumes = LocalDirectory::open(&data_dir.join("volumes"))?;
    let store = load_store_id(data_dir)?;
    let root = load_root_key(data_dir)?;
    let cards = StreamCards::new(Arc::new(LocalDirectory::open(&data_dir.join("keys"))?));
    let (control, _) =
        CardedControl::open(SqliteControl::open(&data_dir.join("control.db"))?, cards)?;
    let control: Arc<dyn ControlCatalog> = Arc::new(control);
    if renew_index {
        for suffix in ["", "-wal", "-shm"] {
            match std::fs::remove_file(data_dir.join(format!("index.db{suffix}"))) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
    }
    let index = SqliteIndex::open(&data_dir.join("index.db"))?;
    let keyring = Keyring { root, store, control };
    Ok(Opened { _lock: lock, volumes, keyring, index })
}

/// Checks a data directory; fails when something is wrong with it.
pub(crate) fn run_fsck(args: FsckArgs) -> Result<ExitCode, Box<dyn Error>> {
    let opened = open(&args.directory.data_dir, false)?;
    let offline =
        Offline { volumes: &opened.volumes, store: opened.keyring.store, index: &opened.index };
    let level = match args.level {
        Level::Presence => FsckLevel::Presence,
        Level::Headers => FsckLevel::Headers,
        Level::Checksums => FsckLevel::Checksums,
        Level::Decrypt => FsckLevel::Decrypt,
    };
    let report = fsck(&offline, level, &opened.keyring, &mut |id, position, count| {
        progress(id, position, count);
        true
    })?;
    for name in &report.foreign_files {
        println!("volumes/{name}: not a volume");
    }
    for (volume, problem) in &report.problems {
        println!("volume {volume:016x}: {problem}");
    }
    println!(
        "{} volumes, {} fragments, {:.1} MB: {}",
        report.volumes,
        report.fragments,
        report.record_bytes as f64 / 1e6,
        if report.is_clean() {
            "clean".to_owned()
        } else {
            format!("{} problems", report.problems.len())
        }
    );
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes both databases anew from cards and volumes.
pub(crate) fn run_rebuild_index(args: DirectoryArgs) -> Result<ExitCode, Box<dyn Error>> {
    let opened = open(&args.data_dir, true)?;
    let control = &opened.keyring.control;
    let streams: Vec<StreamConfig> = control
        .streams()?
        .into_iter()
        .map(|record| StreamConfig {
            id: record.id,
            retention_hours: record.retention_hours,
            visible_from: record.visible_from,
        })
        .collect();
    let offline =
        Offline { volumes: &opened.volumes, store: opened.keyring.store, index: &opened.index };
    let orphan_retention = Options::new(opened.keyring.store, 1).orphan_retention;
    let orphan_retention_ms = u64::try_from(orphan_retention.as_millis()).unwrap_or(u64::MAX);
    let report = rebuild_index(&offline, &streams, orphan_retention_ms, &mut progress)?;
    control.raise_epoch(report.largest_epoch)?;
    for (volume, why) in &report.unusable {
        println!("volume {volume:016x}: cannot be used: {why}");
    }
    println!(
        "{} streams; {} sealed volumes with {} fragments; {} volumes left to the next start",
        streams.len(),
        report.sealed,
        report.fragments,
        report.left_to_recovery.len(),
    );
    Ok(if report.unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lists what is in a volume; needs no keys.
pub(crate) fn run_dump_volume(args: DumpArgs) -> Result<ExitCode, Box<dyn Error>> {
    let given = Path::new(&args.volume);
    let path = if given.is_file() {
        given.to_owned()
    } else {
        let name = args.volume.trim_end_matches(".vol");
        args.directory.data_dir.join("volumes").join(format!("{name}.vol"))
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Err(format!("{}: not a volume file", path.display()).into());
    };
    let directory =
        LocalDirectory::open(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let file = directory
        .open(name, Access::Read)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    dump(&*file, &mut |item| println!("{item}"))?;
    Ok(ExitCode::SUCCESS)
}

fn progress(id: u64, position: u64, count: u64) {
    use std::io::IsTerminal as _;
    if std::io::stderr().is_terminal() {
        eprint!("\rvolume {id:016x} ({} of {count})\x1b[K", position + 1);
        if position + 1 == count {
            eprintln!();
        }
    }
}
