//! Puts the words of pages into the program, names the files of `static/` and `static/dist/` and the pictures of the guide by their content, and compresses them, so that browsers keep them for ever and no request waits for it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What a file's name ends with, and how it is called in `Content-Type` (RFC 9239 for scripts).
const KINDS: [(&str, &str); 5] = [
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=static");
    println!("cargo:rerun-if-changed=docs/guide/pictures");
    let mut table = String::from("&[\n");
    // `static/dist` is what scripts/assets made of packages; without it pages are without what they add.
    for folder in ["static", "static/dist", "docs/guide/pictures"] {
        let Ok(paths) = sorted(&root.join(folder)) else { continue };
        for path in paths.into_iter().filter(|path| path.is_file()) {
            add(&path, &out, &mut table)?;
        }
    }
    table.push(']');
    std::fs::write(out.join("assets.rs"), table)?;
    words(&root.join("templates/words"), &out)
}

/// The words of pages: language (a folder), name and text of each file.
fn words(folder: &Path, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    for language in sorted(folder)?.iter().filter(|path| path.is_dir()) {
        for path in sorted(language)?.iter().filter(|path| path.extension().is_some_and(|end| end == "ftl")) {
            let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            writeln!(table, "    ({:?}, {:?}, include_str!({path:?})),", name(language), name(path))?;
        }
    }
    table.push(']');
    std::fs::write(out.join("words.rs"), table)?;
    Ok(())
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    all.sort();
    Ok(all)
}

fn add(path: &Path, out: &Path, table: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let (Some(stem), Some(end)) = (path.file_stem(), path.extension()) else { return Ok(()) };
    let (stem, end) = (stem.to_string_lossy(), end.to_string_lossy());
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == end) else { return Ok(()) };
    let bytes = std::fs::read(path)?;
    let hash = Sha256::digest(&bytes).iter().take(6).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let packed = out.join(format!("{stem}.{hash}.{end}.br"));
    let mut writer = brotli::CompressorWriter::new(std::fs::File::create(&packed)?, 1 << 16, 11, 22);
    writer.write_all(&bytes)?;
    drop(writer);
    writeln!(
        table,
        "    Asset {{ name: {:?}, path: {:?}, kind: {kind:?}, plain: include_bytes!({:?}), brotli: include_bytes!({:?}) }},",
        format!("{stem}.{end}"),
        format!("/static/{stem}.{hash}.{end}"),
        path,
        packed
    )?;
    Ok(())
}
