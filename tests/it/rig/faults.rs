//! Faults that take programs of their own: a clock that is set while hearth runs, a folder whose changes are not announced.

use std::path::{Path, PathBuf};

use super::disk::{run, unmount};
use super::scratch::script_with;
use super::{Scratch, Skip, until};

fn tools() -> Result<PathBuf, Skip> {
    script_with("faults", &[], &[]).map(PathBuf::from).map_err(Skip)
}

/// The clock of programs that are started with [`SetClock::env`].
pub struct SetClock {
    file: PathBuf,
    env: Vec<(String, String)>,
}

impl SetClock {
    /// As it is on this machine.
    pub fn new(s: &Scratch) -> Result<SetClock, Skip> {
        let library = tools()?.join("usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1");
        let file = s.beside("clock");
        let env = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let clock = SetClock { file, env: env.map(|(k, v)| (k.to_owned(), v)).to_vec() };
        clock.set("+0");
        Ok(clock)
    }

    pub fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
    }

    /// `+365d`, `-365d`; what runs feels it at once.
    pub fn set(&self, offset: &str) {
        std::fs::write(&self.file, offset).expect("a file can be written");
    }
}

/// A folder of the home that containers see through FUSE, so that what is written beneath is not announced to them.
pub struct Unannounced<'s> {
    s: &'s Scratch,
    at: PathBuf,
    real: PathBuf,
}

impl<'s> Unannounced<'s> {
    /// Until [`Unannounced::beneath`], everybody sees it through FUSE.
    pub fn at(s: &'s Scratch, folder: &str) -> Result<Unannounced<'s>, Skip> {
        if !Path::new("/dev/fuse").exists() {
            return Err(Skip("no FUSE here".to_owned()));
        }
        let root = tools()?;
        let (at, real) = (s.dir.join(folder), s.beside("real"));
        for path in [&at, &real] {
            std::fs::create_dir_all(path).expect("folders can be made");
        }
        let libraries = format!("{0}/usr/lib/x86_64-linux-gnu:{0}/lib/x86_64-linux-gnu", root.display());
        let (program, set) = (root.join("usr/bin/bindfs"), format!("LD_LIBRARY_PATH={libraries}"));
        let paths = [&program, &real, &at].map(|path| path.display().to_string());
        let mounted = run(s, "env", &[&set, &paths[0], "-o", "allow_other", &paths[1], &paths[2]]);
        let one = Unannounced { s, at, real };
        match mounted {
            true => Ok(one),
            false => Err(Skip("this user may not mount by FUSE".to_owned())),
        }
    }

    /// From here on hearth writes beneath; containers that were given the folder go on seeing it through FUSE.
    pub fn beneath(&self) {
        assert!(unmount(self.s, &self.at), "it can be taken away");
        let [real, at] = [&self.real, &self.at].map(|path| path.display().to_string());
        assert!(run(self.s, "mount", &["--bind", &real, &at]), "the folder itself can be mounted");
    }
}

impl Drop for Unannounced<'_> {
    fn drop(&mut self) {
        until(std::time::Duration::from_secs(5), || unmount(self.s, &self.at));
    }
}
