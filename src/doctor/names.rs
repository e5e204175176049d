//! Where names lead: what a resolver of this machine says, what the world is told, and what answers there, made into a verdict. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::finding::{About, Finding};
use crate::base::net::{is_nowhere, is_private};
use crate::base::wording;

/// What answers at an address when a name is asked for there over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// The same certificate as at this machine's own door.
    Us,
    /// Another one.
    Else,
    Nothing,
}

/// What is known of one name.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// What programs on this machine are told; empty: nothing.
    pub system: Vec<IpAddr>,
    /// What the name servers of its zone tell, or a public resolver; `None`: nobody was or could be asked.
    pub world: Option<Vec<IpAddr>>,
    /// The addresses of this machine.
    pub mine: &'a [IpAddr],
    pub at: BTreeMap<IpAddr, At>,
    /// Whether this machine's own door answers; else nothing can be told by asking.
    pub open: bool,
    /// Whether an authority has to come over HTTP.
    pub http01: bool,
    /// Whether its route is for everybody.
    pub public: bool,
}

/// What is the matter with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It leads to this machine.
    Ours(IpAddr),
    /// An outside address; from inside it cannot be told whose it is.
    Unseen(IpAddr),
    /// Something else answers at an outside address, which may be the router's own page.
    Other(IpAddr),
    /// A private address that is not this machine's.
    Elsewhere(IpAddr),
    /// The world is told a private address, and this machine's resolver says nothing.
    Rebinding(IpAddr),
    /// The world knows it, and this machine's resolver hides it.
    Hidden(IpAddr),
    /// Nobody knows it.
    Missing,
    /// This machine's resolver does not know it, and nobody else was asked.
    MissingHere,
    /// Its IPv6 address does not lead here, and its IPv4 address does.
    DeadSix(IpAddr),
    /// An authority would be led to a private address.
    Unprovable(IpAddr),
    /// Everybody may come, and nobody outside finds it.
    HomeOnly(IpAddr),
}

/// All that is to be said of one name, the gravest first.
pub fn judge(facts: &Facts<'_>) -> Vec<Verdict> {
    let found: Vec<IpAddr> = facts.system.iter().copied().filter(|ip| !is_nowhere(*ip)).collect();
    let world: Vec<IpAddr> = facts.world.iter().flatten().copied().filter(|ip| !is_nowhere(*ip)).collect();
    let private = world.iter().copied().find(|ip| is_private(*ip));
    let outside = world.iter().copied().find(|ip| !is_private(*ip));
    let mut all = Vec::new();
    all.extend(dead_six(facts, found.iter().chain(&world)));
    if facts.http01
        && let (Some(ip), None) = (private, outside)
    {
        all.push(Verdict::Unprovable(ip));
    } else if facts.public
        && let (Some(ip), None) = (private, outside)
    {
        all.push(Verdict::HomeOnly(ip));
    }
    all.push(match (found.first(), private.or(outside)) {
        (Some(_), _) => leads(facts, &found),
        (None, Some(ip)) if Some(ip) == private => Verdict::Rebinding(ip),
        (None, Some(ip)) => Verdict::Hidden(ip),
        (None, None) if facts.world.is_some() => Verdict::Missing,
        (None, None) => Verdict::MissingHere,
    });
    all
}

/// An AAAA record that is not us, beside an A record that is: what asks over IPv6 first, as authorities do, fails.
fn dead_six<'i>(facts: &Facts<'_>, all: impl Iterator<Item = &'i IpAddr> + Clone) -> Option<Verdict> {
    let is = |ip: &IpAddr, at: &At| facts.at.get(ip) == Some(at);
    let four = all.clone().any(|ip| ip.is_ipv4() && is(ip, &At::Us));
    let six = all.copied().find(|ip| ip.is_ipv6() && (is(ip, &At::Nothing) || is(ip, &At::Else)));
    six.filter(|_| four).map(Verdict::DeadSix)
}

fn leads(facts: &Facts<'_>, found: &[IpAddr]) -> Verdict {
    let is = |ip: &&IpAddr, at: &At| facts.at.get(*ip) == Some(at);
    let mine = |ip: &&IpAddr| facts.mine.contains(*ip) || ip.is_loopback();
    let ours = found.iter().find(|ip| is(ip, &At::Us)).or_else(|| found.iter().find(mine));
    if let Some(ip) = ours {
        return Verdict::Ours(*ip);
    }
    if let Some(ip) = found.iter().find(|ip| is_private(**ip)) {
        return Verdict::Elsewhere(*ip);
    }
    match found.iter().find(|ip| facts.open && is(ip, &At::Else)) {
        Some(ip) => Verdict::Other(*ip),
        None => Verdict::Unseen(found[0]),
    }
}

