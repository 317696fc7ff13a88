//! Secret access keys and session tokens: redacted in `Debug`, wiped on drop, compared in constant
//! time.

use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

/// A secret access key. No `==`, no `Display`; `Debug` is redacted; the memory is wiped on drop.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// The KVS C clients hold no longer secret (auth.md §8).
    const MAX_LEN: usize = 128;

    /// Takes 1..=128 bytes. `None` for an empty secret, under which anyone could sign, and for
    /// one longer than the clients can hold.
    pub fn new(secret: impl Into<String>) -> Option<Self> {
        let secret = Zeroizing::new(secret.into());
        (1..=Self::MAX_LEN).contains(&secret.len()).then_some(Self(secret))
    }

    /// The secret itself, for sealing it into storage or showing it once to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are equal, in a time that depends on their lengths only.
    pub fn matches(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// A session token of temporary credentials. No `==`, no `Display`; `Debug` is redacted; the
/// memory is wiped on drop.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// Twice what the KVS C clients hold (2048, auth.md §8); tokens of other issuers are longer.
    pub const MAX_LEN: usize = 4096;

    /// Takes 1..=4096 bytes of visible ASCII; else `None`.
    pub fn new(token: impl Into<String>) -> Option<Self> {
        let token = Zeroizing::new(token.into());
        let valid = (1..=Self::MAX_LEN).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then_some(Self(token))
    }

    /// The token itself, for finding or opening its session.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are equal, in a time that depends on their lengths only.
    pub fn matches(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken([redacted])")
    }
}

fn equal(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_bytes() {
        assert!(SecretKey::new("").is_none());
        assert!(SecretKey::new("s".repeat(128)).is_some());
        assert!(SecretKey::new("s".repeat(129)).is_none());
        assert!(SessionToken::new("").is_none());
        assert!(SessionToken::new("t".repeat(4096)).is_some());
        assert!(SessionToken::new("t".repeat(4097)).is_none());
        assert!(SessionToken::new("a b").is_none());
        assert!(SessionToken::new("caf\u{e9}").is_none());
    }

    #[test]
    fn comparison_and_debug() {
        let secret = SecretKey::new("hush").unwrap();
        assert!(secret.matches(&secret.clone()));
        assert!(!secret.matches(&SecretKey::new("hush!").unwrap()));
        assert!(!secret.matches(&SecretKey::new("husk").unwrap()));
        let token = SessionToken::new("hush").unwrap();
        assert!(token.matches(&token.clone()));
        assert!(!token.matches(&SessionToken::new("husk").unwrap()));
        assert!(!format!("{secret:?}{token:?}").contains("hush"));
    }
}
