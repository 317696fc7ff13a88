//! Small files that are read and replaced whole: keys, cards, the lock record.

use std::io::{self, IoSlice};

use crate::{Access, VolumeIo};

/// Replaces, or creates, the file `name` so that after any crash it holds either its old bytes or
/// all of the new ones. Returns once the new ones are durable.
///
/// The order is: write `<name>.tmp`, sync it, rename it, sync the directory. Two writers of one
/// name must not run at once.
pub fn replace_whole(dir: &dyn VolumeIo, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    // Left behind by a crash in here.
    match dir.unlink(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = dir.create(&temporary)?;
    file.write_at(&[IoSlice::new(bytes)], 0)?;
    file.sync_all()?;
    dir.rename(&temporary, name)?;
    dir.sync_dir()
}

/// Reads the file `name` whole; `InvalidData` when it is longer than `len_max` bytes.
pub fn read_whole(dir: &dyn VolumeIo, name: &str, len_max: u64) -> io::Result<Vec<u8>> {
    let file = dir.open(name, Access::Read)?;
    let len = file.len()?;
    if len > len_max {
        let message = format!("{name} has {len} bytes, expected at most {len_max}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
