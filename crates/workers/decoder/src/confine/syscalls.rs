//! The seccomp filter: what is not here kills the process.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule,
};

/// Installs the filter, with no_new_privs, on the only thread there is.
pub(super) fn filter() -> Result<(), Error> {
    let filter = SeccompFilter::new(
        rules()?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, BackendError> {
    // No rule: allowed whatever its arguments.
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = [
        // Memory.
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        // Locks and signals of our own; what abort() needs, with tgkill below.
        libc::SYS_futex,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        // The clock, where the vDSO does not serve it.
        libc::SYS_clock_gettime,
        libc::SYS_gettimeofday,
        // Seeds of hash maps; the number of processors, which decoders ask for.
        libc::SYS_getrandom,
        libc::SYS_sched_getaffinity,
        libc::SYS_sched_yield,
        // Leaving.
        libc::SYS_exit,
        libc::SYS_exit_group,
    ]
    .into_iter()
    .map(|syscall| (syscall, Vec::new()))
    .collect();

    // Only the standard streams: a descriptor that was inherited by accident is of no use.
    rules.insert(libc::SYS_read, vec![rule(0, SeccompCmpOp::Eq, 0)?]);
    for syscall in [libc::SYS_write, libc::SYS_writev] {
        let streams = [1, 2].map(|descriptor| rule(0, SeccompCmpOp::Eq, descriptor));
        rules.insert(syscall, streams.into_iter().collect::<Result<_, _>>()?);
    }
    // Memory that holds no file and is no code.
    let (exec, anonymous) = (libc::PROT_EXEC as u64, libc::MAP_ANONYMOUS as u64);
    let not_code = condition(2, SeccompCmpOp::MaskedEq(exec), 0)?;
    let no_file = condition(3, SeccompCmpOp::MaskedEq(anonymous), anonymous)?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![not_code.clone(), no_file])?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_code])?]);
    // Signals to itself.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Eq, own)?]);
    Ok(rules)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, operator, value)?])
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    // All of these are 32-bit: descriptors, protection bits, flags, process ids.
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}
