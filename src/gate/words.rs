//! What is the matter with a service, in plain words: from the states of its containers to what a page says.
//!
//! No image, no log, nothing of the machine. Times are arguments, and the language is that of the request ([`Lang::spoken`]).

use std::cmp::Reverse;

use time::{Duration, OffsetDateTime};

use crate::base::wording;
use crate::traefik::Access;
use crate::web::Lang;

/// One container of the service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The engine's word: created, running, paused, restarting, removing, exited, dead.
    pub status: String,
    /// starting, healthy, unhealthy; empty or `none` without a health check.
    pub health: String,
    pub exit_code: i64,
    pub started: Option<OffsetDateTime>,
    /// How often the engine has started it again since somebody started it.
    pub restarts: u64,
}

/// Who is spoken of.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// A friendly name, as a sentence begins with it.
    pub title: String,
    /// The service's name where it is known for certain: commands take it.
    pub service: Option<String>,
    /// The Compose project that it is of, where that is not the home's own.
    pub project: Option<String>,
    /// A profile of the home that turns it on.
    pub profile: Option<String>,
}

/// What a page says.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The dot: `busy`, `good`, `warn`, `bad`, or none of these.
    pub tone: &'static str,
    pub heading: String,
    pub story: Vec<String>,
    /// Commands, and what each does.
    pub advice: Vec<(String, String)>,
    /// Where one can go on, and the name of the words on it.
    pub ways: Vec<(String, &'static str)>,
    /// It may change by itself: look again.
    pub again: bool,
}

impl Words {
    /// The same in one line, for programs.
    pub fn line(&self) -> String {
        match self.story.first() {
            Some(story) => format!("{}. {story}\n", self.heading),
            None => format!("{}.\n", self.heading),
        }
    }
}

/// One that runs this long and has no route yet will not get one by itself.
const ARRIVING: Duration = Duration::seconds(20);
/// Started again and running for less than this: it is not over yet.
const SHAKY: Duration = Duration::seconds(30);

/// What is the matter with a service of which these containers exist. Of several the most hopeful counts: while one is replaced, the old and
/// the new are both there.
pub fn service(who: &Who, all: &[Seen], now: OffsetDateTime) -> Words {
    match all.iter().max_by_key(|c| (hope(c, now), Reverse(c.restarts))) {
        None => off(who),
        Some(container) => container_words(who, container, now),
    }
}

fn hope(c: &Seen, now: OffsetDateTime) -> u8 {
    match c.status.as_str() {
        "running" if shaky(c, now) => 3,
        "running" if c.health == "unhealthy" => 4,
        "running" if c.health == "starting" => 5,
        "running" => 6,
        "restarting" => 3,
        "paused" | "created" => 2,
        "exited" => 1,
        _ => 0,
    }
}

fn shaky(c: &Seen, now: OffsetDateTime) -> bool {
    c.restarts > 1 && c.health != "healthy" && c.started.is_some_and(|started| now - started < SHAKY)
}

fn container_words(who: &Who, c: &Seen, now: OffsetDateTime) -> Words {
    let lang = Lang::spoken();
    let named = |key: &str| lang.with(key, [("service", who.title.as_str().into())]);
    let since = |key: &'static str, unknown: &'static str| match c.started {
        Some(started) => lang.with(key, [("ago", lang.ago(started, now).into())]),
        None => lang.say(unknown).into_owned(),
    };
    match c.status.as_str() {
        "created" => {
            Words { story: vec![lang.say("gate-created-words").into()], ..again("busy", named("gate-created")) }
        }
        "running" if shaky(c, now) => again_and_again(who, c),
        "restarting" => again_and_again(who, c),
        "running" if c.health == "starting" => Words {
            story: vec![since("gate-starting-words", "gate-starting-unknown")],
            ..again("busy", named("gate-starting"))
        },
        "running" if c.health == "unhealthy" => Words {
            story: vec![lang.say("gate-unhealthy-words").into()],
            advice: advice(who, &[("logs", "gate-logs"), ("restart", "gate-restart")]),
            ..again("warn", named("gate-unhealthy"))
        },
        "running" if c.started.is_none_or(|started| now - started < ARRIVING) => {
            Words { story: vec![since("gate-there-words", "gate-there-unknown")], ..again("good", named("gate-there")) }
        }
        "running" => Words {
            story: vec![since("gate-no-way-words", "gate-no-way-unknown")],
            advice: vec![("hearth routes".into(), lang.say("gate-routes-why").into())],
            ..again("warn", named("gate-no-way"))
        },
        "paused" => Words {
            story: vec![lang.say("gate-paused-words").into()],
            advice: advice(who, &[("restart", "gate-unpause")]),
            ..again("warn", named("gate-paused"))
        },
        "exited" => Words {
            story: vec![ended("gate-ended", c.exit_code, 0)],
            advice: advice(who, &[("logs", "gate-logs-last"), ("start", "gate-start")]),
            ..again("", named("gate-stopped"))
        },
        _ => Words { story: vec![lang.say("gate-removed-words").into()], ..again("", named("gate-removed")) },
    }
}

