//! The verbs that change what runs, each as the command line has it: all of them are works.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Accepted, Api, Begun};
use crate::args;
use crate::auth::who::{Admin, Identity, Operator, Role};
use crate::diag::{Diagnostic, Kind};
use crate::spec;
use crate::stacks::cli::{down as down_, lifecycle, mode as mode_, up as up_};
use crate::web::read::Json as Body;
use crate::web::{Refusal, Refusals};

const JSON: args::Json = args::Json { json: true };

/// The longest time that is waited for, in seconds.
const DAY: i64 = 86_400;

/// A whole number of seconds, from `LEAST` to a day.
fn seconds<'de, D: Deserializer<'de>, const LEAST: i64>(from: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    let found = number.as_i64().filter(|n| (LEAST..=DAY).contains(n));
    found.map(Some).ok_or_else(|| D::Error::custom(format!("{number} is not a whole number from {LEAST} to {DAY}")))
}

/// The word for the equivalent command.
pub fn yes(yes: bool) -> Option<&'static str> {
    yes.then_some("--yes")
}

/// Words of the equivalent command.
struct Words(Vec<String>);

impl Words {
    fn new(project: Option<&String>, verb: &str) -> Words {
        let mut words = Words(Vec::new());
        words.value("-p", project);
        words.0.push(verb.to_string());
        words
    }

    fn flag(&mut self, name: &str, on: bool) {
        self.0.extend(on.then(|| name.to_string()));
    }

    fn value(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.extend([name.to_string(), value.to_string()]);
        }
    }

    fn names(&mut self, names: &[String]) {
        self.0.extend(names.iter().cloned());
    }

    fn all(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Up {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// Profiles, which is why they are not called `services`; of an adopted project, which has no profiles to turn on, services. None is all that is on.
    #[schema(example = json!(["example"]))]
    names: Vec<String>,
    /// Only these services and what they need, whatever their profiles; nothing is turned on for good. Not with `names`.
    #[schema(example = json!([]))]
    services: Vec<String>,
    /// Also end containers that no stack names any more.
    remove_orphans: bool,
    /// Replace every container even if nothing changed.
    force_recreate: bool,
    /// Replace nothing.
    no_recreate: bool,
    /// Leave dependencies alone.
    no_deps: bool,
    /// Run one-shots again that ended well and did not change.
    rerun: bool,
    /// `always`, `missing` or `never`.
    pull: Option<Pull>,
    /// Seconds to wait for a stop before killing; -1 waits without a limit.
    #[schema(minimum = -1, maximum = 86400)]
    #[serde(deserialize_with = "seconds::<_, -1>")]
    timeout: Option<i64>,
    /// End only when every service is running or healthy.
    wait: bool,
    /// At most this many seconds with `wait`.
    #[schema(minimum = 0, maximum = 86400)]
    #[serde(deserialize_with = "seconds::<_, 0>")]
    wait_timeout: Option<i64>,
    /// Answers yes to what would be asked.
    yes: bool,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PullPolicy)]
pub enum Pull {
    Always,
    Missing,
    Never,
}

impl Pull {
    fn word(self) -> &'static str {
        match self {
            Pull::Always => "always",
            Pull::Missing => "missing",
            Pull::Never => "never",
        }
    }
}

