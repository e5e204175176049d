//! OpenAPI as subjects and calls that a person can read.

use serde_json::{Map, Value, json};

/// Calls about one thing.
#[derive(Debug)]
pub struct Subject {
    pub name: String,
    pub calls: Vec<Call>,
}

#[derive(Debug)]
pub struct Call {
    /// `users.list`
    pub name: String,
    pub method: String,
    pub path: String,
    pub who: String,
    pub summary: String,
    pub about: Vec<String>,
    pub parameters: Vec<Parameter>,
    /// The body that it takes, as an example.
    pub takes: Option<String>,
    pub answers: Vec<Answer>,
    /// How to make it with curl.
    pub curl: String,
}

#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub required: bool,
    pub about: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: String,
    pub about: String,
    /// An example of what is not a refusal.
    pub body: Option<String>,
}

/// All calls by subject, in the order of the names.
pub fn subjects(api: &Value) -> Vec<Subject> {
    let mut all: Vec<Subject> = Vec::new();
    for (path, item) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["operationId"].is_null() {
                continue;
            }
            let call = call(api, path, method, operation);
            let name = text(&operation["tags"][0]);
            match all.iter_mut().find(|subject| subject.name == name) {
                Some(subject) => subject.calls.push(call),
                None => all.push(Subject { name, calls: vec![call] }),
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn call(api: &Value, path: &str, method: &str, operation: &Value) -> Call {
    let method = method.to_uppercase();
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let takes = (!body.is_null()).then(|| shown(&example(api, body, 0)));
    let who = text(&operation["x-hearth-who"]);
    let of = |p: &Value| Parameter {
        name: text(&p["name"]),
        place: text(&p["in"]),
        required: p["required"].as_bool().unwrap_or(false),
        about: [text(&p["description"]), words(&p["schema"])].join(" ").trim().to_owned(),
    };
    let mut answers = Vec::new();
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let schema = &answer["content"]["application/json"]["schema"];
        let good = status.starts_with('2') && !schema.is_null();
        let body = good.then(|| shown(&example(api, schema, 0)));
        answers.push(Answer { status: status.clone(), about: text(&answer["description"]), body });
    }
    answers.sort_by(|a, b| a.status.cmp(&b.status));
    let about = text(&operation["description"]);
    Call {
        name: text(&operation["operationId"]),
        curl: curl(&method, &with_query(path, &operation["parameters"]), &who, takes.as_deref()),
        method,
        path: path.to_owned(),
        who,
        summary: text(&operation["summary"]),
        about: about.split("\n\n").map(str::to_owned).filter(|p| !p.is_empty()).collect(),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(of).collect(),
        takes,
        answers,
    }
}

/// The words that a parameter takes, where it takes no others.
fn words(schema: &Value) -> String {
    let several = schema["oneOf"].as_array().into_iter().flatten();
    let all = std::iter::once(schema).chain(several).find_map(|one| one["enum"].as_array());
    let all: Vec<&str> = all.into_iter().flatten().filter_map(Value::as_str).collect();
    if all.is_empty() { String::new() } else { format!("One of {}.", all.join(", ")) }
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

fn curl(method: &str, path: &str, who: &str, takes: Option<&str>) -> String {
    let mut words = vec!["curl".to_owned()];
    if method != "GET" {
        words.push(format!("-X {method}"));
    }
    if who != "anyone" {
        words.push("-H \"Authorization: Bearer $TOKEN\"".into());
    }
    if let Some(body) = takes {
        let line: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        words.push(format!("-H 'Content-Type: application/json' -d '{line}'"));
    }
    words.push(format!("\"$HEARTH{path}\""));
    words.join(" ")
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
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find_map(|k| k.as_str().filter(|k| *k != "null")).unwrap_or("null"),
        kind => kind.as_str().unwrap_or("object"),
    };
    match kind {
        "string" if schema["format"] == "date-time" => json!("2026-11-26T18:00:00Z"),
        "string" => json!("text"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => json!([example(api, &schema["items"], depth + 1)]),
        "null" => Value::Null,
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
            "paths": {"/api/v1/users": {"post": {
                "operationId": "users.add", "tags": ["users"], "summary": "Add somebody", "x-hearth-who": "admin",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}},
                "responses": {"201": {"description": "made", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }}},
            "components": {"schemas": {"New": {"type": "object", "properties": {
                "username": {"type": "string", "example": "ada"},
                "role": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["viewer", "admin"]}]},
                "groups": {"type": "array", "items": {"type": ["string", "null"]}},
            }}}},
        });
        let subjects = subjects(&api);
        let call = &subjects[0].calls[0];
        assert_eq!((call.method.as_str(), call.who.as_str(), call.answers.len()), ("POST", "admin", 1));
        let body: Value = serde_json::from_str(call.takes.as_deref().unwrap()).unwrap();
        assert_eq!(body, json!({"username": "ada", "role": "viewer", "groups": ["text"]}));
        assert!(
            call.curl.contains(r#"-d '{"username":"ada""#) && call.curl.ends_with("\"$HEARTH/api/v1/users\""),
            "{}",
            call.curl
        );
    }
}
