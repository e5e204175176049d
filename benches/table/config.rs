//! `config`, whole process: reading a project and printing its model.

use crate::project;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::{BOTH, Rig};

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (services, most) in [(30, 0.2), (200, 0.1)] {
        let file = rig.write(&format!("bench-hearth-config-{services}"), &project::listed(services))?;
        let mut samples: [Samples; 2] = Default::default();
        for run in 0..=rig.runs {
            for (who, samples) in BOTH.iter().zip(&mut samples) {
                let took = rig.run(*who, &file, &["config"])?.wall;
                if run > 0 {
                    samples.seconds(took);
                }
            }
        }
        let [hearth, compose] = samples;
        rows.push(Row::new(format!("config, {services} services"), Unit::Seconds, hearth, compose, Goal::Ratio(most)));
    }
    Ok(rows)
}
