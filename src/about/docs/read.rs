//! OpenAPI as sections and calls that a person can read.

use serde_json::{Map, Value, json};

use super::sections::{self, Section};
use crate::web::Words;

/// Calls about one thing.
#[derive(Debug)]
pub struct Subject {
    pub section: Section,
    pub calls: Vec<Call>,
}

#[derive(Debug)]
pub struct Call {
    /// By which links lead to it: `get-api-v1-users-id`.
    pub anchor: String,
    pub method: String,
    pub path: String,
    pub who: String,
    pub summary: Words,
    pub about: Vec<Words>,
    pub parameters: Vec<Parameter>,
    /// The fields of the body that it takes.
    pub fields: Vec<Field>,
    pub answers: Vec<Answer>,
    /// How to make it with curl.
    pub curl: String,
}

#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub required: bool,
    pub about: Words,
}

/// One field of a body.
#[derive(Debug)]
pub struct Field {
    /// In a field that is an object itself: `tty.rows`.
    pub name: String,
    /// What it may be, in words.
    pub takes: String,
    pub required: bool,
    /// What holds where it is left out, if that is a value.
    pub default: Option<String>,
    pub about: Words,
}

#[derive(Debug)]
pub struct Answer {
    pub status: String,
    pub about: Words,
    /// An example of what is not a refusal.
    pub body: Option<String>,
}

/// All calls by section, within one by their addresses.
pub fn subjects(api: &Value) -> Vec<Subject> {
    let mut all: Vec<(usize, Subject)> = Vec::new();
    for (path, item) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some((at, section)) = sections::of_call(path) else { continue };
            let call = call(api, path, method, operation);
            match all.iter_mut().find(|(place, _)| *place == at) {
                Some((_, subject)) => subject.calls.push(call),
                None => all.push((at, Subject { section, calls: vec![call] })),
            }
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, subject)| subject).collect()
}

fn call(api: &Value, path: &str, method: &str, operation: &Value) -> Call {
    let method = method.to_uppercase();
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let of = |p: &Value| Parameter {
        name: text(&p["name"]),
        place: text(&p["in"]),
        required: p["required"].as_bool().unwrap_or(false),
        about: about_parameter(p),
    };
    let mut answers = Vec::new();
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let schema = &answer["content"]["application/json"]["schema"];
        let good = status.starts_with('2') && !schema.is_null();
        let body = good.then(|| shown(&example(api, schema, 0)));
        let about = Words::from(answer["description"].as_str().unwrap_or_default());
        answers.push(Answer { status: status.clone(), about, body });
    }
    answers.sort_by(|a, b| a.status.cmp(&b.status));
    let about = text(&operation["description"]);
    let mut fields = Vec::new();
    list_fields(api, body, "", &mut fields);
    Call {
        anchor: anchor(&method, path),
        curl: curl(api, &method, path, operation),
        method,
        path: path.to_owned(),
        who: match operation["x-hearth-who"].as_str() {
            Some("person") => "user, not by an API token".into(),
            _ => text(&operation["x-hearth-who"]),
        },
        summary: Words::from(text(&operation["summary"]).trim_end_matches('.')),
        about: about.split("\n\n").filter(|p| !p.is_empty()).map(Words::from).collect(),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(of).collect(),
        fields,
        answers,
    }
}

fn anchor(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_lowercase(), |all, word| all + "-" + word)
}

/// What a parameter means, what it takes where it takes only certain words, and what holds without it.
fn about_parameter(p: &Value) -> Words {
    let own = if p["description"].is_null() { &p["schema"]["description"] } else { &p["description"] };
    let mut all = vec![text(own), words(&p["schema"])];
    if let Some(default) = p["schema"].get("default").filter(|default| !default.is_null()) {
        all.push(format!("Without it {default}."));
    }
    all.retain(|part| !part.is_empty());
    Words::from(all.join(" ").as_str())
}

/// The words that a parameter takes, where it takes no others.
fn words(schema: &Value) -> String {
    let several = schema["oneOf"].as_array().into_iter().flatten();
    let all = std::iter::once(schema).chain(several).find_map(|one| one["enum"].as_array());
    let all: Vec<&str> = all.into_iter().flatten().filter_map(Value::as_str).collect();
    if all.is_empty() { String::new() } else { format!("One of {}.", all.join(", ")) }
}

