//! Shapes as JSON Schema.

use serde_json::{Map, Value, json};

use crate::shape::{Shape, Structure};

pub(super) fn structure(structure: &Structure) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in structure.members {
        let mut value = schema(member.shape);
        if let Some(note) = member.note {
            value["description"] = match value["description"].as_str() {
                Some(text) => format!("{text}; {note}").into(),
                None => note.into(),
            };
        }
        properties.insert(member.name.into(), value);
        if member.required {
            required.push(member.name);
        }
    }
    let mut value = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        value["required"] = required.into();
    }
    value
}

fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Text { min, max, pattern, .. } => {
            let mut value = json!({ "type": "string", "minLength": min, "maxLength": max });
            let accepted = pattern.accepted();
            // Not every engine behind a JSON Schema knows the classes of Unicode.
            if accepted.contains(r"\p{") {
                value["description"] = format!("matches `{}`", pattern.source()).into();
            } else {
                value["pattern"] = accepted.into();
            }
            value
        }
        Shape::Choice { values } => json!({ "type": "string", "enum": values }),
        Shape::Integer { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Shape::Timestamp => json!({
            "oneOf": [{ "type": "number" }, { "type": "string", "format": "date-time" }],
            "description": "epoch seconds, or RFC 3339 text",
        }),
        Shape::List { member, min, max, .. } => json!({
            "type": "array", "items": schema(member), "minItems": min, "maxItems": max,
        }),
        Shape::Map { key, value, min, max, .. } => json!({
            "type": "object",
            "propertyNames": schema(key),
            "additionalProperties": schema(value),
            "minProperties": min,
            "maxProperties": max,
        }),
        Shape::Structure(inner) => structure(inner),
    }
}
