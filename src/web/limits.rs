//! How much one client, and all together, may take of a door.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The bounds of one door. The defaults are for browsers and programs of a home.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once, and of one address (of IPv6 a /64, which one person has). More are closed at once. Programs on this machine have three
    /// quarters of all of them: they are of many people, as a tunnel's are.
    pub connections: usize,
    pub connections_each: usize,
    /// Connections whose TLS handshake has not ended, at once and of one address. Where there are more the oldest are closed.
    pub handshakes: usize,
    pub handshakes_each: usize,
    /// From the first byte to the end of the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request over HTTP/1.1, and between two requests.
    pub head: Duration,
    /// Bytes of a request's head: more are refused in words, and more than the second without any.
    pub head_bytes: usize,
    pub head_most: usize,
    /// Its lines over HTTP/1.1.
    pub head_lines: usize,
    /// Without a request, or without progress of an answer, a connection is closed.
    pub idle: Duration,
    /// For a handler, with the body that it reads.
    pub request: Duration,
    /// Bytes of a request's body.
    pub body: usize,
    /// For a request's body, from its head to its end.
    pub body_time: Duration,
    /// Requests at once, over all connections. More get 503.
    pub requests: usize,
    /// Of them by one household; more of its own wait for the others of its own.
    pub requests_each: usize,
    /// Streams of one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 2048,
            connections_each: 256,
            handshakes: 256,
            handshakes_each: 64,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(15),
            head_bytes: 32 << 10,
            head_most: 96 << 10,
            head_lines: 100,
            idle: Duration::from_secs(75),
            request: Duration::from_secs(30),
            body: 1 << 20,
            body_time: Duration::from_secs(10),
            requests: 512,
            requests_each: 48,
            streams: 100,
        }
    }
}

impl Limits {
    /// Where all connections come from one address, which is trusted: a proxy, near by, that does not keep anybody waiting.
    pub fn of_proxy() -> Limits {
        Limits { connections_each: 1024, handshake: Duration::from_secs(3), ..Limits::default() }
    }

    /// A place for a connection from `address`, if there is one.
    pub fn connection(&self, places: &Places, address: IpAddr) -> Option<Place> {
        let of = household(address);
        let here = if of.is_loopback() { self.connections / 4 * 3 } else { 0 };
        places.take(Some(of), self.connections, self.connections_each.max(here))
    }
}

/// Counts what is under way, all together and of each household; a place is given back when it is dropped.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

pub struct Place {
    places: Places,
    of: Option<IpAddr>,
}

impl Places {
    /// A place for a [`household`], where fewer than `most` are taken, and fewer than `each` by it. Who is of none is bounded by `most` alone.
    pub fn take(&self, of: Option<IpAddr>, most: usize, each: usize) -> Option<Place> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = of.map_or(0, |of| counted.each.get(&of).copied().unwrap_or(0));
        if counted.all >= most || of.is_some() && theirs >= each {
            return None;
        }
        counted.all += 1;
        of.map(|of| counted.each.insert(of, theirs + 1));
        Some(Place { places: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counted = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.all = counted.all.saturating_sub(1);
        let Some(of) = self.of else { return };
        match counted.each.get_mut(&of) {
            Some(n) if *n > 1 => *n -= 1,
            _ => {
                counted.each.remove(&of);
            }
        }
    }
}

/// What one person can have of addresses.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        // Whoever is on this machine has all of 127.0.0.0/8.
        loopback if loopback.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_for_all_and_for_each_and_given_back() {
        let limits = Limits { connections: 3, connections_each: 2, ..Limits::default() };
        let places = Places::default();
        let take = |text: &str| limits.connection(&places, text.parse().unwrap());
        let held = [take("fd00::1").unwrap(), take("fd00::2").unwrap()];
        assert!(take("fd00::3").is_none(), "one /64 is one household");
        let other = take("::ffff:10.0.0.1").unwrap();
        assert!(take("10.0.0.2").is_none(), "all are taken");
        drop((held, other));
        assert!(places.0.lock().unwrap().each.is_empty());
        assert!(take("10.0.0.2").is_some());
    }
}
