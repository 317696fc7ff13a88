//! The streams that exist: in memory, each change made durable before it shows.
//!
//! One change at a time per stream. While it is being stored no lock is held: the stream shows its
//! transient status (CREATING, UPDATING, DELETING), further updates are refused, and tag calls,
//! which have no such refusal in the model, wait.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use streamkeep_media::{StreamId, UnixMillis};

use crate::stream::new_version;
use crate::{
    ApiError, Exception, Owner, PersistenceError, RandomSource, Stream, StreamPersistence,
    StreamRef, StreamStatus,
};

/// The registry. Cheap to read from any thread.
pub struct Streams {
    owner: Owner,
    persistence: Arc<dyn StreamPersistence>,
    random: Arc<dyn RandomSource>,
    state: Mutex<State>,
    /// Signalled when a change ends.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    by_name: BTreeMap<String, Slot>,
    names: HashMap<StreamId, String>,
    /// The latest creation time of any stream deleted since the start.
    last_deleted: Option<UnixMillis>,
    /// Calls that wait for their turn.
    #[cfg(test)]
    waiting: usize,
}

struct Slot {
    stream: Arc<Stream>,
    /// A change of this stream is being stored.
    busy: bool,
}

/// What a change is for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// Refused while another update or deletion is being stored.
    Update,
    /// Waits for its turn.
    Tag,
    /// Refused as updates are; goes on with a deletion that failed.
    Delete,
}