impl Verdict {
    /// As one finding for all names that it is said of. `own`: an address of this machine in the home network; `domain`: the home's.
    pub fn say(&self, hosts: &[String], own: Option<IpAddr>, domain: &str) -> Finding {
        let names = shown(hosts);
        let one = hosts.len() == 1;
        let s = |one_: &'static str, more: &'static str| if one { one_ } else { more };
        let own = own.map_or("this machine's address".to_string(), |ip| ip.to_string());
        let problem = |check, words: String| Finding::problem(About::Names, check, words);
        let lan = "print the names for your DNS server: hearth routes --dns pihole (or dnsmasq, hosts)";
        match self {
            Verdict::Ours(ip) => {
                Finding::ok(About::Names, "name-ours", format!("{names} {} to this machine ({ip})", s("leads", "lead")))
            }
            Verdict::Unseen(ip) => Finding::note(
                About::Names,
                "name-outside",
                format!(
                    "{names} {} to {ip}, an outside address; from inside it cannot be told whether that is your router: many do not let their own network in by it",
                    s("leads", "lead")
                ),
            )
            .fix("try it from a phone without Wi-Fi; for devices at home let your own DNS answer with this machine's address: hearth routes --dns pihole"),
            Verdict::Other(ip) => Finding::warning(
                About::Names,
                "name-other",
                format!("{names} {} to {ip}, where something else than this machine answers; it may be the router's own page, which the world does not see", s("leads", "lead")),
            )
            .fix("try it from a phone without Wi-Fi; if that is no better, let the router pass ports 80 and 443 on to this machine"),
            Verdict::Elsewhere(ip) => problem(
                "name-elsewhere",
                format!("{names} {} to {ip}, which is not this machine", s("leads", "lead")),
            )
            .fix(format!("let {} A record say {own} (or your outside address), or this machine have {ip} again", s("its", "their"))),
            Verdict::Rebinding(ip) => problem(
                "rebinding",
                format!(
                    "the world is told that {names} {} at {ip}, and the resolver of this machine leaves that out: it takes private addresses for an attack (DNS rebinding)",
                    s("is", "are")
                ),
            )
            .fix(format!("allow {domain} in your router: FRITZ!Box: Home Network > Network > Network Settings > DNS Rebind Protection; OpenWrt, dnsmasq: rebind-domain-ok=/{domain}/; Unbound, OPNsense, pfSense: private-domain: \"{domain}\""))
            .fix(format!("or answer the names yourself, with {own}: hearth routes --dns pihole (or dnsmasq, hosts)")),
            Verdict::Hidden(ip) => problem(
                "name-hidden",
                format!("the world is told that {names} {} at {ip}, and the resolver of this machine says there is no such name", s("is", "are")),
            )
            .fix("a filter in your DNS server may block it, or it remembers an older answer: look there, or restart it"),
            Verdict::Missing => problem("name-missing", format!("nobody knows the {} {names}", s("name", "names")))
                .fix(format!("at your DNS provider: one A record *.{domain} with your outside address, or with {own} where only devices at home use it"))
                .fix(format!("or for devices at home alone: {lan}")),
            Verdict::MissingHere => Finding::warning(
                About::Names,
                "name-missing-here",
                format!("this machine's resolver does not know {names}; devices that ask the same one do not find {} either", s("it", "them")),
            )
            .fix(lan),
            Verdict::DeadSix(ip) => problem(
                "dead-aaaa",
                format!("the AAAA record of {names} says {ip}, where this machine does not answer, though its A record is right: who asks over IPv6 first, as authorities do, fails"),
            )
            .fix("take the AAAA record away at your DNS provider, or switch off IPv6 in the updater of your dynamic DNS")
            .fix("or let Traefik listen there too: traefik: {bind: [0.0.0.0, '::']} in hearth.yaml, and let the router's IPv6 firewall pass ports 80 and 443"),
            Verdict::Unprovable(ip) => problem(
                "name-unprovable",
                format!("the world is told that {names} {} at {ip}, a private address: no authority can come there over HTTP", s("is", "are")),
            )
            .fix("prove names by DNS: certificates: {challenge: dns-01, dns: {provider: ...}} in hearth.yaml")
            .fix("or let the home's own CA make certificates: certificates: {issuer: local}"),
            Verdict::HomeOnly(ip) => Finding::note(
                About::Names,
                "name-home-only",
                format!("{names} {} for everybody, and the world is told {ip}, which only devices at home reach", s("is", "are")),
            ),
        }
    }
}

