//! The home at a glance: is anything wrong, what runs, what can be turned on and off, what was done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use super::bulk::Picked;
use super::machine::Figure;
use super::shell::Shell;
use super::used::{self, Bytes};
use super::words::{Mark, Moment, id, part, service_path};
use super::{Panel, away, page, tiles, welcome};
use crate::about::json;
use crate::auth::who::{Anyone, Identity, Role};
use crate::base::{units, wording};
use crate::proxy::Mine;
use crate::stacks::cli::profiles::Profile;
use crate::stacks::seen::Seen;
use crate::stacks::seen::service::{Service, Standing, weight};
use crate::stacks::works::Work;
use crate::web::lang::filters;
use crate::web::{Lang, wants_html};

/// Of what is wrong so much stands above; all of it stands below.
const ABOVE: usize = 8;
/// With more services than this none is chosen for doing something with several here: browsers look at each field of a page for what they could fill in,
/// which takes them long. The page of a profile lets somebody choose.
const CHOICES: usize = 200;
/// Works that are shown.
const LATEST: usize = 5;

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/home/page.html")]
pub struct Home {
    pub shell: Shell,
    pub now: Now,
    pub attention: Vec<Row>,
    /// Of what is wrong so many more.
    pub more: usize,
    pub cards: Vec<Card>,
    /// Whether something can be turned on or off by who looks.
    pub switches: bool,
    /// Whether services are chosen here, for who may do something with several.
    pub picks: bool,
    /// Profiles that are off, of which nothing is there.
    pub off: Vec<Card>,
    /// How many Compose projects nobody has decided about.
    pub others: usize,
    /// The setup is not over, for who can go on with it.
    pub setup: bool,
    pub machine: Vec<Figure>,
    pub works: Vec<Latest>,
}

/// The home in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    pub heading: String,
    pub words: String,
}

/// A profile with its services, or a project that was adopted.
#[derive(Debug, Clone)]
pub struct Card {
    pub id: String,
    pub title: String,
    pub path: Option<String>,
    pub note: String,
    /// Memory in use.
    pub used: Option<String>,
    pub switch: Option<Switch>,
    pub rows: Vec<Row>,
}

/// Turns a profile on or off, after a plan.
#[derive(Debug, Clone)]
pub struct Switch {
    pub action: String,
    /// The name of its word.
    pub key: &'static str,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub path: String,
    /// As what it is chosen by who may do something with several at once.
    pub pick: Option<String>,
    pub mark: Mark,
    pub why: String,
    pub since: Option<Moment>,
    pub url: Option<String>,
}

/// Something that was done, or is under way.
#[derive(Debug, Clone)]
pub struct Latest {
    pub mark: Mark,
    pub command: String,
    pub path: String,
    pub began: Moment,
}

/// Pieces of the page that change by themselves: what is sent of them to who has the page open.
#[derive(Template)]
#[template(path = "panel/home/now.html")]
pub struct NowPart<'a> {
    pub now: &'a Now,
}

#[derive(Template)]
#[template(path = "panel/home/attention.html")]
pub struct AttentionPart<'a> {
    pub attention: &'a [Row],
    pub more: usize,
}

#[derive(Template)]
#[template(path = "panel/home/card.html")]
pub struct CardPart<'a> {
    pub card: &'a Card,
}

#[derive(Template)]
#[template(path = "panel/home/switch.html")]
pub struct SwitchPart {
    pub switches: bool,
}

#[derive(Template)]
#[template(path = "panel/home/used.html")]
pub struct UsedPart<'a> {
    pub card: &'a Card,
}

#[derive(Template)]
#[template(path = "panel/home/off.html")]
pub struct OffPart<'a> {
    pub off: &'a [Card],
}

#[derive(Template)]
#[template(path = "panel/home/others.html")]
pub struct OthersPart {
    pub others: usize,
}

#[derive(Template)]
#[template(path = "panel/home/row.html")]
pub struct RowPart<'a> {
    pub row: &'a Row,
}

#[derive(Template)]
#[template(path = "panel/home/machine.html")]
pub struct MachinePart<'a> {
    pub machine: &'a [Figure],
}

#[derive(Template)]
#[template(path = "panel/home/works.html")]
pub struct WorksPart<'a> {
    pub works: &'a [Latest],
}