fn again_and_again(who: &Who, c: &Seen) -> Words {
    let lang = Lang::spoken();
    // While it runs, the engine's exit code is none.
    let story = match c.status.as_str() {
        "restarting" => ended("gate-again-ended", c.exit_code, c.restarts),
        _ => lang.with("gate-again", [("times", c.restarts.into())]),
    };
    Words {
        story: vec![story],
        advice: advice(who, &[("logs", "gate-logs-end")]),
        ..again("bad", lang.with("gate-keeps-stopping", [("service", who.title.as_str().into())]))
    }
}

fn ended(key: &str, code: i64, times: u64) -> String {
    let how = match code {
        0 => "well",
        137 | 143 => "signal",
        _ => "error",
    };
    // As text: a number would get the language's marks for thousands.
    Lang::spoken().with(key, [("how", how.into()), ("code", code.to_string().into()), ("times", times.into())])
}

fn off(who: &Who) -> Words {
    let lang = Lang::spoken();
    let title = [("service", who.title.as_str().into())];
    if let Some(project) = &who.project {
        return Words {
            story: vec![lang.with("gate-gone-words", [("project", project.as_str().into())])],
            advice: vec![(format!("docker compose -p {project} ps"), lang.say("gate-project-ps").into())],
            ..again("", lang.with("gate-gone", title))
        };
    }
    let up = match &who.profile {
        Some(profile) => {
            (format!("hearth up {profile}"), lang.with("gate-up-profile", [("profile", profile.as_str().into())]))
        }
        None => ("hearth up".to_owned(), lang.say("gate-up").into()),
    };
    Words {
        story: vec![lang.say("gate-off-words").into()],
        advice: vec![up, ("hearth profiles".into(), lang.say("gate-profiles").into())],
        ..again("", lang.with("gate-off", title))
    }
}

/// The engine does not say how the service is.
pub fn unseen(who: &Who) -> Words {
    let lang = Lang::spoken();
    Words {
        story: vec![lang.say("gate-unseen-words").into()],
        ..again("warn", lang.with("gate-unseen", [("service", who.title.as_str().into())]))
    }
}

/// An address that nobody may enter.
pub fn closed() -> Words {
    still("gate-closed", "gate-closed-words")
}

/// An address for people who have signed in, asked for by what cannot be sent to the login.
pub fn sign_in() -> Words {
    still("gate-sign-in", "gate-sign-in-words")
}

/// Somebody who has signed in, and whom the access does not name; `only`: the services that their account is for alone, `panel`: where they see their
/// services, and sign out.
pub fn not_allowed(access: &Access, user: &str, only: &[String], panel: &str) -> Words {
    let lang = Lang::spoken();
    let (kind, group) = match access {
        Access::Group(name) => ("group", name.as_str()),
        Access::Admin => ("admin", ""),
        _ => ("others", ""),
    };
    let why = match only {
        [] => {
            lang.with("gate-not-allowed-words", [("user", user.into()), ("kind", kind.into()), ("group", group.into())])
        }
        only => lang.with("gate-only-words", [("user", user.into()), ("services", wording::list(only).into())]),
    };
    let mut words = still("gate-not-allowed", "gate-not-allowed-way");
    words.story.insert(0, why);
    words.ways = vec![(format!("{panel}/"), "gate-my-services"), (format!("{panel}/logout"), "gate-sign-out")];
    words
}

