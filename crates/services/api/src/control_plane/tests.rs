mod data_plane;
mod errors;
mod life_cycle;
mod permissions;
mod tags_and_lists;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use http::header;
use serde_json::{Value, json};
use streamkeep_media::{FragmentNumber, StreamId, UnixMillis};

use super::*;
use crate::testing::{
    CAM_ARN, CountingRandom, Fault, Memory, NOW, Service, context, owner, root, user,
};
use crate::{
    ConnectionKind, Connections, Cost, FragmentRange, FragmentSelectorType, ListFragmentsRequest,
    StreamStatus, list_fragments, success,
};
use Operation as O;

const HOUR: u64 = 3_600_000;

fn after(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 + ms)
}

/// The one way the tests below ask and compare: an answer, or an exception by name.
#[track_caller]
fn check(service: &Service, operation: O, body: Value, wanted: Result<Value, &str>) {
    let found = service.call(operation, &body.to_string());
    match (&found, &wanted) {
        (Ok(found), Ok(wanted)) => assert_eq!(found, wanted, "{operation} {body}"),
        (Err(found), Err(wanted)) => {
            assert_eq!(found.exception().name(), *wanted, "{operation} {body}: {found}");
        }
        _ => panic!("{operation} {body}: {found:?}, wanted {wanted:?}"),
    }
}

/// Runs `call` while an update of `cam1` is being stored.
fn while_updating<T>(service: &Service, call: impl FnOnce() -> T) -> T {
    let version = service.version("cam1");
    let body = json!({ "StreamName": "cam1", "CurrentVersion": version }).to_string();
    service.during(O::UpdateStream, &body, call)
}
