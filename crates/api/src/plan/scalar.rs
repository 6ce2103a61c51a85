//! Scalars as text carries them. Accepts only what Pydantic's lax mode certainly accepts with the same value; everything
//! else is "don't know", and the reference path decides.

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Text as it stands.
    Str,
    /// Decimal digits that fit in 64 bits.
    Int,
    /// Decimal digits with a fraction or without.
    Float,
    /// One of Pydantic's twelve words.
    Bool,
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// A type whose values are all left to the reference path.
    Unknown,
}

/// A parameter's value, before it becomes a Python object.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing was sent: the parameter's default.
    Default,
    /// Text.
    Str(Box<str>),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// The hyphenated text of a UUID.
    Uuid(Box<str>),
    /// Text that the type's own validator has to decide on.
    Undecided(Box<str>),
    /// All texts of one name, for the list's own validator.
    Many(Vec<Box<str>>),
}

/// More digits than this may not fit, and are no everyday input.
const MAX_INT_DIGITS: usize = 18;
const MAX_FLOAT_LENGTH: usize = 32;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Scalar {
    /// The type that goes by this name in a Python plan.
    pub fn parse_name(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "uuid" => Self::Uuid,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// The value of `text`, if there is no doubt about it.
    pub fn accept(self, text: &str) -> Option<Value> {
        match self {
            Self::Str => Some(Value::Str(text.into())),
            Self::Int => accept_int(text).map(Value::Int),
            Self::Float => accept_float(text).map(Value::Float),
            Self::Bool => accept_bool(text).map(Value::Bool),
            Self::Uuid => is_uuid(text).then(|| Value::Uuid(text.into())),
            Self::Unknown => None,
        }
    }
}

fn accept_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.len() <= MAX_INT_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn accept_float(text: &str) -> Option<f64> {
    let number = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() <= MAX_FLOAT_LENGTH && digits(whole) && digits(fraction) {
        text.parse().ok()
    } else {
        None
    }
}

fn accept_bool(text: &str) -> Option<bool> {
    const TRUE: [&str; 6] = ["true", "1", "on", "t", "y", "yes"];
    const FALSE: [&str; 6] = ["false", "0", "off", "f", "n", "no"];
    let among = |words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if among(TRUE) {
        Some(true)
    } else if among(FALSE) {
        Some(false)
    } else {
        None
    }
}

fn is_uuid(text: &str) -> bool {
    let fits = |(index, byte): (usize, u8)| {
        if UUID_HYPHENS.contains(&index) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_plain_forms() {
        assert_eq!(Scalar::Int.accept("42"), Some(Value::Int(42)));
        assert_eq!(Scalar::Int.accept("-007"), Some(Value::Int(-7)));
        assert_eq!(Scalar::Float.accept("-1.50"), Some(Value::Float(-1.5)));
        assert_eq!(Scalar::Float.accept("3"), Some(Value::Float(3.0)));
        assert_eq!(Scalar::Bool.accept("Yes"), Some(Value::Bool(true)));
        assert_eq!(Scalar::Bool.accept("off"), Some(Value::Bool(false)));
        assert_eq!(Scalar::Str.accept(""), Some(Value::Str("".into())));
        let id = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(Scalar::Uuid.accept(id), Some(Value::Uuid(id.into())));
    }

    #[test]
    fn leaves_the_rest_to_the_reference() {
        for text in [
            "",
            "-",
            "+1",
            " 1",
            "1_0",
            "1.0",
            "1e3",
            "0x1",
            "٣",
            "1234567890123456789",
        ] {
            assert_eq!(Scalar::Int.accept(text), None, "{text}");
        }
        for text in ["", ".", "1.", ".5", "1e5", "inf", "nan", "1_0.0", " 1.0"] {
            assert_eq!(Scalar::Float.accept(text), None, "{text}");
        }
        for text in ["", "2", "ja", "truee"] {
            assert_eq!(Scalar::Bool.accept(text), None, "{text}");
        }
        assert_eq!(
            Scalar::Uuid.accept("123e4567e89b12d3a456426614174000"),
            None
        );
        assert_eq!(
            Scalar::Uuid.accept("123e4567-e89b-12d3-a456-42661417400-"),
            None
        );
        assert_eq!(Scalar::Unknown.accept("x"), None);
    }
}
