//! One command on one project: load, look, plan. Nothing is changed here (see `run`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::{Disk, Loading, Place, Target, itself};
use crate::base::clock::{Clock, SystemClock};
use crate::base::wording;
use crate::cli::{Failure, Out};
use crate::compose::Compat;
use crate::compose::model::{Dependency, Project, Service};
use crate::diag::{Diagnostic, Kind, Severity, Sources};
use crate::engine::{Engine, Known, Scope, docker};
use crate::plan::observed::{Container, Observed};
use crate::plan::wanted::{BuildRequest, Wanted, WantedService};
use crate::plan::{self, Options, Plan, check, request};
use crate::spec::front;

/// A loaded project with the engine it runs on.
pub struct Session<'a> {
    pub target: &'a Target,
    pub out: &'a Out,
    pub project: Project,
    pub sources: Sources,
    pub wanted: Wanted,
    pub place: Place,
    pub engine: Arc<dyn Engine>,
}

/// One look at the engine, and when it began.
pub struct Look {
    pub observed: Observed,
    pub at: OffsetDateTime,
}

impl<'a> Session<'a> {
    /// Loads the project and finds its engine; `adjust` changes the loaded project by flags (`--scale`).
    pub async fn open(
        target: &'a Target,
        loading: &Loading,
        out: &'a Out,
        adjust: impl FnOnce(&mut Project) -> Result<(), Failure>,
    ) -> Result<Session<'a>, Failure> {
        let (mut project, sources) = target.load(loading, out, true)?;
        adjust(&mut project)?;
        let engine = out.engine().await?;
        Ok(Session::on(target, project, sources, out, engine, docker::proxies(&target.given.environment)?))
    }

    /// For commands that only show or end what runs: warnings about the files are for another day.
    pub async fn open_quietly(target: &'a Target, loading: &Loading, out: &'a Out) -> Result<Session<'a>, Failure> {
        let (project, sources) = target.load(loading, out, false)?;
        let engine = out.engine().await?;
        Ok(Session::on(target, project, sources, out, engine, docker::proxies(&target.given.environment)?))
    }

    /// A loaded project on an engine that is at hand.
    pub fn on(
        target: &'a Target,
        project: Project,
        sources: Sources,
        out: &'a Out,
        engine: Arc<dyn Engine>,
        proxies: BTreeMap<String, String>,
    ) -> Session<'a> {
        let disk = Disk::whole();
        let context = request::Context { compat: target.given.compat(), files: &disk, proxies };
        let mut wanted = request::wanted(&project, &context);
        // What `up PROFILE` does not act on may be on all the same.
        wanted.off.retain(|_, profiles| !target.is_on(profiles));
        wanted.by_profile = target.home().is_some();
        if wanted.by_profile {
            make_own_image(&mut wanted);
        }
        let place = target.place(&project.name);
        Session { target, out, project, sources, wanted, place, engine }
    }

    /// What is looked at: everything of the project, and what it names.
    pub fn scope(&self) -> Scope {
        let services = self.wanted.services.values();
        let mut images: Vec<String> =
            services.map(|s| s.service.image_or_default(&self.project.name, &s.name)).collect();
        images.sort();
        images.dedup();
        Scope {
            project: self.wanted.project.clone(),
            images,
            networks: self.wanted.networks.values().map(|n| n.name.clone()).collect(),
            volumes: self.wanted.volumes.values().map(|v| v.name.clone()).collect(),
            bind_sources: self.wanted.services.values().flat_map(|s| s.request.bind_sources()).collect(),
            host_ports: self.wanted.services.values().flat_map(|s| s.request.host_ports()).collect(),
            compat: self.target.given.compat(),
            inspect: true,
        }
    }

    /// The project's containers, without what only an inspection tells.
    pub async fn containers(&self) -> Result<Vec<Container>, Failure> {
        let scope = Scope { project: self.wanted.project.clone(), ..Scope::default() };
        Ok(self.engine.observe(&scope).await?.containers)
    }

    pub async fn look(&self) -> Result<Look, Failure> {
        let at = SystemClock.now();
        let observed = self.engine.observe(&self.scope()).await?;
        Ok(Look { observed, at })
    }

    /// Only the project's name is known: what its containers say about its services has to do.
    pub fn is_bare(&self) -> bool {
        self.project.config_files.is_empty() && self.project.services.is_empty()
    }

    /// Where only the name is known, takes the services from the labels of the containers.
    pub fn know_by_labels(&mut self, containers: &[Container]) {
        if !self.is_bare() {
            return;
        }
        for container in containers {
            let label = |name: &str| container.labels.get(name).map(String::as_str).unwrap_or_default();
            let name = label(request::SERVICE);
            if name.is_empty() || label(request::ONEOFF).eq_ignore_ascii_case("true") {
                continue;
            }
            let known =
                self.wanted.services.entry(name.to_string()).or_insert_with(|| stub(name, label(request::DEPENDS_ON)));
            known.service.scale = Some(known.service.scale.unwrap_or(0) + 1);
        }
        for (name, wanted) in &self.wanted.services {
            self.project.services.insert(name.clone(), wanted.service.clone());
        }
    }

    /// The plan for one look. A plan that breaks an invariant is never shown as one: it is a bug, and says so.
    pub fn plan(&self, look: &Look, options: &Options) -> Result<Plan, Failure> {
        let options = Options {
            now: Some(look.at),
            outgoing: self.target.outgoing(),
            networks: self.target.networks(),
            ..options.clone()
        };
        let plan = plan::plan(&self.wanted, &look.observed, &options);
        let broken = check::check(&plan);
        if broken.is_empty() {
            return Ok(plan);
        }
        let mut bug = Diagnostic::error("stacks.bad-plan", format!("this plan cannot be right: {}", broken.join("; ")))
            .kind(Kind::Bug)
            .hint("this is a mistake in Hearth, nothing was done; please report it with the output of `hearth plan --steps`");
        bug.severity = Severity::Error;
        Err(bug.into())
    }

    /// Tells what stands in the way of a plan, each at its place in the files; last, that it would end the container of this very process.
    pub fn refuse(&self, plan: &Plan) -> Result<(), Failure> {
        if plan.refusals.is_empty() {
            return Ok(itself::spare(plan)?);
        }
        let mut code = None;
        for refusal in &plan.refusals {
            let d = self.refusal(refusal);
            code = code.or(Some(d.kind.exit_code()));
            self.out.diagnostic(&d, &self.sources);
        }
        if !self.out.json {
            let n = wording::count(plan.refusals.len(), "reason");
            self.out.say(format!("refused for {n}: nothing is done until each is settled"));
        }
        Err(Failure::Code(code.unwrap_or(1)))
    }

    fn refusal(&self, refusal: &plan::Refusal) -> Diagnostic {
        let kind = match refusal.code.as_str() {
            "plan.unsupported" | "plan.needs-buildkit" | "plan.restart-policy" => Kind::Invalid,
            _ => Kind::Conflict,
        };
        let mut d = Diagnostic::error(code(&refusal.code), refusal.title.clone()).kind(kind);
        d.hints = refusal.hints.clone();
        if let Some(field) = &refusal.field {
            d = d.at(place_of(&self.project.places, field)).field(field.clone());
        }
        d
    }

    /// Ids that the walker needs before the first step.
    pub fn known(&self, observed: &Observed, plan: &Plan) -> Known {
        let mut known = Known { services: plan.known.clone(), ..Known::default() };
        known.images = observed.images.iter().map(|(name, image)| (name.clone(), image.label_id.clone())).collect();
        known
    }
}

