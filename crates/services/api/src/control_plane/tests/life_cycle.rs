//! Create, describe, update, delete.

use super::*;

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
