use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use serde_json::json;
use streamkeep_media::{StreamId, UnixMillis};

use super::*;
use crate::testing::{CAM_ARN, CountingRandom, Fault, Memory, NOW, Service, owner};
use crate::{Operation as O, Quotas, StorageTier};

fn stream(id: u8, name: &str, status: StreamStatus) -> Stream {
    Stream {
        id: StreamId([id; 16]),
        name: name.into(),
        created: NOW,
        version: "v".into(),
        status,
        device_name: None,
        media_type: None,
        kms_key_id: None,
        retention_hours: 0,
        visible_from: UnixMillis(0),
        storage_tier: StorageTier::Hot,
        tags: BTreeMap::new(),
        image_generation: None,
        notification: None,
    }
}

fn load(memory: &Arc<Memory>) -> Result<Streams, PersistenceError> {
    let persistence: Arc<dyn StreamPersistence> = Arc::clone(memory) as _;
    Streams::load(owner(), persistence, Arc::new(CountingRandom))
}

fn status(service: &Service) -> Option<StreamStatus> {
    service.control.streams().find(&StreamRef::Name("cam1".into())).map(|stream| stream.status)
}

#[test]
fn loads_what_was_stored() {
    let memory = Arc::new(Memory::with([
        stream(1, "a", StreamStatus::Active),
        stream(2, "b", StreamStatus::Updating),
        stream(3, "c", StreamStatus::Deleting),
    ]));
    let streams = load(&memory).unwrap();
    let found: Vec<_> =
        streams.snapshot().iter().map(|stream| (stream.name.clone(), stream.status)).collect();
    let active = |name: &str| (name.to_owned(), StreamStatus::Active);
    assert_eq!(found, [active("a"), active("b")]);
    // A deletion that was cut short is finished.
    assert_eq!(memory.stored().len(), 2);
    assert_eq!(streams.get(StreamId([2; 16])).unwrap().name, "b");
    assert_eq!(streams.get(StreamId([3; 16])), None);

    memory.set_fault(Some(Fault::Failed));
    assert!(load(&memory).is_ok(), "reading needs no change");
    let twins = [stream(1, "a", StreamStatus::Active), stream(2, "a", StreamStatus::Active)];
    assert!(load(&Arc::new(Memory::with(twins))).is_err());
    let cut_short = Arc::new(Memory::with([stream(3, "c", StreamStatus::Deleting)]));
    cut_short.set_fault(Some(Fault::Unavailable));
    assert!(load(&cut_short).is_err());
}

/// Returns once `count` calls wait for their turn.
fn await_waiting(service: &Service, count: usize) {
    // Some seconds, so that a fault is a failure and not a hang.
    for _ in 0..10_000_000 {
        if service.control.streams().lock().waiting >= count {
            return;
        }
        thread::yield_now();
    }
    panic!("fewer than {count} calls wait");
}

#[test]
fn transient_states_show_while_the_disk_works() {
    let service = Service::new(Quotas::Protective);
    let exception = |operation, body: &str| service.call(operation, body).unwrap_err().exception();
    let name = r#"{"StreamName":"cam1"}"#;
    let endpoint = r#"{"StreamName":"cam1","APIName":"PUT_MEDIA"}"#;
    let delete = json!({ "StreamARN": CAM_ARN }).to_string();
    let update =
        |version: &str| json!({ "StreamName": "cam1", "CurrentVersion": version }).to_string();

    service.during(O::CreateStream, name, || {
        assert_eq!(status(&service), Some(StreamStatus::Creating));
        let info = service.ok(O::DescribeStream, name);
        assert_eq!(info["StreamInfo"]["Status"], "CREATING");
        let list = service.ok(O::ListStreams, "");
        assert_eq!(list["StreamInfoList"][0]["Status"], "CREATING");
        assert_eq!(exception(O::CreateStream, name), Exception::ResourceInUse);
        assert_eq!(exception(O::UpdateStream, &update("v")), Exception::ResourceInUse);
        assert_eq!(exception(O::DeleteStream, &delete), Exception::ResourceInUse);
        assert_eq!(exception(O::GetDataEndpoint, endpoint), Exception::ResourceNotFound);
    });
    assert_eq!(status(&service), Some(StreamStatus::Active));

    let version = service.version("cam1");
    service.during(O::UpdateStream, &update(&version), || {
        assert_eq!(status(&service), Some(StreamStatus::Updating));
        assert_eq!(service.version("cam1"), version, "the old definition until it is stored");
        assert_eq!(exception(O::UpdateStream, &update(&version)), Exception::ResourceInUse);
        assert_eq!(exception(O::DeleteStream, &delete), Exception::ResourceInUse);
        service.ok(O::GetDataEndpoint, endpoint);
    });
    assert_eq!(status(&service), Some(StreamStatus::Active));

    service.during(O::DeleteStream, &delete, || {
        assert_eq!(status(&service), Some(StreamStatus::Deleting));
        let info = service.ok(O::DescribeStream, name);
        assert_eq!(info["StreamInfo"]["Status"], "DELETING");
        assert_eq!(service.ok(O::ListStreams, "")["StreamInfoList"][0]["Status"], "DELETING");
        assert_eq!(exception(O::CreateStream, name), Exception::ResourceInUse);
        assert_eq!(exception(O::UpdateStream, &update("v")), Exception::ResourceInUse);
        assert_eq!(exception(O::DeleteStream, &delete), Exception::ResourceInUse);
        assert_eq!(exception(O::GetDataEndpoint, endpoint), Exception::ResourceNotFound);
    });
    assert_eq!(status(&service), None);
}

