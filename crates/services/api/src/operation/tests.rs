use super::*;

#[test]
fn the_table_is_in_the_order_of_the_enum() {
    for (index, row) in table::TABLE.iter().enumerate() {
        assert_eq!(row.operation as usize, index, "{}", row.name);
        assert_eq!(row.operation.name(), format!("{:?}", row.operation));
    }
    // The last variant tells how many there are.
    assert_eq!(table::TABLE.len(), Operation::OpenLive as usize + 1);
}

#[test]
fn denials_are_modelled_where_the_model_has_one() {
    let denials =
        [Exception::AccessDenied, Exception::AccessDeniedForbidden, Exception::NotAuthorized];
    for operation in Operation::all() {
        let modelled = operation.errors().iter().find(|e| denials.contains(e));
        match operation {
            Operation::CreateStream | Operation::ListStreams => {
                assert_eq!(modelled, None, "{operation}");
                assert_eq!(operation.denial(), Exception::AccessDeniedForbidden);
            }
            _ => assert_eq!(modelled, Some(&operation.denial()), "{operation}"),
        }
        // The refusal of what is not there yet.
        assert!(operation.errors().contains(&Exception::InvalidArgument), "{operation}");
    }
}

#[test]
fn what_this_version_answers() {
    let implemented: Vec<_> = Operation::all()
        .filter(|o| o.availability() == Availability::Implemented)
        .map(|o| (o.name(), o.plane() != Plane::Control, o.writes()))
        .collect();
    assert_eq!(
        implemented,
        [
            ("CreateStream", false, true),
            ("DeleteStream", false, true),
            ("DescribeImageGenerationConfiguration", false, false),
            ("DescribeNotificationConfiguration", false, false),
            ("DescribeStream", false, false),
            ("DescribeStreamStorageConfiguration", false, false),
            ("GetDataEndpoint", false, false),
            ("ListStreams", false, false),
            ("ListTagsForResource", false, false),
            ("ListTagsForStream", false, false),
            ("TagResource", false, true),
            ("TagStream", false, true),
            ("UntagResource", false, true),
            ("UntagStream", false, true),
            ("UpdateDataRetention", false, true),
            ("UpdateImageGenerationConfiguration", false, true),
            ("UpdateNotificationConfiguration", false, true),
            ("UpdateStream", false, true),
            ("UpdateStreamStorageConfiguration", false, true),
            ("PutMedia", true, true),
            ("GetMedia", true, false),
            ("GetClip", true, false),
            ("GetDASHStreamingSessionURL", true, false),
            ("GetHLSStreamingSessionURL", true, false),
            ("GetImages", true, false),
            ("GetMediaForFragmentList", true, false),
            ("ListFragments", true, false),
            ("GetCoverage", true, false),
            ("GetServerHealth", true, false),
            ("GetStreamHealth", true, false),
            ("GetStreamTags", true, false),
            ("GetThumbnails", true, false),
            ("OpenLive", true, false),
        ]
    );
}

#[test]
fn our_own_operations_are_told_from_the_published_ones() {
    for operation in Operation::all() {
        let is_ours = operation.service() == Service::Streamkeep;
        assert_eq!(operation.path().starts_with("/streamkeep/"), is_ours, "{operation}");
        assert_eq!(operation.plane() == Plane::Streamkeep, is_ours, "{operation}");
        let prefix = if is_ours { "streamkeep" } else { "kinesisvideo" };
        assert_eq!(operation.iam_action(), format!("{prefix}:{operation}"));
    }
}

#[test]
fn rates_of_the_quota_tables() {
    for (operation, account, resource) in [
        (Operation::CreateStream, Some(50), None),
        (Operation::DescribeStream, Some(300), Some(5)),
        (Operation::StartEdgeConfigurationUpdate, Some(10), Some(1)),
        (Operation::PutMedia, None, Some(5)),
        (Operation::GetMedia, None, Some(5)),
        (Operation::ListFragments, None, None),
        (Operation::JoinStorageSession, Some(50), Some(2)),
    ] {
        assert_eq!(operation.rate(), CallRate { account, resource }, "{operation}");
    }
}

#[test]
fn the_description_tells_members_and_constraints() {
    let description: serde_json::Value = serde_json::from_str(&crate::describe()).unwrap();
    let operations = description["operations"].as_object().unwrap();
    assert_eq!(operations.len(), 50);
    assert_eq!(operations["OpenLive"]["method"], "GET");
    let name = &operations["CreateStream"]["input"]["members"]["StreamName"];
    assert_eq!(name["max"], 256);
    assert_eq!(name["required"], true);
    assert_eq!(operations["JoinStorageSession"]["state"], "later");
    assert!(operations["JoinStorageSession"].get("input").is_none());
    assert_eq!(operations["GetClip"]["headers"][0]["name"], "x-streamkeep-clip-limits");
    assert!(operations["GetCoverage"]["example"]["Streams"].is_array());
    assert_eq!(operations["JoinStorageSession"]["errors"]["AccessDeniedException"], 403);
}