/// What Hearth itself runs in a home (gate, the example) is made of this program, unless `.env` names another image.
fn make_own_image(wanted: &mut Wanted) {
    for service in wanted.services.values_mut().filter(|service| service.service.image == front::OWN_IMAGE) {
        service.build = Some(BuildRequest::of_hearth(&service.name, front::OWN_IMAGE, env!("CARGO_PKG_VERSION")));
    }
}

/// The code as a constant. There are few, all known when this is compiled: each is kept once.
fn code(code: &str) -> crate::diag::Code {
    static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = seen.get(code) {
        return known;
    }
    let kept: &'static str = Box::leak(code.to_string().into_boxed_str());
    seen.insert(kept);
    kept
}

/// A service of which only the name and its dependencies are known (`db:service_healthy:false,...`).
fn stub(name: &str, depends_on: &str) -> WantedService {
    let mut service = Service::default();
    for one in depends_on.split(',').filter(|one| !one.is_empty()) {
        let mut parts = one.split(':');
        let dependency = Dependency {
            condition: "service_started".into(),
            restart: parts.clone().nth(2) == Some("true"),
            required: false,
            extensions: Default::default(),
        };
        service.depends_on.insert(parts.next().unwrap_or_default().to_string(), dependency);
    }
    WantedService {
        name: name.to_string(),
        service,
        compat: Compat::default(),
        request: Default::default(),
        fingerprint: String::new(),
        files: Vec::new(),
        build: None,
        window: 0,
        start_first: false,
    }
}

/// The place of a field, or of the nearest field above it that has one.
fn place_of(places: &crate::compose::model::Places, field: &str) -> Option<crate::diag::Span> {
    let mut path = field;
    loop {
        if let Some(place) = places.get(path) {
            return Some(*place);
        }
        path = &path[..path.rfind(['.', '['])?];
    }
}
