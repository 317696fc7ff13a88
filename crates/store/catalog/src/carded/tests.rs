use std::sync::Arc;

use streamkeep_io::LocalDirectory;

use super::*;
use crate::{ConflictOn, MemoryControl, suite};

fn carded(dir: &std::path::Path) -> (CardedControl<MemoryControl>, StreamCards) {
    let cards = StreamCards::new(Arc::new(LocalDirectory::open(dir).unwrap()));
    let (control, _) = CardedControl::open(MemoryControl::new(), cards.clone()).unwrap();
    (control, cards)
}

#[test]
fn passes_the_suite() {
    let dir = tempfile::tempdir().unwrap();
    suite::control_suite(&carded(dir.path()).0);
}

#[test]
fn cards_follow_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let (control, cards) = carded(dir.path());
    let one = suite::stream(1, "one");
    control.insert_stream(&one).unwrap();
    assert_eq!(cards.read(one.id).unwrap(), Some(one.clone()));

    let taken = suite::stream(2, "one");
    assert!(matches!(
        control.insert_stream(&taken),
        Err(CatalogError::Conflict(ConflictOn::StreamName))
    ));
    assert_eq!(cards.read(taken.id).unwrap(), None, "a refused stream leaves no card");

    let newer = StreamRecord { version: "2".to_owned(), ..one.clone() };
    assert!(control.update_stream(&newer, "wrong").is_err());
    assert_eq!(cards.read(one.id).unwrap(), Some(one.clone()), "a refused update keeps the card");
    control.update_stream(&newer, &one.version).unwrap();
    assert_eq!(cards.read(one.id).unwrap(), Some(newer));

    control.remove_stream(one.id).unwrap();
    assert_eq!(cards.read(one.id).unwrap(), None);
}

#[test]
fn a_lost_database_comes_back_from_the_cards() {
    let dir = tempfile::tempdir().unwrap();
    let (control, _) = carded(dir.path());
    for id in 1..=3 {
        control.insert_stream(&suite::stream(id, &format!("stream {id}"))).unwrap();
    }
    let before = control.streams().unwrap();
    let (rebuilt, _) = carded(dir.path());
    assert_eq!(rebuilt.streams().unwrap(), before);
}
