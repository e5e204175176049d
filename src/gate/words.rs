//! What is the matter with a service, in plain words: from the states of its containers to what a page says.
//!
//! No image, no log, nothing of the machine. Times are arguments.

use std::cmp::Reverse;

use time::{Duration, OffsetDateTime};

use crate::base::{clock, wording};
use crate::traefik::Access;

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
    /// Where one can go on, and what stands on it.
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
    let title = &who.title;
    let began = c.started.map(|started| format!("It began {}", clock::ago(started, now)));
    let began = began.unwrap_or_else(|| String::from("It has begun"));
    match c.status.as_str() {
        "created" => Words {
            story: vec!["It is made and waits for its turn: others may have to be ready first.".into()],
            ..again("busy", format!("{title} is about to start"))
        },
        "running" if shaky(c, now) => again_and_again(who, c),
        "restarting" => again_and_again(who, c),
        "running" if c.health == "starting" => Words {
            story: vec![format!("{began} and is not ready yet.")],
            ..again("busy", format!("{title} is starting"))
        },
        "running" if c.health == "unhealthy" => Words {
            story: vec!["It runs, but its own health check fails. It may recover by itself.".into()],
            advice: advice(who, &[("logs", "shows what it says"), ("restart", "starts it anew")]),
            ..again("warn", format!("{title} is not well"))
        },
        "running" if c.started.is_none_or(|started| now - started < ARRIVING) => Words {
            story: vec![format!("{began}, and the way to it opens in a moment.")],
            ..again("good", format!("{title} is there"))
        },
        "running" => Words {
            story: vec![format!("{began} and runs, but no way leads to it.")],
            advice: vec![("hearth routes".into(), "shows why".into())],
            ..again("warn", format!("{title} cannot be reached"))
        },
        "paused" => Words {
            story: vec!["Somebody has halted it for a while.".into()],
            advice: advice(who, &[("restart", "lets it run again")]),
            ..again("warn", format!("{title} is paused"))
        },
        "exited" => Words {
            story: vec![format!("It {}.", ended(c.exit_code))],
            advice: advice(who, &[("logs", "shows what it said last"), ("start", "starts it")]),
            ..again("", format!("{title} is stopped"))
        },
        _ => Words {
            story: vec!["Its container is on its way out.".into()],
            ..again("", format!("{title} is being removed"))
        },
    }
}

fn again_and_again(who: &Who, c: &Seen) -> Words {
    let times = match c.restarts {
        0 | 1 => String::from("It has been started again"),
        n => format!("It has been started again {}", wording::count(n as usize, "time")),
    };
    // While it runs, the engine's exit code is none.
    let how = if c.status == "restarting" { ended(c.exit_code) } else { String::from("ended before long") };
    Words {
        story: vec![format!("{times}. Last, it {how}.")],
        advice: advice(who, &[("logs", "shows what it said before it ended")]),
        ..again("bad", format!("{} keeps stopping", who.title))
    }
}

fn ended(code: i64) -> String {
    match code {
        0 => String::from("ended without an error (exit code 0)"),
        137 | 143 => format!("was ended by a signal (exit code {code})"),
        _ => format!("ended with an error (exit code {code})"),
    }
}

fn off(who: &Who) -> Words {
    if let Some(project) = &who.project {
        return Words {
            story: vec![format!("The project {project} has no container of it now.")],
            advice: vec![(format!("docker compose -p {project} ps"), "shows what it has".into())],
            ..again("", format!("{} is not there", who.title))
        };
    }
    let up = match &who.profile {
        Some(profile) => (format!("hearth up {profile}"), format!("turns on the profile `{profile}`, which it is of")),
        None => ("hearth up".to_owned(), "starts all that is on".to_owned()),
    };
    Words {
        story: vec!["Nothing of it is there to answer.".into()],
        advice: vec![up, ("hearth profiles".into(), "shows what is on and what is off".into())],
        ..again("", format!("{} is turned off", who.title))
    }
}

/// The engine does not say how the service is.
pub fn unseen(who: &Who) -> Words {
    Words {
        story: vec!["What is the matter with it cannot be seen right now.".into()],
        ..again("warn", format!("{} does not answer", who.title))
    }
}