/// A request is too large for every service; `cookies`: the names of the largest, `panel`: where they can be cleared.
pub fn too_large(cookies: &[String], panel: Option<&str>) -> Words {
    let lang = Lang::spoken();
    let mut words = Words { tone: "warn", ..still("gate-too-large", "gate-too-large-words") };
    if !cookies.is_empty() {
        words.story.push(lang.with("gate-too-large-cookies", [("cookies", cookies.join(", ").into())]));
        words.story.push(match panel {
            Some(panel) => {
                let at = format!("{panel}{}", crate::web::head::WAY_OUT);
                lang.with("gate-too-large-way", [("address", at.into())])
            }
            None => lang.say("gate-too-large-alone").into(),
        });
    }
    words
}

/// Who may enter is known by the panel alone, and that does not answer.
pub fn panel_away() -> Words {
    let lang = Lang::spoken();
    Words {
        story: vec![lang.say("gate-panel-away-words").into()],
        advice: vec![("hearth serve".into(), lang.say("gate-panel-away-serve").into())],
        ..again("warn", lang.say("gate-panel-away").into())
    }
}

/// An address for the home network, asked for from elsewhere.
pub fn refused() -> Words {
    still("gate-refused", "gate-refused-words")
}

/// A `;` in a path, on a host where the path decides who enters.
pub fn parameters() -> Words {
    let advice = vec![("host".into(), Lang::spoken().say("gate-parameters-host").into())];
    Words { advice, ..still("gate-parameters", "gate-parameters-words") }
}

/// No route has this name.
pub fn unknown(host: Option<&str>) -> Words {
    let lang = Lang::spoken();
    let mut words = still("gate-unknown", "gate-unknown-words");
    if let Some(host) = host {
        words.story = vec![lang.with("gate-unknown-host", [("host", host.into())])];
    }
    words.advice = vec![("hearth routes".into(), lang.say("gate-routes-list").into())];
    words
}

/// What does not change by itself; `heading` and `story`: the names of the words.
fn still(heading: &str, story: &str) -> Words {
    let lang = Lang::spoken();
    Words { story: vec![lang.say(story).into()], again: false, ..again("", lang.say(heading).into()) }
}

/// `heading`: the words themselves.
fn again(tone: &'static str, heading: String) -> Words {
    Words { tone, heading, story: Vec::new(), advice: Vec::new(), ways: Vec::new(), again: true }
}

