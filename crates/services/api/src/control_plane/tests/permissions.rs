//! Who may do what.

use super::*;

#[test]
fn permissions() {
    let service = Service::with_cam();
    let describe = r#"{"StreamName":"cam1"}"#;
    let allowed = user(&format!("kinesisvideo:DescribeStream {CAM_ARN}"));
    assert!(service.call_as(&allowed, O::DescribeStream, describe, NOW).is_ok());
    let denied = service.call_as(&allowed, O::ListTagsForStream, describe, NOW).unwrap_err();
    assert_eq!(
        (denied.exception(), denied.status().as_u16(), denied.message()),
        (
            Exception::NotAuthorized,
            401,
            "User: arn:aws:iam::111122223333:user/Alice is not authorized to perform: \
             kinesisvideo:ListTagsForStream on resource: \
             arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam1/1562589645061",
        )
    );
    // Who may not ask does not learn what exists.
    let unknown = r#"{"StreamName":"cam9"}"#;
    let hidden = service.call_as(&allowed, O::DescribeStream, unknown, NOW).unwrap_err();
    assert_eq!(hidden.exception(), Exception::NotAuthorized);
    assert!(hidden.message().ends_with(":stream/cam9/*"), "{hidden}");

    // Creating with tags takes two permissions, and is asked about a stream yet unmade.
    let creator =
        user("kinesisvideo:CreateStream arn:aws:kinesisvideo:us-west-2:111122223333:stream/cam2/*");
    let create = |body| service.call_as(&creator, O::CreateStream, body, NOW);
    let error = create(r#"{"StreamName":"cam2","Tags":{"k":"v"}}"#).unwrap_err();
    assert_eq!(error.status().as_u16(), 403);
    assert!(error.message().contains("kinesisvideo:TagStream on"), "{error}");
    assert!(create(r#"{"StreamName":"cam2"}"#).is_ok());
    assert!(service.call_as(&user("kinesisvideo:ListStreams *"), O::ListStreams, "", NOW).is_ok());

    let admitted = user(&format!("kinesisvideo:PutMedia {CAM_ARN}"));
    let cam = StreamRef::Name("cam1".into());
    let admit = |operation| {
        service.control.admit(operation, &admitted, &cam, &context(), NOW).map(|s| s.name.clone())
    };
    assert_eq!(admit(O::PutMedia).as_deref(), Ok("cam1"));
    assert_eq!(admit(O::GetMedia).unwrap_err().exception(), Exception::NotAuthorized);

    assert_eq!(crate::RootOnly.authorize(&root(), "a", "r", &access_context()), Decision::Allow);
    assert_eq!(crate::RootOnly.authorize(&admitted, "a", "r", &access_context()), Decision::Deny);
}

#[test]
fn a_grant_that_is_no_operation() {
    let service = Service::with_cam();
    let may = |principal: &Principal| {
        service.control.allows("streamkeep:WallUnattended", principal, &context(), NOW)
    };
    assert!(may(&user("streamkeep:WallUnattended *")));
    assert!(!may(&user("streamkeep:OpenLive *")));
}

/// The tags of many are no way around who may read the tags of one.
#[test]
fn tags_of_many_take_both_permissions() {
    let service = Service::with_cam();
    service.ok(O::TagStream, r#"{"StreamName":"cam1","Tags":{"site":"north"}}"#);
    let request = crate::GetStreamTagsRequest::parse(br#"{"Streams":["cam1","cam9"]}"#).unwrap();
    let ask = |principal: &Principal| {
        let answer = service.control.stream_tags(principal, &request, &context(), NOW).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let code = |at: usize| answer["Streams"][at]["Error"]["Code"].clone();
        (answer["Streams"][0]["Tags"].clone(), code(0), code(1))
    };
    let denied = json!("AccessDeniedException");
    assert_eq!(
        ask(&root()),
        (json!({"site":"north"}), Value::Null, json!("ResourceNotFoundException"))
    );
    let own = format!("streamkeep:GetStreamTags {CAM_ARN}");
    let tags = format!("kinesisvideo:ListTagsForStream {CAM_ARN}");
    for one in [&own, &tags] {
        assert_eq!(ask(&user(one)), (Value::Null, denied.clone(), denied.clone()), "{one}");
    }
    let both = user(&format!("{own}\n{tags}"));
    assert_eq!(ask(&both), (json!({"site":"north"}), Value::Null, denied));
}

fn access_context() -> AccessContext<'static> {
    AccessContext {
        now: NOW,
        source_ip: None,
        secure_transport: false,
        resource_tags: None,
        request_tags: &NO_TAGS,
        tag_keys: &[],
    }
}
