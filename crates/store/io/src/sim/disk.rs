//! The simulated disk: directories, files, and the events that strike them all.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::fault::{Effect, Fault, OpKind, SimOp};
use super::inode::Inode;
use super::{SimClock, SimDirectory, SimRng};
use crate::{Rng, Space};

/// A disk that forgets like a real one.
///
/// - A write is seen by readers at once and durable after a sync. A power cut leaves, of each
///   unsynced sector, any version since the last sync.
/// - Create, rename and unlink are durable after `sync_dir`. A power cut leaves any prefix of
///   them, per directory. Syncing a new file does not make its name durable.
/// - Every operation that changes something counts, see [`operations`](Self::operations); at
///   operation [`crash_at`](Self::crash_at) the machine goes down: the operation is begun, it and
///   all later ones fail, until [`crash`](Self::crash) decides what survived and starts it again.
/// - Handles and directories from before a crash stay dead, so threads of the old life cannot
///   touch the new one.
///
/// Clones are the same disk; [`fork`](Self::fork) makes another one with the same state, to try
/// several outcomes of one crash.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Shared>,
}

/// How a [`SimDisk`] is built.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Seed of the disk's own choices.
    pub seed: u64,
    /// 512 or 4096: what the medium writes whole or not at all.
    pub sector_len: u64,
    /// Size in bytes.
    pub capacity: u64,
    /// What of the unsynced sectors is on the medium after a sync that failed.
    pub failed_sync_keeps: Survival,
    /// Moved by [`Effect::Delay`].
    pub clock: Option<Arc<SimClock>>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            sector_len: 512,
            capacity: 1 << 40,
            failed_sync_keeps: Survival::Nothing,
            clock: None,
        }
    }
}

/// How much of what was not synced is there after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// Only what was synced.
    Nothing,
    /// All: the process was killed, the machine went on.
    Everything,
    /// Any subset of sectors, any prefix of directory operations.
    Random,
}

/// What a [`SimDisk::crash`] leaves.
#[derive(Clone, Copy, Debug)]
pub struct CrashOptions {
    /// What survives of the unsynced sectors.
    pub sectors: Survival,
    /// What survives of the unsynced directory operations.
    pub names: Survival,
}

impl CrashOptions {
    /// Any legal outcome of a power cut.
    pub const RANDOM: Self = Self { sectors: Survival::Random, names: Survival::Random };
    /// The power cut that takes all it can.
    pub const NOTHING: Self = Self { sectors: Survival::Nothing, names: Survival::Nothing };
    /// The process is killed; the page cache survives.
    pub const KILL: Self = Self { sectors: Survival::Everything, names: Survival::Everything };
}

impl SimDisk {
    /// An empty disk.
    pub fn new(options: SimOptions) -> Self {
        assert!([512, 4096].contains(&options.sector_len), "sectors have 512 or 4096 bytes");
        let state = State {
            rng: SimRng::new(options.seed),
            capacity: options.capacity,
            options,
            boot: 0,
            down: false,
            operations: 0,
            crash_at: None,
            faults: Vec::new(),
            directories: BTreeMap::new(),
            inodes: BTreeMap::new(),
            next_id: 0,
            trace: VecDeque::new(),
        };
        Self::from_state(state)
    }

