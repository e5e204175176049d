//! Ports for servers that are told where to listen.

use std::net::{TcpListener, UdpSocket};
use std::sync::Mutex;

/// Below those that the kernel gives out by itself: between the question and the answer nobody else is given one of these.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port that nobody listens on now, and that no other test of this process was given.
pub fn free_port() -> u16 {
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for _ in RANGE {
        // Another process of tests begins elsewhere.
        let port = next.unwrap_or_else(|| RANGE.start + (std::process::id() * 97 % RANGE.len() as u32) as u16);
        *next = Some(if port + 1 == RANGE.end { RANGE.start } else { port + 1 });
        let free = [TcpListener::bind(("0.0.0.0", port)).map(drop), UdpSocket::bind(("0.0.0.0", port)).map(drop)];
        if free.iter().all(Result::is_ok) {
            return port;
        }
    }
    panic!("all of {RANGE:?} are taken");
}
