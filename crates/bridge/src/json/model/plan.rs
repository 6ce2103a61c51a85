//! How values of a type become JSON, as data. Read from a core schema by [`read`](super::read), walked by the writer.

use pyloop::gil::Kept;
use pyo3::types::{PyString, PyType};

use super::super::write::quoted;

/// A type's values, and the models among them.
pub struct Plan {
    pub root: Node,
    pub models: Vec<Model>,
    pub wishes: Wishes,
}

/// What a caller says to Pydantic's serialiser beside the value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct Wishes {
    /// Whether keys are aliases; without a word each model's configuration says so.
    pub by_alias: Option<bool>,
    pub exclude_none: bool,
    pub exclude_unset: bool,
}

/// How a value is written. A value that is not exactly of the node's type is a surprise.
pub enum Node {
    Str,
    Int,
    Float,
    Bool,
    None,
    Nullable(Box<Node>),
    List(Box<Node>),
    /// A `set` or a `frozenset`.
    Set(Class, Box<Node>),
    /// A tuple of any length.
    Row(Box<Node>),
    /// A tuple of these.
    Tuple(Vec<Node>),
    /// From strings to this.
    Dict(Box<Node>),
    /// The model of this number in its plan.
    Model(usize),
    /// What becomes a string: exactly of this class.
    Text(Class, Form),
    /// A member of an enumeration, whose value is a string or an integer.
    Member(Class),
    /// One of these strings.
    Literal(Vec<Kept<PyString>>),
    /// One of these, told apart by exact classes.
    Union(Vec<Node>),
    /// Whatever it is: the built-in types, and what becomes a string.
    Any,
    /// The built-in types as `json.dumps` writes them, with keys as `FastAPI` leaves them.
    Plain,
}

impl Plan {
    /// For values that no type says anything about, as `FastAPI` writes them.
    pub const PLAIN: Self = Self {
        root: Node::Plain,
        models: Vec::new(),
        wishes: Wishes {
            by_alias: None,
            exclude_none: false,
            exclude_unset: false,
        },
    };
}

impl Plan {
    /// Whether a model among its values has a key that begins so.
    pub fn has_key_like(&self, beginning: &str) -> bool {
        let keys = self.models.iter().flat_map(|model| &model.fields);
        keys.filter_map(|field| field.key.as_ref())
            .any(|key| key.as_slice()[1..].starts_with(beginning.as_bytes()))
    }
}

/// A class whose instances a node takes.
pub struct Class(pub Kept<PyType>);

/// What becomes a string, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    DateTime,
    Date,
    Time,
    Uuid,
    Decimal,
}

/// A class and its fields, in the order in which instances have them.
pub struct Model {
    pub class: Class,
    pub fields: Vec<Field>,
}

/// One field of a model.
pub struct Field {
    /// Its name, interned as the attribute's.
    pub name: Kept<PyString>,
    /// Its key with quotes and colon; `None` where it is left out.
    pub key: Option<Key>,
    pub node: Node,
}

/// A key as it stands in a document, copied as one block of a fixed size where it is short.
pub struct Key {
    bytes: Box<[u8]>,
    length: usize,
}

/// Bytes of the block.
pub const BLOCK: usize = 32;

impl Key {
    /// The key called `name`.
    pub fn new(name: &str) -> Self {
        let mut bytes = quoted(name);
        bytes.push(b':');
        let length = bytes.len();
        bytes.resize(length.max(BLOCK), 0);
        Self {
            bytes: bytes.into(),
            length,
        }
    }

    /// The text.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The text within its block, and its length; `None` where it is longer than that.
    #[inline]
    pub fn block(&self) -> Option<(&[u8; BLOCK], usize)> {
        let block = self.bytes.first_chunk()?;
        (self.length <= BLOCK).then_some((block, self.length))
    }
}
