//! A control catalog that keeps stream cards in step with its rows.

use streamkeep_media::StreamId;

use crate::{CatalogError, ControlCatalog, ReconcileReport, StreamCards, StreamRecord};

/// Wraps a [`ControlCatalog`] and keeps a stream card for every stream.
///
/// The card goes first on the way in and on the way out: before the row is inserted or updated, and
/// before it is removed. A crash in between is repaired by [`StreamCards::reconcile`], which
/// [`Self::open`] calls.
pub struct CardedControl<C> {
    control: C,
    cards: StreamCards,
}

impl<C: ControlCatalog> CardedControl<C> {
    /// Makes cards and rows agree, then wraps them.
    ///
    /// # Errors
    /// As [`StreamCards::reconcile`].
    pub fn open(control: C, cards: StreamCards) -> Result<(Self, ReconcileReport), CatalogError> {
        let report = cards.reconcile(&control)?;
        Ok((Self { control, cards }, report))
    }

    /// Calls of this catalog must not overlap for one stream: the caller holds the stream's own
    /// lock, as it does for the version check.
    fn write_card_then<T>(
        &self,
        stream: &StreamRecord,
        row: impl FnOnce() -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let before = self.control.stream(stream.id)?;
        self.cards.write(stream)?;
        row().inspect_err(|_| {
            // The row was refused: put the card back. Should that fail too, the next start does it.
            let _ = match &before {
                Some(before) => self.cards.write(before),
                None => self.cards.remove(stream.id),
            };
        })
    }
}

impl<C: ControlCatalog> ControlCatalog for CardedControl<C> {
    fn streams(&self) -> Result<Vec<StreamRecord>, CatalogError> {
        self.control.streams()
    }

    fn stream(&self, id: StreamId) -> Result<Option<StreamRecord>, CatalogError> {
        self.control.stream(id)
    }

    fn insert_stream(&self, stream: &StreamRecord) -> Result<(), CatalogError> {
        self.write_card_then(stream, || self.control.insert_stream(stream))
    }

    fn update_stream(
        &self,
        stream: &StreamRecord,
        expected_version: &str,
    ) -> Result<(), CatalogError> {
        self.write_card_then(stream, || self.control.update_stream(stream, expected_version))
    }

    fn remove_stream(&self, id: StreamId) -> Result<(), CatalogError> {
        self.cards.remove(id)?;
        self.control.remove_stream(id)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        self.control.meta(name)
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), CatalogError> {
        self.control.set_meta(name, value)
    }

    fn remove_meta(&self, name: &str) -> Result<(), CatalogError> {
        self.control.remove_meta(name)
    }

    fn metas(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, CatalogError> {
        self.control.metas(prefix)
    }

    fn next_epoch(&self) -> Result<u32, CatalogError> {
        self.control.next_epoch()
    }

    fn raise_epoch(&self, floor: u32) -> Result<(), CatalogError> {
        self.control.raise_epoch(floor)
    }
}

#[cfg(test)]
#[path = "carded/tests.rs"]
mod tests;
