//! A core schema as a plan. Knows Pydantic's schemas, writes nothing.
//!
//! Law: a plan stands only for what is written in one certain way. A schema with anything else in it gives no plan, and a
//! kind or a word about serialisation that a later release brings is something else.

use std::collections::HashMap;

use pyloop::gil::Kept;
use pyo3::prelude::*;
use pyo3::types::{
    PyDate, PyDateTime, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTime, PyType,
};

use super::super::write::{Kind, kind_of};
use super::plan::{Class, Field, Form, Key, Model, Node, Plan, Wishes};

/// Reads the plan of a schema; `None` where it has something that only Pydantic is sure of.
pub fn read(schema: &Bound<'_, PyAny>, wishes: Wishes) -> PyResult<Option<Plan>> {
    let Ok(schema) = schema.cast_exact::<PyDict>() else {
        return Ok(None);
    };
    let mut reader = Reader {
        wishes,
        definitions: HashMap::new(),
        numbers: HashMap::new(),
        models: Vec::new(),
    };
    let root = reader.node(schema)?;
    let models: Option<Vec<Model>> = reader.models.into_iter().collect();
    Ok(root.zip(models).map(|(root, models)| Plan {
        root,
        models,
        wishes,
    }))
}

struct Reader<'py> {
    wishes: Wishes,
    /// Schemas that others refer to.
    definitions: HashMap<String, Bound<'py, PyDict>>,
    /// Models by class; one that is being read has its number already.
    numbers: HashMap<usize, usize>,
    models: Vec<Option<Model>>,
}

/// Keys that begin as those do which change how values are written, and are understood.
const UNDERSTOOD: [&str; 3] = [
    "serialize_by_alias",
    "serialization_alias",
    "serialization_exclude",
];

type Found<T> = PyResult<Option<T>>;

impl<'py> Reader<'py> {
    fn node(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        if is_doubtful(schema)? {
            return Ok(None);
        }
        let py = schema.py();
        let kind: String = text(schema, "type")?.unwrap_or_default();
        Ok(match kind.as_str() {
            "str" => Some(Node::Str),
            "int" => Some(Node::Int),
            "float" => Some(Node::Float),
            "bool" => Some(Node::Bool),
            "none" => Some(Node::None),
            "any" => Some(Node::Any),
            "datetime" => Some(as_text(py.get_type::<PyDateTime>(), Form::DateTime)),
            "date" => Some(as_text(py.get_type::<PyDate>(), Form::Date)),
            "time" => Some(as_text(py.get_type::<PyTime>(), Form::Time)),
            "uuid" => Some(as_text(imported(py, "uuid", "UUID")?, Form::Uuid)),
            "decimal" => Some(as_text(imported(py, "decimal", "Decimal")?, Form::Decimal)),
            "default" | "function-before" | "function-after" | "function-wrap" => {
                self.inner(schema, "schema")?
            }
            "nullable" => self
                .inner(schema, "schema")?
                .map(|node| Node::Nullable(Box::new(node))),
            "list" => self.items(schema)?.map(|node| Node::List(Box::new(node))),
            "set" => self.set(schema, py.get_type::<PySet>())?,
            "frozenset" => self.set(schema, py.get_type::<PyFrozenSet>())?,
            "tuple" => self.tuple(schema)?,
            "dict" => self.dict(schema)?,
            "literal" => literal(schema)?,
            "union" => self.union(schema)?,
            "enum" => enumeration(schema)?,
            "model" => self.model(schema)?,
            "definitions" => self.defining(schema)?,
            "definition-ref" => self.defined(schema)?,
            _ => None,
        })
    }

    fn inner(&mut self, schema: &Bound<'py, PyDict>, name: &str) -> Found<Node> {
        match schema.get_item(name)? {
            Some(inner) => self.node(inner.cast::<PyDict>()?),
            None => Ok(None),
        }
    }

    /// What a container's items are; any, where its schema does not say.
    fn items(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        if !schema.contains("items_schema")? {
            return Ok(Some(Node::Any));
        }
        self.inner(schema, "items_schema")
    }

