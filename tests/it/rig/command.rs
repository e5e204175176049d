//! Running programs: with a time limit, and with everything they said kept.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything here may take; a program that goes on is killed, and its test has failed.
const LIMIT: Duration = Duration::from_secs(180);
/// What it said is waited for so long after its end.
const LEFT: Duration = Duration::from_secs(20);

/// A program that has ended. `code` is -1 where a signal ended it.
#[derive(Debug, Clone)]
pub struct Ran {
    pub line: String,
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> Ran {
        self.exits(0)
    }
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "exit code of `{}`\n{}{}", self.line, self.out, self.err);
        self
    }
    /// What it said on either output holds `words`.
    #[track_caller]
    pub fn says(self, words: &str) -> Ran {
        assert!(self.both().contains(words), "`{}` does not say {words:?} but\n{}{}", self.line, self.out, self.err);
        self
    }
    pub fn both(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// A program that runs.
pub struct Running {
    line: String,
    child: Child,
    began: Instant,
    limit: Duration,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
    said: Said,
}

/// A test that fails leaves nothing behind that it has started.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What a program has written until now.
type Said = Arc<Mutex<Vec<u8>>>;

impl Running {
    /// Starts a program with this environment and no other, and without input.
    #[expect(clippy::disallowed_methods, reason = "tests run hearth, docker and Compose as a person does")]
    pub fn start(program: &Path, args: &[String], dir: &Path, env: &[(String, String)]) -> Running {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let line = format!("{name} {}", args.join(" "));
        let mut child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .env_clear()
            .envs(env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{} cannot be run: {e}", program.display()));
        let said = Said::default();
        let out = reader(child.stdout.take().expect("stdout is piped"), said.clone());
        let err = reader(child.stderr.take().expect("stderr is piped"), Said::default());
        Running { line, child, began: Instant::now(), limit: LIMIT, out: Some(out), err: Some(err), said }
    }

    /// Lets it run for this long.
    pub fn patient(mut self, limit: Duration) -> Running {
        self.limit = limit;
        self
    }

    /// What it has written to standard output until now.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("a reader does not fail with it")).into_owned()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, as `kill` does.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).expect("a child has a process id");
        let _ = rustix::process::kill_process(pid, signal);
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        let status = self.wait();
        let took = self.began.elapsed();
        let left = Instant::now() + LEFT;
        let (out, err) = (whole(self.out.take(), left), whole(self.err.take(), left));
        let code = status.and_then(|s| s.code()).unwrap_or(-1);
        assert!(status.is_some(), "`{}` did not end within {} s\n{out}{err}", self.line, self.limit.as_secs());
        Ran { line: std::mem::take(&mut self.line), code, out, err, took }
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        while self.began.elapsed() < self.limit {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

/// What a reader has read by then; nothing where it still reads, since what the program has started itself may hold its outputs open after its end.
fn whole(of: Option<JoinHandle<String>>, until: Instant) -> String {
    let Some(of) = of else { return String::new() };
    while !of.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    if of.is_finished() { of.join().unwrap_or_default() } else { String::new() }
}

fn reader(mut from: impl Read + Send + 'static, said: Said) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut some = [0; 8192];
        while let Ok(n) = from.read(&mut some)
            && n > 0
        {
            said.lock().expect("nobody fails with it").extend_from_slice(&some[..n]);
        }
        let all = said.lock().expect("nobody fails with it");
        String::from_utf8_lossy(&all).into_owned()
    })
}

/// A program that ends with its test.
pub struct Program(Option<Running>);

impl Program {
    pub fn start(program: &Path, args: &[String], dir: &Path, more: &[(&str, &str)]) -> Program {
        let env: Vec<(String, String)> = more.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        // As long as its test goes on.
        Program(Some(Running::start(program, args, dir, &env).patient(Duration::from_secs(3600))))
    }
    pub fn end(&mut self) -> String {
        let Some(running) = self.0.take() else { return String::new() };
        running.signal(rustix::process::Signal::KILL);
        running.end().both()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}
