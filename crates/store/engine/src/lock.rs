//! The directory's lock: one process at a time.
//!
//! `flock` on the file `lock` decides among the processes of one kernel. It can be fooled where the
//! lock stays on one machine although the directory is shared (network file systems, some bind
//! mounts), so the file also holds a record of who uses it, with a beat that the user moves on every
//! few seconds. A record of another machine is watched for a while before it is taken for dead.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use streamkeep_io::{Access, VolumeFile, VolumeIo};
use streamkeep_keys::StoreId;

use crate::StoreError;

/// Who holds, or wants, a lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// `/etc/machine-id`; empty when there is none, as in many containers.
    pub machine: String,
    /// `/proc/sys/kernel/random/boot_id`: another one after every boot.
    pub boot: String,
    /// Process id, for the message only.
    pub pid: u32,
}

impl Host {
    /// This machine and process.
    pub fn current() -> Self {
        let first_word = |path: &str| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().next().unwrap_or_default().to_owned()
        };
        Self {
            machine: first_word("/etc/machine-id"),
            boot: first_word("/proc/sys/kernel/random/boot_id"),
            pid: std::process::id(),
        }
    }
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct StoreLock {
    file: Arc<dyn VolumeFile>,
    record: Record,
}

/// Name of the lock file in the data directory.
const FILE: &str = "lock";
/// Bytes of the record: one sector, so that it is never half written.
const RECORD_LEN: usize = 512;
/// How often the holder moves the beat on.
pub(crate) const BEAT_INTERVAL: Duration = Duration::from_secs(4);
/// How long the record of another machine is watched. Above two beats, and far below the time that
/// cameras can do without the store.
const WATCH: Duration = Duration::from_secs(10);

impl StoreLock {
    /// Takes the lock of a data directory. To be called before anything else in it is opened.
    ///
    /// Waits up to ten seconds when the last holder was another machine that did not release it.
    ///
    /// # Errors
    /// `Locked` when another process holds it, `Io`.
    pub fn acquire(root: &dyn VolumeIo, host: &Host) -> Result<Self, StoreError> {
        Self::acquire_watching(root, host, &mut || {
            std::thread::sleep(WATCH / WATCH_STEPS);
        })
    }

    fn acquire_watching(
        root: &dyn VolumeIo,
        host: &Host,
        pause: &mut dyn FnMut(),
    ) -> Result<Self, StoreError> {
        let io_error = StoreError::io("lock", FILE);
        let file = match root.open(FILE, Access::ReadWrite) {
            // Durable at once: a start on a full disk must find it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                root.create(FILE).and_then(|file| root.sync_dir().map(|()| file))
            }
            result => result,
        };
        let file = match file {
            Ok(file) => file,
            Err(error) => return Err(io_error(error)),
        };
        match file.try_lock() {
            Ok(true) => {}
            Ok(false) => {
                let holder = Record::read(&*file)
                    .map_or_else(|| "another process".to_owned(), |record| record.to_string());
                return Err(StoreError::Locked { holder });
            }
            Err(error) => return Err(io_error(error)),
        }
        let found = Record::read(&*file);
        if let Some(found) = found.as_ref().filter(|found| found.may_be_alive_elsewhere(host)) {
            for _ in 0..WATCH_STEPS {
                pause();
                if Record::read(&*file).is_some_and(|now| now.beat != found.beat) {
                    return Err(StoreError::Locked { holder: found.to_string() });
                }
            }
        }
        let record = Record {
            store: found.as_ref().and_then(|found| found.store),
            host: host.clone(),
            beat: found.map_or(0, |found| found.beat) + 1,
            is_released: false,
        };
        let lock = Self { file, record };
        lock.write().map_err(io_error)?;
        Ok(lock)
    }

    /// The store that last used the directory, when the record says so: the only place besides the
    /// control database and the volume headers that names it.
    pub fn store(&self) -> Option<StoreId> {
        self.record.store
    }

    /// Notes which store uses the directory.
    pub(crate) fn set_store(&mut self, store: StoreId) -> io::Result<()> {
        if self.record.store == Some(store) {
            return Ok(());
        }
        self.record.store = Some(store);
        self.write()
    }

    /// Shows that the holder lives.
    pub(crate) fn beat(&mut self) -> io::Result<()> {
        self.record.beat += 1;
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        self.file.write_at(&[IoSlice::new(&self.record.encode())], 0)?;
        // Elsewhere it is read from the medium, not from our cache.
        self.file.sync_data()
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        self.record.is_released = true;
        // Should this fail, the next machine waits a little longer.
        let _ = self.write();
    }
}

