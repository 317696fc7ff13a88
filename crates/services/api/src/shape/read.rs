//! JSON to [`Fields`]: one walk along the shapes, collecting what does not fit.

use std::collections::BTreeMap;

use serde_json::Value;
use streamkeep_media::UnixMillis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::fields::Parsed;
use super::{Fields, Pattern, Shape, Structure};
use crate::{ApiError, Exception};

/// How many faults one answer names. More would help nobody and let a request of a thousand bad
/// items earn an answer of megabytes.
const VIOLATIONS_MAX: usize = 8;

/// How much of an offending value is repeated in the answer, in characters.
const QUOTED_MAX: usize = 256;

/// 9999-12-31T23:59:59Z, the last instant that every client can print.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Reads the body of a request. Empty counts as `{}`: SDKs leave out a body without members.
///
/// # Errors
/// InvalidArgumentException, or the exception that the offending shape names: the body is no JSON
/// object, or members break their rules. The text names each member and rule in the manner of the
/// real service.
pub(crate) fn read(structure: &'static Structure, body: &[u8]) -> Result<Fields, ApiError> {
    let value = if body.iter().all(u8::is_ascii_whitespace) {
        Value::Object(serde_json::Map::new())
    } else {
        // serde_json refuses more than 128 levels.
        serde_json::from_slice(body).map_err(|error| {
            ApiError::invalid_argument(format!("The request body is no valid JSON: {error}."))
        })?
    };
    if !value.is_object() {
        return Err(ApiError::invalid_argument("The request body is no JSON object."));
    }
    let mut walk = Walk { path: Vec::new(), violations: Vec::new() };
    match walk.structure(structure, value) {
        Some(fields) if walk.violations.is_empty() => Ok(fields),
        _ => Err(walk.refusal()),
    }
}

struct Walk {
    /// From the body to the value at hand.
    path: Vec<String>,
    violations: Vec<Violation>,
}

struct Violation {
    exception: Exception,
    text: String,
}

/// `None` always comes with a violation.
impl Walk {
    fn structure(&mut self, structure: &'static Structure, value: Value) -> Option<Fields> {
        let Value::Object(mut object) = value else {
            return self.violation(&value, "Member must be an object");
        };
        let mut fields = Fields::default();
        for member in structure.members {
            self.path.push(lower_first(member.name));
            match object.remove(member.name) {
                Some(value) if !value.is_null() => {
                    if let Some(parsed) = self.value(member.shape, value) {
                        fields.values.push((member.name, parsed));
                    }
                }
                _ if member.required => {
                    self.violation::<()>(&Value::Null, "Member must not be null");
                }
                _ => {}
            }
            self.path.pop();
        }
        Some(fields)
    }

