//! The figures of the machine at a glance.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tokio::time::Instant;

use crate::base::units;

/// They are not read more often.
const FRESH: Duration = Duration::from_secs(2);

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The name of its word.
    pub key: &'static str,
    pub figure: String,
    /// Of the whole, 0 to 1.
    pub share: Option<f64>,
}

pub struct Machine {
    /// The disk of this folder is shown.
    home: PathBuf,
    read: Mutex<Option<(Instant, Vec<Figure>)>>,
}

impl Machine {
    pub fn new(home: PathBuf) -> Machine {
        Machine { home, read: Mutex::default() }
    }

    pub fn figures(&self) -> Vec<Figure> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match &*read {
            Some((at, figures)) if at.elapsed() < FRESH => figures.clone(),
            _ => {
                let figures = self.look();
                *read = Some((Instant::now(), figures.clone()));
                figures
            }
        }
    }

    fn look(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = System::load_average().map_or(0.0, |load| load.one);
        figures.push(Figure {
            key: "home-load",
            figure: format!("{load:.1} of {cores}"),
            share: Some((load / cores as f64).min(1.0)),
        });
        let memory = MemoryRefreshKind::nothing().with_ram();
        if let Ok(system) = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)) {
            let (all, free) = (system.total_memory(), system.available_memory());
            figures.extend(Figure::used("home-memory", all.saturating_sub(free), all));
        }
        if let Ok(disk) = rustix::fs::statvfs(&self.home) {
            let (all, free) = (disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize);
            figures.extend(Figure::used("home-disk", all.saturating_sub(free), all));
        }
        figures
    }
}

impl Figure {
    fn used(key: &'static str, used: u64, all: u64) -> Option<Figure> {
        let share = (all > 0).then(|| used as f64 / all as f64)?;
        let figure = format!("{} of {}", units::bytes(used), units::bytes(all));
        Some(Figure { key, figure, share: Some(share) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_load_memory_and_a_disk() {
        let figures = Machine::new(std::env::temp_dir()).figures();
        assert_eq!(figures.iter().map(|one| one.key).collect::<Vec<_>>(), ["home-load", "home-memory", "home-disk"]);
        assert!(figures.iter().all(|one| one.share.is_some_and(|share| (0.0..=1.0).contains(&share))), "{figures:?}");
    }
}
