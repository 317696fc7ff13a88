use super::*;

fn images(uri: &str) -> Option<DestinationTarget> {
    Destination::of_images(uri).map(|d| {
        assert_eq!(d.uri(), uri);
        d.target().clone()
    })
}

fn notifications(uri: &str) -> Option<DestinationTarget> {
    Destination::of_notifications(uri).map(|d| d.target().clone())
}

#[test]
fn buckets() {
    let bucket = |bucket: &str, prefix: &str| {
        Some(DestinationTarget::Bucket { bucket: bucket.into(), prefix: prefix.into() })
    };
    for (uri, wanted) in [
        ("s3://bucket/prefix", bucket("bucket", "prefix")),
        ("s3://bucket/a/b c/", bucket("bucket", "a/b c/")),
        ("s3://bucket", bucket("bucket", "")),
        ("s3://my.bucket-1/", bucket("my.bucket-1", "")),
        ("s3://bu", None),
        ("s3://Bucket/x", None),
        ("s3://-bucket/x", None),
        ("s3://bucket-/x", None),
        ("s3://a..b/x", None),
        ("s3:///x", None),
        ("s3://bucket//x", None),
        ("s3://bucket/a\nb", None),
        ("s3:bucket/x", None),
        ("S3://bucket/x", None),
        ("ftp://bucket/x", None),
        ("", None),
    ] {
        assert_eq!(images(uri), wanted, "{uri}");
        assert_eq!(notifications(uri), None, "{uri}");
    }
}

#[test]
fn topics() {
    let good = "arn:aws:sns:us-west-2:111122223333:My_topic-1";
    let topic = DestinationTarget::Topic { arn: good.into(), region: "us-west-2".into() };
    assert_eq!(notifications(good), Some(topic));
    assert_eq!(images(good), None);
    for uri in [
        "arn:aws:sns:us-west-2:111122223333:topic.fifo",
        "arn:aws:sns:us-west-2:111122223333:",
        "arn:aws:sns:us-west-2:1111:topic",
        "arn:aws:sns::111122223333:topic",
        "arn:aws:sqs:us-west-2:111122223333:topic",
        "arn:aws:sns:us-west-2:111122223333:topic:subscription",
    ] {
        assert_eq!(notifications(uri), None, "{uri}");
    }
}

#[test]
fn directories_and_webhooks() {
    let directory = |name: &str| Some(DestinationTarget::Directory { name: name.into() });
    let webhook = |url: &str| Some(DestinationTarget::Webhook { url: url.into() });
    for (uri, wanted) in [
        ("file:///gate", directory("gate")),
        ("file:///gate/a_b.c-1/", directory("gate/a_b.c-1")),
        ("file:///", None),
        ("file:///..", None),
        ("file:///a/../b", None),
        ("file:///a//b", None),
        ("file:////etc", None),
        ("file:///.ssh", None),
        ("file:///a\\b", None),
        ("file:///a%2f..", None),
        ("file://host/a", None),
        ("https://hook.example.com/a?b=c&d=%20", webhook("https://hook.example.com/a?b=c&d=%20")),
        ("https://10.0.0.1:8443", webhook("https://10.0.0.1:8443")),
        ("https://[fe80::1]/x", webhook("https://[fe80::1]/x")),
        ("http://localhost:9000/x", webhook("http://localhost:9000/x")),
        ("http://127.0.0.2/x", webhook("http://127.0.0.2/x")),
        ("http://[::1]:1/x", webhook("http://[::1]:1/x")),
        ("http://hook.example.com/x", None),
        ("http://127.0.0.1.example.com/x", None),
        ("http://localhost@example.com/x", None),
        ("https://user@host/x", None),
        ("https://host/x#y", None),
        ("https://host/a b", None),
        ("https://host/a\r\nHost: b", None),
        ("https://", None),
        ("https:///x", None),
    ] {
        let is_directory = uri.starts_with("file:");
        let (to_images, to_notifications) =
            if is_directory { (wanted, None) } else { (None, wanted) };
        assert_eq!(images(uri), to_images, "{uri}");
        assert_eq!(notifications(uri), to_notifications, "{uri}");
    }
}

fn full() -> ImageGeneration {
    ImageGeneration {
        status: ConfigurationStatus::Enabled,
        by: FragmentSelectorType::ProducerTimestamp,
        destination: Destination::of_images("s3://bucket/prefix").unwrap(),
        destination_region: "us-west-2".into(),
        sampling_interval_ms: 200,
        format: ImageFormat::Jpeg,
        jpeg_quality: Some(7),
        size: ImageSize { width_pixels: Some(3840), height_pixels: Some(2160) },
    }
}

#[test]
fn stored_and_read_back() {
    let bare = ImageGeneration {
        status: ConfigurationStatus::Disabled,
        by: FragmentSelectorType::ServerTimestamp,
        destination: Destination::of_images("file:///gate").unwrap(),
        sampling_interval_ms: i32::MAX as u32,
        format: ImageFormat::Png,
        jpeg_quality: None,
        size: ImageSize::default(),
        ..full()
    };
    assert_eq!((full().quality(), bare.quality()), (7, 80));
    for generation in [full(), bare] {
        assert_eq!(ImageGeneration::from_stored(&generation.to_stored()), Ok(generation));
    }
    for uri in ["arn:aws:sns:us-west-2:111122223333:topic", "https://h/x"] {
        let notification = Notification {
            status: ConfigurationStatus::Enabled,
            destination: Destination::of_notifications(uri).unwrap(),
        };
        assert_eq!(Notification::from_stored(&notification.to_stored()), Ok(notification));
    }
}

/// What is on disks: this text must be read for ever.
#[test]
fn stored_form_of_version_1() {
    let text = r#"{"DestinationConfig":{"DestinationRegion":"us-west-2","Uri":"s3://bucket/prefix"},"Format":"JPEG","FormatConfig":{"JPEGQuality":"7"},"FormatVersion":1,"HeightPixels":2160,"ImageSelectorType":"PRODUCER_TIMESTAMP","SamplingInterval":200,"Status":"ENABLED","WidthPixels":3840}"#;
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&full().to_stored()), parsed(text));
    assert_eq!(ImageGeneration::from_stored(text), Ok(full()));

    for (change, reason) in [
        (text.replace(r#""FormatVersion":1"#, r#""FormatVersion":2"#), "version is 2"),
        (text.replace(r#""FormatVersion":1,"#, ""), "version is null"),
        (text.replace("ENABLED", "PERHAPS"), "enum value set"),
        (text.replace("s3://", "s4://"), "Uri must be"),
        (text[1..].to_owned(), ""),
        ("[]".to_owned(), "version is null"),
        (String::new(), "EOF"),
    ] {
        let error = ImageGeneration::from_stored(&change).unwrap_err();
        assert!(error.reason.contains(reason), "{change}: {error}");
    }
}
