//! One way in: who is asked for, who may enter, where it leads.
//!
//! Texts may hold variables of `.env` while labels are rendered; for the file they are resolved first.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::forward::bypass::Bypass;
use super::name;
use crate::compose::Compat;
use crate::compose::template::{self, Scope, TemplateError};
use crate::diag::Span;

/// One route of a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What its router, service and middlewares are called ([`super::name`]).
    pub name: String,
    /// The service that it leads to, or its key in `hearth.yaml`.
    pub service: String,
    /// A profile that turns its service on; `None`: it is on always, or no service of the home.
    pub profile: Option<String>,
    pub entry: Entry,
    pub access: Access,
    /// Paths that need no session, where its access asks for one.
    pub bypass: Vec<Bypass>,
    pub target: Target,
    /// How long the service may take to begin an answer, as a Go duration.
    pub timeout: Option<String>,
    /// Set on what is asked; an empty value takes the header away.
    pub request_headers: BTreeMap<String, String>,
    /// Set on the answer.
    pub response_headers: BTreeMap<String, String>,
    /// Whether a browser stays with one container of several.
    pub sticky: bool,
    /// A path that Traefik itself asks, and leaves out containers that do not answer it.
    pub health: Option<String>,
    /// How many requests one client may make.
    pub rate: Option<Rate>,
    /// Another route of the home may have a path of the same host: then only one reading of a path may be let in ([`PLAIN`]).
    pub shares_paths: bool,
    /// Another route of the home may ask for a login on the same host: browsers send what that gave them here too, and no service gets it ([`SHIELD`]).
    pub beside_login: bool,
    pub span: Option<Span>,
}

/// Requests of one client: above the average, once the burst is used up, Traefik answers 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub average: u32,
    /// The time of the average, as a Go duration.
    pub period: &'static str,
    /// How many may come at once.
    pub burst: u32,
}

impl Rate {
    /// Addresses of IPv6 count as one client by what a provider gives to one home.
    pub(super) const SUBNET: u8 = 64;
}

/// By what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// By host name, over HTTPS.
    Web {
        /// Whole names, lower case.
        hosts: Vec<String>,
        /// `/api`: only that and what is below it. Without a final `/`.
        path: Option<String>,
        /// The service does not see the path.
        strip: bool,
    },
    /// On a TCP port of this machine, as it comes.
    Tcp(u16),
    /// On a UDP port of this machine.
    Udp(u16),
}

impl Entry {
    /// The entry point of Traefik.
    pub fn point(&self) -> String {
        match self {
            Entry::Web { .. } => "websecure".into(),
            Entry::Tcp(port) => format!("tcp-{port}"),
            Entry::Udp(port) => format!("udp-{port}"),
        }
    }

    /// A server's address as Traefik takes it for such a route.
    pub fn address(&self, scheme: &str, host: &str, port: &str) -> String {
        match self {
            Entry::Web { .. } => format!("{scheme}://{host}:{port}"),
            _ => format!("{host}:{port}"),
        }
    }
}

/// Where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Containers of the home's project, by their labels.
    Container {
        port: String,
        /// `http`, `https` or `h2c`.
        scheme: String,
    },
    /// Addresses that Traefik reaches, each as good as the others: `http://192.168.1.20:5000`, for TCP and UDP `192.168.1.20:53`.
    Addresses(Vec<String>),
    /// To nobody now, as no container of this `project/service` of another project can answer.
    Nobody(String),
}

/// Who may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Public,
    Lan,
    LanOrUser,
    User,
    Group(String),
    Admin,
}

/// How Traefik keeps a route to those whom its [`Access`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Only for addresses of the home's own networks.
    Lan,
    /// For whom gate lets in: it is asked about each request.
    Login,
    /// For nobody: it needs a login, and what passes as it comes has none.
    Closed,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Public => f.write_str("public"),
            Access::Lan => f.write_str("lan"),
            Access::LanOrUser => f.write_str("lan-or-user"),
            Access::User => f.write_str("user"),
            Access::Group(name) => write!(f, "group:{name}"),
            Access::Admin => f.write_str("admin"),
        }
    }
}

/// The words of `access` without `group:NAME`.
pub const ACCESS: [&str; 5] = ["public", "lan", "lan-or-user", "user", "admin"];

impl FromStr for Access {
    type Err = ();

    fn from_str(text: &str) -> Result<Access, ()> {
        Ok(match text {
            "public" => Access::Public,
            "lan" => Access::Lan,
            "lan-or-user" => Access::LanOrUser,
            "user" => Access::User,
            "admin" => Access::Admin,
            _ => match text.strip_prefix("group:") {
                Some(name) if is_group(name) => Access::Group(name.into()),
                _ => return Err(()),
            },
        })
    }
}

/// Whether a group can be called so: `a-z0-9`, and `._-` within, at most 64 characters.
pub fn is_group(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 64 && name.bytes().next().is_some_and(plain) && name.bytes().all(|b| plain(b) || b"._-".contains(&b))
}