/// The model has no ResourceInUseException for tags: they wait for their turn.
#[test]
fn tag_calls_wait() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let update = json!({ "StreamName": "cam1", "CurrentVersion": version }).to_string();
    let tag = |n: usize| json!({ "StreamName": "cam1", "Tags": { format!("k{n}"): "" } });
    thread::scope(|scope| {
        let service = &service;
        service.during(O::UpdateStream, &update, || {
            for n in 0..8 {
                scope.spawn(move || service.ok(O::TagStream, &tag(n).to_string()));
            }
            await_waiting(service, 8);
        });
    });
    // The persistence of these tests asserts that each update builds on the one before.
    assert_eq!(service.memory.stored()[0].tags.len(), 8);
    assert_ne!(service.version("cam1"), version);
}

/// While tags are being stored the stream is ACTIVE, and an update waits its turn.
#[test]
fn updates_wait_for_tags() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let update = json!({ "StreamName": "cam1", "CurrentVersion": version, "DeviceName": "d" });
    let tag = r#"{"StreamName":"cam1","Tags":{"k":"v"}}"#;
    thread::scope(|scope| {
        service.during(O::TagStream, tag, || {
            assert_eq!(status(&service), Some(StreamStatus::Active));
            scope.spawn(|| service.ok(O::UpdateStream, &update.to_string()));
            await_waiting(&service, 1);
        });
    });
    let stored = service.memory.stored().remove(0);
    assert_eq!((stored.tags.len(), stored.device_name.as_deref()), (1, Some("d")));
}

#[test]
fn tags_of_a_stream_that_vanishes_meanwhile() {
    let service = Service::with_cam();
    let delete = json!({ "StreamARN": CAM_ARN }).to_string();
    let tag = r#"{"StreamName":"cam1","Tags":{"k":"v"}}"#;
    thread::scope(|scope| {
        let tagging = service.during(O::DeleteStream, &delete, || {
            let tagging = scope.spawn(|| service.call(O::TagStream, tag));
            await_waiting(&service, 1);
            tagging
        });
        let error = tagging.join().unwrap().unwrap_err();
        assert_eq!(error.exception(), Exception::ResourceNotFound);
    });
    assert!(service.memory.stored().is_empty());
}

/// Of many creations of one name at once, one succeeds.
#[test]
fn one_name_one_stream() {
    let service = Service::new(Quotas::Protective);
    let created: usize = thread::scope(|scope| {
        let service = &service;
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| service.call(O::CreateStream, r#"{"StreamName":"cam1"}"#)))
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap().is_ok())).sum()
    });
    assert_eq!((created, service.memory.stored().len()), (1, 1));
}

/// A failed creation leaves the name free and no trace.
#[test]
fn a_failed_creation() {
    let service = Service::with_cam();
    let before = service.control.streams().snapshot();
    service.memory.set_fault(Some(Fault::Failed));
    assert!(service.call(O::CreateStream, r#"{"StreamName":"cam2"}"#).is_err());
    assert_eq!(service.control.streams().snapshot(), before);
    service.memory.set_fault(None);
    let answer = service.ok(O::CreateStream, r#"{"StreamName":"cam2"}"#);
    assert_eq!(answer["StreamARN"], CAM_ARN.replace("cam1", "cam2"));
}

/// Half a deletion shows no media again; only deleting once more leads on.
#[test]
fn a_failed_deletion() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let delete = json!({ "StreamARN": CAM_ARN, "CurrentVersion": version }).to_string();
    service.memory.set_fault(Some(Fault::Unavailable));
    let error = service.call(O::DeleteStream, &delete).unwrap_err();
    assert_eq!(error.exception(), Exception::ServiceUnavailable);
    service.memory.set_fault(None);

    assert_eq!(status(&service), Some(StreamStatus::Deleting));
    for (operation, body, wanted) in [
        (O::CreateStream, json!({ "StreamName": "cam1" }), Exception::ResourceInUse),
        (
            O::UpdateStream,
            json!({ "StreamName": "cam1", "CurrentVersion": version }),
            Exception::ResourceInUse,
        ),
        (
            O::TagStream,
            json!({ "StreamName": "cam1", "Tags": { "k": "v" } }),
            Exception::ResourceNotFound,
        ),
        (
            O::GetDataEndpoint,
            json!({ "StreamName": "cam1", "APIName": "GET_MEDIA" }),
            Exception::ResourceNotFound,
        ),
    ] {
        let error = service.call(operation, &body.to_string()).unwrap_err();
        assert_eq!(error.exception(), wanted, "{operation}");
    }
    service.ok(O::DeleteStream, &delete);
    assert_eq!(status(&service), None);
    assert!(service.memory.stored().is_empty());
    // Only now is the name free, with another ARN.
    let answer = service.ok(O::CreateStream, r#"{"StreamName":"cam1"}"#);
    assert_ne!(answer["StreamARN"], CAM_ARN);
}

/// Tagging with what is already there needs no disk.
#[test]
fn nothing_to_change() {
    let service = Service::with_cam();
    service.ok(O::TagStream, r#"{"StreamName":"cam1","Tags":{"k":"v"}}"#);
    service.memory.set_fault(Some(Fault::Failed));
    service.ok(O::TagStream, r#"{"StreamName":"cam1","Tags":{"k":"v"}}"#);
    service.ok(O::UntagStream, r#"{"StreamName":"cam1","TagKeyList":["x"]}"#);
    assert!(service.call(O::TagStream, r#"{"StreamName":"cam1","Tags":{"k":"w"}}"#).is_err());
}
