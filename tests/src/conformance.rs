//! Holds answers against the OpenAPI document. Every answer that any test gets goes through here, so that what the
//! document promises is what the server does, also in corners that nobody had the document in mind for.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// What came back, as far as the document speaks of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The method of the request.
    pub(crate) method: &'a str,
    /// The target of the request, with its query.
    pub(crate) target: &'a str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// `Content-Type`.
    pub(crate) content_type: Option<&'a str>,
    /// The names of its headers, in lower case.
    pub(crate) headers: &'a [String],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// Panics when the document does not promise such an answer.
#[track_caller]
pub(crate) fn check(seen: Seen<'_>) {
    if let Err(why) = conforms(seen) {
        let body = String::from_utf8_lossy(seen.body);
        panic!("the document does not promise this ({why}): {seen:?} {body}");
    }
}

fn conforms(seen: Seen<'_>) -> Result<(), String> {
    let path = seen.target.split('?').next().unwrap_or_default();
    let Some((template, item)) = find(path) else {
        return Ok(());
    };
    let method = if seen.method == "HEAD" { "get".to_owned() } else { seen.method.to_lowercase() };
    let Some(operation) = item.get(&method) else {
        let allowed = seen.method == "OPTIONS" || matches!(seen.status, 400 | 405 | 408 | 414 | 429 | 431);
        return if allowed { Ok(()) } else { Err("a method that is not there".to_owned()) };
    };
    let place = format!("/paths/{}/{method}/responses/{}", escape(template), seen.status);
    let response = operation["responses"].get(seen.status.to_string()).ok_or("the status")?;
    let (place, response) = resolve(place, response);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let (_, header) = resolve(String::new(), header);
        if header["required"] == true && !seen.headers.contains(&name.to_lowercase()) {
            return Err(format!("without the header {name}"));
        }
    }
    let Some(contents) = response["content"].as_object() else {
        return if seen.body.is_empty() { Ok(()) } else { Err("a body".to_owned()) };
    };
    let kind = seen.content_type.unwrap_or_default();
    let (media_type, content) =
        contents.iter().find(|(media_type, _)| *media_type == kind).ok_or("the type of the body")?;
    if content.get("schema").is_none() || seen.method == "HEAD" {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(seen.body).map_err(|_| "no JSON")?;
    let validator = validator(&format!("{place}/content/{}/schema", escape(media_type)));
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
}

/// The document, in which every object that is not open on purpose is closed: a member that it does not name is a fault
/// of ours, though callers have to expect new ones.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = serde_json::from_str(techsupport_http::openapi()).expect("the document is JSON");
    close(&mut document, false);
    document
});

fn close(value: &mut Value, is_part: bool) {
    match value {
        Value::Object(members) => {
            let is_object = members.get("properties").is_some_and(Value::is_object);
            if is_object && !is_part && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            for (name, member) in members {
                if name == "allOf" {
                    member.as_array_mut().into_iter().flatten().for_each(|part| close(part, true));
                } else if name != "example" && name != "examples" {
                    close(member, false);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, false)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The path of the document that a request's path is an instance of. Literal ones come before those with parameters.
fn find(path: &str) -> Option<(&'static str, &'static Map<String, Value>)> {
    let paths = DOCUMENT["paths"].as_object()?;
    let matches = |template: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(w, g)| w == g || w.starts_with('{') && !g.is_empty())
    };
    let mut found: Vec<_> = paths.iter().filter(|(template, _)| matches(template)).collect();
    found.sort_by_key(|(template, _)| template.matches('{').count());
    found.first().and_then(|(template, item)| Some((template.as_str(), item.as_object()?)))
}

fn resolve(place: String, value: &'static Value) -> (String, &'static Value) {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    match target.and_then(|target| Some((target.to_owned(), DOCUMENT.pointer(target)?))) {
        Some(there) => there,
        None => (place, value),
    }
}

fn validator(place: &str) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = made.get(place) {
        return Arc::clone(validator);
    }
    let mut schema = json!({"$ref": format!("#{place}")});
    for part in ["paths", "components"] {
        schema[part] = DOCUMENT[part].clone();
    }
    let built = jsonschema::options().should_validate_formats(true).build(&schema);
    let built = Arc::new(built.unwrap_or_else(|error| panic!("{place}: {error}")));
    made.insert(place.to_owned(), Arc::clone(&built));
    built
}

/// As a part of a JSON pointer in a URI fragment.
fn escape(name: &str) -> String {
    name.replace('~', "~0")
        .replace('/', "~1")
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace(' ', "%20")
        .replace(';', "%3B")
}
