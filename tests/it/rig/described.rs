//! Whether an answer of the API is one that OpenAPI says of the call. Every answer that a test gets by curl is looked at.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::door::{DOMAIN, Page};

/// What a server says at `/api/v1/openapi.json`.
fn api() -> &'static Value {
    static API: OnceLock<Value> = OnceLock::new();
    API.get_or_init(|| serde_json::to_value(hearth::routes::table().openapi("test")).expect("OpenAPI is JSON"))
}

/// Looks at what curl was answered, where it asked for something of the API.
#[track_caller]
pub fn look(args: &[&str], page: &Page) {
    let Some((host, path)) = args.iter().find_map(|arg| arg.strip_prefix("https://")?.split_once('/')) else { return };
    let host = host.split(':').next().unwrap_or_default();
    // What a service of a home answers is its own.
    let is_panel = !host.ends_with(DOMAIN) || host.starts_with("panel.");
    let json = page.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if is_panel && json && !args.contains(&"--request-target") && !args.contains(&"-I") {
        let (method, path) = (method(args), format!("/{path}"));
        answered(&method, &path, page.status, &serde_json::from_str(&page.body).unwrap_or_default());
    }
}

/// The method that these arguments of curl have it send.
fn method(args: &[&str]) -> String {
    let said = args.windows(2).find(|pair| pair[0] == "-X").map(|pair| pair[1]);
    let sends = args.iter().any(|arg| *arg == "-d" || *arg == "--json" || arg.starts_with("--data"));
    said.unwrap_or(if sends { "POST" } else { "GET" }).to_owned()
}

/// Asserts that a call may be answered so.
#[track_caller]
pub fn answered(method: &str, path: &str, status: u16, body: &Value) {
    let asked = path.split('?').next().unwrap_or(path);
    let code = body["error"]["code"].as_str().unwrap_or_default();
    // What is not there has no description; nor has anything before the home is set up.
    let elsewhere = matches!(code, "auth.not-set-up" | "web.not-found" | "web.no-such-method");
    if elsewhere || !(asked.starts_with("/api/v1/") || asked == "/health") || asked == "/api/v1/openapi.json" {
        return;
    }
    let Some(operation) = operation(method, asked) else {
        return assert!([401, 404].contains(&status), "OpenAPI knows no {method} {asked}");
    };
    if operation.is_null() {
        return;
    }
    let answer = &operation["responses"][status.to_string()];
    assert!(!answer.is_null(), "OpenAPI knows no {status} of {method} {asked}: {body}");
    let wrong = wrong(answer, body);
    assert!(wrong.is_empty(), "{method} {asked} answers otherwise than OpenAPI says: {wrong:?}\n{body}");
}

/// Asserts that this is how the lines of a shell, of which the last call was answered so, may succeed.
#[track_caller]
pub fn typed(lines: &str, body: &Value) {
    let last = lines.split("curl ").last().unwrap_or_default();
    let args: Vec<&str> = last.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let at =
        args.iter().find_map(|arg| ["/api/v1/", "/health"].iter().find_map(|begin| Some(&arg[arg.find(begin)?..])));
    let (method, path) = (method(&args), at.unwrap_or_else(|| panic!("no address in {lines}")));
    let asked = path.split('?').next().unwrap_or(path);
    let operation = operation(&method, asked).unwrap_or_else(|| panic!("OpenAPI knows no {method} {asked}"));
    let answers = operation["responses"].as_object().unwrap_or_else(|| panic!("OpenAPI knows no {method} {asked}"));
    let good = answers.iter().filter(|(status, _)| status.starts_with('2'));
    let wrong: Vec<Vec<String>> = good.map(|(_, answer)| wrong(answer, body)).collect();
    assert!(wrong.iter().any(Vec::is_empty), "{method} {asked} answers otherwise than OpenAPI says: {wrong:?}\n{body}");
}

/// What OpenAPI says of a call; null where it has the address and not the method.
fn operation(method: &str, asked: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (a, b) = (template.split('/').count(), asked.split('/').count());
        let part = |(t, p): (&str, &str)| t.starts_with('{') && !p.is_empty() || t == p;
        a == b && template.split('/').zip(asked.split('/')).all(part)
    };
    let paths = api()["paths"].as_object().expect("OpenAPI has paths");
    // A written part comes before an open one, as in the router.
    let found = paths.keys().filter(|template| fits(template)).min_by_key(|template| template.matches('{').count());
    found.map(|template| &api()["paths"][template][method.to_lowercase()])
}

/// In what a body is not as an answer is described.
fn wrong(answer: &Value, body: &Value) -> Vec<String> {
    let schema = &answer["content"]["application/json"]["schema"];
    if schema.is_null() {
        return Vec::new();
    }
    let whole = json!({"allOf": [schema], "components": api()["components"]});
    let validator = jsonschema::validator_for(&whole).expect("a schema of OpenAPI 3.1 is a JSON schema");
    validator.iter_errors(body).map(|e| format!("{} at {}", e, e.instance_path())).collect()
}
