//! What a command line means: a home, a project that a home has adopted, or plain Compose files.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;

use super::home::{Home, Read, Refused};
use super::{Around, FrontDoor, Given, Loading, Place};
use crate::args::Global;
use crate::base::wording;
use crate::cli::{Failure, Out, ask};
use crate::compose::model::Project;
use crate::compose::{self, Loaded};
use crate::config::Adopted;
use crate::diag::{Diagnostic, Kind, Severity, Sources};
use crate::engine::Engine;
use crate::plan::observed::Observed;
use crate::plan::wanted::Wanted;
use crate::plan::{Outgoing, ServiceName};
use crate::spec::{Mode, Service, front, keys};

/// One project, found but not loaded.
pub struct Target {
    pub given: Given,
    /// The home whose own project this is, and its stacks or why they cannot be read.
    home: Option<(Home, Result<Read, Refused>)>,
    /// The home that looks after this project, its own or an adopted one: its `state/` keeps the history.
    keeper: Option<PathBuf>,
    /// Only the name is known, in a home that knows nothing of this project: commands that need files refuse.
    stranger: bool,
}

/// In localhost mode: routes whose `access` nobody asks for, as there is no proxy. Of what is on, or is about to be, all in one.
pub(super) fn unasked(home: &Home, read: &Read, soon: impl Fn(&str) -> bool) -> Option<Diagnostic> {
    let kept = |service: &&Service| {
        !service.keys.localhost.is_empty() && service.keys.routes.iter().any(keys::Route::keeps_somebody_out)
    };
    let on = |name: &String, service: &Service| home.has_on(&service.profiles) || soon(name);
    let all = read.spec.services.iter().filter(|(name, service)| on(name, service));
    let all: Vec<(&String, &Service)> = all.filter(|(_, service)| kept(service)).collect();
    let (_, first) = all.first()?;
    let names: Vec<String> = all.iter().map(|(name, _)| format!("`{name}`")).collect();
    let title = format!(
        "in localhost mode nobody is asked who they are: the `access` of {} does not hold at ports of this machine",
        wording::list(&names)
    );
    let span = first.keys.routes.first().map(|route| route.span);
    Some(
        Diagnostic::warning("lint.access-local", title).at(span).hint(
            "whoever has an account on this machine reaches them; in domain mode `access` holds: hearth mode domain",
        ),
    )
}

