//! Loading, hashing and planning in process: how long for 200 services, and that it grows in step with their number.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hearth::compose::hash;
use hearth::compose::{self, Compat, Request};
use hearth::plan::{self, Options, observed::Observed, request};
use hearth::stacks::Disk;

use crate::project;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const SIZES: [usize; 4] = [100, 200, 500, 1000];
/// How much dearer a service may be in a project of 1,000 than in one of 100: what grows with the square would be ten times
/// as dear. The instructions for one are the same within 4 % (callgrind); the rest is that 1,000 of them leave the caches.
const LINEAR: f64 = 1.5;

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut samples: [Samples; 4] = Default::default();
    for (size, samples) in SIZES.iter().zip(&mut samples) {
        let file = rig.write(&format!("bench-hearth-load-{size}"), &project::listed(*size))?;
        // In a process of its own: what it needs of memory would count for every program that is measured here.
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let output = Command::new(program).arg("--load").arg(&file).arg(rig.runs.to_string()).output();
        let output = output.map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        samples.0 = text.lines().filter_map(|l| l.parse().ok()).collect();
        if samples.0.len() != rig.runs {
            return Err(format!("loading {}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
        }
    }
    let each = |i: usize| Samples(samples[i].0.iter().map(|ms| ms / SIZES[i] as f64).collect());
    let growth = Samples(vec![each(3).median() / each(0).median()]);
    let bytes = project::listed(200).len() / 200;
    let mut rows = vec![
        Row::new(
            "load, hash and plan 200 services, in process",
            Unit::Milliseconds,
            samples[1].clone(),
            Samples::default(),
            Goal::AtMost(25.0),
        )
        .note(format!("{bytes} bytes a service")),
        Row::new(
            "cost of a service among 1,000 beside one among 100",
            Unit::Times,
            growth,
            Samples::default(),
            Goal::AtMost(LINEAR),
        )
        .note("1 is linear"),
    ];
    for i in [0, 2, 3] {
        let what = format!("load, hash and plan {} services, in process", SIZES[i]);
        rows.push(Row::new(what, Unit::Milliseconds, samples[i].clone(), Samples::default(), Goal::None));
    }
    Ok(rows)
}

/// The other process: prints milliseconds, one line a run, after two runs that warm it up.
pub fn child(file: &Path, runs: usize) -> Result<(), String> {
    for run in 0..runs + 2 {
        let start = Instant::now();
        black_box(once(file)?);
        if run >= 2 {
            println!("{}", start.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(())
}

/// Reads the file, computes every hash, and plans against an empty engine. Gives the number of steps.
fn once(file: &Path) -> Result<usize, String> {
    let cwd = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    let request = Request { files: vec![file.to_path_buf()], cwd, compat: Compat::V2, ..Request::default() };
    let disk = Disk::whole();
    let loaded = compose::load(&request, &disk);
    let project = loaded.project.ok_or_else(|| format!("{:?}", loaded.diagnostics))?;
    for service in project.services.values() {
        black_box(hash::service(service));
    }
    let context = request::Context { compat: Compat::V2, files: &disk, proxies: Default::default() };
    let wanted = request::wanted(&project, &context);
    Ok(plan::plan(&wanted, &Observed::default(), &Options::default()).steps.len())
}
