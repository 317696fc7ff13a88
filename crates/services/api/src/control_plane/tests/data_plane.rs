//! Where media goes, and lists of fragments.

use super::*;

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