/// `a`, `a and b`, `a, b, c and 4 other names`.
pub fn shown(hosts: &[String]) -> String {
    match hosts {
        [a, b, c, rest @ ..] if rest.len() > 1 => {
            format!("{a}, {b}, {c} and {}", wording::count(rest.len(), "other name"))
        }
        all => wording::list(all),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    /// One row: resolver, world (`None`: not asked), what answers where, expected.
    type Row<'a> = (&'a [&'a str], Option<&'a [&'a str]>, &'a [(&'a str, At)], &'a [&'a str]);

    fn check(http01: bool, public: bool, rows: &[Row<'_>]) {
        let mine = ips(&["192.168.1.5", "2001:db8::5"]);
        for (system, world, at, expected) in rows {
            let facts = Facts {
                system: ips(system),
                world: world.map(ips),
                mine: &mine,
                at: at.iter().map(|(ip, at)| (ip.parse().unwrap(), at.clone())).collect(),
                open: true,
                http01,
                public,
            };
            let said: Vec<String> =
                judge(&facts).iter().map(|v| format!("{v:?}").replace("2001:db8::9", "six").to_lowercase()).collect();
            assert_eq!(said, *expected, "{system:?} {world:?} {at:?}");
        }
    }

    #[test]
    fn where_a_name_leads() {
        let router = "203.0.113.7";
        check(
            false,
            false,
            &[
                (&["192.168.1.5"], None, &[], &["ours(192.168.1.5)"]),
                (&["127.0.1.1"], None, &[], &["ours(127.0.1.1)"]),
                (&["192.168.1.9"], None, &[("192.168.1.9", At::Us)], &["ours(192.168.1.9)"]),
                (&["192.168.1.9"], None, &[("192.168.1.9", At::Else)], &["elsewhere(192.168.1.9)"]),
                (&[router], Some(&[router]), &[(router, At::Us)], &["ours(203.0.113.7)"]),
                (&[router], Some(&[router]), &[(router, At::Nothing)], &["unseen(203.0.113.7)"]),
                (&[router], Some(&[router]), &[(router, At::Else)], &["other(203.0.113.7)"]),
                // Another answer at home than outside is how it should be.
                (&["192.168.1.5"], Some(&[router]), &[], &["ours(192.168.1.5)"]),
            ],
        );
    }

    #[test]
    fn why_a_name_is_not_found() {
        check(
            false,
            false,
            &[
                (&[], Some(&["192.168.1.5"]), &[], &["rebinding(192.168.1.5)"]),
                (&["0.0.0.0"], Some(&["192.168.1.5"]), &[], &["rebinding(192.168.1.5)"]),
                (&["0.0.0.0", "::"], Some(&["203.0.113.7"]), &[], &["hidden(203.0.113.7)"]),
                (&[], Some(&[]), &[], &["missing"]),
                (&[], None, &[], &["missinghere"]),
            ],
        );
    }

    #[test]
    fn an_ipv6_address_that_is_not_us_beside_an_ipv4_one_that_is() {
        let four = ("203.0.113.7", At::Us);
        let both: &[&str] = &["203.0.113.7", "2001:db8::9"];
        check(
            false,
            false,
            &[
                (both, None, &[four.clone(), ("2001:db8::9", At::Nothing)], &["deadsix(six)", "ours(203.0.113.7)"]),
                (both, None, &[four.clone(), ("2001:db8::9", At::Else)], &["deadsix(six)", "ours(203.0.113.7)"]),
                (both, None, &[four.clone(), ("2001:db8::9", At::Us)], &["ours(203.0.113.7)"]),
                // Seen from outside only, as an authority does.
                (
                    &["192.168.1.5"],
                    Some(&["2001:db8::9"]),
                    &[("192.168.1.5", At::Us), ("2001:db8::9", At::Nothing)],
                    &["deadsix(six)", "ours(192.168.1.5)"],
                ),
                // Where nothing answers anywhere, IPv6 is not what is wrong.
                (both, None, &[("203.0.113.7", At::Nothing), ("2001:db8::9", At::Nothing)], &["unseen(203.0.113.7)"]),
            ],
        );
    }

    #[test]
    fn a_private_answer_is_fine_at_home_and_cannot_be_proved_over_http() {
        let rows: &[Row<'_>] =
            &[(&["192.168.1.5"], Some(&["192.168.1.5"]), &[], &["unprovable(192.168.1.5)", "ours(192.168.1.5)"])];
        check(true, false, rows);
        check(false, false, &[(&["192.168.1.5"], Some(&["192.168.1.5"]), &[], &["ours(192.168.1.5)"])]);
        let rows: &[Row<'_>] =
            &[(&["192.168.1.5"], Some(&["192.168.1.5"]), &[], &["homeonly(192.168.1.5)", "ours(192.168.1.5)"])];
        check(false, true, rows);
    }

    #[test]
    fn every_verdict_that_is_bad_has_a_way_out() {
        let ip: IpAddr = [10, 0, 0, 9].into();
        let all = [
            Verdict::Unseen(ip),
            Verdict::Other(ip),
            Verdict::Elsewhere(ip),
            Verdict::Rebinding(ip),
            Verdict::Hidden(ip),
            Verdict::Missing,
            Verdict::MissingHere,
            Verdict::DeadSix(ip),
            Verdict::Unprovable(ip),
        ];
        for verdict in all {
            for hosts in [vec!["a.example".to_string()], vec!["a.example".to_string(), "b.example".to_string()]] {
                let said = verdict.say(&hosts, None, "example");
                assert!(said.grade > Grade::Ok && !said.fix.is_empty() && said.words.contains("a.example"), "{said:?}");
            }
        }
        assert_eq!(shown(&["a", "b", "c", "d", "e"].map(String::from)), "a, b, c and 2 other names");
    }
}
