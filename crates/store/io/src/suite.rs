//! What every [`VolumeIo`] must do: one public set of checks that each implementation runs.

use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;

use crate::{
    Access, BLOCK_LEN, Buffer, DIRECT_ALIGN, FileEntry, VolumeIo, read_whole, replace_whole,
};

/// Runs all checks, each on a fresh, empty directory from `make`.
///
/// # Panics
///
/// When the implementation breaks the contract of [`VolumeIo`] or
/// [`VolumeFile`](crate::VolumeFile).
pub fn run(make: &dyn Fn() -> Arc<dyn VolumeIo>) {
    names(&*make());
    vectored_writes(&*make());
    direct_reads(&*make());
    lengths(&*make());
    unlinked_files_stay_readable(&*make());
    access_modes(&*make());
    locks(&*make());
    whole_files(&*make());
    space(&*make());
}

fn names(dir: &dyn VolumeIo) {
    assert_eq!(dir.list().expect(WORKS), []);
    for bad in ["", ".", "..", "a/b", "a\0b"] {
        let error = dir.create(bad).expect_err("a bad name is refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{bad:?}");
        assert!(dir.open(bad, Access::Read).is_err());
        assert!(dir.unlink(bad).is_err());
        assert!(dir.rename("a", bad).is_err());
    }
    dir.create("b").expect(WORKS).write_at(&[IoSlice::new(b"bb")], 0).expect(WORKS);
    dir.create("a").expect(WORKS);
    assert_eq!(dir.create("a").expect_err("taken").kind(), ErrorKind::AlreadyExists);
    let entry = |name: &str, len| FileEntry { name: name.to_owned(), len };
    assert_eq!(dir.list().expect(WORKS), [entry("a", 0), entry("b", 2)]);

    dir.rename("b", "a").expect(WORKS);
    assert_eq!(dir.list().expect(WORKS), [entry("a", 2)]);
    assert_eq!(dir.rename("b", "c").expect_err("missing").kind(), ErrorKind::NotFound);
    assert_eq!(dir.unlink("b").expect_err("missing").kind(), ErrorKind::NotFound);
    let missing = dir.open("b", Access::Read).expect_err("missing");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    dir.sync_dir().expect(WORKS);
    dir.unlink("a").expect(WORKS);
    dir.sync_dir().expect(WORKS);
    assert_eq!(dir.list().expect(WORKS), []);
}

