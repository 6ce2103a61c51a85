//! Header or trailer fields as offsets into the block they came in. Knows no field's meaning.

use crate::error::Refusal;
use bytes::Bytes;
use smallvec::SmallVec;
use std::fmt;

/// A part of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    length: u16,
}

impl Span {
    /// The span of `part`, which is a part of `block`.
    pub(super) fn of(block: &[u8], part: &[u8]) -> Result<Self, Refusal> {
        const TOO_LARGE: Refusal = Refusal::new(431, "field too large");
        let start = part.as_ptr().addr().wrapping_sub(block.as_ptr().addr());
        Ok(Self {
            start: u32::try_from(start).map_err(|_| TOO_LARGE)?,
            length: u16::try_from(part.len()).map_err(|_| TOO_LARGE)?,
        })
    }

    /// The bytes it stands for.
    pub(super) fn get(self, block: &[u8]) -> &[u8] {
        let start = self.start as usize;
        block
            .get(start..start + usize::from(self.length))
            .unwrap_or_default()
    }
}

/// One field; 12 bytes, so that a browser's header stays in one piece with its head.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: u32,
    value: u32,
    name_length: u16,
    value_length: u16,
}

/// Header or trailer fields in the order they came.
#[derive(Clone, Default)]
pub struct Fields {
    block: Bytes,
    table: SmallVec<[Field; 16]>,
}

impl Fields {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            block: Bytes::new(),
            table: SmallVec::with_capacity(count),
        }
    }

    pub(super) fn push(&mut self, name: Span, value: Span) {
        self.table.push(Field {
            name: name.start,
            value: value.start,
            name_length: name.length,
            value_length: value.length,
        });
    }

    /// Gives the field called `name` another value, which stands elsewhere in the block.
    pub(super) fn replace_value(&mut self, block: &[u8], name: &[u8], value: Span) {
        for field in &mut self.table {
            let span = Span {
                start: field.name,
                length: field.name_length,
            };
            if span.get(block).eq_ignore_ascii_case(name) {
                field.value = value.start;
                field.value_length = value.length;
            }
        }
    }

    /// The spans pushed so far are parts of this.
    pub(super) fn set_block(&mut self, block: Bytes) {
        self.block = block;
    }

    pub(super) fn block(&self) -> &Bytes {
        &self.block
    }

    /// Names as received and values without the white space around them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> + Clone {
        self.table.iter().map(|field| {
            let name = Span {
                start: field.name,
                length: field.name_length,
            };
            let value = Span {
                start: field.value,
                length: field.value_length,
            };
            (name.get(&self.block), value.get(&self.block))
        })
    }

    /// The value of the first field with this name, in any case.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The values of all fields with this name, in any case.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        f.debug_list()
            .entries(self.iter().map(|(name, value)| (text(name), text(value))))
            .finish()
    }
}
