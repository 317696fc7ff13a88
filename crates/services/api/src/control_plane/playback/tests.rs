use serde_json::json;
use streamkeep_media::{StreamId, UnixMillis};

use crate::testing::{CAM_ARN, NOW, Service, context, root, user};
use crate::{
    Cost, EndpointContext, Exception, GetImagesRequest, Operation as O, PlaybackPath, Principal,
    Quotas, ResourceArn, StreamRef,
};

#[test]
fn data_endpoints_are_those_of_get_data_endpoint() {
    let service = Service::with_cam();
    let endpoint = service.control.data_endpoint(&context());
    assert_eq!(endpoint.as_deref(), Ok("http://127.0.0.1:8400"));
    let bad_host = EndpointContext { host: Some("a/b".into()), ..context() };
    assert!(service.control.data_endpoint(&bad_host).is_err());
}

#[test]
fn playback_needs_retention() {
    let cam = StreamRef::Name("cam1".into());
    let admit = |service: &Service| {
        let operation = O::GetHLSStreamingSessionURL;
        service.control.admit_playback(operation, &root(), &cam, &context(), NOW)
    };
    assert_eq!(admit(&Service::with_kept_cam()).unwrap().name, "cam1");
    let error = admit(&Service::with_cam()).unwrap_err();
    assert_eq!(error.exception(), Exception::NoDataRetention);
    assert!(error.message().contains("cam1"), "{error}");
}

#[test]
fn each_stream_is_asked_about_for_itself() {
    let service = Service::with_cam();
    service.ok(O::CreateStream, r#"{"StreamName":"cam2"}"#);
    let name = |name: &str| StreamRef::Name(name.into());
    let arn = StreamRef::Arn(ResourceArn::parse(CAM_ARN).unwrap());
    let streams = [name("cam2"), arn, name("cam9"), name("cam1")];
    let admit = |principal: &Principal| {
        let each =
            service.control.admit_each(O::GetStreamHealth, principal, &streams, &context(), NOW);
        each.unwrap()
            .into_iter()
            .map(|result| result.map(|stream| stream.name.clone()).map_err(|e| e.exception()))
            .collect::<Vec<_>>()
    };
    let none = Err(Exception::ResourceNotFound);
    assert_eq!(admit(&root()), [Ok("cam2".into()), Ok("cam1".into()), none, Ok("cam1".into())]);
    let denied = Err(Exception::AccessDeniedForbidden);
    let alice = user(&format!("streamkeep:GetStreamHealth {CAM_ARN}"));
    // Who may not ask does not learn what exists.
    assert_eq!(admit(&alice), [denied.clone(), Ok("cam1".into()), denied, Ok("cam1".into())]);
}

#[test]
fn costs_and_rates_of_kvs_hold_only_when_asked_for() {
    let session = [7; 16];
    let playlist = PlaybackPath::HlsMediaPlaylist;
    let free = Service::with_kept_cam();
    let id = free.control.streams().snapshot()[0].id;
    for _ in 0..100 {
        free.control.spend(id, Cost::images(100), NOW).unwrap();
        free.control.count_playback(playlist, session, NOW).unwrap();
    }
    let kvs = Service::over(free.memory, Quotas::Kvs).control;
    let count = |result: &dyn Fn() -> bool| (0..100).take_while(|_| result()).count();
    assert_eq!(count(&|| kvs.count_playback(playlist, session, NOW).is_ok()), 5);
    // 500 points of media and 10,000 of metadata.
    assert_eq!(count(&|| kvs.spend(id, Cost::clip(200), NOW).is_ok()), 2);
    assert_eq!(count(&|| kvs.spend(id, Cost::playlist(5000), NOW).is_ok()), 1);
}

fn images(change: serde_json::Value) -> GetImagesRequest {
    let mut request = json!({
        "StreamName": "cam1", "ImageSelectorType": "SERVER_TIMESTAMP",
        "StartTimestamp": 1000, "EndTimestamp": 1010, "SamplingInterval": 200, "Format": "PNG",
    });
    request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    GetImagesRequest::parse(request.to_string().as_bytes()).unwrap()
}

#[test]
fn image_pages() {
    let control = Service::with_cam().control;
    let stream = StreamId([1; 16]);
    // 10 s every 200 ms are 51 instants: pages of 25, 25 and 1.
    let mut next = None;
    let mut pages = Vec::new();
    loop {
        let page = control.images_page(stream, &images(json!({ "NextToken": next }))).unwrap();
        if let Some(token) = &page.next_token {
            assert!(token.len() <= 4096 && token.bytes().all(|b| b.is_ascii_alphanumeric()));
            assert_ne!(next.as_ref(), Some(token), "pages differ");
        }
        next = page.next_token;
        pages.push(page.instants);
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 1]);
    let wanted: Vec<_> = (0..=50).map(|n| UnixMillis(1_000_000 + n * 200)).collect();
    assert_eq!(pages.concat(), wanted);
    // A page that is just full is the last.
    let full = images(json!({ "EndTimestamp": 1004.999, "MaxResults": 100 }));
    assert_eq!(control.images_page(stream, &full).unwrap().next_token, None);

    // A token is good for its stream and arguments only; the size of pages may change.
    let token = control.images_page(stream, &images(json!({}))).unwrap().next_token.unwrap();
    let smaller = images(json!({ "NextToken": token, "MaxResults": 3 }));
    let page = control.images_page(stream, &smaller).unwrap();
    assert_eq!(page.instants, wanted[25..28]);
    let refused = |stream, request: &GetImagesRequest| {
        let error = control.images_page(stream, request).unwrap_err();
        assert_eq!(error.exception(), Exception::InvalidArgument);
    };
    refused(StreamId([2; 16]), &images(json!({ "NextToken": token })));
    for change in [
        json!({ "StartTimestamp": 1000.001 }),
        json!({ "EndTimestamp": 1010.001 }),
        json!({ "SamplingInterval": 201 }),
        json!({ "ImageSelectorType": "PRODUCER_TIMESTAMP" }),
        json!({ "Format": "JPEG" }),
        json!({ "FormatConfig": { "JPEGQuality": "1" } }),
        json!({ "HeightPixels": 90 }),
        json!({ "HeightPixels": 90, "WidthPixels": 90 }),
        json!({ "NextToken": "aaaa" }),
    ] {
        let mut request = images(change.clone());
        if change.get("NextToken").is_none() {
            request.next_token = Some(token.clone());
        }
        refused(stream, &request);
    }
}

#[test]
fn the_description_is_open_to_readers() {
    let service = Service::with_cam();
    let description = service.control.openapi();
    let document: serde_json::Value = serde_json::from_slice(&description).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    // It is the same for everybody: nothing of any stream is in it.
    assert!(!std::str::from_utf8(&description).unwrap().contains("cam1"));
}
