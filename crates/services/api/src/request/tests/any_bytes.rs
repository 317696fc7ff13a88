//! Whatever comes.

use super::*;

/// JSON whose members often have names that some operation knows.
fn any_json() -> impl Strategy<Value = Value> {
    let mut names: Vec<&'static str> = Operation::all()
        .filter_map(|operation| operation.row().shape.as_ref())
        .flat_map(|shape| shape.input.members.iter().map(|member| member.name))
        .chain([
            "Key",
            "Value",
            "StartSelectorType",
            "AfterFragmentNumber",
            "StartTimestamp",
            "EndTimestamp",
            "TimestampRange",
            "FragmentSelectorType",
            "ContinuationToken",
            "ComparisonOperator",
            "ComparisonValue",
            "DefaultStorageTier",
            "Status",
            "DestinationConfig",
            "Uri",
            "DestinationRegion",
            "JPEGQuality",
        ])
        .collect();
    names.sort_unstable();
    names.dedup();
    let texts = [
        "",
        "cam1",
        CAM_ARN,
        "NOW",
        "FRAGMENT_NUMBER",
        "CONTINUATION_TOKEN",
        "BEGINS_WITH",
        "HOT",
        "SERVER_TIMESTAMP",
        "PUT_MEDIA",
        "INCREASE_DATA_RETENTION",
        "ON_DEMAND",
        "LIVE_REPLAY",
        "ENABLED",
        "JPEG",
        "s3://bucket/x",
        "file:///x",
        "us-west-2",
        "2023-07-30T08:54:50Z",
        "12",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..3i64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        let name = prop_oneof![
            proptest::sample::select(names.clone()).prop_map(String::from),
            any::<String>(),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_to_any_operation(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for operation in Operation::all() {
            let _ = parse(operation, &bytes);
        }
    }

    #[test]
    fn any_json_to_any_operation(value in any_json()) {
        for operation in Operation::all() {
            if let Err(error) = parse(operation, &body(&value)) {
                prop_assert!(error.message().len() < 8192);
            }
        }
    }

    /// Each member of a valid request replaced by anything: no accessor meets the wrong kind.
    #[test]
    fn any_value_for_any_member(value in any_json()) {
        for (operation, request) in valid() {
            for name in request.as_object().expect("an object").keys() {
                let _ = parse(operation, &body(&with(operation, name, value.clone())));
            }
        }
    }
}