    fn set(&mut self, schema: &Bound<'py, PyDict>, class: Bound<'py, PyType>) -> Found<Node> {
        let items = self.items(schema)?;
        Ok(items.map(|node| Node::Set(Class(Kept::from(class)), Box::new(node))))
    }

    fn tuple(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        let mut nodes = Vec::new();
        for item in list(schema, "items_schema")? {
            match self.node(&item.cast_into::<PyDict>()?)? {
                Some(node) => nodes.push(node),
                None => return Ok(None),
            }
        }
        if !schema.contains("variadic_item_index")? {
            return Ok(Some(Node::Tuple(nodes)));
        }
        let only = nodes.pop().filter(|_| nodes.is_empty());
        Ok(only.map(|node| Node::Row(Box::new(node))))
    }

    fn dict(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        let keys = part(schema, "keys_schema")?;
        let known = text(&keys, "type")?.is_none_or(|kind| kind == "str" || kind == "any");
        if !known || is_doubtful(&keys)? {
            return Ok(None);
        }
        let values = if schema.contains("values_schema")? {
            self.inner(schema, "values_schema")?
        } else {
            Some(Node::Any)
        };
        Ok(values.map(|node| Node::Dict(Box::new(node))))
    }

    /// Choices whose values no two of them would take.
    fn union(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        for choice in list(schema, "choices")? {
            let Ok(choice) = choice.cast_into::<PyDict>() else {
                return Ok(None);
            };
            match self.node(&choice)? {
                Some(
                    node @ (Node::Str
                    | Node::Int
                    | Node::Float
                    | Node::Bool
                    | Node::None
                    | Node::Model(_)),
                ) => nodes.push(node),
                _ => return Ok(None),
            }
        }
        Ok(Some(Node::Union(nodes)))
    }

    fn defining(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        for definition in list(schema, "definitions")? {
            let definition = definition.cast_into::<PyDict>()?;
            if let Some(name) = text(&definition, "ref")? {
                self.definitions.insert(name, definition);
            }
        }
        self.inner(schema, "schema")
    }

    fn defined(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        let name = text(schema, "schema_ref")?.unwrap_or_default();
        let found = self.definitions.get(&name).cloned();
        let kind = found
            .as_ref()
            .map(|found| text(found, "type"))
            .transpose()?;
        match (found, kind.flatten().as_deref()) {
            // What refers to itself without a model in between would be read without end.
            (Some(found), Some("model" | "enum")) => self.node(&found),
            _ => Ok(None),
        }
    }

    fn model(&mut self, schema: &Bound<'py, PyDict>) -> Found<Node> {
        let class = schema.get_item("cls")?;
        let Some(class) = class.and_then(|class| class.cast_into::<PyType>().ok()) else {
            return Ok(None);
        };
        let address = class.as_ptr() as usize;
        if let Some(number) = self.numbers.get(&address) {
            return Ok(Some(Node::Model(*number)));
        }
        let number = self.models.len();
        self.numbers.insert(address, number);
        self.models.push(None);
        let config = part(schema, "config")?;
        if flag(schema, "root_model")? || is_doubtful(&config)? || !has_plain_attributes(&class)? {
            return Ok(None);
        }
        let Some(fields) = self.fields(&part(schema, "schema")?, &config)? else {
            return Ok(None);
        };
        self.models[number] = Some(Model {
            class: Class(Kept::from(class)),
            fields,
        });
        Ok(Some(Node::Model(number)))
    }

    fn fields(
        &mut self,
        schema: &Bound<'py, PyDict>,
        config: &Bound<'py, PyDict>,
    ) -> Found<Vec<Field>> {
        if is_doubtful(schema)? {
            return Ok(None);
        }
        let kind = text(schema, "type")?.unwrap_or_default();
        if let "function-before" | "function-after" | "function-wrap" = kind.as_str() {
            return self.fields(&part(schema, "schema")?, config);
        }
        let keeps_extra = text(schema, "extra_behavior")?.as_deref() == Some("allow")
            || text(config, "extra_fields_behavior")?.as_deref() == Some("allow");
        if kind != "model-fields" || keeps_extra || !list(schema, "computed_fields")?.is_empty() {
            return Ok(None);
        }
        let by_alias = match self.wishes.by_alias {
            Some(by_alias) => by_alias,
            None => flag(config, "serialize_by_alias")?,
        };
        let mut fields = Vec::new();
        for (name, field) in part(schema, "fields")?.iter() {
            let (name, field) = (name.cast_into::<PyString>()?, field.cast_into::<PyDict>()?);
            match self.field(&name, &field, by_alias)? {
                Some(field) => fields.push(field),
                None => return Ok(None),
            }
        }
        Ok(Some(fields))
    }