    fn value(&mut self, shape: &'static Shape, value: Value) -> Option<Parsed> {
        match shape {
            Shape::Text { min, max, pattern, fault } => {
                let Value::String(text) = value else {
                    return self.fault(*fault, &value, "Member must be a string");
                };
                self.text(&text, *min, *max, *pattern, *fault)?;
                Some(Parsed::Text(text))
            }
            Shape::Choice { values } => {
                let found = value.as_str().and_then(|text| values.iter().find(|v| **v == text));
                let Some(found) = found else {
                    let rule =
                        format!("Member must satisfy enum value set: [{}]", values.join(", "));
                    return self.violation(&value, &rule);
                };
                Some(Parsed::Choice(found))
            }
            Shape::Integer { min, max, .. } => self.integer(&value, *min, *max),
            Shape::Timestamp => match timestamp(&value) {
                Some(time) => Some(Parsed::Time(time)),
                None => self.violation(
                    &value,
                    "Member must be a timestamp: epoch seconds up to the year 9999, or RFC 3339",
                ),
            },
            Shape::List { member, min, max, excess } => {
                let Value::Array(items) = value else {
                    return self.violation(&value, "Member must be a list");
                };
                self.count(items.len(), *min, *max, *excess)?;
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    self.path.push(format!("{}.member", index + 1));
                    let item = self.value(member, item);
                    self.path.pop();
                    list.extend(item);
                    if self.violations.len() >= VIOLATIONS_MAX {
                        return None;
                    }
                }
                Some(Parsed::List(list))
            }
            Shape::Map { key, value: value_shape, min, max, excess } => {
                let Value::Object(entries) = value else {
                    return self.violation(&value, "Member must be a map");
                };
                self.count(entries.len(), *min, *max, *excess)?;
                let mut map = BTreeMap::new();
                for (entry_key, entry_value) in entries {
                    self.path.push("key".into());
                    let key = self.value(key, Value::String(entry_key));
                    self.path.pop();
                    self.path.push("value".into());
                    let value = self.value(value_shape, entry_value);
                    self.path.pop();
                    let key = match key {
                        Some(Parsed::Text(key)) => Some(key),
                        Some(Parsed::Choice(key)) => Some(key.to_owned()),
                        _ => None,
                    };
                    if let (Some(key), Some(Parsed::Text(value))) = (key, value) {
                        map.insert(key, value);
                    }
                    if self.violations.len() >= VIOLATIONS_MAX {
                        return None;
                    }
                }
                Some(Parsed::Map(map))
            }
            Shape::Structure(structure) => self.structure(structure, value).map(Parsed::Structure),
        }
    }

    fn text(
        &mut self,
        text: &str,
        min: usize,
        max: usize,
        pattern: Pattern,
        fault: Exception,
    ) -> Option<()> {
        let length = text.chars().count();
        let rule = if length < min {
            format!("Member must have length greater than or equal to {min}")
        } else if length > max {
            format!("Member must have length less than or equal to {max}")
        } else if !pattern.matches(text) {
            format!("Member must satisfy regular expression pattern: {}", pattern.source())
        } else {
            return Some(());
        };
        self.fault(fault, &Value::String(text.into()), &rule)
    }

    fn integer(&mut self, value: &Value, min: i64, max: i64) -> Option<Parsed> {
        // Some languages have only floating numbers: `24.0` is 24. 2^53 bounds what they can hold.
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| {
                number
                    .as_f64()
                    .filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0)
                    .map(|n| n as i64)
            }),
            _ => None,
        };
        let rule = match number {
            None => "Member must be an integer".into(),
            Some(n) if n < min => format!("Member must have value greater than or equal to {min}"),
            Some(n) if n > max => format!("Member must have value less than or equal to {max}"),
            Some(n) => return Some(Parsed::Integer(n)),
        };
        self.violation(value, &rule)
    }

    fn count(&mut self, count: usize, min: usize, max: usize, excess: Exception) -> Option<()> {
        let items = Value::String(format!("{count} items"));
        if count < min {
            let rule = format!("Member must have length greater than or equal to {min}");
            self.violation(&items, &rule)
        } else if count > max {
            let rule = format!("Member must have length less than or equal to {max}");
            self.fault(excess, &items, &rule)
        } else {
            Some(())
        }
    }

    fn violation<T>(&mut self, value: &Value, rule: &str) -> Option<T> {
        self.fault(Exception::InvalidArgument, value, rule)
    }

    fn fault<T>(&mut self, exception: Exception, value: &Value, rule: &str) -> Option<T> {
        if self.violations.len() < VIOLATIONS_MAX {
            let (value, path) = (quoted(value), self.path.join("."));
            let text = format!("Value {value} at '{path}' failed to satisfy constraint: {rule}");
            self.violations.push(Violation { exception, text });
        }
        None
    }

    /// All violations in one refusal, under the exception of the first.
    fn refusal(self) -> ApiError {
        let exception = self.violations.first().map_or(Exception::InvalidArgument, |v| v.exception);
        let plural = if self.violations.len() == 1 { "error" } else { "errors" };
        let texts: Vec<_> = self.violations.iter().map(|v| v.text.as_str()).collect();
        let count = texts.len();
        ApiError::new(
            exception,
            format!("{count} validation {plural} detected: {}", texts.join("; ")),
        )
    }
}

/// Epoch seconds, with or without a fraction, or an RFC 3339 text; to the nearest millisecond.
///
/// Before 1970 counts as 1970: no media is older, and a client in an eastern time zone that asks
/// from "the beginning" sends a negative number.
fn timestamp(value: &Value) -> Option<UnixMillis> {
    match value {
        Value::Number(number) => {
            let seconds = number.as_f64().filter(|s| s.abs() <= LAST_SECOND)?;
            // A double holds every millisecond up to the year 9999 with digits to spare.
            Some(UnixMillis((seconds.max(0.0) * 1000.0).round() as u64))
        }
        Value::String(text) => {
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            let millis = (time.unix_timestamp_nanos() + 500_000).div_euclid(1_000_000);
            Some(UnixMillis(u64::try_from(millis.max(0)).ok()?))
        }
        _ => None,
    }
}

/// The value as the answer repeats it: texts in single quotes, cut when long.
fn quoted(value: &Value) -> String {
    let text = match value {
        Value::Null => return "null".into(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) => "[…]".into(),
        Value::Object(_) => "{…}".into(),
    };
    match text.char_indices().nth(QUOTED_MAX) {
        Some((cut, _)) => format!("'{}…'", &text[..cut]),
        None => format!("'{text}'"),
    }
}

/// `StreamName` → `streamName`, as the service's texts name members.
fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_ascii_lowercase().to_string() + characters.as_str()
    })
}
