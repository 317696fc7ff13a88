//! What must hold for any input. Panics when it does not: for fuzz targets and tests.

use crate::{Block, Documents, Error, Event, Item, Limits, Scanner};

/// Entry of the fuzz target. The first byte chooses how many documents are expected, the next
/// seven seed the split points, the rest is the body.
pub fn check_any_split(data: &[u8]) {
    let Some((head, body)) = data.split_first_chunk::<8>() else { return };
    let documents = match head[0] & 1 {
        0 => Documents::One,
        _ => Documents::Concatenated,
    };
    let _ = check(body, documents, &Limits::default(), u64::from_be_bytes(*head));
}

/// Scans `body` whole, in steps that depend on `seed`, byte by byte, and by what the scanner says
/// it needs: all must give the same items and the same end, which are answered. The items must
/// cover the body up to the end.
pub fn check<'a>(
    body: &'a [u8],
    documents: Documents,
    limits: &Limits,
    seed: u64,
) -> (Vec<Item<'a>>, Result<(), Error>) {
    let scan = |step: &mut dyn FnMut(&Scanner, usize) -> usize| {
        scan(Scanner::with_documents(limits.clone(), documents), body, step)
    };
    let whole = scan(&mut |_, _| body.len());
    let mut random = seed;
    let in_random_steps = scan(&mut |_, _| {
        // Knuth's MMIX generator: short steps mostly, sometimes longer than a header.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let bits = (random >> 59) % 13;
        (random >> 33) as usize % (1 << bits) + 1
    });
    assert_same(&whole, &in_random_steps, "random steps");
    assert_same(&whole, &scan(&mut |_, _| 1), "byte by byte");
    let as_needed = scan(&mut |scanner, have| scanner.needed() - have);
    assert_same(&whole, &as_needed, "as needed");
    whole
}

type Outcome<'a> = (Vec<Item<'a>>, Result<(), Error>);

fn assert_same(left: &Outcome<'_>, right: &Outcome<'_>, how: &str) {
    assert_eq!(left.1, right.1, "{how}");
    assert_eq!(left.0.len(), right.0.len(), "{how}");
    for (left, right) in left.0.iter().zip(&right.0) {
        assert_same_item(left, right, how);
    }
}

fn assert_same_item(left: &Item<'_>, right: &Item<'_>, how: &str) {
    // Blocks are slices of the same body, so their place says it all.
    if let (Event::Block(one), Event::Block(other)) = (&left.event, &right.event) {
        assert!(std::ptr::eq(one.payload, other.payload), "{how}");
        let without_payload = |block: &Block<'_>| {
            let key = (block.track_number, block.relative_timestamp, block.key, block.invisible);
            (key, block.discardable, block.duration, block.lacing, block.payload_offset)
        };
        assert_eq!(without_payload(one), without_payload(other), "{how}");
        assert_eq!((left.offset, left.len), (right.offset, right.len), "{how}");
    } else {
        assert_eq!(left, right, "{how}");
    }
}

/// `step` is told how much the scanner could see when it answered "not yet", and answers by how
/// much to go on.
fn scan<'a>(
    mut scanner: Scanner,
    body: &'a [u8],
    step: &mut dyn FnMut(&Scanner, usize) -> usize,
) -> Outcome<'a> {
    let mut items = Vec::new();
    let (mut taken, mut seen) = (0, 0);
    loop {
        assert_eq!(scanner.position(), taken as u64);
        let input = &body[taken..seen];
        match scanner.next(input) {
            Ok(Some(item)) => {
                assert_eq!(item.offset, taken as u64);
                assert!((2..=input.len()).contains(&item.len));
                if let Event::Block(block) = &item.event {
                    check_block(block, &input[..item.len]);
                }
                taken += item.len;
                items.push(item);
            }
            Ok(None) => {
                assert!(scanner.needed() > input.len(), "asks for more");
                if seen == body.len() {
                    let end = scanner.finish(input);
                    if !input.is_empty() {
                        assert!(end.is_err(), "{} bytes are left over", input.len());
                    }
                    return (items, end);
                }
                seen = seen.saturating_add(step(&scanner, input.len())).min(body.len());
            }
            Err(error) => {
                assert!(!matches!(error, Error::Truncated { .. } | Error::InvalidLacing { .. }));
                assert_eq!(scanner.next(input), Err(error), "the same input earns the same error");
                assert_eq!(scanner.position(), taken as u64);
                let at = error.location().position;
                assert!((taken..=seen).contains(&(at as usize)), "{error}: not in {taken}..{seen}");
                return (items, Err(error));
            }
        }
    }
}

/// The frames follow each other to the end of the block.
fn check_block(block: &Block<'_>, item: &[u8]) {
    let payload_end = block.payload_offset + block.payload.len();
    assert_eq!(&item[block.payload_offset..payload_end], block.payload);
    assert_ne!(block.track_number, 0);
    let Ok(frames) = block.frames() else { return };
    let count = frames.len();
    let mut expected = None;
    for (index, (offset, frame)) in frames.enumerate() {
        assert!(index < count && offset >= block.payload_offset);
        assert_eq!(expected.replace(offset + frame.len()).unwrap_or(offset), offset);
        assert_eq!(&item[offset..offset + frame.len()], frame);
    }
    assert_eq!(expected, Some(payload_end), "the last frame ends the block");
}
