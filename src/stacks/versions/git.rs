//! Versions of stacks as commits of the home's git repository.
//!
//! What a repository's own configuration says must not run anything here: whoever can write to the home could else have the server do it. So only plumbing is called,
//! hooks, the file watcher and every transport are turned off, the configuration of the system and of the account is not read, filters of files are refused, and root does
//! it as whoever owns the repository. A commit is made in an index of its own, so that what else is staged stays as it is; only the file's entry is then taken over.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{Author, Change, Version};
use crate::config;
use crate::diag::{Diagnostic, Kind};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of an answer.
const MOST: u64 = 16 << 20;
/// Somebody else may commit at the same moment.
const TRIES: usize = 3;

const OFF: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "gc.auto=0",
];

/// Of indices of this process.
static COUNT: AtomicU64 = AtomicU64::new(0);

pub struct Repository {
    /// Where it begins.
    top: PathBuf,
    /// The home below it: empty, or with a slash at its end.
    prefix: String,
    folder: PathBuf,
    /// Who root is for its sake.
    owner: Option<(u32, u32)>,
}

struct Said {
    good: bool,
    out: Vec<u8>,
    err: String,
}

impl Said {
    fn line(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end_matches('\n').to_owned()
    }
}

impl Repository {
    /// The one that the home lies in; `None` where it is in none, where git is not here, or where the one around it does not have this home in it.
    pub async fn of(home: &Path) -> Option<Repository> {
        let home = std::fs::canonicalize(home).ok()?;
        let mark = home.ancestors().map(|dir| dir.join(".git")).find(|mark| mark.symlink_metadata().is_ok())?;
        let owned = mark.symlink_metadata().ok()?;
        let root = rustix::process::geteuid().is_root();
        let owner = (root && owned.uid() != 0).then_some((owned.uid(), owned.gid()));
        let top = mark.parent()?.to_path_buf();
        let mut found = Repository { top, prefix: String::new(), folder: PathBuf::new(), owner };
        let top = found.ask(&["rev-parse", "--show-toplevel", "--absolute-git-dir"]).await.ok()?.line();
        let (top, folder) = top.split_once('\n')?;
        (found.top, found.folder) = (PathBuf::from(top), PathBuf::from(folder));
        found.prefix = match home.strip_prefix(&found.top).ok()?.to_str()? {
            "" => String::new(),
            below => format!("{below}/"),
        };
        // A folder of somebody's whole machine is no home's history.
        if !found.prefix.is_empty() {
            let object = format!("HEAD:{}{}", found.prefix, config::FILE);
            found.call(&["cat-file", "-e", &object], &[], &[]).await.ok().filter(|said| said.good)?;
        }
        Some(found)
    }

    /// Commits what a file has become, and nothing else. `None` where the last commit has it like that.
    pub async fn commit(&self, path: &Path, change: &Change<'_>) -> Result<Option<String>, Diagnostic> {
        let path = path.to_str().ok_or_else(|| unfit("its name is not UTF-8"))?;
        let full = format!("{}{path}", self.prefix);
        self.refuse_what_would_surprise(&full).await?;
        let mut last = None;
        for _ in 0..TRIES {
            match self.commit_once(&full, change).await {
                Err(told) if told.code == "versions.moved" => last = Some(told),
                done => return done,
            }
        }
        Err(last.unwrap_or_else(|| unfit("git is at it all the time")))
    }

    async fn refuse_what_would_surprise(&self, full: &str) -> Result<(), Diagnostic> {
        const UNDER_WAY: [&str; 6] =
            ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG"];
        if let Some(what) = UNDER_WAY.into_iter().find(|what| self.folder.join(what).exists()) {
            return Err(unfit(&format!("the repository is in the middle of something ({what})")));
        }
        let said = self.ask(&["check-attr", "-z", "filter", "--", full]).await?;
        let filter = said.out.split(|byte| *byte == 0).nth(2).map(|text| String::from_utf8_lossy(text).into_owned());
        if let Some(filter) = filter.filter(|filter| !["unspecified", "unset", ""].contains(&filter.as_str())) {
            return Err(unfit(&format!("it goes through the filter `{filter}`, which Hearth does not run")));
        }
        if self.call(&["check-ignore", "-q", "--", full], &[], &[]).await?.good {
            return Err(unfit("git is told to ignore it (.gitignore)"));
        }
        Ok(())
    }

