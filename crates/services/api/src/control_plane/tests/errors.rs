//! Every error, brought about.

use super::*;

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
        (O::GetStreamTags, None),
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
                O::GetStreamTags => {
                    let request = crate::GetStreamTagsRequest { streams: vec![stream.clone()] };
                    let answer = control.stream_tags(principal, &request, &context(), NOW)?;
                    let answer: Value = serde_json::from_slice(&answer).unwrap();
                    return match answer["Streams"][0]["Error"]["Code"].as_str() {
                        Some("AccessDeniedException") => Err(denied(operation, principal, "")),
                        Some("ResourceNotFoundException") => Err(ApiError::stream_not_found()),
                        _ => Ok(Value::Null),
                    };
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
    for operation in [O::OpenLive, O::GetServerHealth] {
        let admit = |principal: &Principal| {
            let control = &service.control;
            control
                .admit_without_stream(operation, principal, &context(), NOW)
                .map(|()| Value::Null)
        };
        assert_eq!(admit(&root()), Ok(Value::Null));
        refused(operation, admit(&user("")), operation.denial());
    }
    let broken = crate::parse_get_server_health(b"[]").map(|()| Value::Null);
    refused(O::GetServerHealth, broken, Exception::InvalidArgument);

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
