//! Properties of planning and walking, over generated projects, edits of them, and an engine in memory where things go
//! wrong. `PROPTEST_CASES` says how many cases each property gets.

mod hosts;
mod project;
mod rig;

use std::future::Future;

use hearth::engine::fake::{Behaviour, Fake, Fault, Probe};
use hearth::plan::{Options, text};
use project::{Shape, asked, edited, shape};
use proptest::collection::vec;
use proptest::prelude::*;
use rig::*;
use tokio_util::sync::CancellationToken;

const MOST: usize = 6;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
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

    #[test]
    fn a_failure_at_any_call_stops_nothing_that_ran((first, second) in edited(MOST), seed: u64, call in 1..60usize, answer: bool) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            let (ran, on) = (running_marks(&fake), attached(&fake));
            prepare(&fake, &second);
            let (wanted, options) = (second.wanted(false), Options::default());
            fake.recover();
            fake.fault(if answer { Fault::FailAnswer(call) } else { Fault::FailCall(call) });
            let (plan, report) = up(&fake, &wanted, &options).await;
            let calls = fake.calls();
            fake.recover();
            let said = || format!("{}\n{:#?}\n{calls:#?}", text::render(&plan, true), words(&report));
            assert_still_running(&ran, &second, &fake, &said);
            assert_still_attached(&on, &fake, (&plan, &report), &said);
            converge(&fake, &second, &wanted).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn a_bad_update_stops_nothing_that_ran((first, second) in edited(MOST), seed: u64, bad in 0..MOST, how in 0..4u8) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            let (ran, on) = (running_marks(&fake), attached(&fake));
            prepare(&fake, &second);
            break_service(&fake, &first, &second, bad, how);
            let wanted = second.wanted(false);
            let (plan, report) = up(&fake, &wanted, &Options::default()).await;
            let said = || format!("{}\n{:#?}", text::render(&plan, true), words(&report));
            assert_still_running(&ran, &second, &fake, &said);
            assert_still_attached(&on, &fake, (&plan, &report), &said);
            // What was not waited for ends as it would, then nothing is bad any more.
            time_passes(&fake);
            prepare(&fake, &second);
            heal(&fake);
            // The engine waits up to a minute before it starts once more what ended again and again.
            (0..4).for_each(|_| time_passes(&fake));
            converge(&fake, &second, &wanted).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn an_interrupted_up_stops_nothing_that_ran((first, second) in edited(MOST), seed: u64, call in 1..60usize) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            let (ran, on) = (running_marks(&fake), attached(&fake));
            prepare(&fake, &second);
            let wanted = second.wanted(false);
            fake.recover();
            let cancel = CancellationToken::new();
            fake.fault(Fault::Cancel { call, token: cancel.clone() });
            let (plan, report) = command(&fake, &wanted, &Options::default(), &cancel).await;
            fake.recover();
            let said = || format!("{}\n{:#?}", text::render(&plan, true), words(&report));
            assert_still_running(&ran, &second, &fake, &said);
            assert_still_attached(&on, &fake, (&plan, &report), &said);
            converge(&fake, &second, &wanted).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn an_engine_that_goes_away_is_mended_when_it_is_back((first, second) in edited(MOST), seed: u64, call in 1..60usize, restart: bool) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            prepare(&fake, &second);
            faulty_up(&fake, &second, Fault::GoneFrom(call)).await;
            if restart {
                fake.world().restart_engine();
            }
            converge(&fake, &second, &second.wanted(false)).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn what_people_did_between_two_commands_is_mended(first in shape(MOST), seed: u64, what in vec((0..9u8, 0..20usize), 1..5)) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            drift(&fake, &what);
            converge(&fake, &first, &first.wanted(false)).await;
            assert_no_data_lost(&before, &fake);
        });
    }

    #[test]
    fn the_order_of_the_input_changes_nothing((first, second) in edited(MOST), seed: u64, call in 0..60usize) {
        block_on(async {
            let fake = running(&first, seed).await;
            prepare(&fake, &second);
            faulty_up(&fake, &second, Fault::Crash { call, effect: true }).await;
            let (wanted, reversed) = (second.wanted(false), second.wanted(true));
            let observed = look(&fake, &wanted).await;
            let mut shuffled = observed.clone();
            shuffled.containers.reverse();
            shuffled.foreign.reverse();
            shuffled.subnets.reverse();
            let one = planned(&wanted, &observed, &Options::default());
            let other = planned(&reversed, &shuffled, &Options::default());
            assert_eq!(text::render(&one, true), text::render(&other, true));
            assert_eq!(one.premises, other.premises);
            assert_eq!(format!("{:?}", one.steps), format!("{:?}", other.steps));
        });
    }

    #[test]
    fn no_command_removes_a_volume_that_was_not_named((first, second) in edited(MOST), seed: u64, call in 0..60usize, asked in asked()) {
        block_on(async {
            let fake = running(&first, seed).await;
            let before = data(&fake);
            prepare(&fake, &second);
            faulty_up(&fake, &second, Fault::Crash { call, effect: true }).await;
            let wanted = second.wanted(false);
            let options = asked.options(&second);
            let observed = look(&fake, &wanted).await;
            let plan = planned(&wanted, &observed, &options);
            if plan.refusals.is_empty() {
                let _ = command(&fake, &wanted, &options, &CancellationToken::new()).await;
            }
            // A job that still runs is no job yet: replaced now, its successor would have to stay up.
            time_passes(&fake);
            let mut kept = before;
            kept.retain(|name, _| !options.volumes.contains(name));
            fake.world().lost.retain(|name| !options.volumes.contains(name));
            assert_no_data_lost(&kept, &fake);
            assert_eq!(fake.world().violations.clone(), Vec::<String>::new());
            converge(&fake, &second, &wanted).await;
        });
    }
}

/// A service that changed turns out bad: it cannot start, ends at once, is never healthy, or ends after a second.
fn break_service(fake: &Fake, first: &Shape, second: &Shape, bad: usize, how: u8) {
    let changed =
        first.services.get(bad).map(|s| format!("{s:?}")) != second.services.get(bad).map(|s| format!("{s:?}"));
    let Some(service) = second.services.get(bad).filter(|s| changed && s.present && !s.job) else { return };
    let fine = Behaviour { graceful: matches!(service.restart, 1 | 2), ..Behaviour::default() };
    let broken = match how {
        0 => Behaviour { start_error: Some("no such device".into()), ..fine },
        1 => Behaviour { exits: Some((10, 3)), ..fine },
        2 => Behaviour { probe: Probe::Never, ..fine },
        // Before its first probe: what was healthy once is proven, whatever becomes of it later.
        _ => Behaviour { exits: Some((500, 137)), oom: true, ..fine },
    };
    // Only the new container is bad: it is known by its image, which the old one does not have.
    let mut world = fake.world();
    let reference = second.image(service.image);
    if first.images[service.image] == second.images[service.image] {
        return;
    }
    let key = format!("s{bad} {}", world.images[&reference].id);
    world.behaviours.insert(key, broken);
}