    async fn commit_once(&self, full: &str, change: &Change<'_>) -> Result<Option<String>, Diagnostic> {
        let head = self.call(&["rev-parse", "-q", "--verify", "HEAD^{commit}"], &[], &[]).await?;
        let head = head.good.then(|| head.line());
        let mode = match &head {
            Some(head) => self.mode(head, full).await?,
            None => None,
        };
        if mode.as_deref().is_some_and(|mode| !mode.starts_with("100")) {
            return Err(unfit("git keeps it as a link"));
        }
        let entry = match change.now {
            Some(text) => {
                let blob = self.call(&["hash-object", "-w", "--no-filters", "--stdin"], text.as_bytes(), &[]).await?;
                Some(format!("{},{},{full}", mode.as_deref().unwrap_or("100644"), blob.good()?.line()))
            }
            None => None,
        };
        let index =
            self.folder.join(format!("hearth-index.{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let made = self.tree(head.as_deref(), entry.as_deref(), full, &index).await;
        let _ = std::fs::remove_file(&index);
        let tree = made?;
        if let Some(head) = &head
            && self.ask(&["rev-parse", &format!("{head}^{{tree}}")]).await?.line() == tree
        {
            return Ok(None);
        }
        let mut args = vec!["commit-tree", &tree, "-F", "-"];
        args.extend(head.iter().flat_map(|head| ["-p", head.as_str()]));
        let message = format!("{}\n", change.message);
        let commit = self.call(&args, message.as_bytes(), &people(change)).await?.good()?.line();
        let none = "0".repeat(commit.len());
        let before = head.as_deref().unwrap_or(&none);
        let moved =
            self.call(&["update-ref", "-m", "hearth: a stack saved", "HEAD", &commit, before], &[], &[]).await?;
        if !moved.good {
            return Err(Diagnostic::error("versions.moved", "somebody else has committed at the same moment")
                .kind(Kind::Conflict)
                .hint("nothing of theirs is lost: save once more"));
        }
        // Of the index that everybody has only this entry; where it is being used, git shows the file as staged the other way round, and no more.
        for _ in 0..TRIES {
            if self.enter(entry.as_deref(), full, &[]).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Some(commit))
    }

    /// The last commit's files with this one in it.
    async fn tree(
        &self,
        head: Option<&str>,
        entry: Option<&str>,
        full: &str,
        index: &Path,
    ) -> Result<String, Diagnostic> {
        let own = [("GIT_INDEX_FILE", index.as_os_str().to_owned())];
        self.call(&["read-tree", head.unwrap_or("--empty")], &[], &own).await?.good()?;
        self.enter(entry, full, &own).await?;
        Ok(self.call(&["write-tree"], &[], &own).await?.good()?.line())
    }

    async fn enter(&self, entry: Option<&str>, full: &str, env: &[(&str, OsString)]) -> Result<(), Diagnostic> {
        let args = match entry {
            Some(entry) => vec!["update-index", "--add", "--cacheinfo", entry],
            None => vec!["update-index", "--force-remove", "--", full],
        };
        self.call(&args, &[], env).await?.good().map(|_| ())
    }

    /// `100644`; `None` where it is not there.
    async fn mode(&self, commit: &str, full: &str) -> Result<Option<String>, Diagnostic> {
        let said = self.ask(&["ls-tree", commit, "--", full]).await?.line();
        Ok(said.split(' ').next().filter(|mode| !mode.is_empty()).map(str::to_owned))
    }

    pub async fn log(&self, paths: &[String], most: usize) -> Result<Vec<Version>, Diagnostic> {
        if !self.call(&["rev-parse", "-q", "--verify", "HEAD^{commit}"], &[], &[]).await?.good {
            return Ok(Vec::new());
        }
        let (most, full) = (most.to_string(), self.full(paths));
        let mut args = vec!["log", "-z", "--no-show-signature", "--no-color", "--format=%H%n%aI%n%an%n%B", "-n", &most];
        args.push("--");
        args.extend(full.iter().map(String::as_str));
        let said = self.ask(&args).await?;
        let text = String::from_utf8_lossy(&said.out).into_owned();
        let one = |entry: &str| {
            let mut lines = entry.splitn(4, '\n');
            let (id, at, who) = (lines.next()?.to_owned(), lines.next()?.to_owned(), lines.next()?.to_owned());
            Some(Version { id, at, who, message: super::message(lines.next().unwrap_or_default(), "") })
        };
        Ok(text.split('\0').filter_map(one).collect())
    }

    pub async fn text(&self, paths: &[String], id: &str) -> Result<Option<Option<String>>, Diagnostic> {
        let sound = (7..=64).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let commit = format!("{id}^{{commit}}");
        if !sound || !self.call(&["rev-parse", "-q", "--verify", &commit], &[], &[]).await?.good {
            return Ok(None);
        }
        for full in self.full(paths) {
            let said = self.call(&["cat-file", "blob", &format!("{id}:{full}")], &[], &[]).await?;
            if said.good {
                return Ok(Some(Some(String::from_utf8_lossy(&said.out).into_owned())));
            }
        }
        Ok(Some(None))
    }

    fn full(&self, paths: &[String]) -> Vec<String> {
        paths.iter().map(|path| format!("{}{path}", self.prefix)).collect()
    }

    /// What has to go well.
    async fn ask(&self, args: &[&str]) -> Result<Said, Diagnostic> {
        self.call(args, &[], &[]).await?.good()
    }

    async fn call(&self, args: &[&str], input: &[u8], env: &[(&str, OsString)]) -> Result<Said, Diagnostic> {
        let mut command = Command::new("git");
        command.env_clear().kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        command.env("PATH", path).env("HOME", "/nonexistent").env("LC_ALL", "C").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", "none");
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_LITERAL_PATHSPECS", "1").env("GIT_PAGER", "cat");
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.top);
        OFF.iter().for_each(|off| {
            command.args(["-c", off]);
        });
        command.arg("--no-replace-objects").args(args);
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        let done = tokio::time::timeout(PATIENCE, run(command, input)).await;
        done.map_err(|_| unfit("git does not end"))?.map_err(|error| unfit(&format!("git cannot be run: {error}")))
    }
}

async fn run(mut command: Command, input: &[u8]) -> std::io::Result<Said> {
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // Who does not read it says why.
            let _ = stdin.write_all(input).await;
        }
    };
    let read = async |from: Option<Box<dyn tokio::io::AsyncRead + Send + Unpin>>, most: u64| {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            let _ = from.take(most).read_to_end(&mut bytes).await;
        }
        bytes
    };
    let (stdout, stderr) = (stdout.map(|s| Box::new(s) as _), stderr.map(|s| Box::new(s) as _));
    let ((), out, err) = tokio::join!(feed, read(stdout, MOST), read(stderr, 4096));
    let good = child.wait().await?.success();
    Ok(Said { good, out, err: String::from_utf8_lossy(&err).into_owned() })
}

