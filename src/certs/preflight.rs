//! HTTP-01 tried by ourselves before an authority does: an attempt that cannot succeed must not be counted by it.
//!
//! From inside it cannot be seen how the internet sees a name: many routers do not let their own network in by their outside address. So
//! only what is sure holds an order back: the challenge is answered neither at this machine's own door nor where the name leads, or the
//! name has no address at all.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::dns::Lookup;
use crate::base::net::CHALLENGES;
use crate::base::wording::connection;
use crate::web::client;

/// Connecting, and the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// All questions about the addresses of one name.
const LOOKUP: Duration = Duration::from_secs(6);
/// How long the machine's own door may take: Traefik answers nothing, and then 404, while it starts.
const STARTING: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// Bytes of an answer: a challenge has less than a hundred.
const MOST: usize = 4096;

/// What came of asking for a challenge at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It was answered as it should be: this is us.
    Us,
    /// Something else answers, with this status.
    Else(u16),
    /// Nothing answers, in words.
    Nothing(String),
}

impl Reach {
    /// As the end of a sentence about an address.
    pub fn words(&self) -> String {
        match self {
            Reach::Us => "it answers the challenge".into(),
            Reach::Else(502..=504) => "Traefik answers, but Hearth's own server behind it does not".into(),
            Reach::Else(status) => format!("something answers there with status {status}, but not with the challenge"),
            Reach::Nothing(why) => why.clone(),
        }
    }
}

/// A challenge for a name, and what must come back.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub name: &'a str,
    pub token: &'a str,
    pub answer: &'a str,
}

/// Why an authority would fail for sure to prove a name, in words; `None`: it may succeed. `front`: the machine's own door. `public`: the
/// authority sees the world as public resolvers do.
pub async fn hopeless(front: SocketAddr, lookup: &Lookup, asked: Question<'_>, public: bool) -> Option<String> {
    let here = patiently(front, asked).await;
    if here == Reach::Us && !public {
        return None;
    }
    let world = world(lookup, asked.name).await;
    let there = match here {
        Reach::Us => Vec::new(),
        _ => there(world.as_deref().unwrap_or_default(), asked).await,
    };
    judge(asked.name, (front, &here), world.as_deref(), &there, public)
}

/// What of it is sure. `world`: the name's addresses as the world sees them; `None`: nobody could be asked. `there`: what came of asking at
/// these, on port 80.
pub fn judge(
    name: &str,
    (front, here): (SocketAddr, &Reach),
    world: Option<&[IpAddr]>,
    there: &[(IpAddr, Reach)],
    public: bool,
) -> Option<String> {
    if there.iter().any(|(_, reach)| *reach == Reach::Us) {
        return None;
    }
    if public && world.is_some_and(<[IpAddr]>::is_empty) {
        return Some(format!("{name} has no address in public DNS"));
    }
    (*here != Reach::Us).then(|| format!("at {front}, {}", here.words()))
}

/// Asks at each of some addresses, on port 80.
pub async fn there(addresses: &[IpAddr], asked: Question<'_>) -> Vec<(IpAddr, Reach)> {
    let one = |ip: &IpAddr| {
        let ip = *ip;
        async move { (ip, reach(SocketAddr::new(ip, 80), asked).await) }
    };
    join_all(addresses.iter().take(ADDRESSES).map(one)).await
}

/// The addresses of a name, or the address that it is.
pub async fn world(lookup: &Lookup, name: &str) -> Option<Vec<IpAddr>> {
    match name.parse() {
        Ok(ip) => Some(vec![ip]),
        Err(_) => timeout(LOOKUP, lookup.found(name)).await.ok().flatten(),
    }
}

async fn patiently(at: SocketAddr, asked: Question<'_>) -> Reach {
    let began = Instant::now();
    loop {
        let reach = reach(at, asked).await;
        if reach == Reach::Us || began.elapsed() > STARTING {
            return reach;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Asks for one challenge at one address, as an authority does.
pub async fn reach(at: SocketAddr, asked: Question<'_>) -> Reach {
    let stream = match timeout(PATIENCE, TcpStream::connect(at)).await {
        Err(_) => return Reach::Nothing("nothing answers".into()),
        Ok(Err(error)) => return Reach::Nothing(connection(&error)),
        Ok(Ok(stream)) => stream,
    };
    let path = format!("{CHALLENGES}{}", asked.token);
    match timeout(PATIENCE, client::get(stream, asked.name, &path, "*/*", MOST)).await {
        Ok(Ok(answer)) if answer.status() == 200 && answer.body().trim_ascii_end() == asked.answer.as_bytes() => {
            Reach::Us
        }
        Ok(Ok(answer)) => Reach::Else(answer.status().as_u16()),
        Ok(Err(_)) => Reach::Nothing("what listens there does not speak HTTP".into()),
        Err(_) => Reach::Nothing("what listens there does not answer".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_succeed_holds_an_order_back() {
        let nothing = || Reach::Nothing("nothing listens there".into());
        let ip: IpAddr = [203, 0, 113, 7].into();
        let of = |here: Reach, world: Option<Vec<IpAddr>>, there: Vec<(IpAddr, Reach)>, public| {
            judge("a.example", ("127.0.0.1:80".parse().unwrap(), &here), world.as_deref(), &there, public)
        };
        let some = || Some(vec![ip]);
        assert_eq!(of(Reach::Us, None, vec![], true), None, "nobody could be asked: the authority is");
        assert_eq!(of(Reach::Us, some(), vec![(ip, nothing())], true), None, "a router may not let its own network in");
        assert_eq!(of(Reach::Us, some(), vec![(ip, Reach::Else(200))], true), None, "nor show it what others see");
        assert_eq!(of(nothing(), some(), vec![(ip, Reach::Us)], true), None, "another way in than Traefik");
        assert_eq!(of(nothing(), None, vec![], true).as_deref(), Some("at 127.0.0.1:80, nothing listens there"));
        assert!(of(Reach::Else(502), some(), vec![(ip, nothing())], true).unwrap().contains("Hearth's own server"));
        assert!(of(Reach::Us, Some(vec![]), vec![], true).unwrap().contains("no address in public DNS"));
        assert_eq!(of(Reach::Us, Some(vec![]), vec![], false), None, "a private authority may know other names");
    }
}