impl Target {
    /// `-f` and `--project-directory` mean plain Compose; else a home, here or above; else Compose's own discovery.
    pub fn find(global: &Global, out: &Out) -> Result<Target, Failure> {
        if !global.files.is_empty() || global.project_directory.is_some() {
            return Ok(Target::plain(global, out));
        }
        let found = Home::find(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
        let Some(home) = found else { return Ok(Target::plain(global, out)) };
        let given = Given::new(global, out);
        let keeper = Some(home.dir.clone());
        match &global.project_name {
            Some(name) if *name != home.config.name => Ok(match home.config.adopted.get(name) {
                Some(adopted) => {
                    Target { given: as_adopted(given, name, adopted), home: None, keeper, stranger: false }
                }
                None => Target { given, home: None, keeper: None, stranger: true },
            }),
            _ => {
                refuse_plain_flags(global)?;
                let read = home.read();
                Ok(Target { given, home: Some((home, read)), keeper, stranger: false })
            }
        }
    }

    /// The home's own project as it would be in another mode.
    pub fn in_mode(global: &Global, mode: Mode, out: &Out) -> Result<Target, Failure> {
        let mut target = Target::find(global, out)?;
        if let Some((home, read)) = &mut target.home {
            home.config.mode = mode;
            *read = home.read();
        }
        Ok(target)
    }

    /// The home's own project as it would be with another text of one stack.
    pub fn with_text(global: &Global, name: &str, text: &str, out: &Out) -> Result<Target, Failure> {
        let mut target = Target::find(global, out)?;
        if let Some((home, read)) = &mut target.home {
            *read = home.read_with(Some((name, Some(text))));
        }
        Ok(target)
    }

    /// What a home in localhost mode has left where the switch to it was cut off: Traefik, which holds ports 80 and 443, and gate.
    pub fn outgoing(&self) -> Option<Outgoing> {
        let home = self.home().filter(|home| home.config.mode == Mode::Localhost)?;
        let services = [front::TRAEFIK, front::GATE].map(ServiceName::from).to_vec();
        Some(Outgoing { services, network: format!("{}_{}", home.config.name, front::gate_network()) })
    }

    /// The keys of all networks that a home has, whatever is on.
    pub fn networks(&self) -> Option<BTreeSet<String>> {
        self.read().map(|(_, read)| read.rendered.networks.clone())
    }

    /// Before services are started in domain mode: the way in is ready.
    pub fn open_door(&self, door: &dyn FrontDoor, around: Option<&Around>, out: &Out) -> Result<(), Failure> {
        match self.read() {
            Some((home, read)) if home.config.mode == Mode::Domain => door.make_ready(home, read, around, out),
            _ => Ok(()),
        }
    }

    /// After an apply: how the routes of these services are.
    pub async fn try_routes(
        &self,
        door: &dyn FrontDoor,
        engine: &dyn Engine,
        changed: &BTreeSet<String>,
        out: &Out,
    ) -> Result<(), Failure> {
        match self.read().filter(|(home, _)| home.config.mode == Mode::Domain) {
            Some((home, read)) => door.try_routes(home, read, engine, changed, out).await,
            None => Ok(()),
        }
    }

    /// After a switch to localhost mode: where what is on answers.
    pub fn say_ports(&self, door: &dyn FrontDoor, out: &Out) -> Result<(), Failure> {
        let Some((home, read)) = self.read().filter(|(home, _)| home.config.mode == Mode::Localhost) else {
            return Ok(());
        };
        if out.json {
            return Ok(());
        }
        for (service, address, _) in door.ports(home, read)?.iter().filter(|(_, _, on)| *on) {
            out.say(format!("{service} answers at {address}"));
        }
        Ok(())
    }

    /// Says what of a home cannot work or will surprise, and refuses what cannot: all that would be refused later, between writing one
    /// thing and the next. `seen`: what is on the engine, where it was asked.
    pub fn judge(&self, door: &dyn FrontDoor, seen: Option<(&Wanted, &Observed)>, out: &Out) -> Result<(), Failure> {
        let Some((home, read)) = self.read() else { return Ok(()) };
        home.refuse_foreign_files(read)?;
        if home.config.mode != Mode::Domain {
            let soon = |name: &str| seen.is_some_and(|(wanted, _)| wanted.services.contains_key(name));
            unasked(home, read, soon).iter().for_each(|d| out.diagnostic(d, &read.sources));
            return Ok(());
        }
        let told = door.judge(home, read, seen);
        told.0.iter().for_each(|d| out.diagnostic(d, &read.sources));
        if told.has_errors() { Err(Failure::Code(told.exit_code().max(1))) } else { Ok(()) }
    }

    /// Plain Compose files, whatever home is around.
    pub fn plain(global: &Global, out: &Out) -> Target {
        Target { given: Given::new(global, out), home: None, keeper: None, stranger: false }
    }

    /// A project as a home has adopted it, or would.
    pub fn adopted(global: &Global, name: &str, adopted: &Adopted, out: &Out) -> Target {
        let given = as_adopted(Given::new(global, out), name, adopted);
        Target { given, home: None, keeper: None, stranger: false }
    }

    pub fn home(&self) -> Option<&Home> {
        self.home.as_ref().map(|(home, _)| home)
    }

    /// Whether a home has one of these profiles on.
    pub fn is_on(&self, profiles: &[String]) -> bool {
        self.home().is_some_and(|home| profiles.iter().any(|p| home.config.profiles.contains(p)))
    }

    pub(super) fn read(&self) -> Option<(&Home, &Read)> {
        let (home, read) = self.home.as_ref()?;
        Some((home, read.as_ref().ok()?))
    }

    /// Loads it; what is wrong is told and ends the command, unless the containers' labels will do: a mistake in a file
    /// must not keep anyone from stopping what runs.
    pub fn load(&self, loading: &Loading, out: &Out, warnings: bool) -> Result<(Project, Sources), Failure> {
        let loaded = self.loaded(loading)?;
        let name = self.home().map(|home| &home.config.name).or(self.given.global.project_name.as_ref());
        if let (None, true, Some(name)) = (&loaded.project, loading.labels_do, name) {
            let errors = loaded.diagnostics.0.iter().filter(|d| d.severity == Severity::Error);
            errors.for_each(|d| out.diagnostic(d, &loaded.sources));
            out.say(format!("the files of `{name}` cannot be loaded: going by the labels of its containers"));
            return super::cli::project_of(bare(name), out, warnings);
        }
        super::cli::project_of(loaded, out, warnings)
    }

    fn loaded(&self, loading: &Loading) -> Result<Loaded, Failure> {
        if self.stranger {
            let name = self.given.global.project_name.as_deref().unwrap_or_default();
            return if loading.labels_do { Ok(bare(name)) } else { Err(stranger(name).into()) };
        }
        if let Some((home, read)) = &self.home {
            return Ok(match read {
                Ok(read) => home.load(read, &self.given, loading, loading.profiles.as_deref()),
                Err(refused) => {
                    Loaded { project: None, diagnostics: refused.diagnostics.clone(), sources: refused.sources.clone() }
                }
            });
        }
        let loaded = self.given.load(loading);
        let global = &self.given.global;
        match &global.project_name {
            Some(name) if loading.labels_do && global.files.is_empty() && no_file(&loaded) => Ok(bare(name)),
            _ => Ok(loaded),
        }
    }

    /// Where the state of this project lies.
    pub fn place(&self, project: &str) -> Place {
        let home = self.keeper.as_deref().map(|dir| (dir, super::home::database(dir, &self.given.environment)));
        Place::new(home, &self.given.environment, project)
    }

    /// The project's name, without loading more than it takes.
    pub fn name(&self, out: &Out) -> Result<String, Failure> {
        if let Some(home) = self.home() {
            return Ok(home.config.name.clone());
        }
        Ok(self.load(&Loading::whole(), out, false)?.0.name)
    }

    /// What the names of `up` and `plan` load: services, or in a home profiles.
    pub fn selected(&self, names: &[String]) -> Result<Loading, Failure> {
        if self.home.is_none() {
            return Ok(Loading::selected(names.to_vec()));
        }
        // Stacks that cannot be read are told when they are loaded.
        let Some((_, read)) = self.read() else { return Ok(Loading::default()) };
        self.known_profiles(names)?;
        if names.is_empty() && self.nothing_is_on() {
            let profiles = read.spec.profiles();
            return Err(Diagnostic::error("home.nothing-on", "no profile is on")
                .kind(Kind::NotFound)
                .hint(format!("turn one on: hearth up PROFILE; there are {}", wording::list(&profiles)))
                .into());
        }
        Ok(Loading { profiles: (!names.is_empty()).then(|| names.to_vec()), ..Loading::default() })
    }

    /// A home in which no profile is on, and every service has one.
    pub fn nothing_is_on(&self) -> bool {
        self.read().is_some_and(|(home, read)| {
            home.config.profiles.is_empty() && read.spec.services.values().all(|s| !s.profiles.is_empty())
        })
    }

    /// Services that the names of `up` and `plan` mean themselves, without what these need; none means all.
    pub fn named(&self, project: &Project, names: &[String]) -> Vec<String> {
        if self.home.is_none() {
            return names.to_vec();
        }
        let of_profile = |profiles: &[String]| profiles.iter().any(|p| names.contains(p));
        project.services.iter().filter(|(_, s)| of_profile(&s.profiles)).map(|(name, _)| name.clone()).collect()
    }

    fn known_profiles(&self, names: &[String]) -> Result<(), Failure> {
        let Some((home, read)) = self.read() else { return Ok(()) };
        home.check_profiles(read, names).map_err(|mut told| {
            let service = names.iter().find(|name| read.spec.services.contains_key(*name));
            if let Some(name) = service {
                told.hints = vec![format!("`{name}` is a service; in a home this command takes profiles")];
            }
            told.into()
        })
    }

    /// The services that `down` with these names ends: in a home those that are off once the profiles are. `None`: all.
    pub fn ending(&self, project: &Project, names: &[String]) -> Result<Option<Vec<String>>, Failure> {
        if names.is_empty() {
            return Ok(None);
        }
        if self.home.is_none() {
            return Ok(Some(names.to_vec()));
        }
        let Some((home, _)) = self.read() else {
            let d = Diagnostic::error(
                "home.stacks-unread",
                "which services a profile has is known only once the stacks can be read",
            );
            return Err(d.hint("mend what is told above, or end everything with: hearth down").into());
        };
        self.known_profiles(names)?;
        let stay: BTreeSet<String> = home.without(names).into_iter().collect();
        let ends = |profiles: &[String]| {
            profiles.iter().any(|p| names.contains(p)) && !profiles.iter().any(|p| stay.contains(p))
        };
        let all = project.services.iter().chain(&project.disabled);
        Ok(Some(all.filter(|(_, s)| ends(&s.profiles)).map(|(name, _)| name.clone()).collect()))
    }

    /// Writes what a home has to have on the disk before a command acts: rendered files, and the profiles that are on from
    /// now. A hand edit of `COMPOSE_PROFILES` is asked about.
    pub fn settle(&self, change: &Change, yes: bool, out: &Out) -> Result<(), Failure> {
        let Some((home, read)) = self.read() else { return Ok(()) };
        let written = home.write_rendered(read)?;
        if !written.is_empty() && !out.json {
            let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
            out.say(format!("wrote {}", wording::list(&names)));
        }
        // Another command may have turned profiles on or off since this one began.
        let mut home = Home::open(home.dir.clone()).map_err(|refused| refused.tell(out))?;
        if let Some(edit) = home.hand_edit() {
            let asks = yes || out.terminal && std::io::stdin().is_terminal();
            if !asks && matches!(change, Change::None) {
                let d = Diagnostic::warning("home.hand-edit", format!("{} It was left as it is", edit.question()));
                out.diagnostic(
                    &d.hint("say so with --yes, or change the profiles with hearth enable and disable"),
                    &Sources::default(),
                );
                return Ok(());
            }
            ask::confirm(&edit.question(), yes, out)?;
        }
        if !written.is_empty() || change.of(&home) != home.config.profiles {
            out.acting();
        }
        home.set_profiles(|now| change.of(now))?;
        Ok(())
    }
}

/// What a command does to the profiles of a home.
#[derive(Debug, Clone, Default)]
pub enum Change {
    #[default]
    None,
    On(Vec<String>),
    Off(Vec<String>),
}

impl Change {
    /// The profiles of a home that are on once it is done.
    fn of(&self, home: &Home) -> Vec<String> {
        match self {
            Change::None => home.config.profiles.clone(),
            Change::On(names) => home.with(names),
            Change::Off(names) => home.without(names),
        }
    }
}

/// A home's own project is what its files say: flags that would make another one of it are refused.
fn refuse_plain_flags(global: &Global) -> Result<(), Failure> {
    let flag = match (global.env_files.is_empty(), global.profiles.is_empty()) {
        (false, _) => "--env-file",
        (_, false) => "--profile",
        _ => return Ok(()),
    };
    let hint = match flag {
        "--profile" => "name profiles after the command: hearth up PROFILE",
        _ => "a home's variables stand in its .env",
    };
    Err(Diagnostic::error("cli.not-in-a-home", format!("{flag} goes with -f, not with a home")).hint(hint).into())
}

fn as_adopted(mut given: Given, name: &str, adopted: &Adopted) -> Given {
    let directory = PathBuf::from(&adopted.directory);
    let global = &mut given.global;
    global.project_name = Some(name.to_string());
    global.files = adopted.files.iter().map(|file| directory.join(file)).collect();
    if global.env_files.is_empty() {
        global.env_files = adopted.env_files.iter().map(|file| directory.join(file)).collect();
    }
    global.project_directory = Some(directory);
    given
}

fn stranger(name: &str) -> Diagnostic {
    Diagnostic::error("home.no-project", format!("this home knows no project `{name}`"))
        .kind(Kind::NotFound)
        .hint("take it over with hearth adopt, or name its files with -f")
}

fn no_file(loaded: &Loaded) -> bool {
    loaded.project.is_none() && loaded.diagnostics.0.iter().any(|d| d.code == "compose.no-file")
}

/// A project of which only the name is known.
fn bare(name: &str) -> Loaded {
    let project = Project { name: name.to_string(), ..compose::model::Project::default() };
    Loaded { project: Some(project), diagnostics: Default::default(), sources: Default::default() }
}
