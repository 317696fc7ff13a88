//! What the worker may not do, in force before it reads the first byte of a job.
//!
//! In this order, each step needing what the next takes away:
//!
//! 1. the super-user's identity is given up; the worker dies with the server;
//! 2. Landlock denies every file, and TCP where the kernel knows how;
//! 3. limits: memory, processor time, no core, no file growth, no new descriptor, no process;
//! 4. a seccomp filter: memory, the clock, the three standard streams, leaving. Everything else
//!    kills the process.
//!
//! Steps 1 and 2 take what the kernel offers. Without step 4 the worker refuses to work.
//!
//! What is left to a taken-over worker: its answers. It can give wrong pictures for the jobs it
//! still gets, which is why the server replaces workers after some hundred jobs.

mod identity;
mod landlock;
mod limits;
mod syscalls;

use streamkeep_decoder_protocol::Confinement;

/// Gives up everything for good.
pub(crate) fn confine() -> Result<Confinement, String> {
    let unprivileged = identity::give_up_super_user();
    identity::die_with_the_server().map_err(|error| format!("death signal: {error}"))?;
    let landlock = landlock::deny_files();
    limits::set().map_err(|error| format!("limits: {error}"))?;
    syscalls::filter().map_err(|error| format!("seccomp: {error}"))?;
    Ok(Confinement { seccomp: true, landlock, unprivileged })
}
