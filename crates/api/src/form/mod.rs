//! Forms in a request's body, read as it arrives: multipart (RFC 7578) and urlencoded. Knows no file and no connection.
//!
//! What is accepted, and what is made of it, is what `python-multipart` accepts and makes: `FastAPI`'s users have met no other.

mod delimiter;
pub mod multipart;
pub mod options;
mod part;
pub mod urlencoded;

use thiserror::Error;

/// How much a form may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Parts that are files.
    pub files: f64,
    /// Parts that are not, or urlencoded pairs.
    pub fields: f64,
    /// Bytes of a part that is no file; of an urlencoded pair, name and value.
    pub field_size: usize,
}

/// Why a form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The body is not what its type says.
    #[error("the form's syntax is wrong")]
    Syntax,
    /// A part has no name.
    #[error("a part of the form has no name")]
    Name,
    /// More files than allowed.
    #[error("the form has too many files")]
    Files,
    /// More fields than allowed.
    #[error("the form has too many fields")]
    Fields,
    /// A field is longer than allowed.
    #[error("a field of the form is too long")]
    FieldSize,
}