/// The fields of an object, and of those within it.
fn list_fields(api: &Value, schema: &Value, within: &str, all: &mut Vec<Field>) {
    let schema = resolved(api, schema);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let real = resolved(api, field);
        let path = format!("{within}{name}");
        let is_required = required.contains(&name.as_str());
        // Beside a reference, or in the one of two that is not `null`, stands what this field is; else what its kind is.
        let several = field["oneOf"].as_array().into_iter().flatten();
        let mut told = std::iter::once(field).chain(several).map(|s| &s["description"]).chain([&real["description"]]);
        let about = told.find_map(Value::as_str).unwrap_or_default();
        let takes = takes(api, field);
        let default = field.get("default").filter(|default| !default.is_null()).cloned();
        let default = default.or_else(|| (!is_required && real["type"] == "boolean").then_some(json!(false)));
        let default = default.map(|default| if default == json!([]) { "none".into() } else { default.to_string() });
        all.push(Field { name: path.clone(), takes, required: is_required, default, about: Words::from(about) });
        if real["properties"].is_object() {
            list_fields(api, real, &format!("{path}."), all);
        }
    }
}

/// What a value may be, in words.
fn takes(api: &Value, schema: &Value) -> String {
    let real = resolved(api, schema);
    let known: Vec<&str> = real["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !known.is_empty() {
        return format!("one of {}", known.join(", "));
    }
    match kind(real) {
        Some("string") => "text".into(),
        Some("boolean") => "true or false".into(),
        Some("array") => format!("list, each {}", takes(api, &real["items"])),
        Some("object") => "object".into(),
        Some("integer" | "number") => match (&real["minimum"], &real["maximum"]) {
            (Value::Number(least), Value::Number(most)) => format!("number, {least} to {most}"),
            (Value::Number(least), _) => format!("number, at least {least}"),
            _ => "number".into(),
        },
        _ => "any value".into(),
    }
}

/// Without its reference, and without its `null`.
fn resolved<'a>(api: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return resolved(api, &api["components"]["schemas"][name]);
    }
    let real = schema["oneOf"].as_array().and_then(|all| all.iter().find(|s| s["type"] != "null"));
    real.map_or(schema, |real| resolved(api, real))
}

/// What kind of value it is, besides `null`.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find_map(|kind| kind.as_str().filter(|kind| *kind != "null")),
        kind => kind.as_str(),
    }
}

/// A call that is taken as it stands, once what is written in capitals is filled in: with what it needs, and what has an example of its own.
fn curl(api: &Value, method: &str, path: &str, operation: &Value) -> String {
    let mut words = vec!["curl -sS".to_owned()];
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let makes = if body.is_null() { "GET" } else { "POST" };
    if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
        words.push("-N".into());
    }
    if method != makes {
        words.push(format!("-X {method}"));
    }
    if operation["x-hearth-who"] != "anyone" {
        words.push("-H \"Authorization: Bearer $TOKEN\"".into());
    }
    let all = operation["parameters"].as_array().into_iter().flatten();
    // What is saved whole is saved over a version.
    if all.clone().any(|p| p["name"] == "If-Match" && (p["required"] == true || method == "PUT")) {
        words.push("-H 'If-Match: \"ETAG\"'".into());
    }
    if !body.is_null() {
        words.push(format!("--json '{}'", needed(api, body).to_string().replace('\'', r"'\''")));
    }
    let filled = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => name.to_uppercase(),
        None => part.to_owned(),
    });
    let path = filled.collect::<Vec<_>>().join("/");
    words.push(format!("\"$HEARTH{}\"", with_query(&path, &operation["parameters"])));
    words.join(" ")
}

/// With what has to stand behind the `?`.
fn with_query(path: &str, parameters: &Value) -> String {
    let asked = parameters.as_array().into_iter().flatten();
    let asked = asked.filter(|p| p["in"] == "query" && p["required"] == true).map(|p| {
        let name = text(&p["name"]);
        let value = p["schema"]["enum"][0].as_str().map_or_else(|| name.to_uppercase(), str::to_owned);
        format!("{name}={value}")
    });
    let asked: Vec<String> = asked.collect();
    if asked.is_empty() { path.to_owned() } else { format!("{path}?{}", asked.join("&")) }
}