const WATCH_STEPS: u32 = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    store: Option<StoreId>,
    host: Host,
    beat: u64,
    is_released: bool,
}

impl Record {
    /// `flock` has already said that no process of this kernel holds it.
    fn may_be_alive_elsewhere(&self, here: &Host) -> bool {
        let same_machine = !here.machine.is_empty() && self.host.machine == here.machine;
        let same_boot = !here.boot.is_empty() && self.host.boot == here.boot;
        !self.is_released && !same_machine && !same_boot
    }

    fn encode(&self) -> [u8; RECORD_LEN] {
        let store = self.store.map(|store| store.to_string()).unwrap_or_default();
        let text = format!(
            "streamkeep lock 1\nstore={store}\nmachine={:.64}\nboot={:.64}\npid={}\nbeat={}\nreleased={}\n",
            self.host.machine, self.host.boot, self.host.pid, self.beat, self.is_released,
        );
        let mut bytes = [b'\n'; RECORD_LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes
    }

    /// `None` when there is no record, or none that can be understood: then nothing is known of the
    /// last holder and `flock` alone decides.
    fn read(file: &dyn VolumeFile) -> Option<Self> {
        let mut bytes = [0; RECORD_LEN];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        let mut lines = text.strip_prefix("streamkeep lock 1\n")?.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix('=');
        Some(Self {
            store: streamkeep_media::StreamId::from_hex(field("store")?).map(|id| StoreId(id.0)),
            host: Host {
                machine: field("machine")?.to_owned(),
                boot: field("boot")?.to_owned(),
                pid: field("pid")?.parse().ok()?,
            },
            beat: field("beat")?.parse().ok()?,
            is_released: field("released")?.parse().ok()?,
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of machine {:?}", self.host.pid, self.host.machine)
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_io::sim::{SimDisk, SimOptions};

    use super::*;

    fn host(machine: &str, boot: &str) -> Host {
        Host { machine: machine.to_owned(), boot: boot.to_owned(), pid: 7 }
    }

    fn disk() -> SimDisk {
        SimDisk::new(SimOptions::default())
    }

    /// What a killed process leaves: `flock` is gone, the record is not released.
    fn left_by(host: &Host) -> Arc<dyn VolumeIo> {
        let disk = disk();
        let mut lock = StoreLock::acquire(&*disk.directory("root"), host).unwrap();
        lock.set_store(StoreId([5; 16])).unwrap();
        disk.directory("root").sync_dir().unwrap();
        disk.crash(&streamkeep_io::sim::SimRng::new(1), streamkeep_io::sim::CrashOptions::KILL);
        drop(lock);
        disk.directory("root")
    }

    #[test]
    fn one_process_at_a_time() {
        let root = disk().directory("root");
        let here = host("m", "b");
        let lock = StoreLock::acquire(&*root, &here).unwrap();
        let Err(StoreError::Locked { holder }) = StoreLock::acquire(&*root, &here) else {
            panic!("the second must be refused");
        };
        assert!(holder.contains("process 7"), "{holder}");
        drop(lock);
        StoreLock::acquire(&*root, &here).unwrap();
    }

    #[test]
    fn own_leftovers_do_not_delay_the_start() {
        for next in [host("m", "b"), host("m", "next boot"), host("", "b")] {
            let root = left_by(&host("m", "b"));
            let lock = StoreLock::acquire_watching(&*root, &next, &mut || panic!("waits")).unwrap();
            assert_eq!(lock.store(), Some(StoreId([5; 16])));
        }
    }

    #[test]
    fn a_record_of_another_machine_is_watched() {
        let root = left_by(&host("other", "b"));
        let mut pauses = 0;
        drop(StoreLock::acquire_watching(&*root, &host("m", "x"), &mut || pauses += 1).unwrap());
        assert_eq!(pauses, WATCH_STEPS);
        // It released the lock when it was dropped: no need to watch again.
        StoreLock::acquire_watching(&*root, &host("third", "y"), &mut || panic!("waits")).unwrap();
    }

    #[test]
    fn a_machine_whose_beat_goes_on_keeps_the_lock() {
        // `flock` does not reach across: the other machine's handle holds no lock here.
        let root = left_by(&host("other", "b"));
        let file = root.open(FILE, Access::ReadWrite).unwrap();
        let mut record = Record::read(&*file).unwrap();
        let result = StoreLock::acquire_watching(&*root, &host("m", "x"), &mut || {
            record.beat += 1;
            file.write_at(&[IoSlice::new(&record.encode())], 0).unwrap();
        });
        assert!(matches!(result, Err(StoreError::Locked { .. })));
    }
}
