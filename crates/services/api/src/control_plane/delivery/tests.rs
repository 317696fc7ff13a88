use serde_json::{Value, json};

use crate::testing::{NOW, Service, user};
use crate::{ApiError, DestinationTarget, Exception, Operation as O, StreamStatus};

fn images(change: Value) -> String {
    let mut configuration = json!({
        "Status": "ENABLED", "ImageSelectorType": "PRODUCER_TIMESTAMP",
        "DestinationConfig": { "Uri": "s3://bucket/prefix", "DestinationRegion": "us-west-2" },
        "SamplingInterval": 3000, "Format": "JPEG", "FormatConfig": { "JPEGQuality": "90" },
        "WidthPixels": 640, "HeightPixels": 360,
    });
    configuration.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    json!({ "StreamName": "cam1", "ImageGenerationConfiguration": configuration }).to_string()
}

fn notification(uri: &str) -> String {
    let configuration = json!({ "Status": "ENABLED", "DestinationConfig": { "Uri": uri } });
    json!({ "StreamName": "cam1", "NotificationConfiguration": configuration }).to_string()
}

const CAM: &str = r#"{"StreamName":"cam1"}"#;
const TOPIC: &str = "arn:aws:sns:us-west-2:111122223333:topic";

#[test]
fn set_shown_and_deleted() {
    let service = Service::with_kept_cam();
    let version = service.version("cam1");
    for (describe, update, body, member) in [
        (
            O::DescribeImageGenerationConfiguration,
            O::UpdateImageGenerationConfiguration,
            images(json!({})),
            "ImageGenerationConfiguration",
        ),
        (
            O::DescribeNotificationConfiguration,
            O::UpdateNotificationConfiguration,
            notification(TOPIC),
            "NotificationConfiguration",
        ),
    ] {
        let none = json!({ member: null });
        assert_eq!(service.ok(describe, CAM), none);
        assert_eq!(service.ok(update, &body), json!({}));
        let given: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(service.ok(describe, CAM), json!({ member: given[member] }));
        // Absent deletes, and so does null; twice is no fault.
        service.ok(update, CAM);
        assert_eq!(service.ok(describe, CAM), none);
        service.ok(update, &body);
        for _ in 0..2 {
            service.ok(update, &json!({ "StreamName": "cam1", member: null }).to_string());
        }
        assert_eq!(service.ok(describe, CAM), none);
        service.ok(update, &body);
    }
    // Members that were not given are not shown.
    let bare = images(json!({ "FormatConfig": null, "WidthPixels": null }));
    service.ok(O::UpdateImageGenerationConfiguration, &bare);
    let shown = service.ok(O::DescribeImageGenerationConfiguration, CAM);
    let shown = shown["ImageGenerationConfiguration"].as_object().unwrap();
    assert!(!shown.contains_key("FormatConfig") && !shown.contains_key("WidthPixels"));
    assert_eq!(shown["HeightPixels"], 360);

    // Kept with the stream, which keeps its version (control-plane.md §7).
    let stored = service.memory.stored().remove(0);
    assert_eq!(stored.version, version);
    let target = stored.notification.unwrap().destination.target().clone();
    assert_eq!(target, DestinationTarget::Topic { arn: TOPIC.into(), region: "us-west-2".into() });
    assert_eq!(stored.image_generation.unwrap().sampling_interval_ms, 3000);
}

#[test]
fn refusals() {
    let service = Service::with_kept_cam();
    let refused = |operation: O, body: &str, text: &str| {
        let error = service.call(operation, body).unwrap_err();
        assert_eq!(error.exception(), Exception::InvalidArgument, "{body}");
        assert!(error.message().contains(text), "{body}: {error}");
    };
    let destination = |uri: &str, region: &str| json!({ "DestinationConfig": { "Uri": uri, "DestinationRegion": region } });
    for (change, text) in [
        (destination("s3://bucket/x", "eu-west-1"), "DestinationRegion must be us-west-2"),
        (destination(TOPIC, "us-west-2"), "Uri must be s3://"),
        (destination("file:///../etc", "us-west-2"), "Uri must be s3://"),
        (destination("s3://bucket/x*", "us-west-2"), "regular expression pattern"),
        (destination("s3://bucket/x", "west"), "length greater than or equal to 9"),
        (json!({ "DestinationConfig": { "Uri": "s3://bucket" } }), "destinationRegion"),
        (json!({ "SamplingInterval": 199 }), "greater than or equal to 200"),
        (json!({ "Format": "GIF" }), "[JPEG, PNG]"),
        (json!({ "FormatConfig": { "JPEGQuality": "0" } }), "from 1 to 100"),
        (json!({ "FormatConfig": { "JPEGQuality": "101" } }), "from 1 to 100"),
        (json!({ "FormatConfig": { "JPEGQuality": "080" } }), "from 1 to 100"),
        (json!({ "FormatConfig": { "Quality": "80" } }), "[JPEGQuality]"),
        (json!({ "WidthPixels": 3841 }), "less than or equal to 3840"),
        (json!({ "HeightPixels": 2161 }), "less than or equal to 2160"),
        (json!({ "Status": null }), "status"),
    ] {
        refused(O::UpdateImageGenerationConfiguration, &images(change), text);
    }
    // Destinations of our own are in no region.
    let elsewhere = images(destination("file:///gate", "eu-west-1"));
    service.ok(O::UpdateImageGenerationConfiguration, &elsewhere);
    for uri in [
        "s3://bucket/x",
        "arn:aws:sns:us-west-2:111122223333:topic.fifo",
        "http://host/x",
        "file:///a",
    ] {
        let operation = O::UpdateNotificationConfiguration;
        refused(operation, &notification(uri), "Uri must be the ARN of a standard SNS topic");
    }
    let denied = service
        .call_as(
            &user("kinesisvideo:DescribeStream *"),
            O::UpdateNotificationConfiguration,
            CAM,
            NOW,
        )
        .unwrap_err();
    assert_eq!(denied.exception(), Exception::AccessDenied);
}

#[test]
fn retention_is_needed_to_set_but_not_to_delete() {
    let service = Service::with_cam();
    for (operation, body) in [
        (O::UpdateImageGenerationConfiguration, images(json!({}))),
        (O::UpdateImageGenerationConfiguration, images(json!({ "Status": "DISABLED" }))),
        (O::UpdateNotificationConfiguration, notification(TOPIC)),
    ] {
        let error = service.call(operation, &body).unwrap_err();
        assert_eq!(error, ApiError::no_data_retention("cam1"));
        assert_eq!(
            (error.exception().name(), error.status().as_u16()),
            ("NoDataRetentionException", 400)
        );
        service.ok(operation, CAM);
    }
}

#[test]
fn a_change_being_stored_shows_as_one() {
    let service = Service::with_kept_cam();
    let (status, second) =
        service.during(O::UpdateNotificationConfiguration, &notification(TOPIC), || {
            let stream = service.control.streams().snapshot().remove(0);
            assert_eq!(stream.notification, None, "not before it is durable");
            (stream.status, service.call(O::UpdateImageGenerationConfiguration, &images(json!({}))))
        });
    assert_eq!(status, StreamStatus::Updating);
    assert_eq!(second.unwrap_err().exception(), Exception::ResourceInUse);
    assert!(service.memory.stored()[0].notification.is_some());
}
