//! What the tests of this crate share: a persistence in memory that can fail or wait, randomness
//! that never repeats, and a service over both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use streamkeep_media::{StreamId, UnixMillis};

use crate::{
    AccessContext, ApiError, Authorizer, ControlPlane, Decision, EndpointContext, Operation, Owner,
    PersistenceError, Principal, Quotas, RandomSource, Scheme, Settings, Stream, StreamPersistence,
};

/// The instant of the recorded DescribeStream of control-plane.md §5.
pub(crate) const NOW: UnixMillis = UnixMillis(1_562_589_645_061);
pub(crate) const CAM_ARN: &str =
    "arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/1562589645061";

pub(crate) fn owner() -> Owner {
    Owner::new("aws", "us-west-2", "111122223333").unwrap()
}

/// Different bytes at each call, of any instance.
pub(crate) struct CountingRandom;

static CALLS: AtomicU64 = AtomicU64::new(0);

impl RandomSource for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let mut input = blake3::Hasher::new();
        input.update(&call.to_be_bytes());
        input.finalize_xof().fill(bytes);
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    state: Mutex<MemoryState>,
    changed: Condvar,
}

#[derive(Default)]
struct MemoryState {
    streams: BTreeMap<StreamId, Stream>,
    fault: Option<Fault>,
    gate_closed: bool,
    waiting: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Unavailable,
    Failed,
}

impl Memory {
    pub(crate) fn with(streams: impl IntoIterator<Item = Stream>) -> Self {
        let memory = Self::default();
        memory.state.lock().unwrap().streams =
            streams.into_iter().map(|stream| (stream.id, stream)).collect();
        memory
    }

    pub(crate) fn stored(&self) -> Vec<Stream> {
        self.state.lock().unwrap().streams.values().cloned().collect()
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        self.state.lock().unwrap().fault = fault;
    }

    /// Until the gate is dropped, changes wait inside the persistence.
    pub(crate) fn gate(&self) -> Gate<'_> {
        self.state.lock().unwrap().gate_closed = true;
        Gate(self)
    }

    /// Returns once a change waits at the gate.
    pub(crate) fn await_change(&self) {
        let state = self.state.lock().unwrap();
        // Some seconds, so that a fault is a failure and not a hang.
        let patience = Duration::from_secs(10);
        let (_state, end) =
            self.changed.wait_timeout_while(state, patience, |state| state.waiting == 0).unwrap();
        assert!(!end.timed_out(), "no change came");
    }

    fn change(&self, change: impl FnOnce(&mut MemoryState)) -> Result<(), PersistenceError> {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        state = self.changed.wait_while(state, |state| state.gate_closed).unwrap();
        state.waiting -= 1;
        match state.fault {
            Some(Fault::Unavailable) => Err(PersistenceError::Unavailable("no space".into())),
            Some(Fault::Failed) => Err(PersistenceError::Failed("bad block".into())),
            None => {
                change(&mut state);
                Ok(())
            }
        }
    }
}

/// Opens when dropped, by a failing assertion too, so that no thread is left waiting.
pub(crate) struct Gate<'m>(&'m Memory);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.gate_closed = false;
        drop(state);
        self.0.changed.notify_all();
    }
}

impl StreamPersistence for Memory {
    fn load(&self) -> Result<Vec<Stream>, PersistenceError> {
        Ok(self.stored())
    }

    fn create(&self, stream: &Stream) -> Result<(), PersistenceError> {
        self.change(|state| {
            assert!(state.streams.insert(stream.id, stream.clone()).is_none(), "ids are new");
        })
    }

    fn update(&self, stream: &Stream, previous: &Stream) -> Result<(), PersistenceError> {
        self.change(|state| {
            let found = state.streams.insert(stream.id, stream.clone());
            assert_eq!(found.as_ref(), Some(previous), "no update is lost");
            assert_eq!(
                (stream.id, &stream.name, stream.created),
                (previous.id, &previous.name, previous.created)
            );
        })
    }

    fn delete(&self, id: StreamId) -> Result<(), PersistenceError> {
        self.change(|state| {
            state.streams.remove(&id);
        })
    }
}

