//! Shapes: what the service models say a request may hold, as data.
//!
//! The tables of [`crate::operation`] are made of these. One walk ([`read`]) turns JSON into
//! [`Fields`] or a refusal; the description of the API is printed from the same tables, so what
//! is said and what is done cannot differ.

mod fields;
mod pattern;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use fields::{Fields, WireEnum, wire_enum};
pub(crate) use pattern::Pattern;
pub(crate) use read::read;

use crate::Exception;

/// What one value may be.
pub(crate) enum Shape {
    /// A JSON string.
    Text {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
        /// The whole text must match.
        pattern: Pattern,
        /// What a value outside these rules earns.
        fault: Exception,
    },
    /// A JSON string out of a list, in exact case.
    Choice {
        /// The list, in the order of the model.
        values: &'static [&'static str],
    },
    /// A JSON number with an integral value.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
        /// Why the range is narrower than the model's, when it is.
        narrowed: Option<&'static str>,
    },
    /// Epoch seconds as a number, or an RFC 3339 text.
    Timestamp,
    /// A JSON array.
    List {
        /// Shape of each item.
        member: &'static Shape,
        /// Fewest items.
        min: usize,
        /// Most items.
        max: usize,
        /// What more than `max` items earn.
        excess: Exception,
    },
    /// A JSON object of free keys and text values.
    Map {
        /// Shape of each key; a `Text` or a `Choice`.
        key: &'static Shape,
        /// Shape of each value; a `Text`.
        value: &'static Shape,
        /// Fewest entries.
        min: usize,
        /// Most entries.
        max: usize,
        /// What more than `max` entries earn.
        excess: Exception,
    },
    /// A JSON object of known members. Unknown members are ignored, null counts as absent.
    Structure(&'static Structure),
}

/// A JSON object of known members.
pub(crate) struct Structure {
    /// The members, in the order of the model.
    pub(crate) members: &'static [Member],
}

/// A member of a [`Structure`].
pub(crate) struct Member {
    /// As on the wire, PascalCase.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) shape: &'static Shape,
    /// Must be there.
    pub(crate) required: bool,
    /// What a reader of the description should know about its effect.
    pub(crate) note: Option<&'static str>,
}

impl Member {
    pub(crate) const fn noting(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }
}

/// A member that must be there.
pub(crate) const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: true, note: None }
}

/// A member that may be absent.
pub(crate) const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, shape, required: false, note: None }
}

/// A text whose faults are InvalidArgumentException.
pub(crate) const fn text(min: usize, max: usize, pattern: Pattern) -> Shape {
    Shape::Text { min, max, pattern, fault: Exception::InvalidArgument }
}

/// An integer with the range of the model.
pub(crate) const fn integer(min: i64, max: i64) -> Shape {
    Shape::Integer { min, max, narrowed: None }
}
