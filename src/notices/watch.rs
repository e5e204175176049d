//! Where notices come from: works that fail, services that fall over, a disk that fills up, certificates that end, somebody who signs in from where they never did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{New, Notices};
use crate::auth::accounts::Arrival;
use crate::diag::Diagnostic;
use crate::stacks::seen::service::Standing;
use crate::stacks::seen::{Seen, World};
use crate::stacks::works::Works;

/// Between two looks at what says nothing by itself.
const LOOK: Duration = Duration::from_secs(30);
/// The disk and certificates are looked at every so many of them.
const SELDOM: u32 = 20;
/// A disk is nearly full with more than this in use.
const FULL: f64 = 0.95;
/// Services that have just begun are given so long before what they do counts.
const SETTLED: Duration = Duration::from_secs(15);

/// Certificates that need somebody: a name, and why.
pub type Certificates = Arc<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

/// What is watched.
#[derive(Clone)]
pub struct Watched {
    pub works: Works,
    pub world: World,
    pub home: PathBuf,
    pub certificates: Certificates,
}

impl Notices {
    /// Watches until it is told to stop.
    pub async fn keep(self, watched: Watched, mut arrivals: broadcast::Receiver<Arrival>, stop: CancellationToken) {
        let (mut moves, mut seen) = (watched.works.moves(), watched.world.watch());
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = Known { began: Instant::now(), ended: ended(&watched.works), ..Known::default() };
        loop {
            let mut news = Vec::new();
            tokio::select! {
                changed = moves.changed() => match changed {
                    Ok(()) => news = known.works(&watched.works),
                    Err(_) => break,
                },
                changed = seen.changed() => match changed {
                    Ok(()) => news = seen.borrow_and_update().clone().map(|seen| known.services(&seen)).unwrap_or_default(),
                    Err(_) => break,
                },
                arrived = arrivals.recv() => match arrived {
                    Ok(arrival) => news.push(of_arrival(arrival)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                _ = tick.tick() => {
                    if known.looks.is_multiple_of(SELDOM) {
                        news = known.seldom(&watched).await;
                    }
                    known.looks += 1;
                    // Other processes of the home add and read too.
                    self.said(self.load().await, &mut known.troubled);
                }
                () = stop.cancelled() => break,
            }
            for new in news {
                self.said(self.add(new).await, &mut known.troubled);
            }
        }
    }

    /// Once in the log, until it goes well again.
    fn said(&self, done: Result<(), Diagnostic>, troubled: &mut bool) {
        match done {
            Ok(()) => *troubled = false,
            Err(why) if !*troubled => {
                *troubled = true;
                tracing::warn!(why = %why.whole(), "what happened while nobody looks cannot be kept");
            }
            Err(_) => {}
        }
    }
}

fn ended(works: &Works) -> BTreeSet<String> {
    works.list().iter().filter(|work| work.end().is_some()).map(|work| work.id.clone()).collect()
}

fn of_arrival(arrival: Arrival) -> New {
    New {
        kind: "signed-in-elsewhere",
        subject: arrival.address,
        person: Some(arrival.person),
        path: "/account".into(),
        words: String::new(),
    }
}

struct Known {
    began: Instant,
    /// Works whose end is known.
    ended: BTreeSet<String>,
    /// How each service stood.
    stood: Option<BTreeMap<(Option<String>, String), Standing>>,
    looks: u32,
    full: bool,
    /// Certificates that needed somebody, and why.
    needy: BTreeSet<(String, String)>,
    troubled: bool,
}

impl Default for Known {
    fn default() -> Known {
        Known {
            began: Instant::now(),
            ended: BTreeSet::new(),
            stood: None,
            looks: 0,
            full: false,
            needy: BTreeSet::new(),
            troubled: false,
        }
    }
}

impl Known {
    fn works(&mut self, works: &Works) -> Vec<New> {
        let mut news = Vec::new();
        for work in works.list() {
            if work.end().is_none() || !self.ended.insert(work.id.clone()) || work.state() != "failed" {
                continue;
            }
            news.push(New {
                kind: "work-failed",
                subject: work.asked.command.clone(),
                person: None,
                path: format!("/works/{}", work.id),
                words: String::new(),
            });
        }
        let there: BTreeSet<String> = works.list().iter().map(|work| work.id.clone()).collect();
        self.ended.retain(|id| there.contains(id));
        news
    }

    /// Services that have fallen over since the last look. What was so when Hearth began is on the home's page.
    fn services(&mut self, seen: &Seen) -> Vec<New> {
        if seen.away.is_some() {
            return Vec::new();
        }
        let now: BTreeMap<(Option<String>, String), Standing> =
            seen.all().map(|(project, one)| ((project.map(str::to_owned), one.name.clone()), one.state)).collect();
        let before = self.stood.replace(now);
        let (Some(before), true) = (before, self.began.elapsed() >= SETTLED) else { return Vec::new() };
        let mut news = Vec::new();
        for (project, one) in seen.all() {
            let kind = match one.state {
                Standing::Failed => "service-failed",
                Standing::Restarting => "service-restarting",
                Standing::Unhealthy => "service-unhealthy",
                _ => continue,
            };
            let was = before.get(&(project.map(str::to_owned), one.name.clone()));
            if was == Some(&one.state) {
                continue;
            }
            let of = project.map(|project| format!("?project={}", segment(project))).unwrap_or_default();
            news.push(New {
                kind,
                subject: one.name.clone(),
                person: None,
                path: format!("/services/{}{of}", segment(&one.name)),
                words: one.why.clone().unwrap_or_default(),
            });
        }
        news
    }

    async fn seldom(&mut self, watched: &Watched) -> Vec<New> {
        let mut news = Vec::new();
        let used = disk(&watched.home);
        let full = used.is_some_and(|share| share > FULL);
        if full && !std::mem::replace(&mut self.full, full) {
            let percent = (used.unwrap_or_default() * 100.0).floor();
            news.push(New {
                kind: "disk-full",
                subject: watched.home.display().to_string(),
                person: None,
                path: "/doctor".into(),
                words: format!("{percent:.0} % of it are in use"),
            });
        }
        self.full = full;
        let look = watched.certificates.clone();
        let needy: BTreeSet<_> =
            tokio::task::spawn_blocking(move || look()).await.unwrap_or_default().into_iter().collect();
        news.extend(self.certificates(needy));
        news
    }

    /// Certificates that need somebody, by name and why: each is told once, and again only where it had been well meanwhile, or for another reason.
    fn certificates(&mut self, needy: BTreeSet<(String, String)>) -> Vec<New> {
        let new = |(name, words): &(String, String)| New {
            kind: "certificate-ends",
            subject: name.clone(),
            person: None,
            path: "/routes".into(),
            words: words.clone(),
        };
        let news = needy.difference(&self.needy).map(new).collect();
        self.needy = needy;
        news
    }
}

/// Of the whole, 0 to 1.
fn disk(folder: &std::path::Path) -> Option<f64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail as f64 / (disk.f_blocks as f64).max(1.0);
    Some(1.0 - free)
}

/// As a part of an address (RFC 3986, 2.3).
fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_needs_somebody_is_told_once_and_again_after_it_was_well() {
        let mut known = Known::default();
        let mut told = |all: &[(&str, &str)]| {
            let needy = all.iter().map(|(name, why)| (name.to_string(), why.to_string())).collect();
            known.certificates(needy).into_iter().map(|new| new.subject).collect::<Vec<_>>()
        };
        let photos = ("photos.home.example", "it ends in 3 days");
        assert_eq!(told(&[photos]), ["photos.home.example"]);
        for _ in 0..3 {
            assert_eq!(told(&[photos]), [""; 0]);
        }
        assert_eq!(told(&[photos, ("films.home.example", "refused")]), ["films.home.example"]);
        assert_eq!(told(&[]), [""; 0]);
        assert_eq!(told(&[photos]), ["photos.home.example"]);
    }
}
