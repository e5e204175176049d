//! Every page of the panel in each state that it has (`target/pages/panel`, written by the unit test `panel::samples`), before outside judges: html-validate,
//! and axe-core in a real Chromium.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::Path as At;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::rig::{Browser, Done, Running, Scratch, Skip, cases, script_with};

cases![
    together:
    every_page_is_valid_html,
    every_page_is_accessible_in_both_themes_and_fits_three_widths;
];

/// Computer, telephone, and the narrowest that there is (WCAG 2.2, 1.4.10: 1280 px at 400 %).
const WIDTHS: [u32; 3] = [1280, 390, 320];

/// A thousand rows are judged as they are on a computer: a row is a row.
const MANY: &str = "-many";

/// The folder with the programs that judge pages.
pub fn judges() -> Result<&'static Path, Skip> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| script_with("npmtool", &["pages"], &[]).map(PathBuf::from));
    found
        .as_deref()
        .map_err(|why| Skip(format!("no judges of pages here ({})", why.lines().last().unwrap_or_default())))
}

/// All of them, by name; what is older than what makes it proves nothing.
fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = |path: &PathBuf| path.metadata().and_then(|of| of.modified()).expect("a file has a time");
    let mut all = below(&root.join("target/pages/panel"), &["html"]);
    all.sort();
    let oldest = all.iter().map(made).min().unwrap_or(SystemTime::UNIX_EPOCH);
    let sources = [below(&root.join("templates/panel"), &["html"]), below(&root.join("src/panel"), &["rs"])].concat();
    let newer: Vec<&PathBuf> = sources.iter().filter(|path| made(path) > oldest).collect();
    assert!(newer.is_empty(), "older than {newer:?}: cargo test --lib panel::samples makes them anew");
    assert!(all.len() >= 15, "only {} pages", all.len());
    all
}

fn below(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).map(|all| all.filter_map(|entry| Some(entry.ok()?.path())).collect());
    let entries: Vec<PathBuf> = entries.unwrap_or_default();
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let wanted = |path: &PathBuf| ends.iter().any(|end| path.extension().is_some_and(|of| of == *end));
    let deeper = folders.iter().flat_map(|folder| below(folder, ends));
    files.into_iter().filter(wanted).chain(deeper).collect()
}

fn every_page_is_valid_html(s: &Scratch) -> Done {
    let judge = judges()?.join("node_modules/.bin/html-validate");
    // Titles are names that people give. Nothing of a page styles itself: the policy forbids it.
    let rules = json!({
        "root": true, "extends": ["html-validate:recommended"],
        "rules": { "long-title": "off", "no-inline-style": "error", "void-style": "off", "no-trailing-whitespace": "off",
            // What is chosen of many has one name.
            "form-dup-name": ["error", { "shared": ["radio", "button", "reset", "submit", "checkbox"] }] },
    });
    s.write("html-validate.json", &rules.to_string());
    let config = s.dir.join("html-validate.json").display().to_string();
    let mut args = vec!["--config".to_owned(), config, "--formatter".into(), "text".into()];
    args.extend(samples().iter().map(|path| path.display().to_string()));
    let env = [("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())];
    let ran = s.noted(Running::start(&judge, &args, &s.dir, &env));
    assert_eq!((ran.code, ran.both().trim()), (0, ""));
    Ok(())
}

fn every_page_is_accessible_in_both_themes_and_fits_three_widths(s: &Scratch) -> Done {
    let axe = std::fs::read_to_string(judges()?.join("node_modules/axe-core/axe.min.js")).expect("it is there");
    let browser = Browser::start(s, &[])?;
    let all = samples();
    let port = served(axe);
    let mut wrong = Vec::new();
    for path in &all {
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        // Each at a name of its own: a browser opens six connections to one, and streams of pages before hold them.
        browser.go(&format!("http://{name}.localhost:{port}/sample/{name}")).expect("the page comes");
        let widths = if name.ends_with(MANY) { &WIDTHS[..1] } else { &WIDTHS };
        for (width, dark) in widths.iter().flat_map(|width| [(*width, false), (*width, true)]) {
            browser.width(width);
            browser.dark(dark);
            browser.keep_picture(&format!("{name}-{width}{}", if dark { "-dark" } else { "" }));
            // Themes have other colours and nothing else.
            let only = if dark == (width < 1000) { "" } else { "runOnly: ['color-contrast'], " };
            let found = browser.run(&LOOK.replace("ONLY", only));
            let found =
                found.as_array().unwrap_or_else(|| panic!("{name}: axe-core says nothing: {:?}", browser.complaints()));
            wrong.extend(found.iter().map(|one| format!("{name} at {width} px, dark: {dark}: {one}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

const LOOK: &str = r"
const wide = [document.documentElement, document.querySelector('main')].filter(one => one.scrollWidth > innerWidth).map(one => `${one.scrollWidth} px wide`);
const { violations } = await axe.run({ ONLYresultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
return [...wide, ...violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => `${node.target} ${node.failureSummary}`).join(' | ')}`)];
";

/// Serves the samples with what they name, and axe-core put into each; their streams say nothing and never end.
fn served(axe: String) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be asked");
    let port = listener.local_addr().expect("it has an address").port();
    let axe = Arc::new(axe);
    let script = move || async move { ([(header::CONTENT_TYPE, "text/javascript")], axe.as_ref().clone()) };
    let router = Router::new()
        .route("/sample/{name}", get(sample))
        .route("/axe.js", get(script))
        .route("/static/{file}", get(asset))
        .fallback(|| async {
            let silent = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
            ([(header::CONTENT_TYPE, "text/event-stream")], silent)
        });
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await
        })
    });
    port
}

async fn sample(At(name): At<String>) -> Response {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages/panel");
    match std::fs::read_to_string(folder.join(format!("{name}.html"))) {
        Ok(text) => {
            let text = text.replacen("</head>", "<script src=\"/axe.js\"></script></head>", 1);
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn asset(At(file): At<String>, headers: HeaderMap) -> Response {
    hearth::web::serve_asset(&file, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}
