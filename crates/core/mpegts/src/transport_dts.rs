//! Decoding times for a fragment of which the presentation times are known: `packaging.md §2.3`.
//!
//! The i-th frame decoded gets the time of the (i − R)-th frame shown, R being the depth of
//! reordering. In a transport stream no frame may be shown before it is decoded, so R frames of
//! delay come in, unlike in fragmented MP4, where offsets may be negative.

/// By how many frames the presentation order lags behind the decoding order: the smallest R with
/// which [`transport_dts`] works for these frames. 0 without B-frames. `pts` is in decoding order.
pub fn reorder_depth(pts: &[u64]) -> usize {
    depth_in(&presentation_order(pts))
}

/// Decoding times for frames with these presentation times, given in decoding order; 90 kHz.
///
/// `reorder_depth` is the depth of the whole run of segments, if it is known to be larger than what
/// these frames show. With the same depth throughout, the times of one segment continue those of
/// the one before. `frame_duration` is the nominal distance of frames; the first R times are
/// counted back by it.
///
/// For any input the result is as long as `pts`, never goes backwards, and no time is after that
/// frame's presentation time. Times differ from frame to frame if the first presentation time is at
/// least `pts.len() + R` ticks ([`TIME_OFFSET_90K`](crate::TIME_OFFSET_90K) is ample).
pub fn transport_dts(pts: &[u64], reorder_depth: usize, frame_duration: u64) -> Vec<u64> {
    let order = presentation_order(pts);
    let depth = depth_in(&order).max(reorder_depth);
    let mut shown: Vec<u64> = order.iter().map(|index| pts[*index]).collect();
    // Equal times: the earlier gives way, for the later may not exceed its PTS.
    for index in (1..shown.len()).rev() {
        shown[index - 1] = shown[index - 1].min(shown[index].saturating_sub(1));
    }
    let first = shown.first().copied().unwrap_or(0);
    // No further back than to zero.
    let step = frame_duration.max(1).min(first.checked_div(depth as u64).unwrap_or(0));
    (0..pts.len())
        .map(|index| match index.checked_sub(depth) {
            Some(rank) => shown[rank],
            None => first - (depth - index) as u64 * step,
        })
        .collect()
}

/// Indices by presentation time; of equal times the first decoded is first.
fn presentation_order(pts: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pts.len()).collect();
    order.sort_by_key(|index| pts[*index]);
    order
}

fn depth_in(order: &[usize]) -> usize {
    order.iter().enumerate().map(|(rank, index)| index.saturating_sub(rank)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pts: &[u64], depth: usize, expected: &[u64]) {
        let dts = transport_dts(pts, depth, 10);
        assert_eq!(dts, expected);
        assert!(pts.iter().zip(&dts).all(|(pts, dts)| dts <= pts));
    }

    #[test]
    fn worked_examples() {
        check(&[], 2, &[]);
        check(&[100], 0, &[100]);
        check(&[100, 110, 120], 0, &[100, 110, 120]);
        check(&[100, 110, 120], 2, &[80, 90, 100]);
        // I P B B, then P B B
        check(&[100, 130, 110, 120, 160, 140, 150], 0, &[90, 100, 110, 120, 130, 140, 150]);
        // x264 with a pyramid: packaging.md §2.2
        check(&[21, 154, 88, 54, 121, 288], 0, &[1, 11, 21, 54, 88, 121]);
        // open GOP: leading pictures are shown before the key frame
        check(&[1000, 920, 960, 1120, 1040, 1080], 0, &[910, 920, 960, 1000, 1040, 1080]);
        // equal times
        check(&[100, 100, 100], 0, &[98, 99, 100]);
    }

    #[test]
    fn no_room_before_zero() {
        check(&[0, 30, 10, 20], 0, &[0, 0, 10, 20]);
        check(&[7, 10, 8, 9], 3, &[1, 3, 5, 7]);
        check(&[0, 0, 0], 1, &[0, 0, 0]);
        check(&[5], usize::MAX, &[5]);
        check(&[5], 3, &[2]);
    }

    #[test]
    fn segments_continue_each_other() {
        let pts = [100, 130, 110, 120, 140, 170, 150, 160];
        let joined = transport_dts(&pts, 1, 10);
        let (first, second) = pts.split_at(4);
        let apart = [transport_dts(first, 1, 10), transport_dts(second, 1, 10)].concat();
        assert_eq!(joined, apart);
    }

    proptest! {
        #[test]
        fn never_late_never_back(
            pts in prop::collection::vec(prop_oneof![0..40u64, 1_000..2_000u64, any::<u64>()], 0..60),
            depth in prop_oneof![0..20usize, any::<usize>()],
            frame_duration in prop_oneof![0..20u64, any::<u64>()],
        ) {
            let dts = transport_dts(&pts, depth, frame_duration);
            prop_assert_eq!(dts.len(), pts.len());
            prop_assert!(dts.is_sorted());
            prop_assert!(pts.iter().zip(&dts).all(|(pts, dts)| dts <= pts));
            if pts.iter().all(|pts| *pts >= 900_000) && depth < 20 {
                prop_assert!(dts.is_sorted_by(|one, next| one < next));
            }
        }

        #[test]
        fn the_depth_is_the_smallest(
            pts in prop::collection::vec(1_000..2_000u64, 1..40),
        ) {
            let depth = reorder_depth(&pts);
            let mut shown = pts.clone();
            shown.sort_unstable();
            let works = |depth: usize| (depth..pts.len()).all(|i| shown[i - depth] <= pts[i]);
            prop_assert!(works(depth));
            prop_assert!(depth == 0 || !works(depth - 1));
        }
    }
}
