//! [`VolumeIo`] and [`VolumeFile`] over a [`SimDisk`](super::SimDisk).

use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::{Arc, MutexGuard};

use super::disk::{DirOp, Directory, Shared, State, Step, machine_is_down};
use super::fault::{Effect, IoFault, OpKind, SimOp};
use super::inode::{Fate, Inode};
use crate::{Access, FileEntry, Space, VolumeFile, VolumeIo, check_file_name};

/// A directory of a [`SimDisk`](super::SimDisk). Dead after the next crash: ask the disk again.
pub struct SimDirectory {
    shared: Arc<Shared>,
    boot: u64,
    name: String,
}

impl SimDirectory {
    pub(super) fn new(shared: Arc<Shared>, boot: u64, name: &str) -> Self {
        Self { shared, boot, name: name.to_owned() }
    }

    fn op(&self, kind: OpKind, file: &str) -> SimOp {
        SimOp { kind, directory: self.name.clone(), file: file.to_owned(), offset: 0, len: 0 }
    }

    /// The state, for operations that change nothing and are not counted.
    fn look(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.shared.lock();
        if state.is_alive(self.boot) { Ok(state) } else { Err(machine_is_down()) }
    }

    fn handle(&self, state: &mut State, name: &str, id: u64, access: Access) -> Arc<SimFile> {
        if let Some(inode) = state.inodes.get_mut(&id) {
            inode.open_handles += 1;
        }
        Arc::new(SimFile {
            shared: self.shared.clone(),
            boot: self.boot,
            directory: self.name.clone(),
            name: name.to_owned(),
            inode: id,
            handle: state.new_id(),
            access,
        })
    }

    /// Counts an operation on names, checks it with `check`, performs it.
    fn change_names(
        &self,
        op: SimOp,
        check: impl FnOnce(&mut State) -> io::Result<DirOp>,
    ) -> io::Result<MutexGuard<'_, State>> {
        let (mut state, step) = self.shared.begin(self.boot, op)?;
        if let Step::Run(Some(Effect::Fail(fault))) = step {
            return Err(fault.into());
        }
        let change = check(&mut state)?;
        state.directory(&self.name).perform(change);
        match step {
            Step::Crash => Err(machine_is_down()),
            Step::Run(_) => Ok(state),
        }
    }
}

impl fmt::Debug for SimDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimDirectory").field(&self.name).finish()
    }
}

impl VolumeIo for SimDirectory {
    fn create(&self, name: &str) -> io::Result<Arc<dyn VolumeFile>> {
        check_file_name(name)?;
        let mut id = 0;
        let mut state = self.change_names(self.op(OpKind::Create, name), |state| {
            if state.directory(&self.name).live.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            if state.space().available == 0 {
                return Err(IoFault::NoSpace.into());
            }
            id = state.new_id();
            state.inodes.insert(id, Inode::default());
            Ok(DirOp::Create { name: name.to_owned(), inode: id })
        })?;
        Ok(self.handle(&mut state, name, id, Access::ReadWrite))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Arc<dyn VolumeFile>> {
        check_file_name(name)?;
        let mut state = self.look()?;
        let id = *state.directory(&self.name).live.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(&mut state, name, id, access))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        check_file_name(from)?;
        check_file_name(to)?;
        self.change_names(self.op(OpKind::Rename, from), |state| {
            if !state.directory(&self.name).live.contains_key(from) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(DirOp::Rename { from: from.to_owned(), to: to.to_owned() })
        })
        .map(drop)
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        check_file_name(name)?;
        self.change_names(self.op(OpKind::Unlink, name), |state| {
            if !state.directory(&self.name).live.contains_key(name) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(DirOp::Unlink { name: name.to_owned() })
        })
        .map(drop)
    }

    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let mut state = self.look()?;
        let names = state.directory(&self.name).live.clone();
        let len = |id| state.inodes.get(&id).map_or(0, Inode::len);
        Ok(names.into_iter().map(|(name, id)| FileEntry { len: len(id), name }).collect())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let (mut state, step) = self.shared.begin(self.boot, self.op(OpKind::SyncDir, ""))?;
        match step {
            Step::Crash => Err(machine_is_down()),
            Step::Run(Some(Effect::Fail(fault))) => Err(fault.into()),
            Step::Run(_) => {
                state.directory(&self.name).sync();
                state.collect_garbage();
                Ok(())
            }
        }
    }

    fn statvfs(&self) -> io::Result<Space> {
        Ok(self.look()?.space())
    }
}

impl State {
    fn is_alive(&self, boot: u64) -> bool {
        !self.is_down() && self.boot == boot
    }

    fn directory(&mut self, name: &str) -> &mut Directory {
        self.directories.entry(name.to_owned()).or_default()
    }
}

struct SimFile {
    shared: Arc<Shared>,
    boot: u64,
    directory: String,
    name: String,
    inode: u64,
    handle: u64,
    access: Access,
}

impl SimFile {
    fn op(&self, kind: OpKind, offset: u64, len: u64) -> SimOp {
        SimOp { kind, directory: self.directory.clone(), file: self.name.clone(), offset, len }
    }

