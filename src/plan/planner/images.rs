//! Images: pulled by policy, built where they are absent or asked for (semantics 4.1).

use std::collections::BTreeMap;

use super::Planner;
use crate::base::clock;
use crate::compose::short::size;
use crate::plan::observed::Image;
use crate::plan::wanted::WantedService;
use crate::plan::{Action, Cause, Verb};

/// What a policy asks for, given whether the image is here; the last asks for most.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Nothing,
    /// It is absent and may not be fetched.
    Absent,
    Pull,
    /// Pulled if a registry has it, else built.
    PullOrBuild,
    Build,
}

impl<'a> Planner<'a> {
    pub fn images(&mut self) {
        // Several services may name one image: who asks for most decides, and who can build it builds it for all.
        let mut needs: BTreeMap<(&str, Option<&str>), (Need, &'a WantedService)> = BTreeMap::new();
        let mut order = Vec::new();
        for service in self.order.clone() {
            if !self.is_in_scope(&service.name) || service.service.replicas() == 0 {
                continue;
            }
            let key = (reference(service), service.request.platform.as_deref());
            let need = self.need(service, self.image_of(service));
            match needs.get(&key) {
                Some((known, _)) if *known >= need => {}
                known => {
                    order.extend(known.is_none().then_some(key));
                    needs.insert(key, (need, service));
                }
            }
        }
        for (need, service) in order.iter().filter_map(|key| needs.remove(key)) {
            self.fetch(need, service);
        }
    }

    fn fetch(&mut self, need: Need, service: &'a WantedService) {
        match need {
            Need::Nothing => {}
            Need::Pull => self.pull_image(service, self.image_of(service).is_some()),
            Need::Build => self.build_image(service, false),
            Need::PullOrBuild => {
                self.pull_image(service, true);
                self.build_image(service, true);
            }
            Need::Absent => {
                let reference = reference(service);
                let title =
                    format!("the image {reference} is not here, and `pull_policy` of `{}` is `never`", service.name);
                let field = Some(format!("services.{}.image", service.name));
                let hint = "load or build the image, or remove `pull_policy: never`";
                self.refuse_with("plan.image-absent", field, title, &[hint]);
            }
        }
    }

    /// `pull`: all named services' images, whatever their policy.
    pub fn pull(&mut self) {
        for service in self.order.clone() {
            let built = service.build.is_some() && service.service.image.is_empty() || is_of_hearth(service);
            let known = self.images_made.contains_key(reference(service));
            if self.is_named(&service.name) && !built && !known && service.service.pull_policy != "never" {
                let can_be_built = self.order.iter().any(|s| s.build.is_some() && reference(s) == reference(service));
                self.pull_image(service, can_be_built);
            }
        }
    }

    fn need(&self, service: &WantedService, image: Option<&Image>) -> Need {
        let own = service.service.pull_policy.as_str();
        let policy = self.options.pull.as_deref().filter(|p| !p.is_empty()).unwrap_or(own);
        let builds = service.build.is_some();
        let pulls = !service.service.image.is_empty() && policy != "build" && !is_of_hearth(service);
        // An earlier round of this command saw to policies: only what is still absent is left, and that is built.
        if self.options.pulled {
            return match (image, builds) {
                (Some(_), _) => Need::Nothing,
                (None, true) => Need::Build,
                (None, false) if policy == "never" => Need::Absent,
                (None, false) => Need::Pull,
            };
        }
        if builds && (self.options.build || policy == "build") {
            return Need::Build;
        }
        let again = self.options.update && self.is_named(&service.name) || policy == "always";
        match (image, policy) {
            (None, "never") if builds => Need::Build,
            (None, "never") => Need::Absent,
            (None, _) if builds && pulls => Need::PullOrBuild,
            (None, _) if builds => Need::Build,
            (None, _) => Need::Pull,
            (Some(_), "never") => Need::Nothing,
            (Some(_), _) if again && pulls => Need::Pull,
            (Some(image), _) if pulls && self.is_due(policy, image) => Need::Pull,
            _ => Need::Nothing,
        }
    }

    /// `daily`, `weekly` and `every_<duration>`: older than that since it was last tagged here.
    fn is_due(&self, policy: &str, image: &Image) -> bool {
        let age = match policy {
            "daily" => "24h",
            "weekly" => "168h",
            other => match other.strip_prefix("every_") {
                Some(age) => age,
                None => return false,
            },
        };
        let (Some(now), Ok(age)) = (self.options.now, size::duration(age)) else { return false };
        clock::parse(&image.last_tag_time).is_none_or(|then| now - then > age.as_std())
    }

    /// A failure is tolerated where an image is here already, or can be built.
    fn pull_image(&mut self, service: &'a WantedService, optional: bool) {
        let cause = match self.options.verb {
            Verb::Pull => Cause::Requested { what: "pull".into() },
            _ if self.options.update => Cause::Requested { what: "update".into() },
            _ if self.image_of(service).is_some() => Cause::Requested { what: "pull_policy".into() },
            _ => Cause::Needed { by: service.name.clone() },
        };
        let reference = reference(service);
        let action =
            Action::PullImage { reference: reference.into(), platform: service.request.platform.clone(), optional };
        let at = self.steps.add("", action, cause);
        self.images_made.insert(reference, at);
    }

    fn build_image(&mut self, service: &'a WantedService, if_absent: bool) {
        let Some(build) = &service.build else { return };
        if !build.needs_buildkit.is_empty() {
            // A pull may bring the image: then the build is not needed.
            if if_absent {
                if let Some(pull) = self.images_made.get(reference(service)) {
                    let draft = &mut self.steps.drafts[*pull];
                    if let Action::PullImage { optional, .. } = &mut draft.action {
                        *optional = false;
                    }
                }
                return;
            }
            let what = crate::base::wording::list(&build.needs_buildkit);
            let title = format!("`{}` cannot be built by Hearth: {what} needs BuildKit", service.name);
            let hint = format!("build it with `docker compose build {}`; Hearth then uses the image", service.name);
            self.refuse_with("plan.needs-buildkit", Some(format!("services.{}.build", service.name)), title, &[&hint]);
            return;
        }
        let mut request = build.clone();
        request.if_absent = if_absent;
        let cause = match self.options.build {
            true => Cause::Requested { what: "--build".into() },
            false => Cause::Needed { by: service.name.clone() },
        };
        let at = self.steps.add("", Action::BuildImage { request: Box::new(request) }, cause);
        if let Some(pull) = self.images_made.insert(reference(service), at) {
            self.steps.tie(at, pull);
        }
    }
}

/// Made of the program that runs: no registry has it.
fn is_of_hearth(service: &WantedService) -> bool {
    service.build.as_ref().is_some_and(|build| build.of_hearth)
}

pub(super) fn reference(service: &WantedService) -> &str {
    service.request.config["Image"].as_str().unwrap_or_default()
}
