//! Landlock: no file, no TCP, no abstract socket, no signal to others.

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};

/// Whether all files are denied. Older kernels enforce less, or nothing: the seccomp filter holds
/// all of it as well.
pub(super) fn deny_files() -> bool {
    restrict().is_ok_and(|status| status != RulesetStatus::NotEnforced)
}

/// A ruleset without rules: everything it handles is denied.
fn restrict() -> Result<RulesetStatus, RulesetError> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    Ok(ruleset.create()?.restrict_self()?.ruleset)
}

/// Linux 6.12. What the running kernel lacks is left out.
const NEWEST: ABI = ABI::V6;
