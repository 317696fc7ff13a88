//! Run-length coded columns of sample tables.

/// Values in order, equal neighbours counted: 8 bytes a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunLengths<T> {
    runs: Vec<(u32, T)>,
}

impl<T: Copy + PartialEq> RunLengths<T> {
    pub(super) fn new() -> Self {
        Self { runs: Vec::new() }
    }

    /// The caller bounds the number of values to below 2^32.
    pub(super) fn push(&mut self, value: T) {
        match self.runs.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => self.runs.push((1, value)),
        }
    }

    pub(crate) fn runs(&self) -> &[(u32, T)] {
        &self.runs
    }

    pub(crate) fn is_all(&self, value: T) -> bool {
        self.runs.iter().all(|(_, other)| *other == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs() {
        let mut column = RunLengths::new();
        assert!(column.is_all(7));
        for value in [7, 7, 7, -1, 7] {
            column.push(value);
        }
        assert_eq!(column.runs(), [(3, 7), (1, -1), (1, 7)]);
        assert!(!column.is_all(7));
    }
}
