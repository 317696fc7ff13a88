//! Simulated forms of the seams, for tests that cut the power.
//!
//! [`SimDisk`] keeps apart what readers see and what would survive: each file has a durable image
//! and, per sector, the versions written since its last sync; each directory has the operations
//! since its last sync. [`SimDisk::crash`] chooses what of these survives. See [`SimDisk`] for
//! the rules, [`Fault`] for what else can go wrong.

mod clock;
mod directory;
mod disk;
mod fault;
mod image;
mod inode;
mod rng;

pub use clock::SimClock;
pub use directory::SimDirectory;
pub use disk::{CrashOptions, SimDisk, SimOptions, Survival};
pub use fault::{Effect, Fault, IoFault, OpKind, SimOp};
pub use rng::SimRng;

#[cfg(test)]
mod tests;