/// For programs a word that it runs; for people the home, or their services, or the way to sign in.
pub async fn index(Anyone(who): Anyone, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    let mut answer = match (wants_html(&headers), who) {
        (false, _) => json::index().into_response(),
        (true, None) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/login")]).into_response(),
        (true, Some(who)) if who.role == Role::Member => tiles::page_of(&who, &panel, "/", &headers).await,
        (true, Some(who)) => {
            let shown = shown(&panel, &who, &headers).await;
            page(&headers, &shown)
        }
    };
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept, cookie"));
    answer
}

/// The page as it is now for somebody.
pub async fn shown(panel: &Panel, who: &Identity, headers: &HeaderMap) -> Home {
    let seen = panel.world.now().await;
    let mut shell = panel.shell(who, headers, "/", "/");
    shell.stream = Some(format!("/live?number={}", seen.number));
    let ways = panel.ways.clone().of(who).await;
    let now = panel.clock.now();
    let measured = Measured { machine: panel.machine.figures(), used: panel.used.of(&seen).await };
    let mut home = of(shell, &seen, &ways, &panel.api.works.list(), measured, now);
    home.setup = welcome::waits(panel, who);
    home
}

/// What was measured for the page.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub machine: Vec<Figure>,
    pub used: Arc<Bytes>,
}

/// `ways`: those that whoever looks may take.
pub fn of(
    shell: Shell,
    seen: &Seen,
    ways: &[Mine],
    works: &[Arc<Work>],
    measured: Measured,
    now: OffsetDateTime,
) -> Home {
    let urls: BTreeMap<&str, &str> = ways.iter().rev().map(|way| (way.service.as_str(), way.url.as_str())).collect();
    let picks = shell.operates() && seen.all().count() <= CHOICES;
    let row = |project: Option<&str>, one: &Service| {
        let pick = picks.then(|| Picked::value(project, &one.name));
        Row { pick, ..row(project, one, &urls, now) }
    };
    let mut wrong: Vec<(u8, Row)> =
        seen.all().filter(|(_, one)| is_wrong(one)).map(|(of, one)| (weight(one.state), row(of, one))).collect();
    wrong.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
    let more = wrong.len().saturating_sub(ABOVE);
    let count = wrong.len();
    let attention = wrong.into_iter().take(ABOVE).map(|(_, row)| row).collect();
    let lang = shell.lang;
    let latest = |work: &Arc<Work>| Latest {
        mark: Mark::work(work.state()),
        command: shortened(work.asked.command.trim_start_matches("hearth "), lang),
        path: format!("/works/{}", work.id),
        began: Moment::of(work.began, now),
    };
    let (cards, off) = cards(seen, shell.operates(), lang, &measured.used, &row);
    let others = seen.others.len();
    Home {
        shell,
        now: in_a_sentence(seen, count, lang),
        attention,
        more,
        switches: cards.iter().chain(&off).any(|card| card.switch.is_some()),
        cards,
        picks,
        off,
        others,
        setup: false,
        machine: measured.machine,
        works: works.iter().take(LATEST).map(latest).collect(),
    }
}

/// Of a command that names many the first of them, and how many more.
fn shortened(command: &str, lang: Lang) -> String {
    const SHOWN: usize = 4;
    let words: Vec<&str> = command.split(' ').collect();
    match words.len().saturating_sub(SHOWN) {
        0 | 1 => command.to_owned(),
        more => lang.with("home-command-more", [("command", words[..SHOWN].join(" ").into()), ("count", more.into())]),
    }
}

/// Whether somebody has to look after it: it should run and does not, or not well. What was stopped by hand, and a job that is done, is as it should be.
fn is_wrong(one: &Service) -> bool {
    match one.state {
        Standing::Failed | Standing::Restarting | Standing::Unhealthy | Standing::Paused => true,
        Standing::Missing => one.on,
        Standing::Off | Standing::Running | Standing::Starting | Standing::Stopped | Standing::Done => false,
    }
}

