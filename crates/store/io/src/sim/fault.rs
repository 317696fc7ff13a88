//! What can go wrong, besides the power cut.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

/// One planned fault: it waits for matching operations, lets `skip` of them pass, then strikes
/// `times` times.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The operation to strike.
    pub on: OpKind,
    /// Only operations on the file of this name; any file when `None`.
    pub file: Option<String>,
    /// Matching operations that pass first.
    pub skip: u64,
    /// How often it strikes; `u64::MAX` for good.
    pub times: u64,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// Strikes the `nth` operation of a kind from now on, counted from 0, once.
    pub fn nth(on: OpKind, nth: u64, effect: Effect) -> Self {
        Self { on, file: None, skip: nth, times: 1, effect }
    }

    /// Strikes every operation of a kind from now on.
    pub fn every(on: OpKind, effect: Effect) -> Self {
        Self { on, file: None, skip: 0, times: u64::MAX, effect }
    }

    /// The same fault for one file only.
    #[must_use]
    pub fn on_file(mut self, name: &str) -> Self {
        self.file = Some(name.to_owned());
        self
    }
}

/// The effect of a [`Fault`]. One that says "a write" changes nothing for other operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The operation fails and does nothing. A sync that fails takes the unsynced sectors with
    /// it, as Linux does: they stay readable until the cache is dropped or the machine crashes,
    /// and a later sync succeeds without writing them.
    Fail(IoFault),
    /// A write puts only its first bytes into the file, then fails.
    ShortWrite {
        /// Bytes that get through.
        bytes: u64,
        /// How it then fails.
        then: IoFault,
    },
    /// A write succeeds and reads show it while it is cached, but the medium never gets it.
    DropWrite,
    /// A write succeeds and reads show it while it is cached, but the medium gets it `by` bytes
    /// further on, or further back. `by` is a multiple of the sector length.
    MisdirectWrite {
        /// Distance in bytes.
        by: i64,
    },
    /// A write succeeds with one bit of its bytes turned over on the way.
    FlipBit {
        /// Which bit of the write, counted from its first byte; taken modulo its length.
        bit: u64,
    },
    /// The operation takes this long on the disk's [`SimClock`](super::SimClock), then succeeds.
    Delay(Duration),
}

/// The errors that disks and file systems report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoFault {
    /// EIO.
    Io,
    /// ENOSPC.
    NoSpace,
    /// EROFS.
    ReadOnly,
}

impl From<IoFault> for io::Error {
    fn from(fault: IoFault) -> Self {
        let errno = match fault {
            IoFault::Io => Errno::IO,
            IoFault::NoSpace => Errno::NOSPC,
            IoFault::ReadOnly => Errno::ROFS,
        };
        Self::from(errno)
    }
}

/// Kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// `write_at`, whatever the number of slices.
    Write,
    /// `sync_data` and `sync_all`.
    Sync,
    /// `allocate`.
    Allocate,
    /// `truncate`.
    Truncate,
    /// `create`.
    Create,
    /// `rename`.
    Rename,
    /// `unlink`.
    Unlink,
    /// `sync_dir`.
    SyncDir,
    /// `read_at`. Changes nothing, so it is not counted as an operation.
    Read,
}

/// One operation, as given to the hook and kept in the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOp {
    /// What it does.
    pub kind: OpKind,
    /// The directory it works in.
    pub directory: String,
    /// The file; the old name for a rename, empty for `sync_dir`.
    pub file: String,
    /// Position and length in bytes for reads and writes, the new length for `allocate` and
    /// `truncate`, else 0.
    pub offset: u64,
    /// See `offset`.
    pub len: u64,
}
