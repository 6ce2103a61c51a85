//! What a caller may wish for. The bits have orjson's names and values, so that code moves over by its import alone.

use pyo3::prelude::*;

/// A set of wishes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Options(u32);

/// Every bit's name in Python, value and meaning; `dumps` refuses any other bit.
pub const NAMED: [(&str, u32); 16] = [
    ("OPT_INDENT_2", Options::INDENT_2),
    ("OPT_NAIVE_UTC", Options::NAIVE_UTC),
    ("OPT_NON_STR_KEYS", Options::NON_STR_KEYS),
    ("OPT_OMIT_MICROSECONDS", Options::OMIT_MICROSECONDS),
    ("OPT_SERIALIZE_NUMPY", Options::SERIALIZE_NUMPY),
    ("OPT_SORT_KEYS", Options::SORT_KEYS),
    ("OPT_STRICT_INTEGER", Options::STRICT_INTEGER),
    ("OPT_UTC_Z", Options::UTC_Z),
    ("OPT_PASSTHROUGH_SUBCLASS", Options::PASSTHROUGH_SUBCLASS),
    ("OPT_PASSTHROUGH_DATETIME", Options::PASSTHROUGH_DATETIME),
    ("OPT_APPEND_NEWLINE", Options::APPEND_NEWLINE),
    ("OPT_PASSTHROUGH_DATACLASS", Options::PASSTHROUGH_DATACLASS),
    ("OPT_STRICT_FLOAT", Options::STRICT_FLOAT),
    ("OPT_AS_PYTHON", Options::AS_PYTHON),
    ("OPT_SERIALIZE_DATACLASS", 0),
    ("OPT_SERIALIZE_UUID", 0),
];

impl Options {
    pub const INDENT_2: u32 = 1;
    pub const NAIVE_UTC: u32 = 1 << 1;
    pub const NON_STR_KEYS: u32 = 1 << 2;
    pub const OMIT_MICROSECONDS: u32 = 1 << 3;
    pub const SERIALIZE_NUMPY: u32 = 1 << 4;
    pub const SORT_KEYS: u32 = 1 << 5;
    pub const STRICT_INTEGER: u32 = 1 << 6;
    pub const UTC_Z: u32 = 1 << 7;
    pub const PASSTHROUGH_SUBCLASS: u32 = 1 << 8;
    pub const PASSTHROUGH_DATETIME: u32 = 1 << 9;
    pub const APPEND_NEWLINE: u32 = 1 << 10;
    pub const PASSTHROUGH_DATACLASS: u32 = 1 << 11;
    /// Ours alone, far from where orjson would go on.
    pub const STRICT_FLOAT: u32 = 1 << 24;
    /// Refuses what Python's `json.dumps` writes otherwise, or refuses: whoever asks has `json.dumps` for that. Not for users.
    pub const AS_PYTHON: u32 = 1 << 25;
    /// With one of these a dictionary is not simply written in its own order.
    pub const DICT_BY_OTHER_RULES: u32 = Self::SORT_KEYS | Self::NON_STR_KEYS;

    /// How Pydantic writes moments.
    pub const PYDANTIC: Self = Self(Self::UTC_Z);

    /// No wish.
    pub const NONE: Self = Self(0);

    /// The set with these bits; `None` where one of them means nothing.
    pub fn from_bits(bits: u32) -> Option<Self> {
        let known = NAMED.iter().fold(0, |known, (_, bit)| known | bit);
        (bits & !known == 0).then_some(Self(bits))
    }

    /// Whether one of `bits` is in the set.
    #[inline]
    pub const fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }
}

/// How one document is to be written.
#[derive(Clone, Copy, Default)]
pub struct Settings<'a, 'py> {
    pub options: Options,
    /// Called with what has no form in JSON.
    pub default: Option<&'a Bound<'py, PyAny>>,
}