fn in_a_sentence(seen: &Seen, wrong: usize, lang: Lang) -> Now {
    if let Some(words) = away::words(seen, lang) {
        return Now { heading: lang.say("home-away").into(), words };
    }
    if let Some(first) = seen.unread.first() {
        let told = wording::sentence(first["title"].as_str().unwrap_or_default());
        // Where `hearth.yaml` itself cannot be read, all else is from before.
        let (heading, words) = match seen.profiles.is_empty() {
            true => ("home-unread", "home-unread-words"),
            false => ("home-unread-file", "home-unread-file-words"),
        };
        return Now { heading: lang.say(heading).into(), words: lang.with(words, [("told", told.into())]) };
    }
    let on = seen.all().filter(|(_, one)| one.state != Standing::Off).count();
    let heading = match wrong {
        0 if on == 0 => lang.say("home-empty").into_owned(),
        0 => lang.say("home-well").into_owned(),
        n => lang.with("home-wrong", [("count", n.into())]),
    };
    let words = match on {
        0 => lang.say("home-empty-words").into_owned(),
        on => {
            let all: Vec<&Service> = seen.all().map(|(_, one)| one).filter(|one| one.state != Standing::Off).collect();
            lang.with("home-words", [("count", on.into()), ("states", note(&all, lang).into())])
        }
    };
    Now { heading, words }
}

/// One service.
pub fn row_of(project: Option<&str>, one: &Service, ways: &[Mine], now: OffsetDateTime) -> Row {
    let urls = ways.iter().rev().map(|way| (way.service.as_str(), way.url.as_str())).collect();
    row(project, one, &urls, now)
}

fn row(project: Option<&str>, one: &Service, urls: &BTreeMap<&str, &str>, now: OffsetDateTime) -> Row {
    let since = one.containers.iter().filter_map(|c| c.started_at.as_deref()).max();
    let of = project.map(|project| format!("{}--", id(project))).unwrap_or_default();
    Row {
        id: format!("service-{of}{}", id(&one.name)),
        name: one.name.clone(),
        path: service_path(project, &one.name),
        pick: None,
        mark: Mark::service(one),
        why: one.why.clone().unwrap_or_default(),
        since: since
            .and_then(|at| Moment::read(at, now))
            .filter(|_| !matches!(one.state, Standing::Stopped | Standing::Done)),
        url: urls.get(one.name.as_str()).filter(|_| project.is_none()).map(|url| (*url).to_owned()),
    }
}

/// One profile, with all of its services.
pub fn card_of(
    seen: &Seen,
    profile: &Profile,
    ways: &[Mine],
    bytes: &Bytes,
    shell: &Shell,
    now: OffsetDateTime,
) -> Card {
    let urls: BTreeMap<&str, &str> = ways.iter().rev().map(|way| (way.service.as_str(), way.url.as_str())).collect();
    let all: Vec<&Service> = seen.services.iter().filter(|one| one.profiles.contains(&profile.name)).collect();
    let pick = |one: &Service| shell.operates().then(|| Picked::value(None, &one.name));
    let rows = all.iter().map(|one| Row { pick: pick(one), ..row(None, one, &urls, now) }).collect();
    let key = if profile.on { "home-turn-off" } else { "home-turn-on" };
    Card {
        id: format!("profile-{}", id(&profile.name)),
        title: profile.name.clone(),
        path: None,
        note: note(&all, shell.lang),
        used: used::words(bytes, &all),
        switch: shell.operates().then(|| Switch { action: format!("/profiles/{}/plan", part(&profile.name)), key }),
        rows,
    }
}