    fn field(
        &mut self,
        name: &Bound<'py, PyString>,
        field: &Bound<'py, PyDict>,
        by_alias: bool,
    ) -> Found<Field> {
        if is_doubtful(field)? {
            return Ok(None);
        }
        let Some(node) = self.inner(field, "schema")? else {
            return Ok(None);
        };
        let alias = text(field, "serialization_alias")?.filter(|_| by_alias);
        let shown = match &alias {
            Some(alias) => alias,
            None => name.to_str()?,
        };
        let is_excluded = flag(field, "serialization_exclude")?;
        Ok(Some(Field {
            key: (!is_excluded).then(|| Key::new(shown)),
            name: Kept::new(PyString::intern(name.py(), name.to_str()?).unbind()),
            node,
        }))
    }
}

fn literal(schema: &Bound<'_, PyDict>) -> Found<Node> {
    let expected = list(schema, "expected")?.into_iter();
    let strings: Option<Vec<Kept<PyString>>> = expected
        .map(|value| value.cast_into_exact::<PyString>().ok().map(Kept::from))
        .collect();
    Ok(strings.map(Node::Literal))
}

fn enumeration(schema: &Bound<'_, PyDict>) -> Found<Node> {
    let Some(class) = schema.get_item("cls")? else {
        return Ok(None);
    };
    let class = class.cast_into::<PyType>()?;
    let is_plain = kind_of(&class)? == Kind::Enum { overridden: false };
    Ok(is_plain.then(|| Node::Member(Class(Kept::from(class)))))
}

fn as_text(class: Bound<'_, PyType>, form: Form) -> Node {
    Node::Text(Class(Kept::from(class)), form)
}

fn imported<'py>(py: Python<'py>, module: &str, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py.import(module)?.getattr(name)?.cast_into()?)
}

/// Whether an instance's attributes are what its `__dict__` has, without code that says otherwise.
fn has_plain_attributes(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let object = class.py().get_type::<PyAny>();
    let getattribute = class.getattr("__getattribute__")?;
    if !getattribute.is(&object.getattr("__getattribute__")?) {
        return Ok(false);
    }
    for parent in class.mro() {
        if let Ok(own) = parent.getattr("__dict__")?.get_item("__dict__") {
            return Ok(own.get_type().name()? == "getset_descriptor");
        }
    }
    Ok(false)
}

/// Whether a schema or a configuration has a word that changes how values are written.
fn is_doubtful(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    for (key, _) in schema.iter() {
        let key = key.cast_into::<PyString>()?;
        let key = key.to_str()?;
        let is_word = key.starts_with("ser") || key == "polymorphic_serialization";
        if key == "extras_schema" || is_word && !UNDERSTOOD.contains(&key) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn text(schema: &Bound<'_, PyDict>, name: &str) -> Found<String> {
    let found = schema.get_item(name)?;
    Ok(found.and_then(|found| found.extract().ok()))
}

fn flag(schema: &Bound<'_, PyDict>, name: &str) -> PyResult<bool> {
    let found = schema.get_item(name)?;
    found.map_or(Ok(false), |found| found.is_truthy())
}

/// A schema within a schema; an empty one where there is none.
fn part<'py>(schema: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyDict>> {
    match schema.get_item(name)? {
        Some(part) => Ok(part.cast_into()?),
        None => Ok(PyDict::new(schema.py())),
    }
}

fn list<'py>(schema: &Bound<'py, PyDict>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    match schema.get_item(name)? {
        Some(found) => Ok(found.cast_into::<PyList>()?.iter().collect()),
        None => Ok(Vec::new()),
    }
}
