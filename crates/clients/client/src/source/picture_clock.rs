//! Presentation times for raw video, which has none: from the order of pictures and a constant
//! frame rate.

use std::collections::VecDeque;

use streamkeep_codec::AccessUnit;

/// Puts access units, which come in decode order, on a time line of one slot per frame.
///
/// Without reordering the slots are simply counted. With it, the picture order count tells the
/// slot relative to the last random access point where counting restarted; that one's own slot
/// follows the last one used, behind the leading pictures that are presented before it.
#[derive(Debug)]
pub(super) struct PictureClock {
    /// No picture is presented out of decode order, by the parameter sets.
    in_order: bool,
    /// Slot of the picture where counting restarted, and its count.
    base: i64,
    origin: i32,
    /// Distance of neighbouring counts.
    step: i32,
    /// Behind the last slot used.
    end: i64,
    /// A restart whose leading pictures are still coming.
    held: VecDeque<AccessUnit>,
}

impl PictureClock {
    pub(super) fn new() -> Self {
        Self { in_order: false, base: 0, origin: 0, step: 2, end: 0, held: VecDeque::new() }
    }

    /// Takes in a unit; gives units with their slots, in decode order.
    pub(super) fn push(&mut self, unit: AccessUnit, out: &mut VecDeque<(i64, AccessUnit)>) {
        if unit.order.restarts {
            self.flush(out);
            self.in_order = unit.parameters.reorder_depth == Some(0);
            self.step = unit.order.step.max(1);
            self.held.push_back(unit);
            if !self.held[0].order.may_have_leading || self.in_order {
                self.flush(out);
            }
        } else if !self.held.is_empty() && unit.order.leading {
            self.held.push_back(unit);
        } else {
            self.flush(out);
            self.place(unit, out);
        }
    }

    /// No more leading pictures will come.
    pub(super) fn flush(&mut self, out: &mut VecDeque<(i64, AccessUnit)>) {
        let Some(restart) = self.held.front() else { return };
        self.origin = restart.order.count;
        // Leading pictures come first.
        let first = self.held.iter().map(|unit| self.slots_from_origin(unit)).min().unwrap_or(0);
        self.base = self.end - first;
        for unit in std::mem::take(&mut self.held) {
            self.place(unit, out);
        }
    }

    fn place(&mut self, unit: AccessUnit, out: &mut VecDeque<(i64, AccessUnit)>) {
        // Both parities: frames are counted by 1, where the standard counts fields. (All odd is
        // the count of the later field of every frame.)
        if self.step == 2 && unit.order.count.wrapping_sub(self.origin) % 2 != 0 {
            self.step = 1;
        }
        let slot = match self.in_order {
            true => self.end,
            false => self.base + self.slots_from_origin(&unit),
        };
        self.end = self.end.max(slot + 1);
        out.push_back((slot, unit));
    }

    fn slots_from_origin(&self, unit: &AccessUnit) -> i64 {
        (i64::from(unit.order.count) - i64::from(self.origin)).div_euclid(self.step.into())
    }
}

#[cfg(test)]
mod tests {
    use streamkeep_codec::{CodecParameters, PictureOrder};

    use super::*;

    /// `R` restarts, `L` restarts with leading pictures to come, `l` leads, `.` is any other.
    fn unit(kind: char, count: i32, step: i32, reorder_depth: Option<u8>) -> AccessUnit {
        AccessUnit {
            data: Default::default(),
            key: false,
            order: PictureOrder {
                restarts: matches!(kind, 'R' | 'L'),
                count,
                step,
                leading: kind == 'l',
                may_have_leading: kind == 'L',
            },
            parameters: CodecParameters { reorder_depth, ..CodecParameters::default() },
        }
    }

    fn check(units: &[(char, i32)], step: i32, reorder_depth: Option<u8>, expected: &[i64]) {
        let mut clock = PictureClock::new();
        let mut placed = VecDeque::new();
        for &(kind, count) in units {
            clock.push(unit(kind, count, step, reorder_depth), &mut placed);
        }
        clock.flush(&mut placed);
        let slots: Vec<i64> = placed.iter().map(|(slot, _)| *slot).collect();
        assert_eq!(slots, expected, "{units:?}");
    }

    #[test]
    fn slots() {
        // Without reordering the count does not matter.
        check(&[('R', 0), ('.', 99), ('.', 7), ('R', 0)], 2, Some(0), &[0, 1, 2, 3]);
        // I P B B, twice; the second restart follows the last slot in use.
        let gop = [('R', 0), ('.', 6), ('.', 2), ('.', 4)];
        check(&[gop, gop].concat(), 2, None, &[0, 3, 1, 2, 4, 7, 5, 6]);
        // All counts odd: the later field of each frame.
        check(&[('R', 1), ('.', 7), ('.', 3), ('.', 5)], 2, Some(2), &[0, 3, 1, 2]);
        // Both parities: frames are counted by 1.
        check(&[('R', 0), ('.', 3), ('.', 1), ('.', 2)], 2, Some(2), &[0, 3, 1, 2]);
        // Leading pictures take the slots before their random access point.
        check(
            &[('R', 0), ('.', 1), ('L', 0), ('l', -2), ('l', -1), ('.', 1)],
            1,
            Some(2),
            &[0, 1, 4, 2, 3, 5],
        );
        // An open GOP goes on counting.
        check(&[('R', 0), ('.', 1), ('.', 4), ('l', 2), ('l', 3)], 1, Some(2), &[0, 1, 4, 2, 3]);
        // At the start, a CRA picture with leading pictures.
        check(&[('L', 8), ('l', 6), ('l', 7), ('.', 9)], 1, Some(2), &[2, 0, 1, 3]);
    }

    #[test]
    fn only_restarts_with_leading_pictures_wait() {
        let (mut clock, mut placed) = (PictureClock::new(), VecDeque::new());
        clock.push(unit('R', 0, 1, None), &mut placed);
        assert_eq!(placed.len(), 1);
        clock.push(unit('L', 0, 1, None), &mut placed);
        assert_eq!(placed.len(), 1);
        clock.push(unit('.', 1, 1, None), &mut placed);
        assert_eq!(placed.len(), 3);
    }
}
