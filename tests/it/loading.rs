//! What Hearth loads is what Compose loads.

use crate::rig::{Done, Scratch, cases};

cases![together: a_project_has_the_same_hashes_in_both];

fn a_project_has_the_same_hashes_in_both(s: &Scratch) -> Done {
    s.write(
        "compose.yaml",
        "services: { web: { image: 'hearth-test/busybox:1', ports: ['8080:80'], environment: { A: 1 } } }\n",
    );
    let ours = s.hearth("config --hash *").ok();
    let theirs = s.compose("config --hash *").ok();
    assert_eq!(ours.out, theirs.out);
    Ok(())
}
