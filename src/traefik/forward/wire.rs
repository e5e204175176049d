//! What gate and the panel say to each other, one line of JSON each, over the panel's socket.
//!
//! Gate connects, greets, and is told everything: [`ToGate::Snapshot`]. Then what changes, as it changes. Gate asks about what it does not
//! know, and says now and then when each session was last used. A connection that ends loses nothing: the next begins with a snapshot.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::bypass::Bypass;
use crate::traefik::Access;

/// The version of what is said here; a gate or panel of another one is not understood, and so refused.
pub const VERSION: u32 = 3;
/// Bytes of one line of gate's, and of one of the panel's.
pub const LINE: usize = 1 << 20;
pub const SNAPSHOT: usize = 64 << 20;

/// SHA-256 of what somebody shows (a cookie's value or a token, as text). What is shown itself is never said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    pub fn of(shown: &str) -> Hash {
        Hash(Sha256::digest(shown).into())
    }

    /// As it is kept in a database: base64url.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub fn read(text: &str) -> Option<Hash> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Hash)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}..", self.0[0], self.0[1])
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::read(&text).ok_or_else(|| serde::de::Error::custom("no hash"))
    }
}

/// Key of the home, in base64url; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Key {
    /// As it stands in the address that Traefik asks.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        Hash::deserialize(deserializer).map(|hash| Key(hash.0))
    }
}

/// The doors of a home: all that gate must know besides people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doors {
    /// In the address that Traefik asks: whoever does not know it is not answered.
    pub key: Key,
    /// Signs the way back.
    pub signing: Key,
    /// The login's host, `panel.example.org`.
    pub panel: String,
    /// As browsers see it.
    pub https: u16,
    /// Who is at home, as CIDR.
    pub lan: Vec<String>,
    pub routes: Vec<Door>,
}

/// The doors as they lie beside the socket, for a gate that begins while the panel is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub version: u32,
    pub doors: Doors,
}

/// How that file is called.
pub const WRITTEN: &str = "doors.json";

/// A route with a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Its name in Traefik.
    pub name: String,
    /// Its service, or its key in `hearth.yaml`: what a token's scope names.
    pub service: String,
    /// Whole names, lower case.
    pub hosts: Vec<String>,
    pub bypass: Vec<Bypass>,
}

/// Somebody who has shown who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The user's name.
    pub user: String,
    /// What they are called.
    pub title: String,
    pub email: String,
    pub groups: Vec<String>,
    /// May enter everywhere.
    pub admin: bool,
    /// Services that the account is for alone; none: for whatever its groups and role open.
    pub only: Vec<String>,
    #[serde(flatten)]
    pub of: Of,
    /// When it ends whatever happens, in milliseconds since 1970.
    pub until: i64,
    /// After how many milliseconds without use it ends; 0: never for that.
    pub idle: i64,
    /// When it was last used, in milliseconds since 1970.
    pub used: i64,
}

/// What for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// A session on this host.
    Host(String),
    /// A token for the services with these names.
    Routes(Vec<String>),
}

impl Grant {
    /// Whether it holds at this time, in milliseconds since 1970; `used`: when it was last used, as known by now.
    pub fn holds(&self, now: i64, used: i64) -> bool {
        now < self.until && (self.idle == 0 || now < used.saturating_add(self.idle))
    }
}

/// Somebody who has signed in, as far as a door asks.
#[derive(Debug, Clone, Copy)]
pub struct Guest<'a> {
    pub admin: bool,
    pub groups: &'a [String],
    /// Services that the account is for alone; none: for whatever its groups and role open.
    pub only: &'a [String],
}

impl Grant {
    pub fn guest(&self) -> Guest<'_> {
        Guest { admin: self.admin, groups: &self.groups, only: &self.only }
    }
}

impl Access {
    /// Whether it lets somebody in who has signed in. `behind`: the services that this door may lead to; where nobody can tell which, whoever is for
    /// some alone has to be for all of these.
    pub fn admits(&self, who: Guest<'_>, behind: &[&str]) -> bool {
        let is_in = |name: &String| who.groups.contains(name);
        let confined = !who.only.is_empty();
        let named = !behind.is_empty() && behind.iter().all(|one| who.only.iter().any(|name| name == one));
        match self {
            Access::Public => true,
            Access::LanOrUser | Access::User => !confined || named,
            Access::Group(name) if confined => named || is_in(name),
            Access::Group(name) => who.admin || is_in(name),
            Access::Admin => who.admin && !confined,
            // Only an address tells.
            Access::Lan => false,
        }
    }
}

/// What somebody shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Cookie,
    Token,
}

/// Requests that gate has turned away, of one sort, since it last told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The service that was asked for.
    pub service: String,
    /// 401 or 403.
    pub status: u16,
    /// Who it was, where that is known.
    pub user: Option<String>,
    /// From which household: an address, of IPv6 the first half.
    pub from: Option<IpAddr>,
    pub count: u64,
    /// When, in milliseconds since 1970.
    pub first: i64,
    pub last: i64,
}

/// Gate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToPanel {
    Hello {
        version: u32,
    },
    /// Whose is it?
    Ask {
        id: u64,
        kind: Kind,
        hash: Hash,
    },
    /// When sessions were last used, in milliseconds since 1970.
    Used(Vec<(Hash, i64)>),
    /// Whom it has turned away; to be answered. `lost`: how many more there were, of which nothing else is known.
    Refused {
        id: u64,
        all: Vec<Refused>,
        lost: u64,
    },
}

