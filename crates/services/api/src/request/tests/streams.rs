//! How requests name a stream, and lists of tags.

use super::*;

#[test]
fn name_or_arn() {
    let describe = |request: &Value| DescribeStream::parse(&body(request)).map(|r| r.stream);
    let arn = ResourceArn::parse(CAM_ARN).unwrap();
    for (request, wanted) in [
        (json!({ "StreamName": "cam1" }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamARN": CAM_ARN }), Some(StreamRef::Arn(arn.clone()))),
        (json!({ "StreamARN": "cam1" }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamName": "cam1", "StreamARN": CAM_ARN }), Some(StreamRef::Arn(arn.clone()))),
        (
            json!({ "StreamName": "cam1", "StreamARN": "cam1" }),
            Some(StreamRef::Name("cam1".into())),
        ),
        (json!({ "StreamName": "cam1", "StreamARN": null }), Some(StreamRef::Name("cam1".into()))),
        (json!({ "StreamName": "cam2", "StreamARN": CAM_ARN }), None),
        (json!({ "StreamName": "cam2", "StreamARN": "cam1" }), None),
        (json!({ "StreamName": null, "StreamARN": null }), None),
        (json!({}), None),
    ] {
        assert_eq!(describe(&request).ok(), wanted, "{request}");
    }
}

#[test]
fn conditions() {
    for (condition, wanted) in [
        (Value::Null, Some("")),
        (json!({}), Some("")),
        (json!({ "ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "c" }), Some("c")),
        (json!({ "ComparisonOperator": "BEGINS_WITH" }), None),
        (json!({ "ComparisonValue": "c" }), None),
    ] {
        let request = json!({ "StreamNameCondition": condition });
        let prefix = ListStreams::parse(&body(&request)).ok().map(|r| r.name_prefix);
        assert_eq!(prefix.as_deref(), wanted, "{request}");
    }
    let defaults = ListStreams::parse(b"").unwrap();
    assert_eq!((defaults.max_results, defaults.next_token), (10_000, None));
}

#[test]
fn tag_lists_have_one_page() {
    for token in ["", "aa"] {
        let wanted = if token.is_empty() { Ok(()) } else { INVALID };
        let stream = json!({ "StreamName": "cam1", "NextToken": token });
        check(Operation::ListTagsForStream, &stream, wanted);
        let resource = json!({ "ResourceARN": CAM_ARN, "NextToken": token });
        check(Operation::ListTagsForResource, &resource, wanted);
    }
}