/// A service stands with the first of its profiles that is on, or else with its first. The second: profiles that are off, of which nothing is there.
fn cards(
    seen: &Seen,
    operates: bool,
    lang: Lang,
    bytes: &Bytes,
    row: &dyn Fn(Option<&str>, &Service) -> Row,
) -> (Vec<Card>, Vec<Card>) {
    let on: BTreeSet<&str> = seen.profiles.iter().filter(|one| one.on).map(|one| one.name.as_str()).collect();
    let mut of: BTreeMap<&str, Vec<&Service>> = BTreeMap::new();
    let mut lost = Vec::new();
    for one in &seen.services {
        // Of no stack any more; or the stacks cannot be read.
        if one.stack.is_none() {
            lost.push(one);
            continue;
        }
        let names = || one.profiles.iter().map(String::as_str);
        let place = names().find(|name| on.contains(name)).or_else(|| names().next()).unwrap_or_default();
        of.entry(place).or_default().push(one);
    }
    let rows = |project: Option<&str>, all: &[&Service]| all.iter().map(|one| row(project, one)).collect::<Vec<_>>();
    let (mut cards, mut quiet) = (Vec::new(), Vec::new());
    if let Some(always) = of.remove("") {
        cards.push(Card {
            id: "always".into(),
            title: lang.say("home-always").into(),
            path: None,
            note: note(&always, lang),
            used: used::words(bytes, &always),
            switch: None,
            rows: rows(None, &always),
        });
    }
    let mut profiles: Vec<&Profile> = seen.profiles.iter().collect();
    profiles.sort_by_key(|one| (!one.on, one.name.as_str()));
    for profile in profiles {
        let all = of.remove(profile.name.as_str()).unwrap_or_default();
        let shown: Vec<&Service> = all.into_iter().filter(|one| profile.on || !one.containers.is_empty()).collect();
        let key = if profile.on { "home-turn-off" } else { "home-turn-on" };
        let to = if profile.on || !shown.is_empty() { &mut cards } else { &mut quiet };
        to.push(Card {
            id: format!("profile-{}", id(&profile.name)),
            title: profile.name.clone(),
            path: Some(format!("/profiles/{}", part(&profile.name))),
            note: if profile.on { running(profile, &shown, lang) } else { off(profile, lang) },
            used: used::words(bytes, &shown),
            switch: operates.then(|| Switch { action: format!("/profiles/{}/plan", part(&profile.name)), key }),
            rows: rows(None, &shown),
        });
    }
    lost.extend(of.into_values().flatten());
    if !lost.is_empty() {
        let key = if seen.unread.is_empty() { "home-lost" } else { "home-running" };
        cards.push(Card {
            id: "lost".into(),
            title: lang.say(key).into(),
            path: None,
            note: note(&lost, lang),
            used: used::words(bytes, &lost),
            switch: None,
            rows: rows(None, &lost),
        });
    }
    for (project, all) in &seen.adopted {
        let all: Vec<&Service> = all.iter().collect();
        cards.push(Card {
            id: format!("project-{}", id(project)),
            title: lang.with("home-project", [("name", project.into())]),
            path: None,
            note: note(&all, lang),
            used: used::words(bytes, &all),
            switch: None,
            rows: rows(Some(project), &all),
        });
    }
    (cards, quiet)
}

/// `5 running, 1 unhealthy`.
fn note(all: &[&Service], lang: Lang) -> String {
    let mut counts: BTreeMap<(std::cmp::Reverse<u8>, &str), usize> = BTreeMap::new();
    for one in all {
        let key = Mark::service(one).key;
        *counts.entry((std::cmp::Reverse(weight(one.state)), key)).or_default() += 1;
    }
    let words = counts.iter().map(|((_, key), n)| {
        lang.with("home-count", [("count", (*n).into()), ("state", lang.say(key).to_lowercase().into())])
    });
    words.collect::<Vec<_>>().join(", ")
}

/// `2 healthy, 1 running, up to 1.5 GiB`.
fn running(profile: &Profile, shown: &[&Service], lang: Lang) -> String {
    let words = [Some(note(shown, lang)), budget(profile, lang)];
    words.into_iter().flatten().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
}

/// What the limits of its services add up to.
fn budget(profile: &Profile, lang: Lang) -> Option<String> {
    let key = match (profile.memory, profile.unlimited) {
        (0, _) => return None,
        (_, false) => "home-up-to",
        (_, true) => "home-more-than",
    };
    Some(lang.with(key, [("memory", units::bytes(profile.memory).into())]))
}

/// `3 services, up to 1.5 GiB, turns on databases too`.
fn off(profile: &Profile, lang: Lang) -> String {
    let mut words = vec![lang.with("home-services", [("count", profile.services.len().into())])];
    words.extend(budget(profile, lang));
    if !profile.needs.is_empty() {
        let needs: Vec<&String> = profile.needs.iter().collect();
        words.push(lang.with("home-needs", [("profiles", wording::list(&needs).into())]));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_many_names_is_shown_by_its_first() {
        let shown = |command: &str| shortened(command, Lang::default());
        assert_eq!([shown("up a b c"), shown("up a b c d")], ["up a b c", "up a b c d"]);
        assert_eq!(shown("up a b c d e").replace(['\u{2068}', '\u{2069}'], ""), "up a b c and 2 more");
    }
}