/// The panel says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToGate {
    /// All that there is; what was known before is forgotten.
    Snapshot {
        version: u32,
        doors: Doors,
        sessions: Vec<(Hash, Grant)>,
    },
    Doors(Doors),
    /// New, or no longer as it was.
    Set(Hash, Grant),
    /// Has ended.
    End(Hash),
    /// To [`ToPanel::Refused`]: whether it is in the audit log.
    Noted {
        id: u64,
        entered: bool,
    },
    /// To [`ToPanel::Ask`]; none: nobody's.
    Answer {
        id: u64,
        grant: Option<Grant>,
    },
}

/// One line.
pub fn line(said: &impl Serialize) -> Vec<u8> {
    // These types have text for keys and cannot fail to be written; an empty line is nothing that anybody says.
    let mut line = serde_json::to_vec(said).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(of: Of) -> Grant {
        let (user, title, email) = ("ada".into(), "Ada".into(), "ada@example.org".into());
        Grant {
            user,
            title,
            email,
            groups: vec!["family".into()],
            admin: false,
            only: vec![],
            of,
            until: 1000,
            idle: 100,
            used: 500,
        }
    }

    #[test]
    fn what_is_said_is_one_line_and_is_heard_the_same() {
        let doors = Doors {
            key: Key([1; 32]),
            signing: Key([2; 32]),
            panel: "panel.example.org".into(),
            https: 443,
            lan: vec!["192.168.1.0/24".into()],
            routes: vec![Door {
                name: "home-app".into(),
                service: "app".into(),
                hosts: vec!["app.example.org".into()],
                bypass: vec![Bypass { path: "/api".into(), needs: super::super::bypass::Needs::Token }],
            }],
        };
        let (hash, host) = (Hash::of("x"), grant(Of::Host("app.example.org".into())));
        for said in [
            ToGate::Snapshot { version: VERSION, doors: doors.clone(), sessions: vec![(hash, host.clone())] },
            ToGate::Doors(doors),
            ToGate::Set(hash, host),
            ToGate::End(hash),
            ToGate::Answer { id: 7, grant: Some(grant(Of::Routes(vec!["app".into()]))) },
            ToGate::Answer { id: 8, grant: None },
            ToGate::Noted { id: 9, entered: true },
        ] {
            let line = line(&said);
            assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
            assert_eq!(serde_json::from_slice::<ToGate>(&line).unwrap(), said);
            assert!(!format!("{said:?}").contains("AQEB"), "a key is never shown");
        }
        for said in [
            ToPanel::Hello { version: VERSION },
            ToPanel::Ask { id: 1, kind: Kind::Token, hash },
            ToPanel::Used(vec![(hash, 5)]),
            ToPanel::Refused {
                id: 1,
                all: vec![Refused {
                    service: "app".into(),
                    status: 403,
                    user: Some("ada".into()),
                    from: Some([203, 0, 113, 5].into()),
                    count: 7,
                    first: 1,
                    last: 2,
                }],
                lost: 3,
            },
        ] {
            assert_eq!(serde_json::from_slice::<ToPanel>(&line(&said)).unwrap(), said);
        }
    }

    #[test]
    fn a_grant_ends_at_its_time_and_without_use() {
        let grant = grant(Of::Host("a".into()));
        assert!(grant.holds(599, 500) && !grant.holds(600, 500) && grant.holds(999, 999) && !grant.holds(1000, 999));
        assert!(Grant { idle: 0, ..grant }.holds(999, 0));
    }

    #[test]
    fn access_admits_whom_it_names() {
        let ada = grant(Of::Host("a".into()));
        let admin = Grant { admin: true, groups: Vec::new(), ..ada.clone() };
        for (access, member, boss) in [
            ("user", true, true),
            ("lan-or-user", true, true),
            ("group:family", true, true),
            ("group:famil", false, true),
            ("group:other", false, true),
            ("admin", false, true),
            ("lan", false, false),
        ] {
            let access: Access = access.parse().unwrap();
            assert_eq!(
                (access.admits(ada.guest(), &["app"]), access.admits(admin.guest(), &[])),
                (member, boss),
                "{access}"
            );
        }
    }

    #[test]
    fn hostile_19_an_account_for_some_services_enters_these_and_those_of_its_groups_and_nothing_else() {
        let only = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        // Whatever stands in a grant besides: one that is for some services is no admin's.
        for admin in [false, true] {
            let guest = Grant { admin, only: only(&["films", "photos"]), ..grant(Of::Host("a".into())) };
            for (access, named, other) in [
                ("user", true, false),
                ("lan-or-user", true, false),
                ("group:family", true, true),
                ("group:other", true, false),
                ("admin", false, false),
                ("lan", false, false),
                ("public", true, true),
            ] {
                let access: Access = access.parse().unwrap();
                for (behind, is) in [
                    (&["photos"][..], named),
                    (&["photos", "films"], named),
                    (&["notes"], other),
                    (&["photos", "notes"], other),
                    (&["photo"], other),
                    (&["photos2"], other),
                    (&["PHOTOS"], other),
                    (&[""], other),
                    // A door that nobody knows.
                    (&[], other),
                ] {
                    assert_eq!(access.admits(guest.guest(), behind), is, "{access} {behind:?}");
                }
            }
        }
        // A service that was called so once, and what is no name at all.
        for gone in [" ", ""] {
            let nobody = Grant { only: only(&[gone]), ..grant(Of::Host("a".into())) };
            assert!(!Access::User.admits(nobody.guest(), &["photos"]) && !Access::User.admits(nobody.guest(), &[]));
        }
    }
}
