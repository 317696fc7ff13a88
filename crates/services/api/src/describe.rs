//! The API described from the tables that the parser uses.

use serde_json::{Map, Value, json};

use crate::control_plane::extension_examples;
use crate::openapi::request_headers;
use crate::shape::{Member, Shape, Structure};
use crate::{Availability, Exception, Operation, PlaybackPath};

/// What this version accepts, as JSON: per operation path, service, errors, and for implemented
/// ones members with their constraints. Read by `tests/coverage`. The same for clients is
/// [`ControlPlane::openapi`](crate::ControlPlane::openapi).
pub fn describe() -> String {
    let operations: Map<String, Value> =
        Operation::all().map(|o| (o.name().to_owned(), describe_operation(o))).collect();
    let exceptions: Map<String, Value> = Exception::ALL
        .iter()
        .map(|e| (format!("{e:?}"), json!({ "name": e.name(), "status": e.status() })))
        .collect();
    let playback: Vec<_> = PlaybackPath::all()
        .map(|p| json!({ "path": p.path(), "calls_per_second": p.calls_per_second() }))
        .collect();
    let description =
        json!({ "operations": operations, "exceptions": exceptions, "playback": playback });
    format!("{description:#}")
}

fn describe_operation(operation: Operation) -> Value {
    let errors: Map<String, Value> =
        operation.errors().iter().map(|e| (e.name().to_owned(), e.status().into())).collect();
    let denial = operation.denial();
    let rate = operation.rate();
    let mut description = json!({
        "service": operation.service().model(),
        "method": operation.method().as_str(),
        "path": operation.path(),
        "iam_action": operation.iam_action(),
        "denial": { "name": denial.name(), "status": denial.status() },
        "errors": errors,
        "calls_per_second": { "account": rate.account, "resource": rate.resource },
        "body_bytes_max": operation.body_max(),
        "state": match operation.availability() {
            Availability::Implemented => "implemented",
            Availability::Later => "later",
        },
    });
    let headers: Vec<_> = request_headers(operation)
        .iter()
        .map(|header| {
            json!({
                "name": header.name,
                "required": header.required,
                "description": header.description,
            })
        })
        .collect();
    description["headers"] = headers.into();
    let example = extension_examples().into_iter().find(|(name, _)| *name == operation.name());
    if let Some((_, example)) = example {
        description["example"] = example;
    }
    if let Some(shape) = &operation.row().shape {
        description["input"] = structure(shape.input);
        description["output"] = shape.output.into();
    }
    description
}

fn structure(structure: &Structure) -> Value {
    let member = |member: &Member| {
        let mut value = describe_shape(member.shape);
        value["required"] = member.required.into();
        if let Some(note) = member.note {
            value["note"] = note.into();
        }
        (member.name.to_owned(), value)
    };
    let members: Map<String, Value> = structure.members.iter().map(member).collect();
    json!({ "type": "structure", "members": members })
}

fn describe_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text { min, max, pattern, fault } => {
            let mut value = json!({
                "type": "string",
                "min": min,
                "max": max,
                "pattern": pattern.source(),
                "fault": fault.name(),
            });
            if let Some(tolerance) = pattern.tolerance() {
                value["tolerates"] = tolerance.into();
            }
            value
        }
        Shape::Choice { values } => json!({ "type": "string", "enum": values }),
        Shape::Integer { min, max, narrowed } => {
            let mut value = json!({ "type": "integer", "min": min, "max": max });
            if let Some(reason) = narrowed {
                value["narrowed"] = (*reason).into();
            }
            value
        }
        Shape::Timestamp => json!({ "type": "timestamp" }),
        Shape::List { member, min, max, excess } => json!({
            "type": "list",
            "member": describe_shape(member),
            "min": min,
            "max": max,
            "excess": excess.name(),
        }),
        Shape::Map { key, value, min, max, excess } => json!({
            "type": "map",
            "key": describe_shape(key),
            "value": describe_shape(value),
            "min": min,
            "max": max,
            "excess": excess.name(),
        }),
        Shape::Structure(inner) => structure(inner),
    }
}