    fn from_state(state: State) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(state), hook: RwLock::new(None) }) }
    }

    /// The directory `name`, made when it is new. Directories themselves are always durable.
    pub fn directory(&self, name: &str) -> Arc<SimDirectory> {
        let mut state = self.shared.lock();
        state.directories.entry(name.to_owned()).or_default();
        Arc::new(SimDirectory::new(self.shared.clone(), state.boot, name))
    }

    /// Cuts the power and starts the machine again: decides with `rng` what survives, closes all
    /// handles, drops the planned crash and the planned faults.
    pub fn crash(&self, rng: &SimRng, options: CrashOptions) {
        self.shared.lock().crash(rng, options);
    }

    /// Another disk with the same state; it does not share the hook.
    pub fn fork(&self) -> Self {
        Self::from_state(self.shared.lock().clone())
    }

    /// Operations begun so far that change something: all kinds but [`OpKind::Read`]. With the
    /// number of a run that went through, `for k in 0..operations` enumerates every crash point.
    pub fn operations(&self) -> u64 {
        self.shared.lock().operations
    }

    /// The machine goes down at the operation with this number, counted from 0 since the disk
    /// was made. A write is then begun, so that any of its sectors may survive; a directory
    /// operation may be the last of the prefix that survives; a sync has done nothing yet.
    pub fn crash_at(&self, operation: Option<u64>) {
        self.shared.lock().crash_at = operation;
    }

    /// Whether the machine went down at the planned operation.
    pub fn is_down(&self) -> bool {
        self.shared.lock().down
    }

    /// Plans a fault.
    pub fn inject(&self, fault: Fault) {
        let strikes_left = fault.times;
        self.shared.lock().faults.push(Armed { fault, seen: 0, strikes_left });
    }

    /// Drops all planned faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Changes the size of the disk. When more is used than that, nothing is free.
    pub fn set_capacity(&self, capacity: u64) {
        self.shared.lock().capacity = capacity;
    }

    /// Size and free space.
    pub fn space(&self) -> Space {
        self.shared.lock().space()
    }

    /// Called before each operation, without any lock held: it may wait, and so let the test
    /// order threads, or plan faults. Replaces the hook before.
    pub fn set_hook(&self, hook: impl Fn(&SimOp) + Send + Sync + 'static) {
        *self.shared.hook.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// The last operations, at most 1,000, oldest first: what to print when a test fails.
    pub fn trace(&self) -> Vec<SimOp> {
        self.shared.lock().trace.iter().cloned().collect()
    }

    /// Turns one bit of a file over, on the medium and in the cache: decay. `bit` counts from
    /// the first bit of the file; panics when there is no such file.
    pub fn flip_bit(&self, directory: &str, file: &str, bit: u64) {
        self.shared.lock().named(directory, file).flip_bit(bit);
    }

    /// Replaces bytes of a file, on the medium and in the cache. Panics when there is no such
    /// file.
    pub fn overwrite(&self, directory: &str, file: &str, offset: u64, bytes: &[u8]) {
        self.shared.lock().named(directory, file).overwrite(offset, bytes);
    }

    /// What readers see of a file. Panics when there is no such file.
    pub fn contents(&self, directory: &str, file: &str) -> Vec<u8> {
        let mut state = self.shared.lock();
        let inode = state.named(directory, file);
        let mut bytes = vec![0; inode.len() as usize];
        inode.read(0, &mut bytes);
        bytes
    }
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("SimDisk")
            .field("options", &state.options)
            .field("operations", &state.operations)
            .field("down", &state.down)
            .finish_non_exhaustive()
    }
}

pub(super) struct Shared {
    state: Mutex<State>,
    hook: RwLock<Option<Arc<Hook>>>,
}

type Hook = dyn Fn(&SimOp) + Send + Sync;

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panicking test thread must not hide the disk from the assertion that follows.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation of a handle made in life `boot`: runs the hook, counts it, finds its
    /// fault. `Ok` holds the locked state and how to go on.
    pub(super) fn begin(&self, boot: u64, op: SimOp) -> io::Result<(MutexGuard<'_, State>, Step)> {
        let hook = self.hook.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(hook) = hook {
            hook(&op);
        }
        let mut state = self.lock();
        if state.down || state.boot != boot {
            return Err(machine_is_down());
        }
        let step = state.count(op)?;
        Ok((state, step))
    }
}

/// How an operation goes on after it was counted.
#[derive(Debug)]
pub(super) enum Step {
    /// Do it, with this effect.
    Run(Option<Effect>),
    /// Begin it, then report that the machine is down.
    Crash,
}

pub(super) fn machine_is_down() -> io::Error {
    io::Error::other("the simulated machine is down")
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) options: SimOptions,
    pub(super) rng: SimRng,
    capacity: u64,
    pub(super) boot: u64,
    down: bool,
    operations: u64,
    crash_at: Option<u64>,
    faults: Vec<Armed>,
    pub(super) directories: BTreeMap<String, Directory>,
    pub(super) inodes: BTreeMap<u64, Inode>,
    next_id: u64,
    trace: VecDeque<SimOp>,
}

#[derive(Clone)]
struct Armed {
    fault: Fault,
    seen: u64,
    strikes_left: u64,
}

