//! What services take of the machine's memory now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::base::units;
use crate::engine::docker;
use crate::stacks::seen::Seen;
use crate::stacks::seen::service::Service;

/// They are not read more often: each takes two files of the kernel's.
const FRESH: Duration = Duration::from_secs(5);
/// So long a page waits for them; then it shows those from before.
const PATIENCE: Duration = Duration::from_millis(50);

/// Bytes by the id of the container; without those that cannot be seen from here.
pub type Bytes = BTreeMap<String, u64>;

#[derive(Default)]
pub struct Used(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    at: Option<Instant>,
    /// Somebody is about to read them.
    begun: bool,
    bytes: Arc<Bytes>,
}

impl Used {
    /// Those of the containers that were seen.
    pub async fn of(&self, seen: &Seen) -> Arc<Bytes> {
        {
            let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if read.begun || read.at.is_some_and(|at| at.elapsed() < FRESH) {
                return read.bytes.clone();
            }
            read.begun = true;
        }
        let (pids, kept) = (seen.pids.clone(), self.0.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let one = |(id, pid): (&String, &i64)| Some((id.clone(), docker::memory(id, *pid)?));
            let bytes = Arc::new(pids.iter().filter_map(one).collect());
            *kept.lock().unwrap_or_else(PoisonError::into_inner) =
                Read { at: Some(Instant::now()), begun: false, bytes };
        });
        let _ = timeout(PATIENCE, reading).await;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes.clone()
    }
}

/// Of all containers of these services, in words that do not change with every page; `None` where nothing of it can be seen.
pub fn words(bytes: &Bytes, services: &[&Service]) -> Option<String> {
    let all = services.iter().flat_map(|one| &one.containers).filter_map(|one| bytes.get(&one.id));
    let sum = all.copied().reduce(|a, b| a + b)?;
    Some(units::bytes(rounded(sum)))
}

/// To two digits, as it is written.
fn rounded(bytes: u64) -> u64 {
    let mut unit = 1.0;
    while bytes as f64 / unit >= 1024.0 {
        unit *= 1024.0;
    }
    let value = bytes as f64 / unit;
    let step = match value {
        100.0.. => 10.0,
        10.0.. => 1.0,
        _ => 0.1,
    };
    ((value / step).round() * step * unit) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::samples;

    #[test]
    fn memory_is_said_in_two_digits_and_only_where_it_is_known() {
        let said = |bytes: u64| units::bytes(rounded(bytes));
        assert_eq!(
            [said(0), said(934), said(1_610_612_736), said(325_058_560)],
            ["0 B", "930 B", "1.5 GiB", "310 MiB"]
        );
        assert_eq!([said(12_900_000), said(1023 << 20)], ["12 MiB", "1020 MiB"]);
        let seen = samples::seen(0);
        let all: Vec<&Service> = seen.services.iter().collect();
        assert_eq!(words(&Bytes::new(), &all), None);
        let id = all.iter().find_map(|one| Some(one.containers.first()?.id.clone())).unwrap();
        assert_eq!(words(&Bytes::from([(id, 5 << 20)]), &all[..1]).as_deref(), Some("5 MiB"));
    }
}