/// `verbs`: of a command, each with the name of the words for what it does.
fn advice(who: &Who, verbs: &[(&str, &str)]) -> Vec<(String, String)> {
    let Some(service) = &who.service else { return Vec::new() };
    let by = who.project.as_ref().map_or("hearth".to_owned(), |project| format!("docker compose -p {project}"));
    let lang = Lang::spoken();
    verbs.iter().map(|(verb, what)| (format!("{by} {verb} {service}"), lang.say(what).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    const NOW: &str = "2026-11-26T12:00:00Z";

    fn now() -> OffsetDateTime {
        clock::parse(NOW).unwrap()
    }

    fn seen(status: &str, health: &str, seconds_ago: i64) -> Seen {
        let started = Some(now() - Duration::seconds(seconds_ago));
        Seen { status: status.into(), health: health.into(), started, ..Seen::default() }
    }

    fn said(all: &[Seen]) -> String {
        let who = Who { title: "Photos".into(), service: Some("immich".into()), project: None, profile: None };
        service(&who, all, now()).line()
    }

    #[test]
    fn each_state_has_its_sentence() {
        for (container, words) in [
            (
                seen("created", "", 1),
                "Photos is about to start. It is made and waits for its turn: others may have to be ready first.\n",
            ),
            (seen("running", "starting", 12), "Photos is starting. It began 12 seconds ago and is not ready yet.\n"),
            (
                seen("running", "unhealthy", 90),
                "Photos is not well. It runs, but its own health check fails. It may recover by itself.\n",
            ),
            (
                seen("running", "healthy", 3),
                "Photos is there. It began 3 seconds ago, and the way to it opens in a moment.\n",
            ),
            (
                seen("running", "", 300),
                "Photos cannot be reached. It began 5 minutes ago and runs, but no way leads to it.\n",
            ),
            (seen("paused", "", 300), "Photos is paused. Somebody has halted it for a while.\n"),
            (seen("exited", "", 9), "Photos is stopped. It ended without an error (exit code 0).\n"),
            (
                Seen { exit_code: 3, ..seen("exited", "", 9) },
                "Photos is stopped. It ended with an error (exit code 3).\n",
            ),
            (
                Seen { exit_code: 137, ..seen("exited", "", 9) },
                "Photos is stopped. It was ended by a signal (exit code 137).\n",
            ),
            (seen("removing", "", 9), "Photos is being removed. Its container is on its way out.\n"),
            (
                Seen { restarts: 4, exit_code: 1, ..seen("restarting", "", 2) },
                "Photos keeps stopping. It has been started again 4 times. Last, it ended with an error (exit code 1).\n",
            ),
            (
                Seen { restarts: 4, ..seen("running", "", 2) },
                "Photos keeps stopping. It has been started again 4 times. Last, it ended before long.\n",
            ),
        ] {
            assert_eq!(said(std::slice::from_ref(&container)), words, "{container:?}");
        }
        assert_eq!(said(&[]), "Photos is turned off. Nothing of it is there to answer.\n");
    }

    #[test]
    fn of_several_containers_the_most_hopeful_counts() {
        assert!(said(&[seen("exited", "", 9), seen("running", "starting", 1)]).contains("is starting"));
        assert!(said(&[seen("running", "unhealthy", 60), seen("running", "healthy", 1)]).contains("is there"));
        assert!(said(&[seen("exited", "", 9), seen("restarting", "", 1)]).contains("keeps stopping"));
    }

    #[test]
    fn commands_name_the_service_only_where_it_is_known() {
        let nameless = Who { title: "x.test".into(), service: None, project: None, profile: None };
        assert!(service(&nameless, &[seen("exited", "", 1)], now()).advice.is_empty());
        let named = Who { title: "Photos".into(), service: Some("immich".into()), project: None, profile: None };
        let words = service(&named, &[seen("exited", "", 1)], now());
        assert_eq!(words.advice[0].0, "hearth logs immich");
    }

    #[test]
    fn what_is_off_names_the_profile_that_turns_it_on() {
        let who = Who { title: "Photos".into(), service: None, project: None, profile: Some("media".into()) };
        assert_eq!(service(&who, &[], now()).advice[0].0, "hearth up media");
        let unprofiled = Who { profile: None, ..who };
        assert_eq!(service(&unprofiled, &[], now()).advice[0].0, "hearth up");
    }

    #[test]
    fn a_service_of_another_project_is_spoken_of_in_the_words_of_compose() {
        let who = Who {
            title: "Photos".into(),
            service: Some("server".into()),
            project: Some("photos".into()),
            profile: None,
        };
        let stopped = service(&who, &[seen("exited", "", 1)], now());
        assert_eq!(stopped.advice[1].0, "docker compose -p photos start server");
        let gone = service(&who, &[], now());
        assert_eq!(gone.line(), "Photos is not there. The project photos has no container of it now.\n");
    }

    #[test]
    fn who_may_not_enter_is_told_whom_it_is_for() {
        assert!(
            not_allowed(&Access::Group("family".into()), "ada", &[], "https://panel.test").story[0]
                .contains("ada, and this address is for the group family")
        );
        assert!(not_allowed(&Access::Admin, "ada", &[], "https://panel.test").story[0].ends_with("for admins."));
        let guest = not_allowed(&Access::User, "ben", &["films".into(), "photos".into()], "https://panel.test");
        assert_eq!(guest.story[0], "You are signed in as ben, and this account is for films and photos alone.");
        assert!(panel_away().again && !sign_in().again && !closed().again);
    }
}