/// An address that nobody may enter.
pub fn closed() -> Words {
    Words {
        story: vec!["It is for people who have signed in, and there is no way to sign in here.".into()],
        ..still("This address is closed".into())
    }
}

/// An address for people who have signed in, asked for by what cannot be sent to the login.
pub fn sign_in() -> Words {
    Words {
        story: vec!["This address is for people of the home. Open it in a browser of its own, and sign in.".into()],
        ..still("Sign in first".into())
    }
}

/// Somebody who has signed in, and whom the access does not name; `only`: the services that their account is for alone, `panel`: where they see their
/// services, and sign out.
pub fn not_allowed(access: &Access, user: &str, only: &[String], panel: &str) -> Words {
    let whom = match access {
        Access::Group(name) => format!("the group {name}"),
        Access::Admin => "admins".into(),
        _ => "others".into(),
    };
    let why = match only {
        [] => format!("You are signed in as {user}, and this address is for {whom}."),
        only => format!("You are signed in as {user}, and this account is for {} alone.", wording::list(only)),
    };
    Words {
        story: vec![why, "Ask an admin of the home, or sign out and come back as somebody else.".into()],
        ways: vec![(format!("{panel}/"), "To my services"), (format!("{panel}/logout"), "Sign out")],
        ..still("Not for you".into())
    }
}

/// A request is too large for every service; `cookies`: the names of the largest, `panel`: where they can be cleared.
pub fn too_large(cookies: &[String], panel: Option<&str>) -> Words {
    let mut story = vec!["The browser sends more with each request than any service is to be sent.".into()];
    if !cookies.is_empty() {
        story.push(format!(
            "Most of it is cookies that an application has set for the whole domain. The largest: {}.",
            cookies.join(", ")
        ));
        story.push(match panel {
            Some(panel) => format!(
                "Delete the cookies of this domain in the browser's settings, or have them cleared at {panel}{}.",
                crate::web::head::WAY_OUT
            ),
            None => "Delete the cookies of this domain in the browser's settings.".into(),
        });
    }
    Words { tone: "warn", story, ..still("Too many cookies".into()) }
}

/// Who may enter is known by the panel alone, and that does not answer.
pub fn panel_away() -> Words {
    Words {
        story: vec!["Who may enter cannot be asked right now, so nobody is let in who is not known already.".into()],
        advice: vec![("hearth serve".into(), "knows who may enter, and does not answer gate".into())],
        ..again("warn", "Signing in is not possible at the moment".into())
    }
}

/// An address for the home network, asked for from elsewhere.
pub fn refused() -> Words {
    Words {
        story: vec!["This address answers only from the home network, and you come from elsewhere.".into()],
        ..still("Only from the home network".into())
    }
}

/// A `;` in a path, on a host where the path decides who enters.
pub fn parameters() -> Words {
    Words {
        story: vec![
            "On this host the path decides who enters, and some servers read a path with a `;` as another one. So none is passed on."
                .into(),
        ],
        advice: vec![("host".into(), "of its own, without `path:` in its route, lets the program have such paths".into())],
        ..still("This address holds a semicolon".into())
    }
}

/// No route has this name.
pub fn unknown(host: Option<&str>) -> Words {
    let called = host.unwrap_or("what was asked for");
    Words {
        story: vec![format!("Nothing in this home answers as {called}. The address may be mistyped.")],
        advice: vec![("hearth routes".into(), "lists the names there are".into())],
        ..still("No service has this name".into())
    }
}

fn still(heading: String) -> Words {
    Words { tone: "", heading, story: Vec::new(), advice: Vec::new(), ways: Vec::new(), again: false }
}

fn again(tone: &'static str, heading: String) -> Words {
    Words { tone, again: true, ..still(heading) }
}

fn advice(who: &Who, verbs: &[(&str, &str)]) -> Vec<(String, String)> {
    let Some(service) = &who.service else { return Vec::new() };
    let by = who.project.as_ref().map_or("hearth".to_owned(), |project| format!("docker compose -p {project}"));
    verbs.iter().map(|(verb, what)| (format!("{by} {verb} {service}"), what.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
