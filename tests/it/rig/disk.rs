//! A small disk of a test's own, to be made full or read-only.

use std::path::{Path, PathBuf};

use super::{Running, Scratch, Skip};

/// Mounted until it is dropped. Containers that were given it before see it on.
pub struct Disk<'s> {
    s: &'s Scratch,
    path: PathBuf,
}

impl<'s> Disk<'s> {
    /// An empty one of some megabytes at a folder of the home, which is made.
    pub fn at(s: &'s Scratch, folder: &str) -> Result<Disk<'s>, Skip> {
        let path = s.dir.join(folder);
        std::fs::create_dir_all(&path).expect("folders can be made");
        let disk = Disk { s, path };
        match disk.mount(&["-t", "tmpfs", "-o", "size=4m,mode=0700", "none"]) {
            true => Ok(disk),
            false => Err(Skip("only root can mount a disk".to_owned())),
        }
    }

    fn mount(&self, args: &[&str]) -> bool {
        let path = self.path.display().to_string();
        run(self.s, "mount", &[args, &[&path]].concat())
    }

    pub fn read_only(&self, yes: bool) {
        let how = if yes { "remount,bind,ro" } else { "remount,bind,rw" };
        assert!(self.mount(&["-o", how]), "the disk can be mounted anew");
    }

    /// Not a byte fits on it any more.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.path.join("ballast")).expect("a file can be made");
        while std::io::Write::write(&mut file, &[0; 4096]).is_ok_and(|n| n > 0) {}
    }

    pub fn free(&self) {
        std::fs::remove_file(self.path.join("ballast")).expect("it is there");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        unmount(self.s, &self.path);
    }
}

/// Takes a mount away from this machine's view, whoever still uses it.
pub fn unmount(s: &Scratch, path: &Path) -> bool {
    run(s, "umount", &["-l", &path.display().to_string()])
}

/// Runs a program of the system; whether it ended well.
pub fn run(s: &Scratch, program: &str, args: &[&str]) -> bool {
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
    s.noted(Running::start(Path::new(program), &args, &s.dir, &env)).code == 0
}
