use std::collections::{BTreeMap, BTreeSet};

use http::header;
use serde_json::{Value, json};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use super::*;
use crate::testing::{
    CAM_ARN, CountingRandom, Fault, Memory, NOW, Service, context, owner, root, user,
};
use crate::{
    ConnectionKind, Connections, Cost, FragmentRange, FragmentSelectorType, ListFragmentsRequest,
    StreamStatus, list_fragments, success,
};
use Operation as O;

const HOUR: u64 = 3_600_000;

fn after(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

/// The one way the tests below ask and compare: an answer, or an exception by name.
#[track_caller]
fn check(service: &Service, operation: O, body: Value, wanted: Result<Value, &str>) {
    let found = service.call(operation, &body.to_string());
    match (&found, &wanted) {
        (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{operation} {body}"),
        (Err(found), Err(wanted)) => {
            assert_eq!(found.exception().name(), *wanted, "{operation} {body}: {found}");
        }
        _ => panic!("{operation} {body}: {found:?}, wanted {wanted:?}"),
    }
}

#[test]
fn create_and_describe() {
    let service = Service::new(Quotas::Protective);
    check(
        &service,
        O::CreateStream,
        json!({ "StreamName": "cam1" }),
        Ok(json!({ "StreamARN": CAM_ARN })),
    );
    let version = service.version("cam1");
    assert!(version.len() == 20 && version.bytes().all(|b| b.is_ascii_alphanumeric()), "{version}");
    // The recorded answer of control-plane.md §5, with our name and version.
    let info = json!({
        "CreationTime": 1_562_589_645.061,
        "DataRetentionInHours": 0,
        "DeviceName": null,
        "KmsKeyId": "arn:aws:kms:us-west-2:111122223333:alias/aws/kinesisvideo",
        "MediaType": null,
        "Status": "ACTIVE",
        "StreamARN": CAM_ARN,
        "StreamName": "cam1",
        "Version": version,
    });
    for stream in [
        json!({ "StreamName": "cam1" }),
        json!({ "StreamARN": CAM_ARN }),
        json!({ "StreamARN": "cam1" }),
        json!({ "StreamName": "cam1", "StreamARN": CAM_ARN, "Unknown": { "x": [1] } }),
    ] {
        check(&service, O::DescribeStream, stream, Ok(json!({ "StreamInfo": info })));
    }

    let full = json!({
        "StreamName": "cam2", "DeviceName": "dev", "MediaType": "video/h264,audio/aac",
        "KmsKeyId": "alias/mine", "DataRetentionInHours": 24, "Tags": { "site": "A" },
        "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
    });
    service.ok(O::CreateStream, &full.to_string());
    let info = &service.ok(O::DescribeStream, r#"{"StreamName":"cam2"}"#)["StreamInfo"];
    assert_eq!(info["DeviceName"], "dev");
    assert_eq!(info["MediaType"], "video/h264,audio/aac");
    assert_eq!(info["KmsKeyId"], "alias/mine");
    assert_eq!(info["DataRetentionInHours"], 24);
    check(
        &service,
        O::DescribeStreamStorageConfiguration,
        json!({ "StreamName": "cam2" }),
        Ok(json!({
            "StreamName": "cam2",
            "StreamARN": CAM_ARN.replace("cam1", "cam2"),
            "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
        })),
    );
    check(
        &service,
        O::ListTagsForStream,
        json!({ "StreamName": "cam2" }),
        Ok(json!({ "Tags": { "site": "A" }, "NextToken": null })),
    );
    let stored = service.memory.stored();
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().all(|stream| stream.status == StreamStatus::Active));
}

/// The C producer takes the retention only as an integer literal, and at most 100 JSON tokens.
#[test]
fn describe_suits_the_c_producer() {
    let service = Service::with_cam();
    let body = br#"{"StreamName":"cam1"}"#;
    let answer = service.control.handle(O::DescribeStream, &root(), body, &context(), NOW).unwrap();
    let text = std::str::from_utf8(&answer).unwrap();
    assert!(text.contains(r#""DataRetentionInHours":0,"#), "{text}");
    assert!(text.contains(r#""CreationTime":1562589645.061,"#), "{text}");
    assert!(text.len() < 1024, "{text}");
}

/// Every error that the model gives an implemented operation, brought about; save those that
/// cannot be.
#[test]
fn every_modelled_error() {
    let mut provoked: BTreeMap<&str, BTreeSet<Exception>> = BTreeMap::new();
    let mut refused = |operation: O, found: Result<Value, ApiError>, wanted: Exception| {
        let error = found.expect_err(operation.name());
        assert_eq!(error.exception(), wanted, "{operation}: {error}");
        provoked.entry(operation.name()).or_default().insert(wanted);
    };

    let control: Vec<_> = O::all()
        .filter(|o| o.availability() == Availability::Implemented && o.plane() == Plane::Control)
        .collect();
    // A request of each that would succeed on `cam1`, by ARN where the operation takes one.
    let request = |operation: O, arn: &str, version: &str| match operation {
        O::CreateStream => json!({ "StreamName": "cam2" }),
        O::ListStreams => json!({}),
        O::DeleteStream => json!({ "StreamARN": arn, "CurrentVersion": version }),
        O::DescribeStream
        | O::DescribeStreamStorageConfiguration
        | O::DescribeImageGenerationConfiguration
        | O::DescribeNotificationConfiguration
        | O::ListTagsForStream => json!({ "StreamARN": arn }),
        O::UpdateImageGenerationConfiguration => json!({
            "StreamARN": arn,
            "ImageGenerationConfiguration": {
                "Status": "ENABLED", "ImageSelectorType": "SERVER_TIMESTAMP",
                "DestinationConfig": { "Uri": "s3://bucket", "DestinationRegion": "us-west-2" },
                "SamplingInterval": 200, "Format": "PNG",
            },
        }),
        O::UpdateNotificationConfiguration => json!({
            "StreamARN": arn,
            "NotificationConfiguration": {
                "Status": "ENABLED", "DestinationConfig": { "Uri": "https://host/x" },
            },
        }),
        O::GetDataEndpoint => json!({ "StreamARN": arn, "APIName": "GET_MEDIA" }),
        O::ListTagsForResource => json!({ "ResourceARN": arn }),
        O::TagResource => {
            json!({ "ResourceARN": arn, "Tags": [{ "Key": "k", "Value": "v" }] })
        }
        O::TagStream => json!({ "StreamARN": arn, "Tags": { "k": "v" } }),
        O::UntagResource => json!({ "ResourceARN": arn, "TagKeyList": ["k"] }),
        O::UntagStream => json!({ "StreamARN": arn, "TagKeyList": ["k"] }),
        O::UpdateDataRetention => json!({
            "StreamARN": arn, "CurrentVersion": version,
            "Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1,
        }),
        O::UpdateStream => {
            json!({ "StreamARN": arn, "CurrentVersion": version, "DeviceName": "d" })
        }
        O::UpdateStreamStorageConfiguration => json!({
            "StreamARN": arn, "CurrentVersion": version,
            "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
        }),
        other => panic!("{other} has no request here"),
    };

    for operation in control {
        let service = Service::with_kept_cam();
        let version = service.version("cam1");
        let good = request(operation, CAM_ARN, &version);
        let call = |body: &Value| service.call(operation, &body.to_string());

        refused(operation, call(&json!({ "StreamARN": 5, "MaxResults": 0 })), {
            if operation.errors().contains(&Exception::InvalidResourceFormat) {
                Exception::InvalidResourceFormat
            } else {
                Exception::InvalidArgument
            }
        });
        refused(operation, service.call(operation, "[]"), Exception::InvalidArgument);
        let alice = user("");
        let denied = service.call_as(&alice, operation, &good.to_string(), NOW);
        refused(operation, denied, operation.denial());

        if operation.errors().contains(&Exception::ResourceNotFound) {
            for other in [
                CAM_ARN.replace("cam1", "cam9"),
                CAM_ARN.replace("645061", "645062"),
                CAM_ARN.replace("/1562", "/01562"),
                CAM_ARN.replace("us-west-2", "us-east-1"),
                CAM_ARN.replace("111122223333", "111122223334"),
                CAM_ARN.replace(":stream/", ":channel/"),
                CAM_ARN.replace("arn:aws:", "arn:aws-cn:"),
            ] {
                let found = call(&request(operation, &other, &version));
                refused(operation, found, Exception::ResourceNotFound);
            }
        }
        if operation.errors().contains(&Exception::VersionMismatch) {
            let found = call(&request(operation, CAM_ARN, "another"));
            refused(operation, found, Exception::VersionMismatch);
        }
        if operation.errors().contains(&Exception::ResourceInUse) {
            if operation == O::CreateStream {
                let found = call(&json!({ "StreamName": "cam1" }));
                refused(operation, found, Exception::ResourceInUse);
            } else {
                let found = while_updating(&service, || call(&good));
                refused(operation, found, Exception::ResourceInUse);
            }
        }
        if operation.errors().contains(&Exception::NoDataRetention) {
            let found = Service::with_cam().call(operation, &good.to_string());
            refused(operation, found, Exception::NoDataRetention);
        }
        if operation.errors().contains(&Exception::TagsPerResourceExceededLimit) {
            let fifty: BTreeMap<_, _> = (0..50).map(|n| (format!("old{n}"), "")).collect();
            service.ok(O::TagStream, &json!({ "StreamName": "cam1", "Tags": fifty }).to_string());
            let mut one_more = good.clone();
            if operation == O::CreateStream {
                let fifty_one: BTreeMap<_, _> = (0..51).map(|n| (format!("t{n}"), "")).collect();
                one_more["Tags"] = json!(fifty_one);
            }
            refused(operation, call(&one_more), Exception::TagsPerResourceExceededLimit);
            assert_eq!(service.memory.stored()[0].tags.len(), 50);
        }

        // KVS's call rates: some hundred calls at one instant pass every limit.
        let kvs = Service::over(Arc::clone(&service.memory), Quotas::Kvs);
        let throttled = (0..400).find_map(|_| {
            let body = request(operation, CAM_ARN, &version).to_string();
            let error = kvs.call(operation, &body).err()?;
            (error.exception() == Exception::ClientLimitExceeded).then_some(error)
        });
        refused(operation, Err(throttled.unwrap()), Exception::ClientLimitExceeded);

        if operation.errors().contains(&Exception::AccountStreamLimitExceeded) {
            let template = service.memory.stored().remove(0);
            let many = (0..10_000u32).map(|n| {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&n.to_be_bytes());
                Stream { id: StreamId(id), name: format!("s{n}"), ..template.clone() }
            });
            let full = Service::over(Arc::new(Memory::with(many)), Quotas::Kvs);
            let found = full.call(operation, r#"{"StreamName":"one-more"}"#);
            refused(operation, found, Exception::AccountStreamLimitExceeded);
        }
    }

    // The media plane, as far as this crate answers it.
    for (operation, kind) in [
        (O::PutMedia, Some(ConnectionKind::PutMedia)),
        (O::GetMedia, Some(ConnectionKind::GetMedia)),
        (O::ListFragments, None),
        (O::GetMediaForFragmentList, None),
        (O::GetClip, None),
        (O::GetDASHStreamingSessionURL, None),
        (O::GetHLSStreamingSessionURL, None),
        (O::GetImages, None),
        (O::GetCoverage, None),
        (O::GetStreamHealth, None),
        (O::GetThumbnails, None),
    ] {
        let service = Service::with_kept_cam();
        let cam = StreamRef::Name("cam1".into());
        let admit = |service: &Service, principal: &Principal, stream: &StreamRef| {
            let control = &service.control;
            let admitted = match operation {
                O::GetCoverage | O::GetStreamHealth => {
                    let streams = [stream.clone()];
                    control
                        .admit_each(operation, principal, &streams, &context(), NOW)
                        .map(|mut each| each.remove(0))?
                }
                _ if operation.errors().contains(&Exception::NoDataRetention) => {
                    control.admit_playback(operation, principal, stream, &context(), NOW)
                }
                _ => control.admit(operation, principal, stream, &context(), NOW),
            };
            admitted.map(|_| Value::Null)
        };
        if operation.errors().contains(&Exception::NoDataRetention) {
            let found = admit(&Service::with_cam(), &root(), &cam);
            refused(operation, found, Exception::NoDataRetention);
        }
        let none = StreamRef::Name("cam9".into());
        refused(operation, admit(&service, &root(), &none), Exception::ResourceNotFound);
        refused(operation, admit(&service, &user(""), &cam), operation.denial());
        let bad = crate::fuzz::parse(operation, b"[]").map(|()| Value::Null);
        refused(operation, bad, Exception::InvalidArgument);

        let kvs = Service::over(Arc::clone(&service.memory), Quotas::Kvs);
        let stream = kvs.control.streams().find(&cam).unwrap().id;
        let cost = match operation {
            O::ListFragments => Cost { metadata: 1000, media: 0 },
            O::GetMediaForFragmentList => Cost { metadata: 0, media: 1000 },
            O::GetClip => Cost::clip(200),
            O::GetImages => Cost::images(25),
            O::GetCoverage => Cost::coverage(1000),
            O::GetThumbnails => Cost::thumbnails(100),
            _ => Cost::default(),
        };
        let throttled = (0..100).find_map(|_| {
            let admitted = admit(&kvs, &root(), &cam);
            admitted.and_then(|_| kvs.control.spend(stream, cost, NOW)).err()
        });
        if operation.errors().contains(&Exception::ClientLimitExceeded) {
            refused(operation, Err(throttled.unwrap()), Exception::ClientLimitExceeded);
        } else {
            assert_eq!(throttled, None, "{operation}");
        }
        if let Some(kind) = kind {
            let connections = Connections::new(kvs.control.limits().connections);
            let mut held = Vec::new();
            let error = loop {
                match connections.open(kind, stream) {
                    Ok(permit) => held.push(permit),
                    Err(error) => break error,
                }
            };
            refused(operation, Err(error), Exception::ConnectionLimitExceeded);
        }
    }

    // A socket names no stream.
    let service = Service::with_cam();
    let admit = |principal: &Principal| {
        let control = &service.control;
        control.admit_without_stream(O::OpenLive, principal, &context(), NOW).map(|()| Value::Null)
    };
    assert_eq!(admit(&root()), Ok(Value::Null));
    refused(O::OpenLive, admit(&user("")), O::OpenLive.denial());

    for operation in O::all().filter(|o| o.availability() == Availability::Implemented) {
        let modelled: BTreeSet<_> = operation.errors().iter().copied().collect();
        let provoked = provoked.remove(operation.name()).unwrap_or_default();
        let missing: Vec<_> = modelled.difference(&provoked).collect();
        let impossible: &[&Exception] = match operation {
            // Documented as not implemented.
            O::CreateStream => &[&Exception::DeviceStreamLimitExceeded, &Exception::InvalidDevice],
            // The server finds these in the media.
            O::GetClip => &[
                &Exception::UnsupportedStreamMediaType,
                &Exception::MissingCodecPrivateData,
                &Exception::InvalidCodecPrivateData,
                &Exception::InvalidMediaFrame,
            ],
            O::GetDASHStreamingSessionURL | O::GetHLSStreamingSessionURL => &[
                &Exception::UnsupportedStreamMediaType,
                &Exception::MissingCodecPrivateData,
                &Exception::InvalidCodecPrivateData,
            ],
            // One endpoint serves every stream.
            O::PutMedia | O::GetMedia => &[&Exception::InvalidEndpoint],
            // The server finds what is wrong with the handshake.
            O::OpenLive => &[&Exception::InvalidArgument],
            _ => &[],
        };
        assert_eq!(missing, impossible, "{operation}");
        // And nothing beyond the model, but denials where it has none.
        let extra: Vec<_> = provoked.difference(&modelled).collect();
        let unmodelled: &[&Exception] = match operation {
            O::CreateStream | O::ListStreams => &[&Exception::AccessDeniedForbidden],
            // The documentation, not the model, has it (quotas.md).
            _ => &[],
        };
        assert_eq!(extra, unmodelled, "{operation}");
    }
}

/// Runs `call` while an update of `cam1` is being stored.
fn while_updating<T>(service: &Service, call: impl FnOnce() -> T) -> T {
    let version = service.version("cam1");
    let body = json!({ "StreamName": "cam1", "CurrentVersion": version }).to_string();
    service.during(O::UpdateStream, &body, call)
}

#[test]
fn update_stream() {
    let service = Service::with_cam();
    let first = service.version("cam1");
    let update = |version: &str, more: Value| {
        let mut body = json!({ "StreamName": "cam1", "CurrentVersion": version });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.call(O::UpdateStream, &body.to_string())
    };
    assert_eq!(update(&first, json!({ "DeviceName": "d" })), Ok(json!({})));
    let second = service.version("cam1");
    assert_ne!(first, second);
    // What was read before the change is stale.
    let stale = update(&first, json!({ "DeviceName": "x" })).unwrap_err();
    assert_eq!(stale.exception(), Exception::VersionMismatch);
    // Absent or null stays as it is.
    update(&second, json!({ "MediaType": "video/h265", "DeviceName": null })).unwrap();
    let info = &service.ok(O::DescribeStream, r#"{"StreamName":"cam1"}"#)["StreamInfo"];
    assert_eq!((&info["DeviceName"], &info["MediaType"]), (&json!("d"), &json!("video/h265")));
    assert_eq!(info["StreamARN"], CAM_ARN);
    assert_eq!(info["CreationTime"], 1_562_589_645.061);
}

#[test]
fn update_data_retention() {
    let service = Service::with_cam();
    let change = |operation: &str, hours: i64, now: UnixMillis| {
        let body = json!({
            "StreamName": "cam1", "CurrentVersion": service.version("cam1"),
            "Operation": operation, "DataRetentionChangeInHours": hours,
        });
        let before = service.version("cam1");
        let answer = service.call_as(&root(), O::UpdateDataRetention, &body.to_string(), now);
        assert_eq!(answer.is_ok(), service.version("cam1") != before, "a new version per update");
        answer.map(|answer| {
            assert_eq!(answer, json!({}));
            let stream = service.memory.stored().remove(0);
            (stream.retention_hours, stream.visible_from)
        })
    };
    let up = |hours, now| change("INCREASE_DATA_RETENTION", hours, now);
    let down = |hours, now| change("DECREASE_DATA_RETENTION", hours, now);

    // It is a change, not the value. From 0: only what comes from now on.
    assert_eq!(up(24, after(HOUR)), Ok((24, after(HOUR))));
    // What has not expired lives on.
    assert_eq!(up(12, after(2 * HOUR)), Ok((36, after(HOUR))));
    // Older than the new period: gone at once.
    assert_eq!(down(34, after(10 * HOUR)), Ok((2, after(8 * HOUR))));
    // And gone for good.
    assert_eq!(up(100, after(10 * HOUR)), Ok((102, after(8 * HOUR))));
    assert_eq!(down(102, after(11 * HOUR)), Ok((0, after(11 * HOUR))));
    // 0..=87,600.
    assert!(down(1, after(11 * HOUR)).is_err());
    assert_eq!(up(87_600, after(11 * HOUR)), Ok((87_600, after(11 * HOUR))));
    let error = up(1, after(11 * HOUR)).unwrap_err();
    assert_eq!(error.exception(), Exception::InvalidArgument);
    assert!(error.message().contains("DataRetentionChangeInHours"), "{error}");
}

#[test]
fn update_storage() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let warm = json!({
        "StreamName": "cam1", "CurrentVersion": version,
        "StreamStorageConfiguration": { "DefaultStorageTier": "WARM" },
    });
    check(&service, O::UpdateStreamStorageConfiguration, warm, Ok(json!({})));
    let answer = service.ok(O::DescribeStreamStorageConfiguration, r#"{"StreamName":"cam1"}"#);
    assert_eq!(answer["StreamStorageConfiguration"]["DefaultStorageTier"], "WARM");
    assert_ne!(service.version("cam1"), version);
}

#[test]
fn delete_and_create_again() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let wrong = json!({ "StreamARN": CAM_ARN, "CurrentVersion": "another" });
    check(&service, O::DeleteStream, wrong, Err("VersionMismatchException"));
    let right = json!({ "StreamARN": CAM_ARN, "CurrentVersion": version });
    check(&service, O::DeleteStream, right.clone(), Ok(json!({})));
    check(&service, O::DeleteStream, right, Err("ResourceNotFoundException"));
    check(
        &service,
        O::DescribeStream,
        json!({ "StreamName": "cam1" }),
        Err("ResourceNotFoundException"),
    );
    assert!(service.memory.stored().is_empty() && service.control.streams().is_empty());

    // In the same millisecond: another ARN, and the old one stays dead.
    let answer = service.ok(O::CreateStream, r#"{"StreamName":"cam1"}"#);
    let arn = CAM_ARN.replace("645061", "645062");
    assert_eq!(answer["StreamARN"], arn);
    check(
        &service,
        O::DeleteStream,
        json!({ "StreamARN": CAM_ARN }),
        Err("ResourceNotFoundException"),
    );
    // Without a version only the creation time is compared.
    check(&service, O::DeleteStream, json!({ "StreamARN": arn }), Ok(json!({})));
    // Not before that either, should the clock go back.
    let earlier = UnixMillis(NOW.0 - HOUR);
    let answer =
        service.call_as(&root(), O::CreateStream, r#"{"StreamName":"cam1"}"#, earlier).unwrap();
    assert_eq!(answer["StreamARN"], CAM_ARN.replace("645061", "645063"));
}

/// The deletion of an older stream forgets nothing.
#[test]
fn arns_never_come_again() {
    let service = Service::new(Quotas::Protective);
    let create = |name: &str, now| {
        let body = json!({ "StreamName": name }).to_string();
        let answer = service.call_as(&root(), O::CreateStream, &body, now).unwrap();
        answer["StreamARN"].as_str().unwrap().to_owned()
    };
    let delete = |arn: &str| service.ok(O::DeleteStream, &json!({ "StreamARN": arn }).to_string());
    let old = create("old", UnixMillis(NOW.0 - HOUR));
    let first = create("cam1", NOW);
    let first_id = service.memory.stored().iter().find(|s| s.name == "cam1").unwrap().id;
    delete(&first);
    delete(&old);
    assert_ne!(create("cam1", NOW), first);
    assert_eq!(service.control.streams().get(first_id), None);
}

#[test]
fn tags() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    let list = |wanted: Value| {
        let wanted = json!({ "Tags": wanted, "NextToken": null });
        check(&service, O::ListTagsForStream, json!({ "StreamName": "cam1" }), Ok(wanted.clone()));
        check(&service, O::ListTagsForResource, json!({ "ResourceARN": CAM_ARN }), Ok(wanted));
    };
    list(json!({}));
    let tag = |body: Value| check(&service, O::TagStream, body, Ok(json!({})));
    tag(json!({ "StreamName": "cam1", "Tags": { "a": "1", "b": "" } }));
    // The C producer, when it caches endpoints only.
    tag(json!({ "StreamARN": "cam1", "Tags": { "a": "2" } }));
    list(json!({ "a": "2", "b": "" }));
    let pairs = json!([{ "Key": "c", "Value": "3" }, { "Key": "c", "Value": "4" }]);
    let resource = json!({ "ResourceARN": CAM_ARN, "Tags": pairs });
    check(&service, O::TagResource, resource, Ok(json!({})));
    list(json!({ "a": "2", "b": "", "c": "4" }));
    let untag = json!({ "StreamName": "cam1", "TagKeyList": ["a", "unknown"] });
    check(&service, O::UntagStream, untag, Ok(json!({})));
    let untag = json!({ "ResourceARN": CAM_ARN, "TagKeyList": ["b"] });
    check(&service, O::UntagResource, untag, Ok(json!({})));
    list(json!({ "c": "4" }));
    assert_eq!(service.version("cam1"), version, "tags leave the version alone");

    // 50 in all: overwriting is free, the 51st is too many, and then nothing is changed.
    let more: BTreeMap<_, _> = (0..49).map(|n| (format!("t{n}"), "")).collect();
    tag(json!({ "StreamName": "cam1", "Tags": more }));
    tag(json!({ "StreamName": "cam1", "Tags": { "t0": "x", "c": "5" } }));
    let past = json!({ "StreamName": "cam1", "Tags": { "t0": "y", "one": "more" } });
    check(&service, O::TagStream, past, Err("TagsPerResourceExceededLimitException"));
    let stored = service.memory.stored().remove(0).tags;
    assert_eq!((stored.len(), stored["t0"].as_str()), (50, "x"));
    // A channel has no tags here.
    let channel = CAM_ARN.replace(":stream/", ":channel/");
    let body = json!({ "ResourceARN": channel });
    check(&service, O::ListTagsForResource, body, Err("ResourceNotFoundException"));
}

#[test]
fn list_streams() {
    let service = Service::new(Quotas::Protective);
    check(
        &service,
        O::ListStreams,
        json!({}),
        Ok(json!({ "StreamInfoList": [], "NextToken": null })),
    );
    for name in ["b", "cam-2", "cam-1", "cam", "d", "camera", "cal"] {
        service.ok(O::CreateStream, &json!({ "StreamName": name }).to_string());
    }
    // All pages, and that no token comes twice.
    let pages = |max: usize, prefix: Option<&str>| {
        let (mut names, mut tokens, mut body) = (Vec::new(), BTreeSet::new(), json!({}));
        body["MaxResults"] = max.into();
        if let Some(prefix) = prefix {
            body["StreamNameCondition"] =
                json!({ "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix });
        }
        loop {
            let answer = service.ok(O::ListStreams, &body.to_string());
            let page = answer["StreamInfoList"].as_array().unwrap();
            assert!(page.len() <= max);
            names.extend(page.iter().map(|info| info["StreamName"].as_str().unwrap().to_owned()));
            match answer["NextToken"].as_str() {
                None => return names,
                Some(token) => {
                    assert!(token.len() <= 1024 && page.len() == max);
                    assert!(tokens.insert(token.to_owned()), "{token} came twice");
                    body["NextToken"] = token.into();
                }
            }
        }
    };
    for max in [1, 2, 3, 4, 7, 10_000] {
        assert_eq!(pages(max, None), ["b", "cal", "cam", "cam-1", "cam-2", "camera", "d"]);
        assert_eq!(pages(max, Some("cam")), ["cam", "cam-1", "cam-2", "camera"]);
        assert_eq!(pages(max, Some("cam-")), ["cam-1", "cam-2"]);
        assert!(pages(max, Some("x")).is_empty());
    }

    // A page goes on after the stream it ended with is gone.
    let first = service.ok(O::ListStreams, r#"{"MaxResults":2}"#);
    let token = first["NextToken"].as_str().unwrap();
    let arn = CAM_ARN.replace("cam1", "cal");
    service.ok(O::DeleteStream, &json!({ "StreamARN": arn }).to_string());
    let body = json!({ "MaxResults": 1, "NextToken": token });
    let second = service.ok(O::ListStreams, &body.to_string());
    assert_eq!(second["StreamInfoList"][0]["StreamName"], "cam");

    // Tokens are good for the listing they came from.
    let condition = json!({ "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c" });
    for body in [
        json!({ "NextToken": "AAAA" }),
        json!({ "NextToken": format!("{token}00") }),
        json!({ "NextToken": token, "StreamNameCondition": condition }),
    ] {
        check(&service, O::ListStreams, body, Err("InvalidArgumentException"));
    }
    let elsewhere = Principal { account: "000000000000".into(), ..root() };
    let body = json!({ "NextToken": token }).to_string();
    assert!(service.call_as(&elsewhere, O::ListStreams, &body, NOW).is_err());
    // Empty is the first page.
    assert_eq!(
        service.ok(O::ListStreams, r#"{"NextToken":"","MaxResults":1}"#)["StreamInfoList"][0]["StreamName"],
        "b"
    );
    // The longest name gives a token within the limit of the model.
    let long = Service::new(Quotas::Protective);
    for last in ["a", "b"] {
        let name = format!("{}{last}", "x".repeat(255));
        long.ok(O::CreateStream, &json!({ "StreamName": name }).to_string());
    }
    let answer = long.ok(O::ListStreams, r#"{"MaxResults":1}"#);
    assert!(answer["NextToken"].as_str().unwrap().len() <= 1024);
}

#[test]
fn data_endpoints() {
    let service = Service::with_cam();
    for api in [
        "PUT_MEDIA",
        "GET_MEDIA",
        "LIST_FRAGMENTS",
        "GET_MEDIA_FOR_FRAGMENT_LIST",
        "GET_HLS_STREAMING_SESSION_URL",
        "GET_DASH_STREAMING_SESSION_URL",
        "GET_CLIP",
        "GET_IMAGES",
    ] {
        check(
            &service,
            O::GetDataEndpoint,
            json!({ "StreamName": "cam1", "APIName": api }),
            // The Host header of the context has no port.
            Ok(json!({ "DataEndpoint": "http://127.0.0.1:8400" })),
        );
    }
    let bad_host = EndpointContext { host: Some("a/b".into()), ..context() };
    let body = br#"{"StreamName":"cam1","APIName":"PUT_MEDIA"}"#;
    let error = service.control.handle(O::GetDataEndpoint, &root(), body, &bad_host, NOW);
    assert_eq!(error.unwrap_err().exception(), Exception::InvalidArgument);

    // A public URL wins over everything in the request.
    let settings = Settings {
        owner: owner(),
        public_url: Some(PublicUrl::parse("https://video.example.com/").unwrap()),
        quotas: Quotas::Protective,
        token_key: [7; 32],
    };
    let random = Arc::new(CountingRandom);
    let memory = Arc::clone(&service.memory);
    let control = ControlPlane::load(settings, memory, random, Arc::new(crate::RootOnly)).unwrap();
    let answer = control.handle(O::GetDataEndpoint, &root(), body, &bad_host, NOW).unwrap();
    assert_eq!(answer, r#"{"DataEndpoint":"https://video.example.com"}"#);
}

#[test]
fn operations_of_later_versions_are_refused_in_one_way() {
    let service = Service::with_cam();
    let mut count = 0;
    for operation in O::all().filter(|o| o.availability() == Availability::Later) {
        for body in ["", "{}", r#"{"StreamName":"cam1"}"#, "no JSON"] {
            let error = service.call(operation, body).unwrap_err();
            assert_eq!(error, ApiError::later(operation));
            assert_eq!(error.exception(), Exception::InvalidArgument);
            assert!(error.message().starts_with(operation.name()), "{error}");
        }
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn permissions() {
    let service = Service::with_cam();
    let describe = r#"{"StreamName":"cam1"}"#;
    let allowed = user(&format!("kinesisvideo:DescribeStream {CAM_ARN}"));
    assert!(service.call_as(&allowed, O::DescribeStream, describe, NOW).is_ok());
    let denied = service.call_as(&allowed, O::ListTagsForStream, describe, NOW).unwrap_err();
    assert_eq!(
        (denied.exception(), denied.status().as_u16(), denied.message()),
        (
            Exception::NotAuthorized,
            401,
            "User: arn:aws:iam::111122223333:user/Alice is not authorized to perform: \
             kinesisvideo:ListTagsForStream on resource: \
             arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/1562589645061",
        )
    );
    // Who may not ask does not learn what exists.
    let unknown = r#"{"StreamName":"cam9"}"#;
    let hidden = service.call_as(&allowed, O::DescribeStream, unknown, NOW).unwrap_err();
    assert_eq!(hidden.exception(), Exception::NotAuthorized);
    assert!(hidden.message().ends_with(":stream/cam9/*"), "{hidden}");

    // Creating with tags takes two permissions, and is asked about a stream yet unmade.
    let creator =
        user("kinesisvideo:CreateStream arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam2/*");
    let create = |body| service.call_as(&creator, O::CreateStream, body, NOW);
    let error = create(r#"{"StreamName":"cam2","Tags":{"k":"v"}}"#).unwrap_err();
    assert_eq!(error.status().as_u16(), 403);
    assert!(error.message().contains("kinesisvideo:TagStream on"), "{error}");
    assert!(create(r#"{"StreamName":"cam2"}"#).is_ok());
    assert!(service.call_as(&user("kinesisvideo:ListStreams *"), O::ListStreams, "", NOW).is_ok());

    let admitted = user(&format!("kinesisvideo:PutMedia {CAM_ARN}"));
    let cam = StreamRef::Name("cam1".into());
    let admit = |operation| {
        service.control.admit(operation, &admitted, &cam, &context(), NOW).map(|s| s.name.clone())
    };
    assert_eq!(admit(O::PutMedia).as_deref(), Ok("cam1"));
    assert_eq!(admit(O::GetMedia).unwrap_err().exception(), Exception::NotAuthorized);

    assert_eq!(crate::RootOnly.authorize(&root(), "a", "r", &access_context()), Decision::Allow);
    assert_eq!(crate::RootOnly.authorize(&admitted, "a", "r", &access_context()), Decision::Deny);
}

fn access_context() -> AccessContext<'static> {
    AccessContext {
        now: NOW,
        source_ip: None,
        secure_transport: false,
        resource_tags: None,
        request_tags: &NO_TAGS,
        tag_keys: &[],
    }
}

#[test]
fn faults_of_the_disk() {
    let service = Service::with_cam();
    let version = service.version("cam1");
    for (fault, exception, status) in [
        (Fault::Unavailable, Exception::ServiceUnavailable, 503),
        (Fault::Failed, Exception::InternalFailure, 500),
    ] {
        service.memory.set_fault(Some(fault));
        for (operation, body) in [
            (O::CreateStream, json!({ "StreamName": "cam2" })),
            (O::UpdateStream, json!({ "StreamName": "cam1", "CurrentVersion": version })),
            (O::TagStream, json!({ "StreamName": "cam1", "Tags": { "k": "v" } })),
        ] {
            let error = service.call(operation, &body.to_string()).unwrap_err();
            assert_eq!((error.exception(), error.status().as_u16()), (exception, status));
            assert!(!error.message().contains("bad block"), "causes stay in the log");
        }
        service.memory.set_fault(None);
        // Everything is as before, and free for the next change.
        let info = &service.ok(O::DescribeStream, r#"{"StreamName":"cam1"}"#)["StreamInfo"];
        assert_eq!((&info["Status"], &info["Version"]), (&json!("ACTIVE"), &json!(version)));
        assert_eq!(service.control.streams().len(), 1);
    }
    service.ok(O::CreateStream, r#"{"StreamName":"cam2"}"#);
}

#[test]
fn answers_on_the_wire() {
    let id = "7a1c8d3e-4a0f-4a7e-9d5a-2f7d0c1b2a3e";
    let header = |response: &http::Response<Bytes>, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for (error, operation, status, body) in [
        (
            ApiError::stream_not_found(),
            Some(O::DescribeStream),
            404,
            r#"{"Message":"The requested stream is not found or not active."}"#,
        ),
        (
            denied(O::JoinStorageSession, &root(), "r"),
            Some(O::JoinStorageSession),
            403,
            r#"{"message":"User: arn:aws:iam::111122223333:root is not authorized to perform: kinesisvideo:JoinStorageSession on resource: r"}"#,
        ),
        (
            ApiError::new(Exception::SessionExpired, "x"),
            Some(O::GetIceServerConfig),
            400,
            r#"{"message":"x"}"#,
        ),
        (
            ApiError::invalid_argument("say \"x\"\n"),
            Some(O::GetIceServerConfig),
            400,
            r#"{"Message":"say \"x\"\n"}"#,
        ),
        (
            ApiError::internal(),
            None,
            500,
            r#"{"Message":"The request failed because of an internal error."}"#,
        ),
        (
            ApiError::missing_codec_private_data(2),
            Some(O::GetHLSStreamingSessionURL),
            400,
            r#"{"Message":"Track 2 has no codec private data."}"#,
        ),
        (
            ApiError::invalid_codec_private_data(1, "Annex B"),
            Some(O::GetHLSStreamingSessionURL),
            400,
            r#"{"Message":"The codec private data of track 1 is not valid: Annex B."}"#,
        ),
        (
            ApiError::unsupported_stream_media_type(&["V_VP8", "A_AAC"]),
            Some(O::GetDASHStreamingSessionURL),
            400,
            r#"{"Message":"The tracks V_VP8, A_AAC cannot be packaged as asked."}"#,
        ),
        (
            ApiError::invalid_media_frame("7".parse().unwrap(), "no length"),
            Some(O::GetClip),
            400,
            r#"{"Message":"A frame of fragment 7 is not valid: no length."}"#,
        ),
        (
            ApiError::no_fragments(),
            Some(O::GetClip),
            404,
            r#"{"Message":"No fragments found in the stream for the streaming request."}"#,
        ),
        (
            ApiError::session_refused(),
            None,
            403,
            r#"{"Message":"The session token is missing, not valid, or has expired."}"#,
        ),
        (
            ApiError::unrouted(),
            None,
            400,
            r#"{"Message":"No operation of this service has this path."}"#,
        ),
    ] {
        let response = error.response(operation, id);
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.body(), body);
        assert_eq!(header(&response, "x-amzn-RequestId").as_deref(), Some(id));
        let name = error.exception().name();
        assert_eq!(header(&response, "x-amzn-ErrorType").as_deref(), Some(name));
        assert_eq!(header(&response, "x-amz-ErrorType").as_deref(), Some(name));
        assert_eq!(header(&response, "content-type").as_deref(), Some("application/json"));
    }
    let response = success(Bytes::from_static(b"{}"), id);
    assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"{}"[..]));
    assert_eq!(header(&response, "x-amzn-RequestId").as_deref(), Some(id));
    assert_eq!(header(&response, "x-amzn-ErrorType"), None);
    let response = crate::method_not_allowed(&http::Method::POST, id);
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(response.headers()[header::ALLOW], "POST");
}

/// auth.md §7: 403 for all, lower-case `message`.
#[test]
fn faults_of_signatures() {
    use streamkeep_sigv4::AuthError;
    for (error, name) in [
        (AuthError::Missing, "MissingAuthenticationTokenException"),
        (AuthError::BothForms, "IncompleteSignatureException"),
        (AuthError::UnknownKey, "UnrecognizedClientException"),
        (AuthError::WrongSignature, "InvalidSignatureException"),
        (AuthError::TokenExpired, "ExpiredTokenException"),
    ] {
        let answer = ApiError::from(&error);
        assert_eq!((answer.exception().name(), answer.status().as_u16()), (name, 403));
        let body: Value = serde_json::from_slice(&answer.body(Some(O::CreateStream))).unwrap();
        assert_eq!(body["message"], error.message());
    }
}

#[test]
fn fragment_lists() {
    let number = FragmentNumber::new(NOW, 1, 7);
    let info = FragmentInfo {
        number,
        size_bytes: 123_456,
        producer_timestamp: UnixMillis(1_690_707_290_324),
        server_timestamp: UnixMillis(1_690_707_290_501),
        duration_ms: 2000,
    };
    let answer: Value = serde_json::from_slice(&list_fragments(&[info], None)).unwrap();
    assert_eq!(
        answer,
        json!({
            "Fragments": [{
                "FragmentNumber": number.to_string(),
                "FragmentSizeInBytes": 123_456,
                "ProducerTimestamp": 1_690_707_290.324,
                "ServerTimestamp": 1_690_707_290.501,
                "FragmentLengthInMilliseconds": 2000,
            }],
            "NextToken": null,
        })
    );
    assert_eq!(list_fragments(&[], None), r#"{"Fragments":[],"NextToken":null}"#);
}

#[test]
fn fragment_tokens() {
    let service = Service::with_cam();
    let control = &service.control;
    let (cam, other) = (StreamId([1; 16]), StreamId([2; 16]));
    let range = FragmentRange {
        by: FragmentSelectorType::ProducerTimestamp,
        start: UnixMillis(1000),
        end: UnixMillis(2000),
    };
    let request = |range: Option<FragmentRange>, next_token: Option<String>| ListFragmentsRequest {
        stream: StreamRef::Name("cam1".into()),
        max_results: 10,
        range,
        next_token,
    };
    let first = control.fragments_page(cam, &request(Some(range), None)).unwrap();
    assert_eq!(first, FragmentsPage { range, after: None, max_results: 10 });

    let last = FragmentInfo {
        number: FragmentNumber::new(NOW, 1, 7),
        size_bytes: 1,
        producer_timestamp: UnixMillis(1500),
        server_timestamp: NOW,
        duration_ms: 1,
    };
    let token = control.fragments_token(cam, range, &last);
    let after = Some((UnixMillis(1500), last.number));
    let next = FragmentsPage { range, after, max_results: 10 };
    for repeated in [None, Some(range)] {
        let found = control.fragments_page(cam, &request(repeated, Some(token.clone())));
        assert_eq!(found, Ok(next));
    }
    let wider = FragmentRange { end: UnixMillis(2001), ..range };
    let server = FragmentRange { by: FragmentSelectorType::ServerTimestamp, ..range };
    for (stream, range, token) in [
        (other, None, token.clone()),
        (cam, Some(wider), token.clone()),
        (cam, Some(server), token.clone()),
        (cam, None, "aaaa".into()),
        (cam, None, format!("{}{token}", &token[..2])),
    ] {
        let error = control.fragments_page(stream, &request(range, Some(token))).unwrap_err();
        assert_eq!(error.exception(), Exception::InvalidArgument);
    }
    let following = FragmentInfo { number: last.number.next(), ..last };
    assert_ne!(control.fragments_token(cam, range, &following), token, "pages differ");
    // It fits the pattern of the model.
    let body = json!({ "StreamName": "cam1", "NextToken": token }).to_string();
    assert!(ListFragmentsRequest::parse(body.as_bytes()).is_ok());
}

/// PutMedia comes right after CreateStream, without another DescribeStream.
#[test]
fn a_new_stream_takes_media_at_once() {
    let service = Service::with_cam();
    let admit =
        |stream: StreamRef| service.control.admit(O::PutMedia, &root(), &stream, &context(), NOW);
    assert_eq!(admit(StreamRef::Name("cam1".into())).unwrap().status, StreamStatus::Active);
    let arn = |text: &str| StreamRef::Arn(ResourceArn::parse(text).unwrap());
    assert!(admit(arn(CAM_ARN)).is_ok());
    assert!(admit(arn(&CAM_ARN.replace("645061", "645062"))).is_err());
    // And while it is being updated.
    let updating = while_updating(&service, || admit(StreamRef::Name("cam1".into())));
    assert_eq!(updating.unwrap().status, StreamStatus::Updating);
}

#[test]
fn quotas_of_kvs_hold_only_when_asked_for() {
    let service = Service::with_cam();
    for _ in 0..1000 {
        service.ok(O::DescribeStream, r#"{"StreamName":"cam1"}"#);
    }
    let id = service.control.streams().snapshot()[0].id;
    for _ in 0..100 {
        service.control.spend_points(PointKind::Media, id, 1000, NOW).unwrap();
    }
}