impl Said {
    fn good(self) -> Result<Said, Diagnostic> {
        if self.good {
            return Ok(self);
        }
        let first = self.err.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned();
        Err(unfit(&format!("git says: {}", crate::diag::hidden(&first))))
    }
}

/// Who makes the commit: the account, for both of git's two.
fn people(change: &Change<'_>) -> Vec<(&'static str, OsString)> {
    let Author { name, email } = change.author;
    let date = format!("@{} +0000", change.at.unix_timestamp());
    let of = |[who, mail, when]: [&'static str; 3]| {
        [(who, name.into()), (mail, email.into()), (when, OsString::from(&date))]
    };
    let author = of(["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"]);
    author.into_iter().chain(of(["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"])).collect()
}

fn unfit(why: &str) -> Diagnostic {
    Diagnostic::error("versions.not-committed", format!("the file is saved, and not committed: {why}"))
        .kind(Kind::Failed)
        .hint("commit it at the terminal: git add stacks && git commit")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command as Blocking;

    use time::OffsetDateTime;

    use super::*;

    /// Git as somebody at a terminal has it.
    #[expect(clippy::disallowed_methods, reason = "a test's")]
    #[track_caller]
    fn git(dir: &Path, args: &[&str]) -> String {
        let mut command = Blocking::new("git");
        command.args(["-c", "user.name=Eve", "-c", "user.email=eve@example.org", "-c", "init.defaultBranch=main"]);
        let ran = command.args(args).current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    fn home(dir: &Path) {
        fs::create_dir_all(dir.join("stacks")).unwrap();
        fs::write(dir.join("hearth.yaml"), "name: h\n").unwrap();
        fs::write(dir.join("stacks/a.yaml"), "a: 1\n").unwrap();
        fs::write(dir.join("other"), "1\n").unwrap();
    }

    async fn save(dir: &Path, now: Option<&str>, message: &str) -> Result<Option<String>, Diagnostic> {
        match now {
            Some(text) => fs::write(dir.join("stacks/a.yaml"), text).unwrap(),
            None => fs::remove_file(dir.join("stacks/a.yaml")).unwrap(),
        }
        let author = Author { name: "ada".into(), email: "ada@example.org".into() };
        let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let change = Change { before: None, now, author: &author, message, at };
        Repository::of(dir).await.expect("it is one").commit(Path::new("stacks/a.yaml"), &change).await
    }

    #[tokio::test]
    async fn a_save_is_one_commit_of_that_file_and_what_else_is_staged_stays_so() {
        let dir = tempfile::tempdir().unwrap();
        let dir = &fs::canonicalize(dir.path()).unwrap();
        home(dir);
        assert!(Repository::of(dir).await.is_none());
        git(dir, &["init", "-q"]);
        // The first commit of all.
        let first = save(dir, Some("a: 2\n"), "first").await.unwrap().unwrap();
        assert_eq!(git(dir, &["ls-tree", "-r", "--name-only", "HEAD"]), "stacks/a.yaml");
        git(dir, &["add", "."]);
        git(dir, &["commit", "-qm", "the rest"]);
        fs::write(dir.join("other"), "2\n").unwrap();
        git(dir, &["add", "other"]);
        fs::write(dir.join("hearth.yaml"), "name: i\n").unwrap();
        let message = "why\n\n$(id) `id` <script>";
        let second = save(dir, Some("a: 3\r\n"), message).await.unwrap().unwrap();
        assert_eq!(
            git(dir, &["show", "--format=%H %an <%ae> %cn", "--name-only", "HEAD"]),
            format!("{second} ada <ada@example.org> ada\n\nstacks/a.yaml")
        );
        assert_eq!(git(dir, &["log", "-1", "--format=%B"]), message);
        assert_eq!(git(dir, &["status", "--porcelain"]), " M hearth.yaml\nM  other");
        assert_eq!(save(dir, Some("a: 3\r\n"), "again").await.unwrap(), None);
        save(dir, None, "gone").await.unwrap().unwrap();
        let repository = Repository::of(dir).await.unwrap();
        let paths = ["stacks/a.yaml".to_owned(), "stacks/a.yml".to_owned()];
        let all = repository.log(&paths, 10).await.unwrap();
        let told: Vec<&str> = all.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(told, ["gone", message, "first"]);
        assert_eq!((all[1].who.as_str(), all[1].at.as_str()), ("ada", "2023-11-14T22:13:20+00:00"));
        assert_eq!(repository.text(&paths, &second).await.unwrap(), Some(Some("a: 3\r\n".into())));
        assert_eq!(repository.text(&paths, &all[0].id).await.unwrap(), Some(None));
        assert_eq!(repository.text(&paths, &first).await.unwrap(), Some(Some("a: 2\n".into())));
        for id in ["HEAD", "--help", "0000000000", "main", ""] {
            assert_eq!(repository.text(&paths, id).await.unwrap(), None, "{id}");
        }
        // In the middle of a merge nothing is put in between.
        fs::write(dir.join(".git/MERGE_HEAD"), "").unwrap();
        assert_eq!(save(dir, Some("a: 4\n"), "x").await.unwrap_err().code, "versions.not-committed");
    }

    #[tokio::test]
    async fn a_home_below_a_repository_is_in_it_where_that_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let top = &fs::canonicalize(dir.path()).unwrap();
        let dir = &top.join("infra/home");
        home(dir);
        git(top, &["init", "-q"]);
        git(top, &["commit", "-qm", "nothing", "--allow-empty"]);
        assert!(Repository::of(dir).await.is_none());
        git(top, &["add", "."]);
        git(top, &["commit", "-qm", "all"]);
        let id = save(dir, Some("a: 2\n"), "why").await.unwrap().unwrap();
        assert_eq!(
            git(top, &["show", "--format=%H", "--name-only", "HEAD"]),
            format!("{id}\n\ninfra/home/stacks/a.yaml")
        );
        assert_eq!(git(top, &["status", "--porcelain"]), "");
    }

    #[tokio::test]
    async fn hostile_25_a_repository_of_the_home_has_nothing_run() {
        let dir = tempfile::tempdir().unwrap();
        let dir = &fs::canonicalize(dir.path()).unwrap();
        home(dir);
        git(dir, &["init", "-q"]);
        git(dir, &["add", "."]);
        git(dir, &["commit", "-qm", "all"]);
        let trap = dir.join("trap");
        fs::write(&trap, format!("#!/bin/sh\ntouch {}/sprung\ncat\n", dir.display())).unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        for hook in [
            "pre-commit",
            "post-commit",
            "reference-transaction",
            "post-index-change",
            "commit-msg",
            "fsmonitor-watchman",
        ] {
            fs::create_dir_all(dir.join(".git/hooks")).unwrap();
            fs::copy(&trap, dir.join(".git/hooks").join(hook)).unwrap();
        }
        let trap = trap.to_str().unwrap();
        for key in [
            "core.fsmonitor",
            "gpg.program",
            "core.pager",
            "core.editor",
            "diff.external",
            "core.sshCommand",
            "diff.x.textconv",
            "filter.x.clean",
            "core.alternateRefsCommand",
        ] {
            git(dir, &["config", key, trap]);
        }
        for key in ["commit.gpgSign", "log.showSignature"] {
            git(dir, &["config", key, "true"]);
        }
        fs::write(dir.join(".git/info/attributes"), "* diff=x\n").unwrap();
        save(dir, Some("a: 2\n"), "why").await.unwrap().unwrap();
        let repository = Repository::of(dir).await.unwrap();
        let all = repository.log(&["stacks/a.yaml".into()], 10).await.unwrap();
        assert_eq!(all.len(), 2);
        repository.text(&["stacks/a.yaml".into()], &all[0].id).await.unwrap().unwrap();
        // What would be written in clear where it is kept in code.
        fs::write(dir.join(".git/info/attributes"), "stacks/* filter=x\n").unwrap();
        let told = save(dir, Some("a: 3\n"), "why").await.unwrap_err();
        assert!(told.title.contains("filter"), "{}", told.title);
        assert!(!dir.join("sprung").exists());
    }
}