    fn look(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.shared.lock();
        if state.is_alive(self.boot) { Ok(state) } else { Err(machine_is_down()) }
    }

    fn check_writable(&self) -> io::Result<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            // What pwrite(2) says of a descriptor that is not open for writing: EBADF.
            Access::Read => Err(rustix::io::Errno::BADF.into()),
        }
    }

    /// Counts an operation that changes the file and runs `change`; a crash comes after it.
    fn change(
        &self,
        op: SimOp,
        change: impl FnOnce(&mut State) -> io::Result<()>,
    ) -> io::Result<()> {
        self.check_writable()?;
        let (mut state, step) = self.shared.begin(self.boot, op)?;
        if let Step::Run(Some(Effect::Fail(fault))) = step {
            return Err(fault.into());
        }
        let result = change(&mut state);
        if let Step::Crash = step { Err(machine_is_down()) } else { result }
    }

    fn sync(&self) -> io::Result<()> {
        let (mut state, step) = self.shared.begin(self.boot, self.op(OpKind::Sync, 0, 0))?;
        let State { options, rng, inodes, .. } = &mut *state;
        let inode = inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
        match step {
            Step::Crash => Err(machine_is_down()),
            Step::Run(Some(Effect::Fail(fault))) => {
                inode.fail_sync(options.sector_len, options.failed_sync_keeps, rng);
                Err(fault.into())
            }
            Step::Run(_) => {
                inode.sync(options.sector_len);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimFile({}/{})", self.directory, self.name)
    }
}

impl VolumeFile for SimFile {
    fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut bytes = bufs.iter().map(|buf| &**buf).collect::<Vec<_>>().concat();
        let op = self.op(OpKind::Write, offset, bytes.len() as u64);
        let (mut state, step) = self.shared.begin(self.boot, op)?;
        let sector_len = state.options.sector_len;
        let mut fate = Fate::Lands;
        let mut failure = None;
        match step {
            Step::Crash => failure = Some(machine_is_down()),
            Step::Run(Some(Effect::Fail(fault))) => return Err(fault.into()),
            Step::Run(Some(Effect::ShortWrite { bytes: count, then })) => {
                bytes.truncate(usize::try_from(count).unwrap_or(usize::MAX));
                failure = Some(then.into());
            }
            Step::Run(Some(Effect::DropWrite)) => fate = Fate::Dropped,
            Step::Run(Some(Effect::MisdirectWrite { by })) => fate = Fate::Misdirected(by),
            Step::Run(Some(Effect::FlipBit { bit })) => {
                let bit = bit % (bytes.len() as u64 * 8).max(1);
                if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
                    *byte ^= 1 << (bit % 8);
                }
            }
            Step::Run(Some(Effect::Delay(_)) | None) => {}
        }
        let available = state.space().available;
        let inode = state.inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
        if inode.needed_for(offset, bytes.len() as u64) > available {
            return Err(IoFault::NoSpace.into());
        }
        inode.write(offset, &bytes, sector_len, fate);
        failure.map_or(Ok(()), Err)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let op = self.op(OpKind::Read, offset, buf.len() as u64);
        let (state, step) = self.shared.begin(self.boot, op)?;
        if let Step::Run(Some(Effect::Fail(fault))) = step {
            return Err(fault.into());
        }
        Ok(state.inodes.get(&self.inode).expect(OPEN_FILE_HAS_INODE).read(offset, buf))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.look()?.inodes.get(&self.inode).expect(OPEN_FILE_HAS_INODE).len())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.change(self.op(OpKind::Allocate, 0, len), |state| {
            let available = state.space().available;
            let inode = state.inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
            if inode.needed_for(0, len) > available {
                return Err(IoFault::NoSpace.into());
            }
            inode.allocate(len);
            Ok(())
        })
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.change(self.op(OpKind::Truncate, 0, len), |state| {
            let sector_len = state.options.sector_len;
            let inode = state.inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
            inode.set_len(len, sector_len);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }

    fn drop_cache(&self, range: Range<u64>) -> io::Result<()> {
        let mut state = self.look()?;
        let sector_len = state.options.sector_len;
        let inode = state.inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
        inode.drop_cache(range.start, range.end, sector_len);
        Ok(())
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let state = self.look()?;
        Ok(state.inodes.get(&self.inode).expect(OPEN_FILE_HAS_INODE).next_data(offset))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.look()?;
        let inode = state.inodes.get_mut(&self.inode).expect(OPEN_FILE_HAS_INODE);
        Ok(*inode.locked_by.get_or_insert(self.handle) == self.handle)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        // A crash has closed all handles already.
        if state.boot != self.boot {
            return;
        }
        if let Some(inode) = state.inodes.get_mut(&self.inode) {
            inode.open_handles = inode.open_handles.saturating_sub(1);
            if inode.locked_by == Some(self.handle) {
                inode.locked_by = None;
            }
            if inode.open_handles == 0 {
                state.collect_garbage();
            }
        }
    }
}

/// Why a lookup of a handle's inode cannot fail.
const OPEN_FILE_HAS_INODE: &str = "a file with an open handle is kept";
