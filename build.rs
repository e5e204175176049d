//! Names the files of `static/` and `static/dist/` by their content, and compresses them, so that browsers keep them for ever and no request waits for it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What a file's name ends with, and how it is called in `Content-Type` (RFC 9239 for scripts).
const KINDS: [(&str, &str); 3] =
    [("css", "text/css; charset=utf-8"), ("js", "text/javascript; charset=utf-8"), ("svg", "image/svg+xml")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=static");
    let mut table = String::from("&[\n");
    // `static/dist` is what scripts/assets made of packages; without it pages are without what they add.
    for folder in ["static", "static/dist"] {
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(root.join(folder)) {
            Ok(all) => all.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect(),
            Err(_) => continue,
        };
        paths.sort();
        for path in paths {
            add(&path, &out, &mut table)?;
        }
    }
    table.push(']');
    std::fs::write(out.join("assets.rs"), table)?;
    Ok(())
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
