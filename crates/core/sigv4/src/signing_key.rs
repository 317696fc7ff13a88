//! Signing keys, and the cache that makes a repeated request cost one HMAC instead of five.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::credential::Credential;
use crate::{SecretKey, Signature, TERMINATOR};

/// The signing keys of recent requests, at most `capacity` of them, about 1 KiB each.
///
/// A key enters only after it verified a signature, so requests without the secret evict nothing.
/// A key is used only while the secret given is the one it was derived from, so a changed secret
/// takes effect at once. Shared between threads; the lock is held for a look-up, never while
/// hashing.
pub struct SigningKeys {
    generation_len: usize,
    generations: Mutex<Generations>,
}

/// Least recently used, approximately: a full `young` becomes `old`, the former `old` is dropped,
/// and what is found in `old` moves to `young`.
#[derive(Default)]
struct Generations {
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
}

/// The key of one credential text (access key id and scope).
struct Entry {
    secret: SecretKey,
    key: Arc<SigningKey>,
}

impl SigningKeys {
    /// An empty cache for at most `capacity` keys, at least two. One key serves one access key
    /// for a day in a region.
    pub fn new(capacity: usize) -> Self {
        Self { generation_len: (capacity / 2).max(1), generations: Mutex::default() }
    }

    /// The cached key of this credential and secret.
    pub(crate) fn get(
        &self,
        credential: &Credential,
        secret: &SecretKey,
    ) -> Option<Arc<SigningKey>> {
        // Every state between two statements is a valid cache, so a poisoned one is too.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        if let Some(entry) = young.get(credential.text()) {
            return entry.key_for(secret);
        }
        let (text, entry) = old.remove_entry(credential.text())?;
        let key = entry.key_for(secret);
        generations.insert(text, entry, self.generation_len);
        key
    }

    /// Keeps a key that verified a signature.
    pub(crate) fn insert(&self, credential: &Credential, secret: &SecretKey, key: Arc<SigningKey>) {
        let entry = Entry { secret: secret.clone(), key };
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.insert(credential.text().into(), entry, self.generation_len);
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").finish_non_exhaustive()
    }
}

impl Generations {
    fn insert(&mut self, text: Box<str>, entry: Entry, generation_len: usize) {
        if self.young.len() >= generation_len && !self.young.contains_key(&text) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text, entry);
    }
}

impl Entry {
    fn key_for(&self, secret: &SecretKey) -> Option<Arc<SigningKey>> {
        self.secret.matches(secret).then(|| Arc::clone(&self.key))
    }
}

/// `HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")`, ready to sign.
pub(crate) struct SigningKey(hmac::Key);

impl SigningKey {
    pub(crate) fn derive(secret: &SecretKey, credential: &Credential) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*derive_bytes(secret, credential)))
    }

    pub(crate) fn sign(&self, string_to_sign: &str) -> Signature {
        Signature::new(hmac_sha256(&self.0, string_to_sign.as_bytes()))
    }
}

fn derive_bytes(secret: &SecretKey, credential: &Credential) -> Zeroizing<[u8; 32]> {
    // Sized at once: growing would leave a copy of the secret behind.
    let mut prefixed = Zeroizing::new(String::with_capacity(4 + secret.expose().len()));
    prefixed.extend(["AWS4", secret.expose()]);
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, prefixed.as_bytes());
    let mut bytes = Zeroizing::new([0; 32]);
    let parts = [credential.date(), credential.region(), credential.service(), TERMINATOR];
    for part in parts {
        *bytes = hmac_sha256(&key, part.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, &*bytes);
    }
    bytes
}

fn hmac_sha256(key: &hmac::Key, data: &[u8]) -> [u8; 32] {
    hmac::sign(key, data).as_ref().try_into().expect("an HMAC-SHA256 tag has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn credential(id: usize) -> Credential {
        Credential::parse(&format!("AK{id}/20150830/us-east-1/iam/aws4_request")).unwrap()
    }

    fn insert(keys: &SigningKeys, id: usize, secret: &SecretKey) {
        let credential = credential(id);
        keys.insert(&credential, secret, Arc::new(SigningKey::derive(secret, &credential)));
    }

    /// "Examples of how to derive a signing key for Signature Version 4", AWS General Reference.
    #[test]
    fn derivation_example() {
        let secret = SecretKey::new(SECRET).unwrap();
        assert_eq!(
            hex::encode(&derive_bytes(&secret, &credential(0))),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }

    #[test]
    fn bounded_and_keeps_what_is_used() {
        let secret = SecretKey::new(SECRET).unwrap();
        let keys = SigningKeys::new(8);
        insert(&keys, 0, &secret);
        for id in 1..100 {
            insert(&keys, id, &secret);
            assert!(keys.get(&credential(0), &secret).is_some(), "in use, lost at {id}");
            let generations = keys.generations.lock().unwrap();
            assert!(generations.young.len() + generations.old.len() <= 8);
        }
        assert!(keys.get(&credential(99), &secret).is_some());
        assert!(keys.get(&credential(50), &secret).is_none());
    }

    #[test]
    fn a_changed_secret_is_not_served_by_the_old_key() {
        let (before, after) = (SecretKey::new(SECRET).unwrap(), SecretKey::new("new").unwrap());
        let keys = SigningKeys::new(2);
        insert(&keys, 0, &before);
        assert!(keys.get(&credential(0), &after).is_none());
        insert(&keys, 0, &after);
        assert!(keys.get(&credential(0), &after).is_some());
        assert!(keys.get(&credential(0), &before).is_none());
    }
}
