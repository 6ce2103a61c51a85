//! Values of names and texts, such as a query's: a serde deserializer. Knows no request.
//!
//! The whole is a struct or map by names, a sequence or tuple of all values, or one value. Each value is a text that the wanted
//! type reads; where it is a sequence, it takes all texts of its name.

use crate::rejection::Rejection;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::fmt;

/// A name and its text.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Why the texts are not what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    kind: &'static str,
    /// Whose value is at fault.
    name: Option<String>,
    /// That value, where there is one.
    input: Option<String>,
    message: String,
}

impl Error {
    /// The answer that says so; `place` is where the texts stand.
    pub(crate) fn reject(self, place: &str) -> Rejection {
        let place: Vec<_> = std::iter::once(place.to_owned()).chain(self.name).collect();
        Rejection::of(self.kind, place.into(), self.message, self.input.into())
    }

    /// The same, of a value whose name in the request is another one than serde's.
    pub(crate) fn rename(mut self, rename: impl FnOnce(String) -> String) -> Self {
        self.name = self.name.map(rename);
        self
    }

    fn of(mut self, name: &str, text: &str) -> Self {
        if self.name.is_none() {
            self.name = Some(name.to_owned());
            self.input = Some(text.to_owned());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            kind: "invalid",
            name: None,
            input: None,
            message: message.to_string(),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            kind: "missing",
            name: Some(field.to_owned()),
            input: None,
            message: "Field required".to_owned(),
        }
    }
}

