//! Properties of planning and walking, over generated projects, edits of them, and an engine in memory where things go
//! wrong. `PROPTEST_CASES` says how many cases each property gets.

mod project;
mod rig;

use std::future::Future;

use hearth::engine::fake::{Fake, Fault};
use hearth::plan::Options;
use project::{Shape, edited};
use proptest::prelude::*;
use rig::*;

const MOST: usize = 8;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    match runtime {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("{error}"),
    }
}

/// An engine on which a shape runs.
async fn running(shape: &Shape, seed: u64) -> Fake {
    let fake = engine(shape, seed);
    converge(&fake, shape, &shape.wanted(false)).await;
    fake
}

/// `up` towards a shape with one fault in it, until it ends or the caller dies.
async fn faulty_up(fake: &Fake, shape: &Shape, fault: Fault) {
    let (wanted, options) = (shape.wanted(false), Options::default());
    fake.recover();
    fake.fault(fault);
    tokio::select! {
        _ = up(fake, &wanted, &options) => {}
        () = fake.crashed() => {}
    }
    fake.recover();
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_what_was_just_applied_gives_an_empty_plan((first, second) in edited(12), seed: u64) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            prepare(&fake, &second);
            converge(&fake, &second, &second.wanted(false)).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn a_crash_at_any_call_is_mended_by_the_next_up((first, second) in edited(MOST), seed: u64, call in 0..60usize, effect: bool, second_call in 0..30usize) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            prepare(&fake, &second);
            faulty_up(&fake, &second, Fault::Crash { call, effect }).await;
            faulty_up(&fake, &second, Fault::Crash { call: second_call, effect }).await;
            converge(&fake, &second, &second.wanted(false)).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn an_engine_restart_right_after_a_crash_is_mended_too((first, second) in edited(MOST), seed: u64, call in 0..60usize, effect: bool) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            prepare(&fake, &second);
            faulty_up(&fake, &second, Fault::Crash { call, effect }).await;
            fake.world().restart_engine();
            converge(&fake, &second, &second.wanted(false)).await;
            assert_no_data_lost(&before, &fake);
        });
    }
}
