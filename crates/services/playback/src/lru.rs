//! A bounded map that keeps what was used last.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Bounded by the sum of its entries' weights.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, (V, usize, u64)>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
    weight: usize,
    weight_max: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> Lru<K, V> {
    pub(crate) fn new(weight_max: usize) -> Self {
        Self { entries: HashMap::new(), by_use: BTreeMap::new(), uses: 0, weight: 0, weight_max }
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        let (value, _, last_use) = self.entries.get_mut(key)?;
        self.uses += 1;
        if let Some(key) = self.by_use.remove(last_use) {
            self.by_use.insert(self.uses, key);
        }
        *last_use = self.uses;
        Some(value.clone())
    }

    /// What is heavier than the whole budget is not kept.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        if weight > self.weight_max {
            return;
        }
        while self.weight + weight > self.weight_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some((_, weight, _)) = self.entries.remove(&oldest) {
                self.weight -= weight;
            }
        }
        self.uses += 1;
        self.weight += weight;
        self.by_use.insert(self.uses, key.clone());
        self.entries.insert(key, (value, weight, self.uses));
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((_, weight, last_use)) = self.entries.remove(key) {
            self.by_use.remove(&last_use);
            self.weight -= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_used_last() {
        let mut lru = Lru::new(3);
        for key in 0..3 {
            lru.insert(key, key, 1);
        }
        assert_eq!(lru.get(&0), Some(0));
        lru.insert(3, 3, 1);
        assert_eq!((lru.get(&1), lru.get(&0), lru.get(&3)), (None, Some(0), Some(3)));
        lru.insert(4, 4, 4);
        assert_eq!(lru.get(&4), None, "too heavy");
        lru.insert(5, 5, 3);
        assert_eq!((lru.get(&0), lru.get(&5), lru.weight), (None, Some(5), 3));
    }
}