impl Route {
    /// Never wider than what was asked for.
    pub fn door(&self) -> Door {
        match (&self.access, &self.entry) {
            (Access::Public, _) => Door::Open,
            (Access::Lan, _) => Door::Lan,
            (_, Entry::Web { .. }) => Door::Login,
            (Access::LanOrUser, _) => Door::Lan,
            _ => Door::Closed,
        }
    }

    /// Whether gate lets everybody pass here, and keeps Hearth's own cookies and tokens.
    pub(super) fn is_shielded(&self) -> bool {
        self.beside_login && matches!(self.entry, Entry::Web { .. }) && matches!(self.door(), Door::Open | Door::Lan)
    }

    /// Whether it matters who is at home.
    pub fn asks_lan(&self) -> bool {
        matches!(self.access, Access::Lan | Access::LanOrUser)
    }

    /// The middleware that asks gate, in the file: one for each access, and one of its own for a route with paths that need no session.
    /// No other object in Traefik can be called so, whatever routes are called: after `login--` theirs go on with `out-`, `x` or a digit.
    pub(super) fn login(&self) -> String {
        match (&self.access, &self.bypass[..]) {
            (_, [_, ..]) => format!("{LOGIN}of-{}", self.name),
            (Access::Group(group), _) => match name::is_plain(group) && !group.contains("--") && group.len() <= 40 {
                true => format!("{LOGIN}group-{group}"),
                false => format!("{LOGIN}group-{}", name::hashed(group)),
            },
            (Access::LanOrUser, _) => format!("{LOGIN}home"),
            (other, _) => format!("{LOGIN}{other}"),
        }
    }

    /// The route with the values of its variables, and names as Traefik compares them.
    pub fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Route, TemplateError> {
        let mut unset = |_: &str| {};
        let mut scope = Scope { lookup, compat: Compat::default(), unset: &mut unset };
        let mut text = |text: &mut String| -> Result<(), TemplateError> {
            *text = template::substitute(text, &mut scope)?;
            Ok(())
        };
        let mut route = self.clone();
        if let Entry::Web { hosts, path, .. } = &mut route.entry {
            for host in hosts.iter_mut() {
                text(host)?;
                *host = host.trim_end_matches('.').to_ascii_lowercase();
            }
            path.iter_mut().try_for_each(&mut text)?;
        }
        match &mut route.target {
            Target::Container { port, scheme } => text(port).and_then(|()| text(scheme))?,
            Target::Addresses(all) => all.iter_mut().try_for_each(&mut text)?,
            Target::Nobody(_) => {}
        }
        route.health.iter_mut().try_for_each(&mut text)?;
        for value in route.request_headers.values_mut().chain(route.response_headers.values_mut()) {
            text(value)?;
        }
        Ok(route)
    }

    /// The middlewares of its router, in order, for the provider that holds them (`@file` in a label). `named`: what its own are called by.
    ///
    /// Who may enter is asked before anything is changed, so that gate sees what the client asked for. What says who somebody is is taken
    /// from every request: behind a login by that itself, which alone sets it.
    pub(super) fn middlewares(&self, of_file: &str, own: &str, named: &str) -> Vec<String> {
        let mut all = Vec::new();
        if self.shares_paths || matches!(self.entry, Entry::Web { path: Some(_), .. }) {
            all.push(format!("{PLAIN}{of_file}"));
        }
        let door = self.door();
        match door {
            Door::Open => {}
            Door::Lan => all.push(format!("lan{of_file}")),
            Door::Login => all.push(format!("{}{of_file}", self.login())),
            Door::Closed => all.push(format!("closed{of_file}")),
        }
        if self.is_shielded() {
            all.push(format!("{SHIELD}{of_file}"));
        }
        if self.rate.is_some() {
            all.push(format!("{named}-rate{own}"));
        }
        all.push(format!("{}{of_file}", if door == Door::Login { CLEAN_BEHIND } else { CLEAN }));
        if !self.request_headers.is_empty() || !self.response_headers.is_empty() {
            all.push(format!("{named}-headers{own}"));
        }
        if matches!(self.entry, Entry::Web { strip: true, .. }) {
            all.push(format!("{named}-strip{own}"));
        }
        all
    }

    /// `Host(...)`, and where there is a path that and what is below it: `/s` must not open `/settings`.
    pub(super) fn rule(&self) -> String {
        let Entry::Web { hosts, path, .. } = &self.entry else { return "HostSNI(`*`)".into() };
        let all: Vec<String> = hosts.iter().map(|host| format!("Host(`{host}`)")).collect();
        match path {
            None => all.join(" || "),
            Some(path) => {
                let hosts = if all.len() == 1 { all[0].clone() } else { format!("({})", all.join(" || ")) };
                format!("{hosts} && (Path(`{path}`) || PathPrefix(`{path}/`))")
            }
        }
    }

