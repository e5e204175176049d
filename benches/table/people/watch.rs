//! A thousand who watch while nothing happens.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Panel;
use super::asks::connect;
use crate::home::{self, cpu, memory};
use crate::report::{Goal, Row, Samples, Unit};

const MEMORY: &str = "memory that 1,000 clients take who watch GET events";
const WORK: &str = "share of a core for them, while nothing happens";
const CLIENTS: u16 = 1000;
const WATCHED: Duration = Duration::from_secs(90);

pub fn rows() -> Result<Vec<Row>, String> {
    home::measured("watching", &[MEMORY, WORK], |s| {
        let panel = Panel::start(s, &[]);
        let pid = panel.running.pid();
        // What a first one needs is not counted a thousand times.
        let first = panel.runtime.block_on(watch(&panel, 0));
        std::thread::sleep(Duration::from_secs(10));
        let before = memory(pid, "VmRSS");
        let all: Vec<TcpStream> = panel
            .runtime
            .block_on(async { futures_util::future::join_all((1..CLIENTS).map(|n| watch(&panel, n))).await });
        std::thread::sleep(Duration::from_secs(10));
        let taken = memory(pid, "VmRSS") - before;
        let began = cpu(pid);
        std::thread::sleep(WATCHED);
        let share = (cpu(pid) - began) / WATCHED.as_secs_f64() * 100.0;
        // They are still there, and were told that nothing happened.
        let heard = panel.runtime.block_on(async {
            let mut heard = 0;
            for mut stream in all.into_iter().chain([first]) {
                let mut buffer = [0; 4096];
                let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut buffer)).await;
                heard += usize::from(read.is_ok_and(|read| read.is_ok_and(|n| n > 0)));
            }
            heard
        });
        assert_eq!(heard, usize::from(CLIENTS), "clients that are still there");
        panel.end(s);
        let note = format!(
            "over plain HTTP from 8 addresses, an access token each; {before:.1} MB before; watched for {} s",
            WATCHED.as_secs()
        );
        Ok(vec![
            Row::new(MEMORY, Unit::Megabytes, Samples(vec![taken]), Samples::default(), Goal::AtMost(30.0)).note(note),
            Row::new(WORK, Unit::Percent, Samples(vec![share]), Samples::default(), Goal::AtMost(2.0)),
        ])
    })
}

/// One who has been told the first event.
async fn watch(panel: &Panel, n: u16) -> TcpStream {
    let from = Ipv4Addr::new(127, 4, 0, u8::try_from(n % 8 + 1).unwrap_or(1));
    let mut stream = connect(from, panel.http).await.expect("it can be reached");
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n\r\n",
        panel.http, panel.token
    );
    stream.write_all(request.as_bytes()).await.expect("it takes a request");
    let mut said = String::new();
    while !said.contains("event: resync") {
        let mut buffer = [0; 2048];
        let n = stream.read(&mut buffer).await.expect("it answers");
        assert!(n > 0, "it has ended: {said}");
        said.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    stream
}
