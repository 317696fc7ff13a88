//! Who the worker is.

use rustix::io;
use rustix::process::{Gid, Signal, Uid, geteuid, getuid, set_parent_process_death_signal};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// A server run by the super-user has its workers run by nobody: all capabilities go with the
/// identity. Whether the worker is without privilege then. The process has one thread, so the
/// thread's identity is the process's.
pub(super) fn give_up_super_user() -> bool {
    if !getuid().is_root() && !geteuid().is_root() {
        return true;
    }
    let (gid, uid) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
    // In a user namespace without such a user this fails; what root may do there is little.
    set_thread_groups(&[])
        .and_then(|()| set_thread_res_gid(gid, gid, gid))
        .and_then(|()| set_thread_res_uid(uid, uid, uid))
        .is_ok()
}

/// A worker that loops would otherwise outlive a server that was killed. A change of identity
/// clears this, so it comes after.
pub(super) fn die_with_the_server() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
}

/// nobody and nogroup of Debian, nobody of most others.
const NOBODY: u32 = 65534;
