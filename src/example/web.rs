//! The page of the example: it asks the counter, over the network that only the two of them share.

use std::time::Duration;

use super::http::{Answer, Handler, fetch};
use super::page;

pub struct Web {
    counter: String,
}

impl Web {
    /// `counter`: the counter's address, as `http://counter:8081`.
    pub fn new(counter: String) -> Web {
        Web { counter: counter.trim_end_matches('/').to_string() }
    }

    async fn visit(&self) -> Result<u64, String> {
        let answer = fetch("POST", &format!("{}/visits", self.counter), Duration::from_secs(3)).await?;
        match (answer.status, answer.body.trim().parse()) {
            (200, Ok(number)) => Ok(number),
            (status, _) => Err(format!("it answers {status}")),
        }
    }
}

impl Handler for Web {
    async fn answer(&self, method: &str, path: &str) -> Answer {
        let html = |status, body| Answer { status, kind: "text/html; charset=utf-8", body };
        match (method, path) {
            ("GET", "/health") => Answer::text(200, "ok\n"),
            ("GET", "/") => match self.visit().await {
                Ok(number) => html(200, page::counted(number)),
                Err(why) => {
                    eprintln!("the counter at {} does not answer: {why}", self.counter);
                    html(503, page::silent())
                }
            },
            (_, "/" | "/health") => Answer::text(405, "not like this\n"),
            _ => Answer::text(404, "there is nothing here\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_counter_is_said_and_health_does_not_depend_on_it() {
        let web = Web::new("http://127.0.0.1:1/".into());
        assert_eq!(web.answer("GET", "/health").await.status, 200);
        let page = web.answer("GET", "/").await;
        assert_eq!(page.status, 503);
        assert!(page.body.contains("hearth ps"));
    }
}
