//! Which database: a file of SQLite, or a PostgreSQL server by URL. A password in a URL is in no text that this gives.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::base::wording;
use crate::diag::Diagnostic;

/// The variable, in a home's `.env` or the environment, that says which PostgreSQL a home's database is in.
pub const URL: &str = "HEARTH_DATABASE_URL";

/// A home's own file, below its folder, and what it was called once.
const FILE: &str = "hearth.db";
const FORMER: &str = "history.db";

/// What a URL's query may say, as libpq knows it and as sqlx reads it. Others are refused: sqlx would write their values into the log.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

const MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Where a database is.
#[derive(Clone)]
pub struct Location {
    pub(super) which: Which,
    /// Where copies are kept that are made before a migration.
    pub(super) backups: Option<PathBuf>,
    /// The `state/` of the home whose database it is to be.
    pub(super) state: Option<PathBuf>,
    /// It becomes that home's, whoever had it before.
    pub(super) taking: bool,
}

#[derive(Clone)]
pub(super) enum Which {
    File {
        path: PathBuf,
        /// What it was called by earlier versions: renamed where it is found.
        former: Option<PathBuf>,
    },
    Server {
        options: Box<PgConnectOptions>,
        /// The URL without its password and parameters.
        shown: String,
    },
}

impl Location {
    /// A file of SQLite.
    pub fn file(path: impl Into<PathBuf>) -> Location {
        let path = path.into();
        let backups = path.parent().map(|folder| folder.join("backups"));
        Location { backups, ..Location::of(Which::File { path, former: None }) }
    }

    fn of(which: Which) -> Location {
        Location { which, backups: None, state: None, taking: false }
    }

    /// A PostgreSQL server: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...`.
    pub fn server(url: &str) -> Result<Location, Diagnostic> {
        let scheme = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        if !scheme {
            return Err(bad_url("it does not begin with postgres://"));
        }
        let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
        query.split('&').filter(|pair| !pair.is_empty()).try_for_each(parameter)?;
        let options = PgConnectOptions::from_str(url).map_err(|error| match error {
            // The parser names the part that is wrong, and what stands in it only for `sslmode`, which is known to be right by now.
            sqlx::Error::Configuration(why) => bad_url(&why.to_string()),
            _ => bad_url("it cannot be read"),
        })?;
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_string(),
        };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let shown = format!("postgres://{}@{host}:{}/{database}", options.get_username(), options.get_port());
        let options = Box::new(options.application_name("hearth"));
        Ok(Location::of(Which::Server { options, shown }))
    }

    /// A URL, or a path from `cwd`, as somebody types it.
    pub fn typed(text: &str, cwd: &Path) -> Result<Location, Diagnostic> {
        match text.contains("://") {
            true => Location::server(text),
            false => Ok(Location::of(Which::File { path: cwd.join(text), former: None })),
        }
    }

    /// The database of a home: what `url` says ([`URL`]), else the file in its `state/`. Everyone who needs it finds it here.
    pub fn of_home(dir: &Path, url: Option<&str>) -> Result<Location, Diagnostic> {
        let state = dir.join("state");
        let mut location = match url.map(str::trim).filter(|url| !url.is_empty()) {
            Some(url) => Location::server(url).map_err(|told| told.field(URL))?,
            None => Location::of(Which::File { path: state.join(FILE), former: Some(state.join(FORMER)) }),
        };
        location.backups = Some(state.join("backups"));
        location.state = Some(state);
        Ok(location)
    }

    /// The same, to be the home's from its next use on, also where it is another home's now.
    pub fn taking(self) -> Location {
        Location { taking: true, ..self }
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.which {
            Which::File { path, .. } => Some(path),
            Which::Server { .. } => None,
        }
    }

    /// Whether it holds more than the history of a plain Compose project.
    pub(super) fn is_home(&self) -> bool {
        !matches!(&self.which, Which::File { former: None, path } if path.ends_with(FORMER))
    }
}

/// As a person may see it: the path, or the URL without its password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.which {
            Which::File { path, .. } => write!(f, "{}", path.display()),
            Which::Server { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// Refuses what sqlx would not understand. What is wrong is not repeated: a password that is not written as it should be ends up here too.
fn parameter(pair: &str) -> Result<(), Diagnostic> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if !PARAMETERS.contains(&key) && !key.starts_with("options[") {
        let near = wording::nearest(key, PARAMETERS.iter().copied());
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(bad_url(&format!("it has an unknown parameter{near}")));
    }
    if key.starts_with("ssl") && key.ends_with("mode") && !MODES.contains(&value) {
        return Err(bad_url(&format!("`{key}` is one of {}", wording::list(MODES))));
    }
    Ok(())
}

/// Whether a URL holds a password.
pub fn has_password(url: &str) -> bool {
    let (authority, rest) =
        url.split_once("://").map_or(("", ""), |(_, rest)| rest.split_once(['/', '?']).unwrap_or((rest, "")));
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty()) || rest.contains("password=")
}

fn bad_url(why: &str) -> Diagnostic {
    Diagnostic::error("store.bad-url", format!("the URL of the database cannot be used: {why}"))
        .hint("it looks like postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full")
        .hint(
            "in user and password every letter that is not plain is written as %XX: `/` is %2F, `@` is %40, `#` is %23",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_in_nothing_that_is_shown() {
        let url = "postgres://joe:s3cret%2F@db.example:5433/hearth?sslmode=require&password=s3cret2";
        let location = Location::server(url).unwrap();
        assert_eq!(location.to_string(), "postgres://joe@db.example:5433/hearth");
        assert!(!format!("{location:?}").contains("s3cret"));
        for url in [
            "postgres://joe:s3cret@db.example:s3cret/hearth",
            "postgres://joe:s3cret/x@db.example/hearth",
            "postgres://joe:s3cret@db.example/hearth?sslmode=s3cret",
            "postgres://joe:s3cret@db.example/hearth?passwrod=s3cret",
            "postgres://joe:x?s3cret@db.example/hearth",
            "postgres://joe:s3cret@[db.example/hearth",
            "mysql://joe:s3cret@db.example/hearth",
            "s3cret",
        ] {
            let told = Location::server(url).unwrap_err();
            assert_eq!(told.code, "store.bad-url", "{url}");
            assert!(!format!("{told:?}").contains("s3cret"), "{told:?}");
        }
    }

    #[test]
    fn a_home_has_a_file_unless_a_url_says_otherwise() {
        let home = |url| Location::of_home(Path::new("/srv/home"), url).unwrap().to_string();
        assert_eq!(home(None), "/srv/home/state/hearth.db");
        assert_eq!(home(Some(" ")), "/srv/home/state/hearth.db");
        assert_eq!(home(Some("postgres://h@db/x")), "postgres://h@db:5432/x");
        assert_eq!(Location::of_home(Path::new("/"), Some("x")).unwrap_err().field.as_deref(), Some(URL));
    }
}
