//! Any bytes as a whole project, whose env files, includes and extends lead back to the same bytes.
#![no_main]

use std::path::{Path, PathBuf};

use hearth_fuzz::compose::{self, Compat, FileError, Files, Request, hash, output};
use hearth_fuzz::diag::text;
use libfuzzer_sys::fuzz_target;

struct Same<'b>(&'b [u8]);

impl Files for Same<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        if path.starts_with("/p") { Ok(self.0.to_vec()) } else { Err(FileError::NotFound) }
    }
    fn is_file(&self, path: &Path) -> bool {
        path == Path::new("/p/compose.yaml")
    }
    fn is_dir(&self, path: &Path) -> bool {
        path == Path::new("/p")
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_path_buf())
    }
}

fuzz_target!(|bytes: &[u8]| {
    for compat in [Compat::V2, Compat::V5] {
        let request = Request { cwd: "/p".into(), profiles: vec!["*".into()], compat, ..Request::default() };
        let loaded = compose::load(&request, &Same(bytes));
        for d in &loaded.diagnostics.0 {
            text::render(d, &loaded.sources, Path::new("/p"));
        }
        if let Some(project) = loaded.project {
            output::yaml(&project);
            project.services.values().for_each(|s| drop(hash::service(s)));
        }
    }
});
