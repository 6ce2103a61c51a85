//! An answer on its way through layers: status, fields, body. Fields are set as Starlette's `MutableHeaders` sets them.

use std::borrow::Cow;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::exchange::Chunk;

/// A field's name or value.
pub type Text<'a> = Cow<'a, [u8]>;

/// An answer, as far as it is known before it is sent.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Chunk<'a>,
    /// The fields, in their order.
    pub fields: SmallVec<[(Text<'a>, Text<'a>); 8]>,
}

impl<'a> Answer<'a> {
    /// An answer with these fields.
    pub fn new<'b: 'a>(
        status: u16,
        fields: impl IntoIterator<Item = (&'b [u8], &'b [u8])>,
        body: Chunk<'a>,
    ) -> Self {
        let borrowed =
            |(name, value): (&'b [u8], &'b [u8])| (Cow::Borrowed(name), Cow::Borrowed(value));
        Self {
            status,
            body,
            fields: fields.into_iter().map(borrowed).collect(),
        }
    }

    /// A text of our own, with these fields and its type.
    pub(super) fn text(
        status: u16,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        text: impl Into<Bytes>,
    ) -> Self {
        let mut answer = Self::new(status, fields, Chunk::Owned(text.into()));
        answer.push(b"content-type", &b"text/plain; charset=utf-8"[..]);
        answer
    }

    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The value of the first field of this name.
    pub(super) fn first(&self, name: &[u8]) -> Option<&[u8]> {
        self.fields()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Sets the only field of this name: in the place of the first one, or at the end.
    pub(crate) fn set(&mut self, name: &'a [u8], value: impl Into<Text<'a>>) {
        let is_it = |field: &(Text<'_>, Text<'_>)| field.0.eq_ignore_ascii_case(name);
        let Some(place) = self.fields.iter().position(is_it) else {
            return self.push(name, value);
        };
        self.fields[place] = (Cow::Borrowed(name), value.into());
        let mut number = 0..;
        self.fields
            .retain(|field| number.next() <= Some(place) || !is_it(field));
    }

    /// Removes all fields of this name.
    pub(super) fn remove(&mut self, name: &[u8]) {
        self.fields
            .retain(|field| !field.0.eq_ignore_ascii_case(name));
    }

    /// Says that the answer would be another one for another value of the request's field `name`.
    pub(super) fn vary(&mut self, name: &'static [u8]) {
        let named = self
            .fields()
            .filter(|(given, _)| given.eq_ignore_ascii_case(b"vary"));
        let mut values: Vec<&[u8]> = named.map(|(_, value)| value).collect();
        let value = if values.is_empty() {
            Cow::Borrowed(name)
        } else {
            values.push(name);
            Cow::Owned(values.join(&b", "[..]))
        };
        self.set(b"vary", value);
    }

    fn push(&mut self, name: &'a [u8], value: impl Into<Text<'a>>) {
        self.fields.push((Cow::Borrowed(name), value.into()));
    }
}
