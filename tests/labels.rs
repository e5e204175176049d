//! The model of Traefik's label grammar: text cases, answers of Traefik's own decoder, and properties.
//!
//! A case (`tests/traefik/labels/*.case`) is labels, a rule, and what the model makes of them; `[name]` begins a container.
//! `UPDATE=1` writes the expected part anew, `CASE=words` runs some. What Traefik's decoder said is data
//! (`tests/traefik/decoder.json`). Where `TRAEFIK_DECODER` names a program that asks that decoder, thousands of generated label sets
//! are compared with it, and `RECORD=1` writes the data anew; `docs/testing.md` says what the program must do.

#[path = "labels/generate.rs"]
mod generate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use generate::{Dice, Set, keys, mixture, single};
use hearth::diag::{Diagnostic, FileId, Severity, Span};
use hearth::traefik::grammar::table::ROOT;
use hearth::traefik::grammar::{self, Container, Label, Labels, Object, Outcome, Read, Value};
use hearth::traefik::rule::{self, Protocol};
use serde_json::{Value as Json, json};

const RULE: &str = "----------";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traefik")
}

#[test]
fn every_case_reads_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("CASE").unwrap_or_default();
    let all = std::fs::read_dir(folder().join("labels")).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|e| e == "case")).collect();
    cases.sort();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for path in cases.iter().filter(|p| p.to_string_lossy().contains(&only)) {
        let name = path.file_stem().unwrap().to_string_lossy();
        let written = std::fs::read_to_string(path).unwrap();
        let (labels, expected) = written.split_once(&format!("\n{RULE}\n")).unwrap_or((&written, ""));
        let got = show(labels);
        if update {
            std::fs::write(path, format!("{}\n{RULE}\n{got}", labels.trim_end())).unwrap();
        } else if got != expected {
            wrong.push(format!("{name}: read as\n{got}\nexpected\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The containers of a case, each with its name and labels. A value with `${` holds a variable.
fn containers(text: &str) -> Vec<(String, Vec<Label>)> {
    let mut all: Vec<(String, Vec<Label>)> = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            all.push((name.into(), Vec::new()));
            continue;
        }
        if all.is_empty() {
            all.push(("it".into(), Vec::new()));
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let span = |column: usize, text: &str| {
            Some(Span { file: FileId(0), line: i as u32 + 1, column: column as u32 + 1, width: text.len() as u32 })
        };
        all.last_mut().unwrap().1.push(Label {
            key: key.into(),
            value: value.into(),
            known: !value.contains("${"),
            key_span: span(0, key),
            value_span: span(key.len() + 1, value),
        });
    }
    all
}

fn show(text: &str) -> String {
    let containers = containers(text);
    let read: Vec<(&str, Read)> =
        containers.iter().map(|(name, labels)| (name.as_str(), grammar::read(labels))).collect();
    let mut out = String::new();
    for (name, read) in &read {
        if containers.len() > 1 {
            let _ = writeln!(out, "[{name}]");
        }
        for (key, value) in read.labels.print() {
            let _ = writeln!(out, "{key}={value}");
        }
        read.diagnostics.0.iter().for_each(|d| tell(&mut out, d));
    }
    let all: Vec<Container<'_>> =
        read.iter().map(|(name, read)| Container { name, labels: &read.labels, places: &read.places }).collect();
    grammar::conflicts(&all).iter().for_each(|d| tell(&mut out, d));
    out
}

/// `line:column`, what, and below it the ways out.
fn tell(out: &mut String, d: &Diagnostic) {
    let place = |span: Span| format!("{}:{}", span.line, span.column);
    let word = if d.severity == Severity::Error { "error" } else { "warning" };
    let at = d.place.map(place).unwrap_or_default();
    let _ = writeln!(out, "{at} {word}[{}] {}", d.code, d.title);
    let related = d.related.iter().map(|(span, story)| format!("  {} {story}", place(*span)));
    let hints = d.hints.iter().map(|hint| format!("  {hint}"));
    related.chain(hints).for_each(|line| out.extend([line.as_str(), "\n"]));
}

fn labels(set: &Set) -> Vec<Label> {
    set.iter().map(|(key, value)| Label::new(key, value)).collect()
}

/// What our decoder says, in the form in which Traefik's answers were recorded.
fn ours(set: &Set) -> (String, Json) {
    let decoded = grammar::decode(&labels(set));
    match decoded.outcome {
        Outcome::Accepted => {
            let mut root = decoded.root.effective(ROOT);
            // These are always there in Traefik.
            root.0.retain(|name, value| *name == "docker" || *value != Value::Object(Object::default()));
            ("accepted".into(), object(&root))
        }
        Outcome::Refused => ("refused".into(), Json::Null),
        Outcome::Panic => ("panic".into(), Json::Null),
    }
}

fn object(object: &Object) -> Json {
    object.0.iter().map(|(name, value)| (name.to_string(), plain(value))).collect()
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Later(text) => json!(text),
        Value::Bool(flag) => json!(flag),
        Value::Int(n) | Value::Duration(n) => json!(n),
        Value::List(items) => json!(items),
        Value::Object(inner) => object(inner),
        Value::Objects(all) => all.iter().map(object).collect(),
        Value::Named(all) => all.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        Value::Items(all) => all.iter().map(plain).collect(),
    }
}

/// Where two decoded values differ. Go tells nothing and zero apart only behind pointers, so a zero of ours may be absent there.
fn difference(traefik: &Json, ours: &Json, path: &str) -> Option<String> {
    let zero = |value: &Json| match value {
        Json::Null | Json::Bool(false) => true,
        Json::Number(n) => n.as_i64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    };
    match (traefik, ours) {
        (Json::Object(theirs), Json::Object(mine)) => {
            let names: std::collections::BTreeSet<&String> = theirs.keys().chain(mine.keys()).collect();
            names.into_iter().find_map(|name| {
                let path = format!("{path}.{name}");
                match (theirs.get(name), mine.get(name)) {
                    (Some(theirs), Some(mine)) => difference(theirs, mine, &path),
                    (None, Some(mine)) if zero(mine) => None,
                    (theirs, mine) => Some(format!("{path}: {theirs:?} is {mine:?} here")),
                }
            })
        }
        (Json::Array(theirs), Json::Array(mine)) if theirs.len() == mine.len() => {
            theirs.iter().zip(mine).enumerate().find_map(|(i, (a, b))| difference(a, b, &format!("{path}[{i}]")))
        }
        (theirs, mine) => {
            (theirs != mine && !(zero(theirs) && zero(mine))).then(|| format!("{path}: {theirs} is {mine} here"))
        }
    }
}

/// What differs between an answer of Traefik's decoder and ours.
fn disagreement(set: &Set, answer: &Json) -> Option<String> {
    let (outcome, values) = ours(set);
    let theirs = answer["outcome"].as_str().unwrap_or_default();
    let why = match theirs == outcome {
        false => Some(format!("Traefik {theirs} ({}), here {outcome}", answer["error"])),
        true if outcome == "accepted" => difference(&answer["values"], &values, ""),
        true => None,
    };
    why.map(|why| format!("{set:?}\n  {why}"))
}

#[test]
fn the_model_answers_as_traefiks_decoder_did() {
    let text = std::fs::read_to_string(folder().join("decoder.json")).unwrap_or_else(|_| "[]".into());
    let recorded: Vec<Json> = serde_json::from_str(&text).unwrap();
    assert!(recorded.len() >= 300, "only {} answers", recorded.len());
    let wrong = recorded.iter().filter_map(|answer| {
        let set = serde_json::from_value(answer["labels"].clone()).unwrap();
        disagreement(&set, answer)
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Puts all questions to the program, a line of JSON each, and gives its answers.
#[expect(clippy::disallowed_methods, reason = "the oracle is another program")]
fn ask(program: &std::ffi::OsStr, questions: &[Json]) -> Vec<Json> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = BufReader::new(child.stdout.take().unwrap());
    let answers: Vec<Json> = output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success() && answers.len() == questions.len());
    answers
}

#[test]
fn the_model_answers_as_traefiks_decoder_does() {
    let Some(program) = std::env::var_os("TRAEFIK_DECODER") else {
        eprintln!("not compared with a decoder: TRAEFIK_DECODER names none");
        return;
    };
    let mut sets = single();
    let (mut dice, keys) = (Dice::new(4), keys());
    let mixtures = std::env::var("MIXTURES").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    sets.extend((0..mixtures).map(|_| mixture(&mut dice, &keys)));
    let questions: Vec<Json> = sets.iter().map(|set| json!({"labels": set})).collect();
    let answers = ask(&program, &questions);
    let wrong: Vec<String> = sets.iter().zip(&answers).filter_map(|(set, answer)| disagreement(set, answer)).collect();
    let count = |outcome: &str| answers.iter().filter(|answer| answer["outcome"] == outcome).count();
    eprintln!(
        "{} sets: {} accepted, {} refused, {} panics",
        sets.len(),
        count("accepted"),
        count("refused"),
        count("panic")
    );
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), sets.len(), wrong[..wrong.len().min(40)].join("\n"));
    if std::env::var_os("RECORD").is_some() {
        record(&sets, &answers);
    }
}

/// Some of each sort: single labels, mixtures that were taken, mixtures that were not.
fn record(sets: &[Set], answers: &[Json]) {
    let mut lines = Vec::new();
    for (outcome, many, most) in [
        ("accepted", false, 120),
        ("refused", false, 100),
        ("panic", false, 5),
        ("accepted", true, 150),
        ("refused", true, 75),
    ] {
        let fits = |(set, answer): &(&Set, &Json)| answer["outcome"] == outcome && (set.len() > 1) == many;
        let all: Vec<(&Set, &Json)> = sets.iter().zip(answers).filter(fits).collect();
        for (set, answer) in all.iter().step_by((all.len() / most).max(1)).take(most) {
            let mut line = json!({"labels": set, "outcome": outcome});
            if outcome == "accepted" {
                line["values"] = answer["values"].clone();
            }
            lines.push(line.to_string());
        }
    }
    std::fs::write(folder().join("decoder.json"), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}

#[test]
fn rules_are_taken_as_traefik_takes_them() {
    let Some(program) = std::env::var_os("TRAEFIK_DECODER") else { return };
    let words = [
        "Host(`a.b`)",
        "host(\"a\")",
        "HOST(`*`)",
        "Hostregexp(`a+`)",
        "Path(`/x`)",
        "PathPrefix(`x`)",
        "Header(`A`, `b`)",
        "Header(`A`)",
        "Query(`a`)",
        "QueryRegexp(`a`, `(`)",
        "ClientIP(`10.0.0.0/8`)",
        "ClientIP(`1.2.3.256`)",
        "ClientIP(`::1`)",
        "HostSNI(`a.b`)",
        "HostSNI(`*`)",
        "HostSNI(`a b`)",
        "ALPN(`h2`)",
        "ALPN(`acme-tls/1`)",
        "Method(`get`)",
        "Host(`a`, `b`)",
        "Host()",
        "Host(``)",
        "Host(`é`)",
        "Hots(`a`)",
        "Host(`a`",
        "PathRegexp(`[`)",
        "Host(`a`,)",
        "Host('a')",
        "Host(5)",
        "hOst(`a`)",
        "&&",
        "||",
        "!",
        "(",
        ")",
        " ",
        "\n",
        ",",
        "`",
        "\"\\x41\"",
        "&",
        "true",
    ];
    let mut dice = Dice::new(7);
    let mut rules: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    for _ in 0..20_000 {
        let mut rule = String::new();
        for i in 0..1 + dice.below(5) {
            if i > 0 {
                rule.push_str(["&&", "||", " && ", " || ", " && !", "", "\n", " &&\n"][dice.below(8)]);
            }
            let word = words[dice.below(words.len())];
            rule.push_str(&if dice.below(4) == 0 { format!("({word})") } else { word.to_string() });
        }
        rules.push(rule);
    }
    let all: Vec<(String, &str)> = rules.into_iter().flat_map(|rule| [(rule.clone(), "http"), (rule, "tcp")]).collect();
    let questions: Vec<Json> = all.iter().map(|(rule, proto)| json!({"rule": rule, "proto": proto})).collect();
    let answers = ask(&program, &questions);
    let mut wrong = Vec::new();
    let mut taken = 0;
    for ((text, proto), answer) in all.iter().zip(&answers) {
        let protocol = if *proto == "tcp" { Protocol::Tcp } else { Protocol::Http };
        let ours = rule::parse(text, protocol);
        let theirs = answer["outcome"] == "accepted";
        taken += usize::from(theirs);
        if theirs != ours.is_ok() {
            wrong.push(format!("{proto} {text:?}: Traefik {answer}, here {ours:?}"));
        }
    }
    eprintln!("{} rules, {taken} taken", all.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong[..wrong.len().min(30)].join("\n"));
}

/// Whatever the labels: their model, printed, is read as the same model.
#[test]
fn a_printed_model_is_read_as_the_same_model() {
    let (mut dice, keys) = (Dice::new(9), keys());
    let mut compared = 0;
    for set in single().into_iter().chain((0..20_000).map(|_| mixture(&mut dice, &keys))) {
        let read = grammar::read(&labels(&set));
        if read.outcome != Outcome::Accepted || !read.diagnostics.0.iter().all(|d| d.code != "traefik.ignored-label") {
            continue;
        }
        let printed = read.labels.print();
        let again = grammar::read(&labels(&printed));
        assert_eq!(again.labels, read.labels, "{set:?}\n{printed:?}");
        assert_eq!(again.labels.print(), printed, "{set:?}");
        compared += usize::from(read.labels != Labels::default());
    }
    assert!(compared > 1000, "only {compared} models");
}

/// The order in which labels stand does not matter.
#[test]
fn the_order_of_labels_says_nothing() {
    let (mut dice, keys) = (Dice::new(11), keys());
    for _ in 0..2_000 {
        let set = mixture(&mut dice, &keys);
        let (forth, mut back) = (labels(&set), labels(&set));
        back.reverse();
        let (forth, back) = (grammar::read(&forth), grammar::read(&back));
        let told = |read: &Read| -> BTreeMap<String, usize> {
            let mut all = BTreeMap::new();
            read.diagnostics.0.iter().for_each(|d| *all.entry(d.title.clone()).or_default() += 1);
            all
        };
        assert_eq!((forth.labels == back.labels, told(&forth)), (true, told(&back)), "{set:?}");
    }
}