/// Makes what runs what is wanted, replacing only what changed; profiles that are named are on from then.
#[utoipa::path(post, path = "/api/v1/up", request_body = Up, responses((status = 202, body = Accepted)))]
pub async fn up(who: Operator, State(api): State<Api>, Body(asked): Body<Up>) -> Result<Begun, Response> {
    let mut words = Words::new(asked.project.as_ref(), "up");
    words.names(&asked.names);
    for service in &asked.services {
        words.value("--service", Some(service));
    }
    words.flag("--remove-orphans", asked.remove_orphans);
    words.flag("--force-recreate", asked.force_recreate);
    words.flag("--no-recreate", asked.no_recreate);
    words.flag("--no-deps", asked.no_deps);
    words.flag("--rerun", asked.rerun);
    words.value("--pull", asked.pull.map(Pull::word));
    words.value("--timeout", asked.timeout);
    words.flag("--wait", asked.wait);
    words.value("--wait-timeout", asked.wait_timeout);
    words.flag("--yes", asked.yes);
    let global = either(&api, asked.project.as_deref(), &asked.names, &asked.services).await?;
    let args = args::Up {
        deciding: args::Deciding {
            names: asked.names,
            services: asked.services,
            remove_orphans: asked.remove_orphans,
            force_recreate: asked.force_recreate,
            no_recreate: asked.no_recreate,
            no_deps: asked.no_deps,
            rerun: asked.rerun,
            pull: asked.pull.map(|pull| pull.word().to_string()),
            timeout: asked.timeout,
            ..args::Deciding::default()
        },
        wait: asked.wait,
        wait_timeout: asked.wait_timeout.and_then(|n| u64::try_from(n).ok()),
        answer: args::Answer { yes: asked.yes },
        json: JSON,
        ..args::Up::default()
    };
    let door = api.door.clone();
    begun(api.begin(&who, "up", &words.all(), move |out| up_::up(&global, args, door.as_ref(), out)))
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Down {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// Profiles, which is why they are not called `services`; of an adopted project, which has no profiles to turn off, services. None is everything, the
    /// whole home: that takes `yes`.
    #[schema(example = json!(["example"]))]
    names: Vec<String>,
    /// Also remove these volumes and their data, which takes an admin; an empty list is all of the project's.
    volumes: Option<Vec<String>>,
    /// Also end containers that no stack names any more.
    remove_orphans: bool,
    /// Seconds to wait for a stop before killing; -1 waits without a limit.
    #[schema(minimum = -1, maximum = 86400)]
    #[serde(deserialize_with = "seconds::<_, -1>")]
    timeout: Option<i64>,
    /// Answers yes to what would be asked: to what loses data, and to everything at once.
    yes: bool,
}

/// Stops and removes containers and networks; volumes stay unless they are named. Profiles that are named are off from then.
#[utoipa::path(post, path = "/api/v1/down", request_body = Down, responses((status = 202, body = Accepted)))]
pub async fn down(who: Operator, State(api): State<Api>, Body(asked): Body<Down>) -> Result<Begun, Response> {
    if asked.volumes.is_some() {
        only_admins(&who, "remove volumes")?;
    }
    let mut words = Words::new(asked.project.as_ref(), "down");
    words.names(&asked.names);
    if let Some(volumes) = &asked.volumes {
        words.flag("--volumes", true);
        words.names(volumes);
    }
    words.flag("--remove-orphans", asked.remove_orphans);
    words.value("--timeout", asked.timeout);
    words.flag("--yes", asked.yes);
    let global = known(&api, asked.project.as_deref(), &asked.names)?;
    if asked.names.is_empty() && !asked.yes {
        return Err(everything().into_response());
    }
    let args = args::Down {
        names: asked.names,
        volumes: asked.volumes,
        remove_orphans: asked.remove_orphans,
        timeout: asked.timeout,
        answer: args::Answer { yes: asked.yes },
        json: JSON,
    };
    begun(api.begin(&who, "down", &words.all(), move |out| down_::run(&global, args, out)))
}

/// Whoever types `hearth down` has read what it says; a program whose list has come out empty has not.
fn everything() -> Refusal {
    let d =
        Diagnostic::error("stacks.everything", "no names mean everything that runs here: it takes a yes").field("yes");
    // What is sent fits: it is what runs that would all end.
    let d = d
        .kind(Kind::Conflict)
        .hint("send `\"yes\": true` to end all of it, or name what is meant: `\"names\": [\"media\"]`");
    Refusal(d)
}

/// Data is an admin's to lose.
fn only_admins(who: &Identity, what: &str) -> Result<(), Response> {
    if who.may_all() {
        return Ok(());
    }
    // An admin who may not all has a token that was given less.
    let (title, hint) = match who.role {
        Role::Admin => (format!("to {what} takes a token with the scope `admin`"), "make one that has it, or sign in"),
        role => (format!("to {what} is for admins, and you are an {role}"), "ask an admin of the home"),
    };
    Err(Refusal(Diagnostic::error("auth.not-allowed", title).kind(Kind::Denied).hint(hint)).into_response())
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
    /// Services, never profiles. None is all.
    #[schema(example = json!(["web"]))]
    pub services: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timed {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
    /// Services, never profiles. None is all.
    #[schema(example = json!(["web"]))]
    pub services: Vec<String>,
    /// Seconds to wait for a stop before killing; -1 waits without a limit.
    #[schema(minimum = -1, maximum = 86400)]
    #[serde(deserialize_with = "seconds::<_, -1>")]
    pub timeout: Option<i64>,
}

/// Starts containers that exist.
#[utoipa::path(post, path = "/api/v1/start", request_body = Services, responses((status = 202, body = Accepted)))]
pub async fn start(who: Operator, State(api): State<Api>, Body(asked): Body<Services>) -> Result<Begun, Response> {
    let (words, global, args) = some(&api, "start", asked).await?;
    begun(api.begin(&who, "start", &words.all(), move |out| lifecycle::start_(&global, args, out)))
}

/// Pulls images.
#[utoipa::path(post, path = "/api/v1/pull", request_body = Services, responses((status = 202, body = Accepted)))]
pub async fn pull(who: Operator, State(api): State<Api>, Body(asked): Body<Services>) -> Result<Begun, Response> {
    let (words, global, args) = some(&api, "pull", asked).await?;
    begun(api.begin(&who, "pull", &words.all(), move |out| lifecycle::pull(&global, args, out)))
}

/// Stops containers, in reverse order of dependency.
#[utoipa::path(post, path = "/api/v1/stop", request_body = Timed, responses((status = 202, body = Accepted)))]
pub async fn stop(who: Operator, State(api): State<Api>, Body(asked): Body<Timed>) -> Result<Begun, Response> {
    let (words, global, args) = timed(&api, "stop", asked).await?;
    begun(api.begin(&who, "stop", &words.all(), move |out| lifecycle::stop(&global, args, out)))
}

/// Restarts containers without applying changes.
#[utoipa::path(post, path = "/api/v1/restart", request_body = Timed, responses((status = 202, body = Accepted)))]
pub async fn restart(who: Operator, State(api): State<Api>, Body(asked): Body<Timed>) -> Result<Begun, Response> {
    let (words, global, args) = timed(&api, "restart", asked).await?;
    begun(api.begin(&who, "restart", &words.all(), move |out| lifecycle::restart(&global, args, out)))
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Update {
    /// A project that this home has adopted; none is the home's own.
    pub project: Option<String>,
    /// Services, never profiles. None is all.
    #[schema(example = json!(["web"]))]
    pub services: Vec<String>,
    /// Answers yes to what would be asked.
    pub yes: bool,
}

/// Pulls again and replaces what moved; each old image stays until its successor has proven itself.
#[utoipa::path(post, path = "/api/v1/update", request_body = Update, responses((status = 202, body = Accepted)))]
pub async fn update(who: Operator, State(api): State<Api>, Body(asked): Body<Update>) -> Result<Begun, Response> {
    let mut words = Words::new(asked.project.as_ref(), "update");
    words.names(&asked.services);
    words.flag("--yes", asked.yes);
    let global = there(&api, asked.project.as_deref(), &asked.services).await?;
    let (services, answer) = (asked.services, args::Answer { yes: asked.yes });
    let args = args::Update { services, dry_run: false, answer, json: JSON };
    begun(api.begin(&who, "update", &words.all(), move |out| lifecycle::update(&global, args, out)))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// How services are reached from then on.
    mode: Mode,
    /// The switch stops and replaces what runs: without a yes here it is refused.
    #[serde(default)]
    yes: bool,
}

impl Switch {
    /// By whoever has said yes already.
    pub fn to(mode: spec::Mode) -> Switch {
        let mode = match mode {
            spec::Mode::Localhost => Mode::Localhost,
            spec::Mode::Domain => Mode::Domain,
        };
        Switch { mode, yes: true }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Localhost,
    Domain,
}

/// Switches how services are reached: on ports of this machine, or by name through Traefik.
#[utoipa::path(post, path = "/api/v1/mode", request_body = Switch, responses((status = 202, body = Accepted)))]
pub async fn mode(who: Admin, State(api): State<Api>, Body(asked): Body<Switch>) -> Result<Begun, Response> {
    let word = match asked.mode {
        Mode::Localhost => "localhost",
        Mode::Domain => "domain",
    };
    let mut words = Words::new(None, "mode");
    words.flag(word, true);
    words.flag("--yes", asked.yes);
    let (global, door) = (api.works.setting().global(), api.door.clone());
    let answer = args::Answer { yes: asked.yes };
    let args = args::Mode { mode: Some(word.to_string()), dry_run: false, answer, json: JSON };
    begun(api.begin(&who, "mode", &words.all(), move |out| mode_::run(&global, args, door.as_ref(), out)))
}

async fn some(api: &Api, verb: &str, asked: Services) -> Result<(Words, args::Global, args::Some_), Response> {
    let mut words = Words::new(asked.project.as_ref(), verb);
    words.names(&asked.services);
    let global = there(api, asked.project.as_deref(), &asked.services).await?;
    Ok((words, global, args::Some_ { services: asked.services, json: JSON }))
}

async fn timed(api: &Api, verb: &str, asked: Timed) -> Result<(Words, args::Global, args::Timed), Response> {
    let mut words = Words::new(asked.project.as_ref(), verb);
    words.names(&asked.services);
    words.value("--timeout", asked.timeout);
    let global = there(api, asked.project.as_deref(), &asked.services).await?;
    Ok((words, global, args::Timed { services: asked.services, timeout: asked.timeout, json: JSON }))
}

/// The flags for a project, whose names are looked at where that takes no engine: nothing is begun for a profile that is none.
fn known(api: &Api, project: Option<&str>, names: &[String]) -> Result<args::Global, Response> {
    let global = api.global(project).map_err(refused)?;
    let home = api.home().map_err(refused)?;
    if project.is_none_or(|project| project == home.config.name)
        && !names.is_empty()
        && let Ok(read) = home.read()
    {
        home.check_profiles(&read, names).map_err(|d| Refusal(d).into_response())?;
    }
    Ok(global)
}

/// The flags for a project, for names or for services and never for both.
pub(super) async fn either(
    api: &Api,
    project: Option<&str>,
    names: &[String],
    services: &[String],
) -> Result<args::Global, Response> {
    match (names, services) {
        (_, []) => known(api, project, names),
        ([], _) => there(api, project, services).await,
        _ => {
            let d = Diagnostic::error("cli.bad-value", "`names` and `services` do not go together").field("services");
            Err(Refusal(d.hint("send one of them: names are profiles, services are single ones")).into_response())
        }
    }
}

/// The flags for a project, once it is known that the home has services of these names, or containers of them that no stack names any more: nothing is begun
/// for a name that is none. What an adopted project has is found by the work.
async fn there(api: &Api, project: Option<&str>, names: &[String]) -> Result<args::Global, Response> {
    let global = api.global(project).map_err(refused)?;
    let home = api.home().map_err(refused)?;
    let own = project.is_none_or(|project| project == home.config.name);
    let Ok(read) = home.read() else { return Ok(global) };
    if let Err(unknown) = home.check_services(&read, names)
        && own
    {
        // Where the engine does not answer the work says so.
        let Ok(seen) = super::containers::observed(api, &home.config.name).await else { return Ok(global) };
        let left = |name: &&String| read.spec.services.contains_key(*name) || seen.iter().any(|c| c.is_of(name));
        if !names.iter().all(|name| left(&name)) {
            return Err(Refusal(unknown).into_response());
        }
    }
    Ok(global)
}

pub fn refused(refused: crate::stacks::home::Refused) -> Response {
    Refusals::from(refused).into_response()
}

pub(super) fn begun(begun: Result<Begun, Refusal>) -> Result<Begun, Response> {
    begun.map_err(IntoResponse::into_response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_bounded() {
        let read = |text: &str| serde_json::from_str::<Timed>(text).map(|timed| timed.timeout).ok();
        for (text, expected) in [
            ("{}", Some(None)),
            (r#"{"timeout": null}"#, Some(None)),
            (r#"{"timeout": -1}"#, Some(Some(-1))),
            (r#"{"timeout": 5}"#, Some(Some(5))),
            (r#"{"timeout": -2}"#, None),
            (r#"{"timeout": 0.5}"#, None),
            (r#"{"timeout": 1e300}"#, None),
            (r#"{"timeout": "5"}"#, None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
