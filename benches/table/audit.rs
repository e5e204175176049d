//! Entries of the audit log that 64 writers get onto the disk in a second: SQLite with `synchronous=FULL`, each answered when it is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hearth::auth::audit::{Author, Log, Note, Outcome, verify};
use hearth::base::clock::{Clock, SystemClock};
use hearth::store::{Db, Location};
use serde_json::json;

use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const WRITERS: usize = 64;
const LONG: Duration = Duration::from_secs(2);

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    let mut samples = Samples::default();
    for _ in 0..rig.runs {
        samples.add(runtime.block_on(once())?);
    }
    let name = "audit entries a second with 64 writers, each on the disk when it is answered";
    Ok(vec![Row::new(name, Unit::PerSecond, samples, Samples::default(), Goal::NoLess(5000.0))])
}

async fn once() -> Result<f64, String> {
    // Beside the build, not in a folder that may be memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).map_err(|e| e.to_string())?;
    let db = Db::open(Location::file(dir.path().join("hearth.db"))).await.map_err(|told| told.title)?;
    let log = Log::new(db.clone(), Arc::new(SystemClock));
    let began = Instant::now();
    let writers = (0..WRITERS).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            let mut count = 0u32;
            while began.elapsed() < LONG {
                log.add(note(count)).await?;
                count += 1;
            }
            Ok::<u32, hearth::diag::Diagnostic>(count)
        })
    });
    let mut total = 0;
    for done in futures_util::future::join_all(writers).await {
        total += done.map_err(|e| e.to_string())?.map_err(|told| told.title)?;
    }
    let rate = f64::from(total) / began.elapsed().as_secs_f64();
    let sound = verify(&db, None).await.map_err(|told| told.title)?.map_err(|broken| broken.to_string())?;
    db.close().await;
    match sound.last == i64::from(total) {
        true => Ok(rate),
        false => Err(format!("of {total} entries {} are there", sound.last)),
    }
}

fn note(n: u32) -> Note {
    Note {
        at: SystemClock.now(),
        who: Author::User { id: 1, name: "ann".into() },
        source: "192.168.1.5".into(),
        action: "users.create".into(),
        object: "/api/v1/users".into(),
        outcome: Outcome::Done,
        took: Duration::from_millis(3),
        request: format!("{n:016x}"),
        detail: json!({"name": "bob", "role": "member"}),
    }
}
