//! What must hold for any input. Panics when it does not: for fuzz targets and tests.

use crate::check::{self, Finding};
use crate::hls::{Answer, Directives, ListState};

/// Any bytes to every checker, in one piece and as a series of pieces cut at `\0`.
pub fn checkers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let series: Vec<&str> = text.split('\0').collect();
    let timed: Vec<(u64, &str)> = (0..).step_by(1000).zip(series.iter().copied()).collect();
    let count = series.len();
    for findings in [
        check::media_playlists(&series),
        check::media_playlists_at(&timed),
        check::renditions(&series),
        check::mpds(&series),
        check::multivariant_playlist(&text),
    ] {
        findings.iter().for_each(|finding| check_finding(finding, count));
    }
    // What is alone in the world has only faults of its own.
    if count == 1 {
        assert_eq!(check::media_playlists(&series), check::renditions(&series));
    }
}

fn check_finding(finding: &Finding, texts: usize) {
    assert!(finding.text < texts && !finding.message.is_empty());
    assert!(finding.message.len() < 4096, "cites too much");
    assert!(!finding.message.contains('\n'), "one line each");
}

/// Any query to any list: a place waited for is one that is not there yet, and when it is there
/// the same request is answered.
pub fn directives(query: &str, mut list: ListState) {
    let Ok(Directives { reload, .. }) = Directives::parse(query) else { return };
    match list.answer(reload) {
        Answer::Now => {}
        Answer::BadRequest(error) => assert!(!error.to_string().is_empty()),
        Answer::Wait(position) => {
            assert!(list.can_block_reload && !list.ended);
            assert!(position.msn >= list.next_msn);
            match position.part {
                Some(part) => {
                    assert!(list.part_target_ms.is_some());
                    assert!(position.msn > list.next_msn || part >= list.next_part_count);
                    (list.next_msn, list.next_part_count) = (position.msn, part.saturating_add(1));
                }
                None => list.next_msn = position.msn.saturating_add(1),
            }
            if list.next_msn < u64::MAX && list.next_part_count < u64::MAX {
                assert_eq!(list.answer(reload), Answer::Now);
            }
        }
    }
}

/// Entry of the fuzz target: the first bytes choose.
pub fn any(data: &[u8]) {
    checkers(data);
    let Some((head, query)) = data.split_first_chunk::<8>() else { return };
    let flag = |bit: u8| head[0] >> bit & 1 == 1;
    let list = ListState {
        can_block_reload: flag(0),
        ended: flag(1),
        next_msn: if flag(2) { u64::MAX } else { head[1].into() },
        next_part_count: head[2].into(),
        last_part_count: head[3].into(),
        part_target_ms: flag(3).then_some(u32::from(head[4]) * 10),
        target_duration_secs: head[5].into(),
    };
    directives(&String::from_utf8_lossy(query), list);
}
