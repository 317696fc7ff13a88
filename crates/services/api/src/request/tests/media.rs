//! GetMedia and fragments.

use super::*;

#[test]
fn start_selectors() {
    let ours = FragmentNumber::new(UnixMillis(1_795_166_438_482), 1, 1);
    let ours_text = ours.to_string();
    let foreign = "91343852333181432392682062607743920146159169392";
    for (selector, wanted) in [
        (json!({ "StartSelectorType": "NOW" }), Some(StartSelector::Now)),
        (
            json!({ "StartSelectorType": "EARLIEST", "StartTimestamp": 5 }),
            Some(StartSelector::Earliest),
        ),
        (
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": ours_text }),
            Some(StartSelector::After(RequestedFragment::Number(ours))),
        ),
        (
            json!({ "StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": foreign }),
            Some(StartSelector::After(RequestedFragment::Foreign(foreign.into()))),
        ),
        (
            json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": ours_text }),
            Some(StartSelector::After(RequestedFragment::Number(ours))),
        ),
        (
            json!({ "StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": 1690707290.324 }),
            Some(StartSelector::ServerTimestamp(UnixMillis(1_690_707_290_324))),
        ),
        (
            json!({
                "StartSelectorType": "PRODUCER_TIMESTAMP",
                "StartTimestamp": "2023-07-30T08:54:50.324Z",
            }),
            Some(StartSelector::ProducerTimestamp(UnixMillis(1_690_707_290_324))),
        ),
        (json!({ "StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "abc" }), None),
        (json!({ "StartSelectorType": "CONTINUATION_TOKEN" }), None),
        (json!({ "StartSelectorType": "FRAGMENT_NUMBER" }), None),
        (json!({ "StartSelectorType": "SERVER_TIMESTAMP" }), None),
        (json!({ "StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": null }), None),
        (json!({ "StartTimestamp": 5 }), None),
        (json!({}), None),
    ] {
        let request = json!({ "StreamName": "cam1", "StartSelector": selector });
        let start = GetMediaRequest::parse(&body(&request)).ok().map(|r| r.start);
        assert_eq!(start, wanted, "{request}");
    }
}

#[test]
fn fragment_requests() {
    let request = json!({ "StreamName": "cam1", "Fragments": ["7", "7", "1".repeat(128)] });
    let request = GetMediaForFragmentListRequest::parse(&body(&request)).unwrap();
    let seven = RequestedFragment::Number("7".parse().unwrap());
    let foreign = RequestedFragment::Foreign("1".repeat(128));
    assert_eq!(request.fragments, [seven.clone(), seven, foreign]);

    let range = json!({ "StartTimestamp": 1690707000, "EndTimestamp": 1690707600.5 });
    let selector = json!({ "FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": range });
    let request = json!({ "StreamName": "cam1", "FragmentSelector": selector });
    let request = ListFragmentsRequest::parse(&body(&request)).unwrap();
    assert_eq!(
        request,
        ListFragmentsRequest {
            stream: StreamRef::Name("cam1".into()),
            max_results: 100,
            range: Some(FragmentRange {
                by: FragmentSelectorType::ServerTimestamp,
                start: UnixMillis(1_690_707_000_000),
                end: UnixMillis(1_690_707_600_500),
            }),
            next_token: None,
        }
    );
    let neither = ListFragmentsRequest::parse(br#"{"StreamName":"cam1"}"#).unwrap_err();
    assert_eq!(neither.exception(), Exception::InvalidArgument);
    assert!(ListFragmentsRequest::parse(br#"{"StreamName":"cam1","NextToken":"aa"}"#).is_ok());
}
