//! The description of a handler: what `data_bridge` checks at registration and shows in `OpenAPI`. JSON, as docs/design/0026 has it.

use crate::errors::ErrorInfo;
use crate::extract::FromRequest;
use crate::handler::Handler;
use crate::state::Module;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use std::any::TypeId;

/// What handlers, their extractors and their answers say of themselves.
pub struct Operation {
    generator: SchemaGenerator,
    /// The path's parameters; without names where only their number is known.
    path: Vec<Value>,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
    /// States that the handler takes.
    needs: Vec<(TypeId, &'static str)>,
}

/// The description of a module's handler.
pub(crate) fn of<H: Handler>(module: &Module) -> String {
    let mut operation = Operation::new();
    H::describe(&mut operation);
    let lacking = operation.needs.iter();
    let lacking = lacking.filter(|(kind, _)| !module.makes(*kind));
    let lacking: Vec<&str> = lacking.map(|(_, name)| *name).collect();
    let (summary, text) = H::DOC.split_once("\n\n").unwrap_or((H::DOC, ""));
    json!({
        "name": H::NAME,
        "mount": H::MOUNT,
        "sdk": env!("CARGO_PKG_VERSION"),
        "lacking": lacking,
        "path": operation.path,
        "summary": summary.trim(),
        "description": text.trim(),
        "parameters": operation.parameters,
        "body": operation.body,
        "responses": operation.responses,
        "schemas": operation.generator.take_definitions(true),
    })
    .to_string()
}

impl Operation {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            generator: settings.into_generator(),
            path: Vec::new(),
            parameters: Vec::new(),
            body: None,
            responses: Map::new(),
            needs: Vec::new(),
        }
    }

    /// The schema of a type, by reference where it has a name.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// A body is taken.
    pub fn body(&mut self, media_type: &str, schema: Option<Value>) {
        let schema = schema.unwrap_or_else(|| json!({"type": "string", "format": "binary"}));
        self.body = Some(json!({"content": {media_type: {"schema": schema}}, "required": true}));
    }

    /// An answer of this status is given. The first description of a status stays.
    pub fn response(&mut self, status: u16, media_type: &str, schema: Option<Value>) {
        let schema = schema.unwrap_or_else(|| json!({"type": "string"}));
        let answer = json!({
            "description": "Successful Response",
            "content": {media_type: {"schema": schema}},
        });
        self.responses.entry(status.to_string()).or_insert(answer);
    }

    /// Requests may be refused with a 422.
    pub(crate) fn may_refuse(&mut self) {
        let reference = json!({"$ref": "#/components/schemas/HTTPValidationError"});
        let answer = json!({
            "description": "Validation Error",
            "content": {"application/json": {"schema": reference}},
        });
        self.responses.entry("422").or_insert(answer);
    }

    /// An error is given. Errors of one status stand beside each other.
    pub(crate) fn error(&mut self, info: &ErrorInfo, schema: Value) {
        let answer = self.responses.entry(info.status.to_string());
        let answer = answer.or_insert_with(|| {
            json!({"description": info.message, "content": {"application/json": {"schema": {"anyOf": []}}}})
        });
        let all = answer.pointer_mut("/content/application~1json/schema/anyOf");
        if let Some(Value::Array(all)) = all {
            all.push(schema);
        }
    }

    /// What `T` takes may be missing.
    pub(crate) fn describe_optional<T: FromRequest>(&mut self, names: &[&str]) {
        let (parameters, had_body) = (self.parameters.len(), self.body.is_some());
        let refuses = self.responses.contains_key("422");
        T::describe(self, names);
        let added = self.parameters.get_mut(parameters..).unwrap_or_default();
        for parameter in added {
            parameter["required"] = json!(false);
        }
        if let Some(body) = self.body.as_mut().filter(|_| !had_body) {
            body["required"] = json!(false);
        }
        if !refuses {
            self.responses.remove("422");
        }
    }

    /// A state of this type is taken.
    pub(crate) fn needs(&mut self, kind: TypeId, name: &'static str) {
        self.needs.push((kind, name));
    }

    /// The fields of a struct are parameters; `rename` gives their names in the request.
    pub(crate) fn parameters<T: JsonSchema>(
        &mut self,
        place: &str,
        rename: impl Fn(&str) -> String,
    ) {
        let schema = T::json_schema(&mut self.generator);
        let required = required(&schema);
        for (name, schema) in properties(&schema) {
            self.parameters.push(json!({
                "name": rename(name),
                "in": place,
                "required": required.contains(&name.as_str()),
                "schema": schema,
            }));
        }
    }

    /// The path's parameters: those of a struct, or as many as a tuple has, or one, named as the argument's pattern says.
    pub(crate) fn path<T: JsonSchema>(&mut self, names: &[&str]) {
        let schema = T::json_schema(&mut self.generator);
        let fields = properties(&schema);
        if !fields.is_empty() {
            let fields = fields.into_iter();
            let fields = fields.map(|(name, schema)| json!({"name": name, "schema": schema}));
            self.path.extend(fields);
            return;
        }
        let items = schema.get("prefixItems").and_then(Value::as_array);
        let schemas = items.cloned().unwrap_or_else(|| vec![schema.to_value()]);
        let names = (names.len() == schemas.len()).then_some(names);
        for (index, schema) in schemas.into_iter().enumerate() {
            let name = names.map(|names| names[index]);
            self.path.push(json!({"name": name, "schema": schema}));
        }
    }
}

fn properties(schema: &Schema) -> Vec<(&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .map(|all| all.iter().collect())
        .unwrap_or_default()
}

fn required(schema: &Schema) -> Vec<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    let names = names.map(|names| names.iter().filter_map(Value::as_str));
    names.map(Iterator::collect).unwrap_or_default()
}
