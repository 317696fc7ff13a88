//! Tags, and lists in pages.

use super::*;

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