impl Streams {
    /// Reads what is stored. A deletion that was cut short is finished.
    ///
    /// # Errors
    /// Those of `persistence`; `Failed` as well when two stored streams share a name.
    pub fn load(
        owner: Owner,
        persistence: Arc<dyn StreamPersistence>,
        random: Arc<dyn RandomSource>,
    ) -> Result<Self, PersistenceError> {
        let mut state = State::default();
        for mut stream in persistence.load()? {
            if stream.status == StreamStatus::Deleting {
                persistence.delete(stream.id)?;
                continue;
            }
            stream.status = StreamStatus::Active;
            state.names.insert(stream.id, stream.name.clone());
            let slot = Slot { stream: Arc::new(stream), busy: false };
            if let Some(other) = state.by_name.insert(slot.stream.name.clone(), slot) {
                let name = &other.stream.name;
                return Err(PersistenceError::Failed(
                    format!("two stored streams have the name {name}").into(),
                ));
            }
        }
        Ok(Self { owner, persistence, random, state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Whose streams these are.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How many there are, deleting ones included.
    pub fn len(&self) -> usize {
        self.lock().by_name.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order of name.
    pub fn snapshot(&self) -> Vec<Arc<Stream>> {
        self.lock().by_name.values().map(|slot| Arc::clone(&slot.stream)).collect()
    }

    /// The stream with this id, whatever its status.
    pub fn get(&self, id: StreamId) -> Option<Arc<Stream>> {
        let state = self.lock();
        let name = state.names.get(&id)?;
        state.by_name.get(name).map(|slot| Arc::clone(&slot.stream))
    }

    /// The stream a request means, whatever its status.
    pub fn find(&self, stream: &StreamRef) -> Option<Arc<Stream>> {
        self.lock().by_name.get(stream.name()).and_then(|slot| self.matching(slot, stream))
    }

    /// Up to `max` streams whose name begins with `prefix` and comes after `after`, in order of
    /// name; and whether there are more.
    pub(crate) fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        max: usize,
    ) -> (Vec<Arc<Stream>>, bool) {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let state = self.lock();
        let mut matching = state
            .by_name
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix))
            .map(|(_, slot)| Arc::clone(&slot.stream));
        let page = matching.by_ref().take(max).collect();
        (page, matching.next().is_some())
    }

    /// Adds a stream with what `definition` says; id, version and creation time are given here.
    ///
    /// # Errors
    /// ResourceInUseException when the name exists, AccountStreamLimitExceededException with
    /// `streams_max` of them, and what storing it meets.
    pub(crate) fn create(
        &self,
        definition: Definition,
        streams_max: Option<usize>,
        now: UnixMillis,
    ) -> Result<Arc<Stream>, ApiError> {
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let mut stream = Stream {
            id: StreamId(id),
            name: definition.name,
            created: now,
            version: new_version(self.random.as_ref()),
            status: StreamStatus::Creating,
            device_name: definition.device_name,
            media_type: definition.media_type,
            kms_key_id: definition.kms_key_id,
            retention_hours: definition.retention_hours,
            visible_from: UnixMillis(0),
            storage_tier: definition.storage_tier,
            tags: definition.tags,
            image_generation: None,
            notification: None,
        };
        {
            let mut state = self.lock();
            if state.by_name.contains_key(&stream.name) {
                return Err(ApiError::new(
                    Exception::ResourceInUse,
                    format!("The stream {} already exists.", stream.name),
                ));
            }
            if streams_max.is_some_and(|max| state.by_name.len() >= max) {
                return Err(ApiError::new(
                    Exception::AccountStreamLimitExceeded,
                    "The account has as many streams as it may have.",
                ));
            }
            // The ARN must differ from that of a stream of this name deleted in this millisecond,
            // or before the clock was set back.
            if let Some(last) = state.last_deleted {
                stream.created = stream.created.max(UnixMillis(last.0 + 1));
            }
            state.names.insert(stream.id, stream.name.clone());
            let slot = Slot { stream: Arc::new(stream.clone()), busy: true };
            state.by_name.insert(stream.name.clone(), slot);
        }
        let change = Change { streams: self, name: &stream.name, before: None };
        let mut active = stream.clone();
        active.status = StreamStatus::Active;
        self.persistence.create(&active).map_err(refusal)?;
        Ok(change.commit(active))
    }

    /// Changes what `edit` changes and gives the stream a new version.
    ///
    /// # Errors
    /// ResourceNotFoundException, ResourceInUseException unless ACTIVE, VersionMismatchException,
    /// those of `edit`, and what storing it meets.
    pub(crate) fn update(
        &self,
        stream: &StreamRef,
        current_version: &str,
        edit: impl FnOnce(&mut Stream) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        self.change(stream, StreamStatus::Updating, Purpose::Update, |stream| {
            check_version(stream, current_version)?;
            edit(stream)?;
            stream.version = new_version(self.random.as_ref());
            Ok(())
        })
    }

    /// Changes a configuration by `edit`. The version stays, and none is asked for
    /// (control-plane.md §7).
    ///
    /// # Errors
    /// ResourceNotFoundException, ResourceInUseException unless ACTIVE, those of `edit`, and what
    /// storing it meets.
    pub(crate) fn configure(
        &self,
        stream: &StreamRef,
        edit: impl FnOnce(&mut Stream) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        self.change(stream, StreamStatus::Updating, Purpose::Update, edit)
    }

    /// Changes the tags by `edit`; status and version stay (control-plane.md §7).
    ///
    /// # Errors
    /// ResourceNotFoundException, those of `edit`, and what storing it meets.
    pub(crate) fn update_tags(
        &self,
        stream: &StreamRef,
        edit: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        self.change(stream, StreamStatus::Active, Purpose::Tag, |stream| edit(&mut stream.tags))
    }

    fn change(
        &self,
        wanted: &StreamRef,
        meanwhile: StreamStatus,
        purpose: Purpose,
        edit: impl FnOnce(&mut Stream) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let (before, mut after, change) = {
            let mut state = self.ready(wanted, purpose)?;
            let slot = state.by_name.get_mut(wanted.name()).expect("ready says so");
            let before = Arc::clone(&slot.stream);
            let mut after = Stream::clone(&before);
            edit(&mut after)?;
            if after == *before {
                return Ok(());
            }
            slot.busy = true;
            slot.stream = Arc::new(Stream { status: meanwhile, ..Stream::clone(&before) });
            let change =
                Change { streams: self, name: wanted.name(), before: Some(Arc::clone(&before)) };
            (before, after, change)
        };
        after.status = StreamStatus::Active;
        self.persistence.update(&after, &before).map_err(refusal)?;
        change.commit(after);
        Ok(())
    }

    /// Removes a stream. Should that fail, it stays DELETING: how far it went is not known, so
    /// its media must not be shown again. Deleting it again goes on.
    ///
    /// # Errors
    /// ResourceNotFoundException, ResourceInUseException while it is changing,
    /// VersionMismatchException when a version is given and not the latest, and what removing it
    /// meets.
    pub(crate) fn delete(
        &self,
        stream: &StreamRef,
        current_version: Option<&str>,
    ) -> Result<(), ApiError> {
        let (deleting, change) = {
            let mut state = self.ready(stream, Purpose::Delete)?;
            let slot = state.by_name.get_mut(stream.name()).expect("ready says so");
            if let Some(version) = current_version {
                check_version(&slot.stream, version)?;
            }
            let status = StreamStatus::Deleting;
            let deleting = Arc::new(Stream { status, ..Stream::clone(&slot.stream) });
            *slot = Slot { stream: Arc::clone(&deleting), busy: true };
            let before = Some(Arc::clone(&deleting));
            (deleting, Change { streams: self, name: stream.name(), before })
        };
        self.persistence.delete(deleting.id).map_err(refusal)?;
        change.commit_removal(&deleting);
        Ok(())
    }

    /// Waits until the stream may be changed and returns with the lock held.
    fn ready(
        &self,
        stream: &StreamRef,
        purpose: Purpose,
    ) -> Result<MutexGuard<'_, State>, ApiError> {
        let mut state = self.lock();
        loop {
            let slot = state.by_name.get(stream.name());
            let Some((slot, found)) =
                slot.and_then(|slot| self.matching(slot, stream).map(|found| (slot, found)))
            else {
                return Err(ApiError::stream_not_found());
            };
            // A deletion that failed may have gone half its way: nothing else leads out of it.
            if !slot.busy && (found.status == StreamStatus::Active || purpose == Purpose::Delete) {
                return Ok(state);
            }
            if purpose == Purpose::Tag && !slot.busy {
                return Err(ApiError::stream_not_found());
            }
            // A tag call shows no status of its own, and nobody is refused for it.
            if purpose != Purpose::Tag && found.status != StreamStatus::Active {
                return Err(ApiError::new(
                    Exception::ResourceInUse,
                    format!("The stream {} is {}.", found.name, found.status.as_str()),
                ));
            }
            #[cfg(test)]
            {
                state.waiting += 1;
            }
            state = self.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
            #[cfg(test)]
            {
                state.waiting -= 1;
            }
        }
    }

