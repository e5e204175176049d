//! `rate-limit` of a route: how many requests one client may make.

use super::Reader;
use crate::compose::tree::{Map, Node, Value};
use crate::traefik::route::Rate;

const KEYS: [&str; 2] = ["average", "burst"];

impl Reader<'_> {
    /// `20`, `20/s`, `300/m`, or `{average: 300/m, burst: 50}`. Without `burst`, the average's number may come at once.
    pub(super) fn rate(&mut self, map: &Map) -> Option<Rate> {
        let node = map.get("rate-limit")?;
        if !matches!(node.value, Value::Map(_)) {
            return self.average(node, "rate-limit");
        }
        self.within("rate-limit", |reader| {
            let inner = reader.mapping(node, &KEYS)?;
            let Some(average) = inner.get("average") else {
                let title = "a `rate-limit` needs its `average`".to_string();
                reader.wrong_value(node.span, "average", title, "write average: 20/s, or rate-limit: 20/s");
                return None;
            };
            let mut rate = reader.average(average, "average")?;
            if let Some(burst) = inner.get("burst") {
                match burst.scalar_text().and_then(|text| number(&text)) {
                    Some(number) => rate.burst = number,
                    None => {
                        let title = "`burst` is how many requests may come at once".to_string();
                        reader.wrong_value(burst.span, "burst", title, "write a number of 1 or more");
                    }
                }
            }
            Some(rate)
        })
    }

    fn average(&mut self, node: &Node, key: &str) -> Option<Rate> {
        let text = node.scalar_text().unwrap_or_default();
        let (amount, unit) = text.split_once('/').unwrap_or((&text, "s"));
        let period = match unit.trim() {
            "s" => Some("1s"),
            "m" => Some("1m"),
            "h" => Some("1h"),
            _ => None,
        };
        match (number(amount.trim()), period) {
            (Some(average), Some(period)) => Some(Rate { average, period, burst: average }),
            _ => {
                let title = format!("`{text}` is no number of requests in a time");
                self.wrong_value(node.span, key, title, "write NUMBER/s, NUMBER/m or NUMBER/h, as 20/s");
                None
            }
        }
    }
}

/// At least 1: to Traefik none at all would mean no limit.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;
    use crate::diag::{Diagnostic, Diagnostics, Sources};

    fn read(text: &str) -> (Option<Rate>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("s.yaml", text);
        let mut told = Diagnostics::default();
        let tree = yaml::parse(file, &sources, &mut told).remove(0);
        let rate = Reader { path: "route".into(), diagnostics: &mut told }.rate(tree.as_map().unwrap());
        let shown = |d: &Diagnostic| format!("{} ({})", d.title, d.hints.first().cloned().unwrap_or_default());
        (rate, told.0.iter().map(shown).collect())
    }

    #[test]
    fn a_rate_is_read_in_each_way_to_write_it() {
        let rate = |text: &str| read(&format!("rate-limit: {text}\n"));
        let of = |average, period, burst| Some(Rate { average, period, burst });
        assert_eq!(rate("20").0, of(20, "1s", 20));
        assert_eq!(rate("300/m").0, of(300, "1m", 300));
        assert_eq!(rate("{average: 5/h, burst: 2}").0, of(5, "1h", 2));
        for (wrong, told) in [
            ("0/s", "`0/s` is no number of requests in a time (write NUMBER/s, NUMBER/m or NUMBER/h, as 20/s)"),
            ("2/d", "`2/d` is no number of requests in a time (write NUMBER/s, NUMBER/m or NUMBER/h, as 20/s)"),
            ("{burst: 2}", "a `rate-limit` needs its `average` (write average: 20/s, or rate-limit: 20/s)"),
            ("{average: 1, burst: 0}", "`burst` is how many requests may come at once (write a number of 1 or more)"),
        ] {
            assert_eq!(rate(wrong).1, [told]);
        }
    }
}
