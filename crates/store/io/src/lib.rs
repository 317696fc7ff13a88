//! The store's seams: [`Clock`], [`Rng`] and [`VolumeIo`], each real and simulated.
//!
//! Store crates reach time, randomness and files only through these traits, so that a test can
//! run the same code over [`sim::SimDisk`], cut the power at any operation and look at what is
//! left. The real forms are [`SystemClock`], [`SystemRng`] and [`LocalDirectory`].
//!
//! [`Buffer`] is what is read into: large ones are used again.
//!
//! Everything blocks: the callers are plain threads. A form over `O_DIRECT` or io_uring fits
//! behind the same traits, because every write of the store starts and ends on a
//! [`BLOCK_LEN`] boundary.

mod buffer;
mod clock;
mod local;
mod memory;
mod rng;
pub mod sim;
pub mod suite;
mod volume_io;
mod whole_file;

pub use buffer::{Buffer, DIRECT_ALIGN};
pub use clock::{Clock, SystemClock};
pub use local::LocalDirectory;
pub use memory::MemoryFile;
pub use rng::{Rng, SystemRng};
pub use volume_io::{Access, BLOCK_LEN, FileEntry, Space, VolumeFile, VolumeIo, check_file_name};
pub use whole_file::{read_whole, replace_whole};