    fn matching(&self, slot: &Slot, wanted: &StreamRef) -> Option<Arc<Stream>> {
        let matches = match wanted {
            StreamRef::Name(_) => true,
            // The text as a whole: kind, owner and creation time count (control-plane.md §2).
            StreamRef::Arn(arn) => slot.stream.arn(&self.owner) == arn.as_str(),
        };
        matches.then(|| Arc::clone(&slot.stream))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock leaves it half done, `edit` included: it works on a
        // copy. So a panic elsewhere need not stop the service.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What CreateStream gives.
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) device_name: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) retention_hours: u32,
    pub(crate) storage_tier: crate::StorageTier,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A change being stored. Dropped without a commit, by error or panic, `before` holds again.
struct Change<'s> {
    streams: &'s Streams,
    name: &'s str,
    /// `None` for a stream that was not there.
    before: Option<Arc<Stream>>,
}

impl Change<'_> {
    fn commit(mut self, after: Stream) -> Arc<Stream> {
        let after = Arc::new(after);
        self.before = Some(Arc::clone(&after));
        after
    }

    fn commit_removal(mut self, removed: &Stream) {
        self.before = None;
        let mut state = self.streams.lock();
        state.last_deleted = state.last_deleted.max(Some(removed.created));
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let mut state = self.streams.lock();
        match self.before.take() {
            Some(stream) => {
                if let Some(slot) = state.by_name.get_mut(self.name) {
                    *slot = Slot { stream, busy: false };
                }
            }
            None => {
                if let Some(slot) = state.by_name.remove(self.name) {
                    state.names.remove(&slot.stream.id);
                }
            }
        }
        drop(state);
        self.streams.changed.notify_all();
    }
}

fn check_version(stream: &Stream, current_version: &str) -> Result<(), ApiError> {
    if stream.version == current_version {
        Ok(())
    } else {
        Err(ApiError::new(
            Exception::VersionMismatch,
            "CurrentVersion is not the latest version of the stream.",
        ))
    }
}

fn refusal(error: PersistenceError) -> ApiError {
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(%cause, "{error}");
    match error {
        PersistenceError::Unavailable(_) => ApiError::new(
            Exception::ServiceUnavailable,
            "The stream definitions cannot be changed for now.",
        ),
        PersistenceError::Failed(_) => ApiError::internal(),
    }
}