fn vectored_writes(dir: &dyn VolumeIo) {
    let file = dir.create("file").expect(WORKS);
    // More slices than one system call takes, of uneven lengths, some empty.
    let bytes: Vec<u8> = (0..20_000u32).map(|i| (i % 251) as u8).collect();
    let mut slices = vec![IoSlice::new(&[]); 3];
    let mut rest = &bytes[..];
    for len in (0..13).cycle() {
        let (slice, after) = rest.split_at(rest.len().min(len));
        slices.push(IoSlice::new(slice));
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    assert!(slices.len() > 3_000);
    file.write_at(&slices, 100).expect(WORKS);
    file.write_at(&[], 50_000).expect(WORKS);
    assert_eq!(file.len().expect(WORKS), 20_100);
    file.sync_data().expect(WORKS);
    file.drop_cache(0..20_100).expect(WORKS);

    let mut all = vec![0xff; 20_100];
    file.read_exact_at(&mut all, 0).expect(WORKS);
    assert!(all[..100].iter().all(|byte| *byte == 0));
    assert_eq!(&all[100..], &bytes[..]);
    let past_end = file.read_exact_at(&mut all, 1).expect_err("one byte too many");
    assert_eq!(past_end.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(file.read_at(&mut all, 20_100).expect(WORKS), 0);

    // Overwriting changes these bytes only.
    file.write_at(&[IoSlice::new(b"new")], 200).expect(WORKS);
    file.read_exact_at(&mut all, 0).expect(WORKS);
    assert_eq!(&all[200..203], b"new");
    assert_eq!(&all[203..], &bytes[103..]);
}

fn direct_reads(dir: &dyn VolumeIo) {
    let file = dir.create("file").expect(WORKS);
    let bytes: Vec<u8> = (0..150_001u32).map(|i| (i % 251) as u8).collect();
    file.write_at(&[IoSlice::new(&bytes)], 0).expect(WORKS);
    // Also what was not synced yet, and up to an end that is no multiple of anything.
    for (offset, expected) in [(0, 102_400), (8_192, 102_400), (49_152, 100_849), (151_552, 0)] {
        let mut buffer = Buffer::take(25 * DIRECT_ALIGN);
        let count = file.read_direct_at(&mut buffer, offset as u64).expect(WORKS);
        assert_eq!(count, expected, "at {offset}");
        assert!(buffer[..count] == bytes[offset.min(bytes.len())..][..count]);
    }
}

fn lengths(dir: &dyn VolumeIo) {
    let file = dir.create("file").expect(WORKS);
    file.allocate(10 * BLOCK_LEN).expect(WORKS);
    assert_eq!(file.len().expect(WORKS), 10 * BLOCK_LEN);
    file.allocate(BLOCK_LEN).expect("a smaller reservation changes nothing");
    assert_eq!(file.len().expect(WORKS), 10 * BLOCK_LEN);
    file.write_at(&[IoSlice::new(&[7; 8192])], 3 * BLOCK_LEN).expect(WORKS);

    // Data is never skipped. A file system without holes may report zeros as data.
    let first = file.next_data(0).expect(WORKS);
    assert!(first.is_some_and(|first| first <= 3 * BLOCK_LEN), "{first:?}");
    assert_eq!(file.next_data(3 * BLOCK_LEN + 1).expect(WORKS), Some(3 * BLOCK_LEN + 1));
    assert_eq!(file.next_data(10 * BLOCK_LEN).expect(WORKS), None);

    file.truncate(3 * BLOCK_LEN + 5).expect(WORKS);
    assert_eq!(file.len().expect(WORKS), 3 * BLOCK_LEN + 5);
    file.truncate(5 * BLOCK_LEN).expect(WORKS);
    let mut bytes = vec![0xff; 2 * BLOCK_LEN as usize];
    file.read_exact_at(&mut bytes, 3 * BLOCK_LEN).expect(WORKS);
    assert_eq!(&bytes[..6], &[7, 7, 7, 7, 7, 0]);
    assert!(bytes[5..].iter().all(|byte| *byte == 0));
    file.sync_all().expect(WORKS);
}

fn unlinked_files_stay_readable(dir: &dyn VolumeIo) {
    let file = dir.create("file").expect(WORKS);
    file.write_at(&[IoSlice::new(b"still here")], 0).expect(WORKS);
    let reader = dir.open("file", Access::Read).expect(WORKS);
    drop(file);
    dir.unlink("file").expect(WORKS);
    dir.sync_dir().expect(WORKS);
    let mut bytes = [0; 10];
    reader.read_exact_at(&mut bytes, 0).expect(WORKS);
    assert_eq!(&bytes, b"still here");
}

fn access_modes(dir: &dyn VolumeIo) {
    dir.create("file").expect(WORKS).write_at(&[IoSlice::new(b"old")], 0).expect(WORKS);
    let reader = dir.open("file", Access::Read).expect(WORKS);
    assert!(reader.write_at(&[IoSlice::new(b"bad")], 0).is_err());
    assert!(reader.truncate(0).is_err());
    let writer = dir.open("file", Access::ReadWrite).expect(WORKS);
    writer.write_at(&[IoSlice::new(b"new")], 0).expect(WORKS);
    let mut bytes = [0; 3];
    reader.read_exact_at(&mut bytes, 0).expect(WORKS);
    assert_eq!(&bytes, b"new", "all handles see one file");
}

fn locks(dir: &dyn VolumeIo) {
    let first = dir.create("lock").expect(WORKS);
    let second = dir.open("lock", Access::ReadWrite).expect(WORKS);
    assert!(first.try_lock().expect(WORKS));
    assert!(first.try_lock().expect(WORKS), "taking it twice is no error");
    assert!(!second.try_lock().expect(WORKS));
    drop(first);
    assert!(second.try_lock().expect(WORKS));
}

fn whole_files(dir: &dyn VolumeIo) {
    replace_whole(dir, "card", b"one").expect(WORKS);
    assert_eq!(read_whole(dir, "card", 3).expect(WORKS), b"one");
    // As a crash between create and rename leaves it.
    dir.create("card.tmp").expect(WORKS);
    replace_whole(dir, "card", b"three").expect(WORKS);
    assert_eq!(read_whole(dir, "card", 100).expect(WORKS), b"three");
    let too_long = read_whole(dir, "card", 4).expect_err("five bytes");
    assert_eq!(too_long.kind(), ErrorKind::InvalidData);
    assert_eq!(dir.list().expect(WORKS).len(), 1);
}

fn space(dir: &dyn VolumeIo) {
    let space = dir.statvfs().expect(WORKS);
    assert!(space.total >= space.available && space.total > 0, "{space:?}");
}

const WORKS: &str = "the operation works on an empty directory with free space";