/// Lets the root do everything; others what the lines of their access key id spell:
/// `kinesisvideo:Action` and a resource, parted by a space, or nothing.
pub(crate) struct TestAuthorizer;

impl Authorizer for TestAuthorizer {
    fn authorize(
        &self,
        principal: &Principal,
        action: &str,
        resource: &str,
        _: &AccessContext<'_>,
    ) -> Decision {
        let asked = format!("{action} {resource}");
        if principal.is_root || principal.access_key_id.lines().any(|allowed| allowed == asked) {
            Decision::Allow
        } else {
            Decision::Deny
        }
    }
}

pub(crate) fn root() -> Principal {
    Principal {
        arn: owner().root_arn(),
        account: "111122223333".into(),
        access_key_id: "AKIDEXAMPLE".into(),
        is_root: true,
    }
}

/// A user who may do one thing: see [`TestAuthorizer`].
pub(crate) fn user(permission: &str) -> Principal {
    Principal {
        arn: "arn:aws:iam::111122223333:user/Alice".into(),
        access_key_id: permission.into(),
        is_root: false,
        ..root()
    }
}

pub(crate) fn context() -> EndpointContext {
    EndpointContext {
        scheme: Scheme::Http,
        host: Some("127.0.0.1".into()),
        local: "127.0.0.1:8400".parse().unwrap(),
        source_ip: None,
    }
}

/// A service with its disk.
pub(crate) struct Service {
    pub(crate) control: ControlPlane,
    pub(crate) memory: Arc<Memory>,
}

impl Service {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self::over(Arc::default(), quotas)
    }

    pub(crate) fn over(memory: Arc<Memory>, quotas: Quotas) -> Self {
        let settings = Settings { owner: owner(), public_url: None, quotas, token_key: [7; 32] };
        let persistence: Arc<dyn StreamPersistence> = Arc::clone(&memory) as _;
        let random = Arc::new(CountingRandom);
        let control =
            ControlPlane::load(settings, persistence, random, Arc::new(TestAuthorizer)).unwrap();
        Self { control, memory }
    }

    /// With stream `cam1`, made at [`NOW`], so that its ARN is [`CAM_ARN`].
    pub(crate) fn with_cam() -> Self {
        let service = Self::new(Quotas::Protective);
        service.ok(Operation::CreateStream, r#"{"StreamName":"cam1"}"#);
        service
    }

    /// [`Self::with_cam`] whose media is kept for a day.
    pub(crate) fn with_kept_cam() -> Self {
        let service = Self::new(Quotas::Protective);
        service.ok(Operation::CreateStream, r#"{"StreamName":"cam1","DataRetentionInHours":24}"#);
        service
    }

    pub(crate) fn call_as(
        &self,
        principal: &Principal,
        operation: Operation,
        body: &str,
        now: UnixMillis,
    ) -> Result<Value, ApiError> {
        let body = body.as_bytes();
        let answer = self.control.handle(operation, principal, body, &context(), now)?;
        Ok(serde_json::from_slice(&answer).expect("answers are JSON"))
    }

    pub(crate) fn call(&self, operation: Operation, body: &str) -> Result<Value, ApiError> {
        self.call_as(&root(), operation, body, NOW)
    }

    #[track_caller]
    pub(crate) fn ok(&self, operation: Operation, body: &str) -> Value {
        self.call(operation, body).unwrap_or_else(|error| panic!("{operation} {body}: {error}"))
    }

    /// Runs `during` while `operation` waits for the disk, and returns what it returned.
    pub(crate) fn during<T>(
        &self,
        operation: Operation,
        body: &str,
        during: impl FnOnce() -> T,
    ) -> T {
        std::thread::scope(|scope| {
            let gate = self.memory.gate();
            scope.spawn(|| self.ok(operation, body));
            self.memory.await_change();
            let result = during();
            drop(gate);
            result
        })
    }

    /// The current version of a stream.
    #[track_caller]
    pub(crate) fn version(&self, name: &str) -> String {
        let body = format!(r#"{{"StreamName":"{name}"}}"#);
        let answer = self.ok(Operation::DescribeStream, &body);
        answer["StreamInfo"]["Version"].as_str().unwrap().into()
    }
}