    /// Router priorities: its own where it needs one, and that of what answers in its place.
    ///
    /// Without a path Traefik's own default (the rule's length) is above every catch-all, and the stand-in is just above those. With
    /// one, both are above any route without (a rule is far shorter than [`PATHS`]), and the longer path is above the shorter; so
    /// while the service of `/api` is away, nobody else answers for it.
    pub(super) fn priorities(&self) -> (Option<u64>, u64) {
        match &self.entry {
            Entry::Web { path: Some(path), .. } => {
                let own = PATHS + 10 * path.len() as u64;
                (Some(own), own - 5)
            }
            _ => (None, STAND_IN),
        }
    }

    /// Whether its router needs a transport of its own in the file.
    pub(super) fn has_transport(&self) -> bool {
        self.timeout.is_some() || self.scheme() == "https"
    }

    pub(super) fn scheme(&self) -> &str {
        match &self.target {
            Target::Container { scheme, .. } => scheme,
            Target::Addresses(all) => {
                all.first().and_then(|url| url.split_once("://")).map_or("http", |(scheme, _)| scheme)
            }
            Target::Nobody(_) => "http",
        }
    }
}

/// The middleware that refuses paths which a service may read as another path than Traefik does: with an encoded slash, backslash, NUL,
/// percent or semicolon. Else `/x/..%2fapi/` would pass the router of `/x` and be `/api/` behind it.
pub(super) const PLAIN: &str = "plain-path";

/// How middlewares begin that ask gate.
pub(super) const LOGIN: &str = "login--";
/// Asks gate, which lets everybody pass without Hearth's cookies. No access is called so.
pub(super) const SHIELD: &str = "login--shield";
/// Takes away what says who somebody is; and the same behind a login, which has set it.
pub(super) const CLEAN: &str = "clean";
pub(super) const CLEAN_BEHIND: &str = "clean--behind-login";
pub(super) const CLEAN_PANEL: &str = "clean--panel";

/// Priority of what catches all that nobody wants.
pub(super) const LAST: u64 = 1;
/// Priority of what answers for a service that is away.
pub(super) const STAND_IN: u64 = 2;
/// Priorities of routes with a path begin here.
pub(super) const PATHS: u64 = 100_000;
/// Above every route of a service: what has a `;` in its path, where a path is a boundary.
pub(super) const PARAMETERS: u64 = 9_000_000;
/// Above every route of a service: where the panel answers on hosts with a login.
pub(super) const OWN_PATH: u64 = 9_500_000;
/// Above every route of a service, so that no path of one can take challenges away.
pub(super) const CHALLENGE: u64 = 10_000_000;
/// Just below the highest that Traefik lets a user set: nobody takes the panel's host.
pub(super) const PANEL: u64 = 9_223_372_036_854_774_000;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A plain route to port 8080 of a container.
    pub fn route(name: &str, host: &str, path: Option<&str>, access: Access) -> Route {
        Route {
            name: name.into(),
            profile: None,
            service: "web".into(),
            entry: Entry::Web { hosts: vec![host.into()], path: path.map(str::to_string), strip: false },
            access,
            bypass: Vec::new(),
            target: Target::Container { port: "8080".into(), scheme: "http".into() },
            timeout: None,
            request_headers: BTreeMap::new(),
            response_headers: BTreeMap::new(),
            sticky: false,
            health: None,
            rate: None,
            shares_paths: false,
            beside_login: false,
            span: None,
        }
    }

    #[test]
    fn no_two_logins_share_a_middleware() {
        let groups = ["a", "a-b", "a.b", "a_b", "a--b", "user", "of-a", &"a".repeat(60), &"a".repeat(61)];
        let mut names: Vec<String> = groups.map(|g| route("r", "a.b", None, Access::Group(g.into())).login()).to_vec();
        names.extend([Access::User, Access::Admin, Access::LanOrUser].map(|a| route("r", "a.b", None, a).login()));
        let mut own = route("r", "a.b", None, Access::User);
        own.bypass = vec![Bypass { path: "/api".into(), needs: super::super::forward::bypass::Needs::Nothing }];
        names.push(own.login());
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')));
    }

    #[test]
    fn what_passes_as_it_comes_has_no_login_and_is_never_wider() {
        for (access, web, raw) in [
            (Access::Public, Door::Open, Door::Open),
            (Access::Lan, Door::Lan, Door::Lan),
            (Access::LanOrUser, Door::Login, Door::Lan),
            (Access::User, Door::Login, Door::Closed),
            (Access::Admin, Door::Login, Door::Closed),
        ] {
            let mut route = route("r", "a.b", None, access);
            assert_eq!(route.door(), web);
            route.entry = Entry::Tcp(1);
            assert_eq!(route.door(), raw);
        }
    }

    #[test]
    fn access_is_read_and_written_the_same() {
        for word in ACCESS.iter().copied().chain(["group:family"]) {
            assert_eq!(word.parse::<Access>().unwrap().to_string(), word);
        }
        for wrong in ["", "group:", "users", "LAN", "group:a b", "group:A", "group:.", "group:${X}", "group:a&p=user"] {
            assert!(wrong.parse::<Access>().is_err(), "{wrong}");
        }
    }
}
