//! What a request held, once every value in it is known to fit its shape.

use std::collections::BTreeMap;

use streamkeep_media::UnixMillis;

/// A value that fits its shape.
#[derive(Debug)]
pub(super) enum Parsed {
    Text(String),
    Choice(&'static str),
    Integer(i64),
    Time(UnixMillis),
    List(Vec<Parsed>),
    Map(BTreeMap<String, String>),
    Structure(Fields),
}

/// The members of a structure that were present and not null.
///
/// Every accessor takes the value out. Asking for a member that the structure's table does not
/// list, or as another kind than the table says, is a mistake in this crate and panics; the tests
/// reach every accessor.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(super) values: Vec<(&'static str, Parsed)>,
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Parsed> {
        let index = self.values.iter().position(|(n, _)| *n == name)?;
        Some(self.values.swap_remove(index).1)
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|value| match value {
            Parsed::Text(text) => text,
            other => panic!("{name} is no text in the table: {other:?}"),
        })
    }

    pub(crate) fn choice<T: WireEnum>(&mut self, name: &str) -> Option<T> {
        self.take(name).map(|value| match value {
            Parsed::Choice(text) => T::from_wire(text).expect("the table lists T::VALUES"),
            other => panic!("{name} is no choice in the table: {other:?}"),
        })
    }

    pub(crate) fn integer(&mut self, name: &str) -> Option<i64> {
        self.take(name).map(|value| match value {
            Parsed::Integer(number) => number,
            other => panic!("{name} is no integer in the table: {other:?}"),
        })
    }

    pub(crate) fn time(&mut self, name: &str) -> Option<UnixMillis> {
        self.take(name).map(|value| match value {
            Parsed::Time(time) => time,
            other => panic!("{name} is no timestamp in the table: {other:?}"),
        })
    }

    pub(crate) fn map(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        self.take(name).map(|value| match value {
            Parsed::Map(map) => map,
            other => panic!("{name} is no map in the table: {other:?}"),
        })
    }

    pub(crate) fn structure(&mut self, name: &str) -> Option<Fields> {
        self.take(name).map(|value| match value {
            Parsed::Structure(fields) => fields,
            other => panic!("{name} is no structure in the table: {other:?}"),
        })
    }

    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name, |value| match value {
            Parsed::Text(text) => text,
            other => panic!("{name} is no list of texts in the table: {other:?}"),
        })
    }

    pub(crate) fn times(&mut self, name: &str) -> Option<Vec<UnixMillis>> {
        self.list(name, |value| match value {
            Parsed::Time(time) => time,
            other => panic!("{name} is no list of timestamps in the table: {other:?}"),
        })
    }

    pub(crate) fn structures(&mut self, name: &str) -> Option<Vec<Fields>> {
        self.list(name, |value| match value {
            Parsed::Structure(fields) => fields,
            other => panic!("{name} is no list of structures in the table: {other:?}"),
        })
    }

    fn list<T>(&mut self, name: &str, item: impl Fn(Parsed) -> T) -> Option<Vec<T>> {
        self.take(name).map(|value| match value {
            Parsed::List(list) => list.into_iter().map(&item).collect(),
            other => panic!("{name} is no list in the table: {other:?}"),
        })
    }
}

/// An enum whose variants have names on the wire.
pub(crate) trait WireEnum: Sized {
    /// The names, in the order of the model.
    const VALUES: &'static [&'static str];

    /// The variant with this exact name.
    fn from_wire(text: &str) -> Option<Self>;
}

/// Declares an enum with its wire names, in the order of the model.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $wire:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// The name on the wire.
            $vis fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)+
                }
            }
        }

        impl $crate::shape::WireEnum for $name {
            const VALUES: &'static [&'static str] = &[$($wire),+];

            fn from_wire(text: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|variant| variant.as_str() == text)
            }
        }
    };
}
pub(crate) use wire_enum;