/// Names of one directory: file name to inode id.
#[derive(Clone, Default)]
pub(super) struct Directory {
    durable: BTreeMap<String, u64>,
    pub(super) live: BTreeMap<String, u64>,
    pub(super) pending: Vec<DirOp>,
}

#[derive(Clone)]
pub(super) enum DirOp {
    Create { name: String, inode: u64 },
    Rename { from: String, to: String },
    Unlink { name: String },
}

impl Directory {
    /// Does the operation where readers see it and remembers it for the next sync.
    pub(super) fn perform(&mut self, op: DirOp) {
        op.apply(&mut self.live);
        self.pending.push(op);
    }

    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.live);
        self.pending.clear();
    }
}

impl DirOp {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Create { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Rename { from, to } => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Unlink { name } => {
                names.remove(name);
            }
        }
    }
}

impl State {
    pub(super) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn is_down(&self) -> bool {
        self.down
    }

    pub(super) fn space(&self) -> Space {
        let used: u64 = self
            .directories
            .values()
            .flat_map(|directory| directory.live.values())
            .filter_map(|id| self.inodes.get(id))
            .map(Inode::allocated)
            .sum();
        Space { total: self.capacity, available: self.capacity.saturating_sub(used) }
    }

    /// Forgets files that no name, present, durable or pending, and no handle leads to.
    pub(super) fn collect_garbage(&mut self) {
        let Self { directories, inodes, .. } = self;
        inodes.retain(|id, inode| {
            inode.open_handles > 0
                || directories.values().any(|directory| {
                    directory.live.values().any(|named| named == id)
                        || directory.durable.values().any(|named| named == id)
                        || directory
                            .pending
                            .iter()
                            .any(|op| matches!(op, DirOp::Create { inode, .. } if inode == id))
                })
        });
    }

    fn named(&mut self, directory: &str, file: &str) -> &mut Inode {
        let id = self.directories.get(directory).and_then(|directory| directory.live.get(file));
        let id = *id.unwrap_or_else(|| panic!("no file {directory}/{file} on the simulated disk"));
        self.inodes.get_mut(&id).expect("every name leads to an inode")
    }

    fn count(&mut self, op: SimOp) -> io::Result<Step> {
        let effect = self.fault_for(&op);
        let counts = op.kind != OpKind::Read;
        if counts {
            if self.trace.len() == TRACE_LEN {
                self.trace.pop_front();
            }
            self.trace.push_back(op);
            let number = self.operations;
            self.operations += 1;
            if self.crash_at == Some(number) {
                self.down = true;
                return Ok(Step::Crash);
            }
        }
        if let (Some(Effect::Delay(by)), Some(clock)) = (&effect, &self.options.clock) {
            clock.advance(*by);
        }
        Ok(Step::Run(effect))
    }

    fn fault_for(&mut self, op: &SimOp) -> Option<Effect> {
        for armed in &mut self.faults {
            let fault = &armed.fault;
            if fault.on != op.kind || fault.file.as_ref().is_some_and(|name| *name != op.file) {
                continue;
            }
            armed.seen += 1;
            if armed.seen > fault.skip && armed.strikes_left > 0 {
                armed.strikes_left = armed.strikes_left.saturating_sub(1);
                return Some(fault.effect.clone());
            }
        }
        None
    }

    fn crash(&mut self, rng: &SimRng, options: CrashOptions) {
        for directory in self.directories.values_mut() {
            let pending = std::mem::take(&mut directory.pending);
            let count = match options.names {
                Survival::Nothing => 0,
                Survival::Everything => pending.len(),
                Survival::Random => rng.below(pending.len() as u64 + 1) as usize,
            };
            for op in &pending[..count] {
                op.apply(&mut directory.durable);
            }
            directory.live.clone_from(&directory.durable);
        }
        for inode in self.inodes.values_mut() {
            inode.crash(self.options.sector_len, options.sectors, rng);
        }
        self.collect_garbage();
        self.boot += 1;
        self.down = false;
        self.crash_at = None;
        self.faults.clear();
        // The rebooted life must not repeat the choices of the old one.
        let mut seed = [0; 8];
        rng.fill(&mut seed);
        self.rng = SimRng::new(u64::from_le_bytes(seed));
    }
}

/// Operations kept for [`SimDisk::trace`].
const TRACE_LEN: usize = 1_000;
