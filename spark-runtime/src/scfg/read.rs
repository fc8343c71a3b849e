//! From bytes to plain JSON, within limits.
//!
//! [`Json`] holds what the text says and nothing more; it is kept small because files may hold large arrays. The parser is
//! `serde_json`, which limits the depth to 127; the number of values is limited here.

use crate::error::{Error, Result};
use indexmap::IndexMap;
use lzma_rust2::XzReader;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{ErrorKind, Read};

/// The first bytes of an xz stream.
const XZ_MAGIC: [u8; 6] = [0xFD, b'7', b'z', b'X', b'Z', 0];
/// The largest text a compressed file may expand to.
const TEXT_LIMIT: u64 = 256 << 20;
/// Memory of the decompressor: enough for the largest preset of `xz`.
const XZ_MEMORY_KIB: u32 = 96 << 10;
/// Values in a file; an entry of an object counts for four. Decoded, a value takes up to 150 bytes.
const VALUE_LIMIT: usize = 8 << 20;

/// Plain JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A string.
    Text(Box<str>),
    /// An array.
    List(Vec<Json>),
    /// An object, in file order; the last of two equal names counts.
    Map(Box<IndexMap<String, Json>>),
}

/// The text of a file: decompressed if it begins as xz does, else as it is.
pub(super) fn decompress(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if bytes.is_empty() {
        return Err(Error::new("the file is empty"));
    }
    if !bytes.starts_with(&XZ_MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut text = Vec::new();
    let reader = XzReader::new_mem_limit(bytes, true, XZ_MEMORY_KIB);
    reader.take(TEXT_LIMIT + 1).read_to_end(&mut text).map_err(|e| match e.kind() {
        ErrorKind::UnexpectedEof => Error::new("the compressed file is truncated"),
        ErrorKind::OutOfMemory => Error::new("the compressed file needs too much memory"),
        _ => Error::new(format!("the compressed file is damaged: {e}")),
    })?;
    if text.len() as u64 > TEXT_LIMIT {
        return Err(Error::new(format!("the compressed file expands to more than {} MiB", TEXT_LIMIT >> 20)));
    }
    Ok(Cow::Owned(text))
}

/// Parses the text.
pub(super) fn json(text: &[u8]) -> Result<Json> {
    let left = Cell::new(VALUE_LIMIT);
    let mut parser = serde_json::Deserializer::from_slice(text);
    let parsed = Parse { left: &left }.deserialize(&mut parser).and_then(|json| parser.end().map(|()| json));
    parsed.map_err(|e| {
        let error = Error::new(format!("not valid JSON: {e}"));
        if names_non_finite(text, &e) {
            error.help("`NaN` and `Infinity` are not numbers of JSON: give a finite one")
        } else {
            error
        }
    })
}

/// True if the text goes on with one of the words Python writes for numbers that are not finite.
fn names_non_finite(text: &[u8], error: &serde_json::Error) -> bool {
    let line = text.split(|&byte| byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = line.get(..error.column().saturating_sub(1)).unwrap_or_default();
    let here = &line[before.len()..];
    here.starts_with(b"NaN") || here.starts_with(b"Infinity") || (before.ends_with(b"-") && here.starts_with(b"I"))
}

/// Parses one value and counts it.
#[derive(Clone, Copy)]
struct Parse<'a> {
    left: &'a Cell<usize>,
}

impl Parse<'_> {
    fn count<E: serde::de::Error>(self, cost: usize) -> Result<(), E> {
        match self.left.get().checked_sub(cost) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(E::custom("too many values")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Parse<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.count(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parse<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Int).map_err(|_| E::custom(format!("the integer {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = IndexMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.count(3).map_err(|e: A::Error| A::Error::custom(e))?;
            map.insert(name, entries.next_value_seed(self)?);
        }
        Ok(Json::Map(Box::new(map)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_limit_is_kept() {
        let left = Cell::new(5);
        let parse = |text: &str| {
            left.set(5);
            Parse { left: &left }.deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|e| e.to_string())
        };
        assert!(parse("[0, 0, 0, 0]").is_ok());
        assert_eq!(parse("[0, 0, 0, 0, 0]").unwrap_err(), "too many values at line 1 column 13");
        assert!(parse(r#"{"a": 0}"#).is_ok());
        assert!(parse(r#"{"a": [0]}"#).is_err());
    }
}