/// A body of what has to be in it, and of what has an example.
fn needed(api: &Value, schema: &Value) -> Value {
    let schema = resolved(api, schema);
    let required = schema["required"].as_array();
    let mut body = Map::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.is_some_and(|all| all.iter().any(|one| one == name.as_str()));
        if let Some(value) = own_example(api, field) {
            body.insert(name.clone(), value);
        } else if is_required {
            body.insert(name.clone(), filled_in(api, field, name));
        }
    }
    Value::Object(body)
}

/// The example that a value has. What stands in the documentation is no password.
fn own_example(api: &Value, schema: &Value) -> Option<Value> {
    let real = resolved(api, schema);
    if real["format"] == "password" {
        return None;
    }
    let of = |one: &Value| one.get("example").or_else(|| one["examples"].get(0)).cloned();
    of(schema).or_else(|| of(real))
}

/// A value for a field that has to be there: whoever makes the call fills in what is written in capitals.
fn filled_in(api: &Value, schema: &Value, name: &str) -> Value {
    let real = resolved(api, schema);
    if let Some(value) = own_example(api, real).or_else(|| real["enum"].get(0).cloned()) {
        return value;
    }
    match kind(real) {
        Some("string") => json!(name.to_uppercase()),
        Some("integer" | "number") => real.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => json!([filled_in(api, &real["items"], name)]),
        Some("object") => needed(api, real),
        _ => Value::Null,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn shown(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A value that fits a schema, with the schema's own example where it has one.
fn example(api: &Value, schema: &Value, depth: usize) -> Value {
    if depth > 6 {
        return Value::Null;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return example(api, &api["components"]["schemas"][name], depth + 1);
    }
    for own in ["example", "const", "default"] {
        if !schema[own].is_null() {
            return schema[own].clone();
        }
    }
    if let Some(first) = schema["examples"].get(0).or(schema["enum"].get(0)) {
        return first.clone();
    }
    for several in ["oneOf", "anyOf"] {
        let real = |s: &&Value| s["type"] != "null";
        if let Some(one) = schema[several].as_array().and_then(|all| all.iter().find(real)) {
            return example(api, one, depth + 1);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut map = Map::new();
        for part in all {
            if let Value::Object(fields) = example(api, part, depth + 1) {
                map.extend(fields);
            }
        }
        return Value::Object(map);
    }
    match kind(schema).unwrap_or("object") {
        "string" if schema["format"] == "date-time" => json!("2026-11-26T18:00:00Z"),
        "string" => json!("text"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => json!([example(api, &schema["items"], depth + 1)]),
        _ => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), example(api, field, depth + 1))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_stand_in_the_query_stands_in_the_example() {
        let parameters = serde_json::json!([
            {"name": "id", "in": "path", "required": true},
            {"name": "ticket", "in": "query", "required": true, "schema": {"type": "string"}},
            {"name": "format", "in": "query", "required": true, "schema": {"enum": ["jsonl", "csv"]}},
            {"name": "limit", "in": "query", "required": false}
        ]);
        assert_eq!(with_query("/x/{id}", &parameters), "/x/{id}?ticket=TICKET&format=jsonl");
        assert_eq!(with_query("/x", &Value::Null), "/x");
    }

    #[test]
    fn words_that_a_parameter_takes_are_said() {
        let known = json!(["name", "-name"]);
        for schema in [json!({"type": "string", "enum": known}), json!({"oneOf": [{"type": "null"}, {"enum": known}]})]
        {
            assert_eq!(words(&schema), "One of name, -name.");
        }
        assert_eq!(words(&json!({"type": ["string", "null"]})), "");
    }

    #[test]
    fn a_call_reads_as_one_would_make_it() {
        let api = json!({
            "paths": {"/api/v1/users/{id}": {"put": {
                "operationId": "users.add", "summary": "Save `somebody`.", "x-hearth-who": "admin",
                "parameters": [{"name": "id", "in": "path", "required": true}, {"name": "If-Match", "in": "header", "required": true}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {"201": {"description": "made", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }}},
            "components": {"schemas": {"Name": {"type": "string", "examples": ["ada's"], "description": "A name."}, "New": {
                "type": "object", "required": ["username", "role", "secret", "old"], "properties": {
                "username": {"$ref": "#/components/schemas/Name"},
                "nick": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Name", "description": "Short."}]},
                "role": {"type": "string", "enum": ["viewer", "admin"]},
                "secret": {"type": "string", "format": "password", "example": "known"},
                "old": {"type": "string"},
                "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 7},
                "now": {"type": "boolean"},
                "groups": {"type": "array", "items": {"type": ["string", "null"]}, "default": []},
            }}}},
        });
        let subjects = subjects(&api);
        let call = &subjects[0].calls[0];
        assert_eq!((call.method.as_str(), call.who.as_str(), call.answers.len()), ("PUT", "admin", 1));
        assert_eq!(
            (call.summary.to_string().as_str(), call.anchor.as_str()),
            ("Save <code>somebody</code>", "put-api-v1-users-id")
        );
        for part in [
            r#"curl -sS -X PUT -H "Authorization: Bearer $TOKEN" -H 'If-Match: "ETAG"' --json '{"#,
            r#""username":"ada'\''s""#,
            r#""nick":"ada'\''s""#,
            r#""role":"viewer""#,
            r#""secret":"SECRET""#,
            r#""old":"OLD""#,
            r#"}' "$HEARTH/api/v1/users/ID""#,
        ] {
            assert!(call.curl.contains(part), "{part}: {}", call.curl);
        }
        for left_out in ["days", "now", "groups"] {
            assert!(!call.curl.contains(left_out), "{}", call.curl);
        }
        let told = |name: &str| {
            let field = call.fields.iter().find(|field| field.name == name).unwrap();
            (field.takes.as_str(), field.required, field.default.as_deref(), field.about.to_string())
        };
        assert_eq!(told("username"), ("text", true, None, "A name.".into()));
        assert_eq!(told("nick"), ("text", false, None, "Short.".into()));
        assert_eq!(told("role"), ("one of viewer, admin", true, None, String::new()));
        assert_eq!(told("days"), ("number, 1 to 9", false, Some("7"), String::new()));
        assert_eq!(told("now"), ("true or false", false, Some("false"), String::new()));
        assert_eq!(told("groups"), ("list, each text", false, Some("none"), String::new()));
    }

    /// Of the calls as they are.
    fn all() -> Vec<Call> {
        let api = serde_json::to_value(crate::routes::table().openapi("1")).unwrap();
        subjects(&api).into_iter().flat_map(|subject| subject.calls).collect()
    }

    #[test]
    fn a_printed_call_is_one_that_is_taken() {
        let api = serde_json::to_value(crate::routes::table().openapi("1")).unwrap();
        let bodies: std::collections::BTreeMap<_, _> = crate::routes::bodies().into_iter().collect();
        let mut read = 0;
        for call in all() {
            assert!(!call.curl.contains(['{', '}']) || call.curl.contains("--json '{"), "{}", call.curl);
            let operation = &api["paths"][&call.path][call.method.to_lowercase()];
            let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            if let Some(name) = body.as_str().and_then(|name| name.rsplit('/').next()) {
                let sent =
                    call.curl.split("--json '").nth(1).and_then(|rest| rest.split("' \"$HEARTH").next()).unwrap();
                let sent = sent.replace(r"'\''", "'");
                assert!(bodies[name](sent.as_bytes()).is_none(), "{sent}: {}", call.path);
                assert!(!sent.contains("\"text\":\"text\"") && !sent.contains("\"project\""), "{sent}");
                read += 1;
            }
            let wants = operation["parameters"].as_array().into_iter().flatten();
            let mut wants = wants.filter(|p| p["name"] == "If-Match");
            let says = call.curl.contains("If-Match");
            assert!(says || !wants.any(|p| p["required"] == true), "{}", call.curl);
        }
        assert!(read > 30, "{read}");
    }

    #[test]
    fn every_field_and_every_parameter_says_what_it_means() {
        let mut silent = Vec::new();
        for call in all() {
            let fields = call.fields.iter().filter(|field| field.about.to_string().is_empty());
            silent.extend(fields.map(|field| format!("{} {}: {}", call.method, call.path, field.name)));
            let asked = call.parameters.iter().filter(|p| p.place == "query" && p.about.to_string().is_empty());
            silent.extend(asked.map(|p| format!("{} {}: {}", call.method, call.path, p.name)));
        }
        assert!(silent.is_empty(), "{silent:#?}");
    }
}
