//! Parts, also before they are there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::PlaybackError;
use crate::edge::Parted;
use crate::fragments::Loaded;
use crate::query::Query;
use crate::service::{Service, View};

/// The loaded fragment behind a part request, from the tail or the archive.
pub(crate) async fn part(
    service: &Service,
    view: &View,
    query: &Query<'_>,
) -> Result<Bytes, PlaybackError> {
    let claims = &view.claims;
    let rule = claims.parts.ok_or(PlaybackError::NotFound("the session has no parts"))?;
    let number = Query::need(query.fragment, "FragmentNumber")?;
    let (at, index) = (Query::need(query.at, "At")?, Query::need(query.part, "Part")?);
    let sequence = query.msn.unwrap_or(0) as u32;
    let patience = Duration::from_millis(3_000 * u64::from(claims.target_duration_s));
    let began = Instant::now();
    loop {
        let stream = service.stream(claims.stream)?;
        let changed = stream.tail().changed();
        tokio::pin!(changed);
        changed.as_mut().enable();

        let placed = service.placed(view).await?;
        let known = placed.timeline.segments().iter().rev();
        let stored = known.take(64).find(|segment| segment.facts.number == number);
        if let Some(segment) = stored {
            let loaded: Arc<Loaded> = service.loaded(view, &placed, segment).await?;
            let role = service.role(&loaded.tracks, query.track)?;
            return Parted::stored(segment, &loaded, rule)?.part(role, index, at, sequence);
        }
        let last =
            placed.timeline.last().ok_or(PlaybackError::NotFound("there are no fragments"))?;
        if number <= last.facts.number {
            return Err(PlaybackError::NotFound("the part is no longer there"));
        }
        let loaded = service.loaded(view, &placed, last).await?;
        let arriving =
            Parted::arriving(stream.tail(), &placed.timeline, &loaded, &service.track_sets, rule);
        if let Some(arriving) = arriving.filter(|one| one.segment.facts.number == number) {
            let role = service.role(&loaded.tracks, query.track)?;
            if (index as usize) < arriving.spans(role).len() {
                return arriving.part(role, index, at, sequence);
            }
            if arriving.is_complete {
                return Err(PlaybackError::NotFound("there is no such part"));
            }
        }
        // A hint: held until the part is whole (packaging.md §5.3).
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(patience.saturating_sub(began.elapsed())) => {
                return Err(PlaybackError::NotFound("the part did not come"));
            }
        }
    }
}
