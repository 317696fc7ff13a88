use super::*;

fn outbox(piece_counts: &[usize]) -> Outbox {
    let header = Arc::new(SessionHeader::new(Vec::new()));
    let mut outbox = Outbox::default();
    for (index, &count) in piece_counts.iter().enumerate() {
        outbox.start(Fragment {
            timecode: index as u64,
            header: header.clone(),
            pieces: (0..count).map(|piece| Bytes::from(vec![piece as u8; 10])).collect(),
            bytes: count * 10,
            length_ms: 1000,
            track_numbers: Vec::new(),
            is_complete: false,
            needs_new_session: false,
            is_received: false,
        });
    }
    outbox
}

/// Timecodes of everything sent from the cursor on.
fn send_all(outbox: &mut Outbox, whole_only: bool) -> Vec<u64> {
    let mut sent = Vec::new();
    while let Some(next) = outbox.next(whole_only) {
        let timecode = next.timecode;
        assert!(!outbox.take_pieces(15).is_empty());
        if sent.last() != Some(&timecode) {
            sent.push(timecode);
        }
    }
    sent
}

#[test]
fn whole_fragments_wait_until_they_are_complete() {
    let mut outbox = outbox(&[3, 2, 1]);
    assert_eq!(send_all(&mut outbox, true), [0, 1]);
    assert_eq!((outbox.sent_count(), outbox.sending()), (2, Some(1)));
    outbox.complete();
    assert_eq!(send_all(&mut outbox, true), [2]);
}

#[test]
fn streaming_sends_what_is_there() {
    let mut outbox = outbox(&[3, 2]);
    assert_eq!(send_all(&mut outbox, false), [0, 1]);
    // The last one is still being made: it counts as sent once it is complete.
    assert_eq!((outbox.sent_count(), outbox.sending()), (1, Some(1)));
    assert!(!outbox.remove_sent_whole(1) && outbox.sent_mut(1).is_some());
    outbox.complete();
    outbox.pass_complete();
    assert_eq!(outbox.sent_count(), 2);
    assert!(outbox.remove_sent_whole(1) && outbox.remove_sent_whole(0));
    assert_eq!((outbox.sent_count(), outbox.length_ms(), outbox.bytes()), (0, 0, 0));
}

#[test]
fn what_was_not_acked_is_sent_again() {
    let mut outbox = outbox(&[3, 2, 4, 1]);
    outbox.complete();
    outbox.take_pieces(1000);
    outbox.take_pieces(1000);
    outbox.take_pieces(15); // a part of the third
    assert!(outbox.sent_mut(3).is_none(), "it was not sent");
    assert!(outbox.remove_sent_whole(0));
    assert_eq!((outbox.sent_count(), outbox.sending()), (1, Some(2)));
    outbox.rewind();
    assert_eq!(send_all(&mut outbox, true), [1, 2, 3]);
    // A refused fragment leaves, the others stay.
    outbox.rewind();
    outbox.take_pieces(1000);
    outbox.take_pieces(15);
    assert_eq!(outbox.remove_sent(2).map(|fragment| fragment.timecode), Some(2));
    outbox.rewind();
    assert_eq!(send_all(&mut outbox, true), [1, 3]);
}

#[test]
fn pieces_are_taken_by_size_and_never_across_fragments() {
    let mut outbox = outbox(&[3, 2]);
    outbox.complete();
    assert_eq!(outbox.take_pieces(20).len(), 2);
    assert!(!outbox.is_between_fragments());
    assert_eq!(outbox.take_pieces(1000).len(), 1);
    assert!(outbox.is_between_fragments());
    assert_eq!(outbox.take_pieces(1).len(), 1, "one piece at least");
    assert_eq!(outbox.take_pieces(1000).len(), 1);
    assert!(outbox.take_pieces(1000).is_empty());
}