/// Reads a value of these pairs.
pub(crate) fn read<T: DeserializeOwned>(pairs: &[Pair<'_>]) -> Result<T, Error> {
    T::deserialize(Whole(pairs))
}

/// All pairs.
struct Whole<'a>(&'a [Pair<'a>]);

impl Whole<'_> {
    /// The only value. Its name is the error's.
    fn single<T>(&self, read: impl FnOnce(Texts<'_>) -> Result<T, Error>) -> Result<T, Error> {
        match self.0 {
            [(name, text)] => {
                let texts = [&**text];
                read(Texts(&texts)).map_err(|error| error.of(name, text))
            }
            pairs => Err(de::Error::invalid_length(pairs.len(), &"one value")),
        }
    }
}

macro_rules! single {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.single(|texts| texts.$method(visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Whole<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(ByName {
            pairs: self.0,
            next: 0,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(InOrder(self.0.iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.len() == length {
            return self.deserialize_seq(visitor);
        }
        Err(de::Error::invalid_length(self.0.len(), &visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.single(|texts| texts.deserialize_enum(name, variants, visitor))
    }

    single! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier deserialize_ignored_any
    }
}

/// All values, each under its name's error.
struct InOrder<'a>(std::slice::Iter<'a, Pair<'a>>);

impl<'de> SeqAccess<'de> for InOrder<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.0.next().map(|(name, text)| {
            let texts = [&**text];
            let value = seed.deserialize(Texts(&texts));
            value.map_err(|error| error.of(name, text))
        });
        next.transpose()
    }
}

/// The pairs by name; each name once, with all of its texts.
struct ByName<'a> {
    pairs: &'a [Pair<'a>],
    next: usize,
}

impl<'de> MapAccess<'de> for ByName<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        while let Some((name, _)) = self.pairs.get(self.next) {
            self.next += 1;
            let before = &self.pairs[..self.next - 1];
            if before.iter().all(|(known, _)| known != name) {
                let name: StrDeserializer<'_, Error> = (**name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let name = &self.pairs[self.next - 1].0;
        let same = self.pairs[self.next - 1..].iter();
        let same = same.filter(|(other, _)| other == name);
        let texts: Vec<&str> = same.map(|(_, text)| &**text).collect();
        let texts = Texts(&texts);
        let value = seed.deserialize(texts);
        value.map_err(|error| error.of(name, texts.text()))
    }
}

/// The texts of one name; there is at least one.
#[derive(Clone, Copy)]
struct Texts<'a>(&'a [&'a str]);

impl<'a> Texts<'a> {
    /// The last one, as servers take a name that is there twice.
    fn text(self) -> &'a str {
        self.0.last().copied().unwrap_or_default()
    }

    fn parse<T: std::str::FromStr>(self, expected: &str) -> Result<T, Error> {
        let text = self.text();
        text.parse().map_err(|_| {
            let text: String = text.chars().take(50).collect();
            de::Error::custom(format!("{text:?} is not {expected}"))
        })
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.parse($expected)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Texts<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text())
    }

    parsed! {
        deserialize_i8 visit_i8 "an integer of 8 bits";
        deserialize_i16 visit_i16 "an integer of 16 bits";
        deserialize_i32 visit_i32 "an integer of 32 bits";
        deserialize_i64 visit_i64 "an integer of 64 bits";
        deserialize_i128 visit_i128 "an integer of 128 bits";
        deserialize_u8 visit_u8 "a natural number of 8 bits";
        deserialize_u16 visit_u16 "a natural number of 16 bits";
        deserialize_u32 visit_u32 "a natural number of 32 bits";
        deserialize_u64 visit_u64 "a natural number of 64 bits";
        deserialize_u128 visit_u128 "a natural number of 128 bits";
        deserialize_f32 visit_f32 "a number";
        deserialize_f64 visit_f64 "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => visitor.visit_bool(true),
            "false" | "0" | "off" | "no" => visitor.visit_bool(false),
            _ => Err(de::Error::custom("it is neither true nor false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Each(self.0.iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant(self.text()))
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

/// One value for each text.
struct Each<'a>(std::slice::Iter<'a, &'a str>);

impl<'de> SeqAccess<'de> for Each<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let next = self.0.next().map(|text| seed.deserialize(Texts(&[text])));
        next.transpose()
    }
}

/// A variant without data, by its name.
struct Variant<'a>(&'a str);

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = <StrDeserializer<'a, Error> as EnumAccess<'de>>::Variant;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), Error> {
        let name: StrDeserializer<'_, Error> = self.0.into_deserializer();
        name.variant_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Pair, read};
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Filter {
        limit: u32,
        tag: Vec<String>,
        order: Order,
        exact: bool,
        after: Option<f64>,
        #[serde(default)]
        since: i64,
    }

    fn pairs(texts: &[(&'static str, &'static str)]) -> Vec<Pair<'static>> {
        let pairs = texts
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()));
        pairs.collect()
    }

    fn fault<T: serde::de::DeserializeOwned>(texts: &[(&'static str, &'static str)]) -> Error {
        read::<T>(&pairs(texts)).err().unwrap()
    }

    #[test]
    fn a_struct_takes_its_names() {
        let given = [
            ("tag", "a"),
            ("limit", "5"),
            ("other", "x"),
            ("tag", "b"),
            ("order", "down"),
            ("exact", "yes"),
        ];
        let filter: Filter = read(&pairs(&given)).unwrap();
        let expected = Filter {
            limit: 5,
            tag: vec!["a".into(), "b".into()],
            order: Order::Down,
            exact: true,
            after: None,
            since: 0,
        };
        assert_eq!(filter, expected);
    }

    #[test]
    fn one_value_a_tuple_a_map() {
        assert_eq!(read::<u64>(&pairs(&[("id", "7")])).unwrap(), 7);
        assert_eq!(read::<String>(&pairs(&[("id", "7")])).unwrap(), "7");
        let both = pairs(&[("id", "7"), ("name", "x")]);
        assert_eq!(read::<(u8, String)>(&both).unwrap(), (7, "x".into()));
        let map: BTreeMap<String, String> = read(&both).unwrap();
        assert_eq!(map["name"], "x");
    }

    #[test]
    fn faults_say_whose_they_are() {
        assert_eq!(fault::<u64>(&[("id", "x")]).name.as_deref(), Some("id"));
        let error = fault::<Filter>(&[("limit", "-1")]);
        assert_eq!(error.name.as_deref(), Some("limit"));
        assert_eq!(error.input.as_deref(), Some("-1"));
        assert_eq!(error.message, "\"-1\" is not a natural number of 32 bits");
        let error = fault::<Filter>(&[]);
        assert_eq!(
            (error.kind, error.name.as_deref()),
            ("missing", Some("limit"))
        );
        assert!(fault::<(u8, u8)>(&[("id", "1")]).name.is_none());
        assert!(
            fault::<Order>(&[("order", "left")])
                .message
                .contains("left")
        );
    }
}
