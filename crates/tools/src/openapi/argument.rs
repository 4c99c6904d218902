//! The arguments of a tool: the parameters of an operation, and its body.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::convert::Converter;
use super::{Api, name};
use crate::error::head;
use crate::http::{Body, Node, Parameter, Style, header};
use crate::limits::{DESCRIPTION_OCTETS, PARAMETERS};
use crate::template::{Form, Template};

/// What the parameters of an operation come to.
pub(super) struct Asked<'a> {
    api: &'a Api<'a>,
    converter: Converter<'a>,
    properties: Map<String, Value>,
    required: BTreeSet<String>,
    taken: BTreeSet<String>,
    /// Arguments for places of the path, by the name that the path has.
    pub(super) path: BTreeMap<String, String>,
    pub(super) query: Vec<Parameter>,
    pub(super) headers: Vec<(http::HeaderName, Template, Style)>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(api: &'a Api<'a>, keeps_patterns: bool) -> Self {
        Self {
            api,
            converter: Converter::new(api, keeps_patterns),
            properties: Map::new(),
            required: BTreeSet::new(),
            taken: BTreeSet::new(),
            path: BTreeMap::new(),
            query: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The parameters; those of the operation count more than those of its path.
    pub(super) fn parameters(&mut self, lists: [Option<&'a Value>; 2]) -> Result<(), String> {
        let mut parameters: BTreeMap<(usize, &str), &Value> = BTreeMap::new();
        for parameter in lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
        {
            let parameter = self.api.followed(parameter)?;
            let text = |field: &str| parameter.get(field).and_then(Value::as_str);
            let (name, place) = (text("name"), text("in"));
            let (Some(name), Some(place)) = (name, place) else {
                return Err("a parameter has no `name` or no `in`".to_owned());
            };
            let place = PLACES.iter().position(|it| *it == place);
            let place = place.ok_or_else(|| {
                let name = head(name, 64);
                format!("the parameter `{name}` stands where none can")
            })?;
            parameters.insert((place, name), parameter);
        }
        if parameters.len() > PARAMETERS {
            return Err(format!("it has more than {PARAMETERS} parameters"));
        }
        for ((place, name), parameter) in parameters {
            self.parameter(
                PLACES.get(place).copied().unwrap_or_default(),
                name,
                parameter,
            )?;
        }
        Ok(())
    }

    fn parameter(&mut self, place: &str, name: &str, parameter: &'a Value) -> Result<(), String> {
        let own = match place {
            // Cookies carry sessions, and those are the gateway's.
            "cookie" => return Ok(()),
            "header" => match header(name) {
                Ok(header) if header != http::header::ACCEPT => Some(header),
                _ => return Ok(()),
            },
            _ => None,
        };
        let style = style(place, parameter)?;
        let is_required = place == "path" || parameter.get("required") == Some(&json!(true));
        let (schema, style) = match (parameter.get("schema"), media(parameter)) {
            (Some(schema), _) => (schema, style),
            (None, Some((_, schema))) => (schema, Style::Json),
            (None, None) => (&Value::Bool(true), style),
        };
        let about = parameter.get("description").and_then(Value::as_str);
        let argument = self.argument(name, place, (schema, about), is_required)?;
        let value = Template::place(&argument, form(is_required));
        match (place, own) {
            ("path", _) => {
                self.path.insert(name.to_owned(), argument);
            }
            (_, Some(header)) => self.headers.push((header, value, style)),
            _ => self.query.push(Parameter {
                name: name.to_owned(),
                value,
                style,
            }),
        }
        Ok(())
    }

    /// The body: JSON, else a form.
    pub(super) fn body(&mut self, body: Option<&'a Value>) -> Result<Body, String> {
        let Some(body) = body else {
            return Ok(Body::None);
        };
        let body = self.api.followed(body)?;
        let is_required = body.get("required") == Some(&json!(true));
        let Some((is_json, schema)) = media(body) else {
            if is_required {
                return Err("its body is neither JSON nor a form".to_owned());
            }
            return Ok(Body::None);
        };
        let about = body.get("description").and_then(Value::as_str);
        let argument = self.argument("body", "request", (schema, about), is_required)?;
        let template = Template::place(&argument, form(is_required));
        Ok(match is_json {
            true => Body::Json(Node::Text(template)),
            false => Body::FormOf(template),
        })
    }

    fn argument(
        &mut self,
        name: &str,
        place: &str,
        (schema, about): (&Value, Option<&str>),
        is_required: bool,
    ) -> Result<String, String> {
        let mut schema = self.converter.convert(schema)?;
        if schema == Value::Bool(true) {
            schema = json!({});
        }
        if let (Some(fields), Some(about)) = (schema.as_object_mut(), about) {
            fields.insert(
                "description".to_owned(),
                json!(head(about, DESCRIPTION_OCTETS)),
            );
        }
        let argument = name::of_argument(name, place, &mut self.taken);
        self.properties.insert(argument.clone(), schema);
        if is_required {
            self.required.insert(argument.clone());
        }
        Ok(argument)
    }

    /// Whether a schema so far has a regular expression.
    pub(super) const fn has_patterns(&self) -> bool {
        self.converter.has_patterns
    }

    /// The schema of all arguments.
    pub(super) fn schema(&mut self) -> Result<Value, String> {
        let mut schema = json!({
            "type": "object",
            "properties": std::mem::take(&mut self.properties),
            "required": std::mem::take(&mut self.required),
            "additionalProperties": false,
        });
        let definitions = self.converter.finish()?;
        if let (Some(fields), false) = (schema.as_object_mut(), definitions.is_empty()) {
            fields.insert("$defs".to_owned(), Value::Object(definitions));
        }
        Ok(schema)
    }
}

const fn form(is_required: bool) -> Form {
    match is_required {
        true => Form::Required,
        false => Form::Optional,
    }
}

/// Whether it is JSON or a form, and its schema.
fn media(body: &Value) -> Option<(bool, &Value)> {
    let content = body.get("content").and_then(Value::as_object)?;
    let found = |is_kind: fn(&str) -> bool| {
        content.iter().find_map(|(kind, media)| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            is_kind(&kind.to_ascii_lowercase()).then(|| media.get("schema").unwrap_or(&Value::Null))
        })
    };
    let json = found(|kind| kind == "application/json" || kind.ends_with("+json"));
    let json = json.map(|schema| (true, schema));
    json.or_else(|| found(|kind| kind == "application/x-www-form-urlencoded").map(|it| (false, it)))
}

/// How lists and objects are written (OpenAPI 3.1, 4.8.12.2).
fn style(place: &str, parameter: &Value) -> Result<Style, String> {
    let style = parameter.get("style").and_then(Value::as_str);
    let explodes = parameter.get("explode").and_then(Value::as_bool);
    match (place, style) {
        ("path" | "header", None | Some("simple")) => Ok(Style::Joined(',')),
        ("query", None | Some("form")) if explodes == Some(false) => Ok(Style::Joined(',')),
        ("query", None | Some("form")) => Ok(Style::Repeated),
        ("query", Some("spaceDelimited")) => Ok(Style::Joined(' ')),
        ("query", Some("pipeDelimited")) => Ok(Style::Joined('|')),
        ("query", Some("deepObject")) => Ok(Style::Deep),
        (_, style) => {
            let style = head(style.unwrap_or_default(), 64);
            Err(format!(
                "a parameter of its {place} has the style `{style}`, which is not supported"
            ))
        }
    }
}

/// Where parameters stand; those of the path have the first choice of a name.
const PLACES: [&str; 4] = ["path", "query", "header", "cookie"];
