//! Authorities that a home asks for certificates: whether they are in reach, and whether they could prove a name over HTTP.

use super::finding::{About, Finding};
use super::names::shown;
use crate::certs::acme::Directory;

/// One directory that was asked for. `wanted`: the profile of `hearth.yaml`.
pub fn reached(name: &str, url: &str, answer: &Result<Directory, String>, wanted: Option<&str>) -> Finding {
    match answer {
        Ok(directory) => match wanted.filter(|wanted| directory.profiles.iter().all(|known| known != wanted)) {
            None => Finding::ok(About::Certificates, "authority", format!("{name} is in reach")),
            Some(wanted) => {
                let known = match directory.profiles.is_empty() {
                    true => "it lists none".to_string(),
                    false => format!("it lists {}", directory.profiles.join(", ")),
                };
                let words = format!("{name} does not have the profile `{wanted}` that hearth.yaml asks for: {known}");
                Finding::problem(About::Certificates, "authority-profile", words)
                    .fix("change `profile` under certificates: in hearth.yaml, or leave it out")
            }
        },
        Err(why) => {
            let found = Finding::problem(
                About::Certificates,
                "authority-away",
                format!("{name} cannot be asked for certificates: {why}"),
            );
            let found = match why {
                w if w.contains("looked up") => found.fix("see whether this machine finds any name: getent hosts example.org; its resolver stands in /etc/resolv.conf"),
                w if w.contains("clock") => found.fix("set the clock: sudo timedatectl set-ntp true"),
                w if w.contains("does not trust") => found.fix("install the roots: sudo apt install ca-certificates; for an authority of your own: certificates: {roots: FILE} in hearth.yaml"),
                w if w.contains("directory") => found.fix(format!("check `ca` under certificates: in hearth.yaml: it leads to {url}")),
                _ => found.fix("see whether this machine reaches the internet, and whether a firewall lets it out on port 443"),
            };
            found.fix(
                "nothing is lost meanwhile: certificates that are there are served on, and it is asked again by itself",
            )
        }
    }
}

/// Where the home's own CA makes the certificates. `uncovered`: names that it may not sign for, and that nothing else is for.
pub fn own(uncovered: &[String], domain: &str) -> Finding {
    if uncovered.is_empty() {
        let words = "the home's own CA makes the certificates: no authority is asked";
        return Finding::ok(About::Certificates, "authority", words);
    }
    let words = format!(
        "no certificate is for {}, nor will be: the root of the home's own CA was made for other names than those under {domain}",
        shown(uncovered)
    );
    Finding::problem(About::Certificates, "authority-names", words)
        .fix("make a new root, which every device has to be told to trust: hearth certs new-ca")
        .fix("or bring a certificate: hearth certs import; or let an authority issue them: certificates: {issuer: acme} in hearth.yaml")
}

/// Why names cannot be proved over HTTP, each reason with its names; `proved`: names of which nothing of the kind is known.
pub fn challenges(hopeless: &[(String, Vec<String>)], proved: &[String]) -> Vec<Finding> {
    let mut all = Vec::new();
    for (why, hosts) in hopeless {
        let words = format!("no authority can prove {} over HTTP: {why}", shown(hosts));
        let found = Finding::problem(About::Certificates, "challenge-closed", words);
        let found = match why {
            w if w.contains("Hearth's own server") => found.fix("start Hearth's own server: hearth serve"),
            w if w.contains("no address") => found.fix("at your DNS provider: an A record with your outside address"),
            w if w.contains("status") => found.fix("see what holds the port: it stands under Ports"),
            _ => found.fix("start Traefik: hearth up; what holds its ports stands under Ports"),
        };
        all.push(
            found
                .fix("where your provider closes port 80, prove names by DNS: certificates: {challenge: dns-01, dns: {provider: ...}} in hearth.yaml")
                .fix("or let the home's own CA make certificates: certificates: {issuer: local}"),
        );
    }
    if !proved.is_empty() {
        let words = format!(
            "the challenge for {} is answered on this machine's port 80; whether that port is open to the internet cannot be seen from inside",
            shown(proved)
        );
        all.push(
            Finding::note(About::Certificates, "challenge", words)
                .fix("ask from outside, as a phone without Wi-Fi: http://NAME/.well-known/acme-challenge/hearth-probe shows hearth-probe")
                .fix("where it does not, and the router passes port 80 on: your provider closes it; then prove names by DNS: certificates: {challenge: dns-01}"),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    #[test]
    fn an_authority_that_is_away_is_told_with_what_helps() {
        for (why, help) in [
            ("ca.example cannot be reached: its name cannot be looked up", "resolv.conf"),
            (
                "ca.example cannot be reached: its certificate is not valid at this machine's time; is the clock right?",
                "timedatectl",
            ),
            (
                "ca.example cannot be reached: its certificate is from an authority that this machine does not trust",
                "ca-certificates",
            ),
            ("what it answers is no ACME directory", "https://ca.example/dir"),
            ("ca.example did not answer within 30 s", "firewall"),
        ] {
            let found = reached("CA", "https://ca.example/dir", &Err(why.into()), None);
            assert!(found.grade == Grade::Problem && found.fix[0].contains(help), "{found:?}");
        }
        let there = Ok(Directory { date: None, profiles: vec!["classic".into()] });
        assert_eq!(reached("CA", "u", &there, None).grade, Grade::Ok);
        assert!(reached("CA", "u", &there, Some("eternal")).words.contains("it lists classic"));
    }

    #[test]
    fn an_own_ca_that_may_not_sign_for_the_domain_is_a_problem_with_a_way_out() {
        assert_eq!(own(&[], "home.test").grade, Grade::Ok);
        let told = own(&["panel.home.test".into()], "home.test");
        assert!(told.grade == Grade::Problem && told.words.contains("panel.home.test"), "{told:?}");
        assert!(told.fix[0].contains("hearth certs new-ca"), "{told:?}");
    }

    #[test]
    fn a_closed_port_offers_dns_and_the_local_authority() {
        let hosts = vec!["a.example".to_string()];
        let all = challenges(&[("at 127.0.0.1:80, nothing listens there".into(), hosts.clone())], &hosts);
        assert!(
            all[0].fix.iter().any(|f| f.contains("dns-01")) && all[0].fix.iter().any(|f| f.contains("issuer: local"))
        );
        assert!(all[1].grade == Grade::Note && all[1].words.contains("cannot be seen from inside"));
    }
}
