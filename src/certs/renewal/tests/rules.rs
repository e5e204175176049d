//! The rules one by one.

use time::Duration;

use super::super::{
    Ask, Authority, CHECK, Certificate, Effect, Event, Fault, FaultKind, KeyType, Note, Policy, Reason, State, Time,
    Want, Window, step,
};
use super::begin;
use super::world::{days, fault};

const CA: &str = "https://ca.example/directory";
const STAGING: &str = "https://staging.ca.example/directory";

fn policy() -> Policy {
    let authority = Authority { name: "CA".into(), directory: CA.into(), staging: Some(STAGING.into()) };
    Policy { check: CHECK, authorities: vec![authority] }
}

fn want() -> Want {
    Want { names: vec!["a.example".into()], profile: None, key: KeyType::P256 }
}

fn certificate(lifetime: Duration) -> Certificate {
    Certificate {
        id: Some("aki.1".into()),
        directory: CA.into(),
        names: want().names,
        not_before: begin(),
        not_after: begin() + lifetime,
    }
}

struct One {
    state: State,
    now: Time,
    policy: Policy,
}

impl One {
    fn new() -> One {
        One { state: State::new(want()), now: begin(), policy: policy() }
    }
    fn with(lifetime: Duration) -> One {
        let mut one = One::new();
        one.tell(Event::Held(certificate(lifetime)));
        one
    }
    fn tell(&mut self, event: Event) -> Vec<Effect> {
        let (state, effects) = step(&self.state, &self.policy, event, self.now, 0.5);
        self.state = state;
        effects
    }
    fn fails(&mut self, kind: FaultKind) -> Vec<Effect> {
        let rehearsal = self.state.order.as_ref().is_some_and(|o| o.rehearsal);
        let fault = fault(kind, CA, rehearsal, self.now);
        self.tell(Event::Failed(fault))
    }
    /// Goes to the next look, and gives the order that is made then.
    fn next(&mut self) -> (Duration, Ask) {
        let before = self.now;
        for _ in 0..1000 {
            self.now = self.state.next_look(&self.policy, self.now).max(self.now + Duration::SECOND);
            if let Some(ask) = ordered(self.tell(Event::Look)) {
                return (self.now - before, ask);
            }
        }
        panic!("no order was made: {:?}", self.state);
    }
    fn suggest(&mut self, start: Time, end: Time) -> Vec<Effect> {
        let window = Window { start, end };
        self.tell(Event::Suggested {
            id: "aki.1".into(),
            window,
            explanation: Some("https://why".into()),
            retry_after: None,
        })
    }
    fn why(&self) -> (Time, Reason) {
        let next = self.state.next_order(&self.policy, self.now).unwrap();
        (next.at, next.why)
    }
}

fn ordered(effects: Vec<Effect>) -> Option<Ask> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::Order(ask) => Some(ask),
        _ => None,
    })
}

#[test]
fn without_a_suggestion_a_third_is_left_and_of_a_short_one_a_half() {
    for (lifetime, left) in [(days(90), days(30)), (days(45), days(15)), (Duration::hours(160), Duration::hours(80))] {
        assert_eq!(One::with(lifetime).why(), (begin() + lifetime - left, Reason::Share));
    }
}

#[test]
fn a_suggestion_counts_and_its_time_is_kept_with_its_window() {
    let mut one = One::with(days(60));
    let (start, end) = (begin() + days(30), begin() + days(32));
    one.suggest(start, end);
    assert_eq!(one.why(), (begin() + days(31) - CHECK, Reason::Suggested));
    let kept = serde_json::to_string(&one.state).unwrap();
    one.state = serde_json::from_str(&kept).unwrap();
    let window = Window { start, end };
    let again = Event::Suggested { id: "aki.1".into(), window, explanation: None, retry_after: None };
    let (state, effects) = step(&one.state, &one.policy, again, one.now, 0.0);
    assert_eq!(state.ari.as_ref().unwrap().chosen, begin() + days(31), "the time is chosen once for each window");
    assert!(effects.is_empty());
    one.state = state;
    let effects = one.suggest(begin() + days(10), begin() + days(12));
    assert!(matches!(&effects[..], [Effect::Tell(Note::WindowMoved { explanation: Some(_), .. })]), "{effects:?}");
    assert_eq!(one.why().0, begin() + days(11) - CHECK);
}

#[test]
fn a_suggestion_is_asked_for_at_the_start_and_when_it_says_so() {
    let mut one = One::with(days(60));
    for (says, counts) in [(Some(1), 60), (Some(3600), 3600), (Some(9_999_999), 86_400), (None, 6 * 3600)] {
        let polled = |effects: Vec<Effect>| effects.iter().any(|e| matches!(e, Effect::Poll { .. }));
        assert!(polled(one.tell(Event::Begin)));
        let window = Window { start: begin() + days(30), end: begin() + days(31) };
        let retry_after = says.map(Duration::seconds);
        one.tell(Event::Suggested { id: "aki.1".into(), window, explanation: None, retry_after });
        one.now += Duration::seconds(counts - 1);
        assert!(!polled(one.tell(Event::Look)), "{says:?}");
        one.now += Duration::SECOND;
        assert!(polled(one.tell(Event::Look)), "{says:?}");
    }
}

#[test]
fn a_twentieth_or_five_looks_before_the_end_no_suggestion_counts() {
    let mut one = One::with(days(60));
    one.suggest(begin() + days(70), begin() + days(71));
    assert_eq!(one.why(), (begin() + days(57), Reason::Late));
    let mut short = One::with(Duration::hours(10));
    short.suggest(begin() + days(70), begin() + days(71));
    assert_eq!(short.why(), (begin() + Duration::hours(10) - CHECK * 5, Reason::Late));
}

#[test]
fn revoked_or_with_other_names_it_is_ordered_now() {
    let mut one = One::with(days(60));
    assert!(ordered(one.tell(Event::Look)).is_none());
    let ask = ordered(one.tell(Event::Revoked)).unwrap();
    assert_eq!((ask.url.as_str(), ask.replaces.as_deref()), (CA, Some("aki.1")));
    let mut one = One::with(days(60));
    let other = Want { names: vec!["a.example".into(), "b.example".into()], ..want() };
    assert_eq!(ordered(one.tell(Event::Wanted(other))).unwrap().replaces, None);
}

#[test]
fn after_a_failed_validation_staging_is_asked_with_growing_gaps_and_then_production() {
    let mut one = One::new();
    assert_eq!(ordered(one.tell(Event::Begin)).unwrap().url, CA);
    let mut gaps = Vec::new();
    for _ in 0..5 {
        one.fails(FaultKind::Validation);
        let (after, ask) = one.next();
        assert_eq!((ask.url.as_str(), ask.rehearsal), (STAGING, true));
        gaps.push(after.whole_minutes());
    }
    // Without a certificate six hours are the most; 5 % is the spread.
    assert_eq!(gaps, [1, 10, 105, 378, 378]);
    let ask = ordered(one.tell(Event::Rehearsed)).unwrap();
    assert_eq!((ask.url.as_str(), ask.rehearsal), (CA, false));
    let mut calm = One::with(days(60));
    calm.now = begin() + days(41);
    calm.tell(Event::Look);
    let gap = |one: &mut One| {
        one.fails(FaultKind::Validation);
        one.next().0.whole_hours()
    };
    assert_eq!((0..6).map(|_| gap(&mut calm)).collect::<Vec<_>>(), [0, 0, 1, 6, 25, 25]);
}

#[test]
fn what_staging_says_about_itself_does_not_hold_production_up() {
    let mut one = One::new();
    one.tell(Event::Begin);
    one.fails(FaultKind::Validation);
    assert!(one.next().1.rehearsal);
    one.fails(FaultKind::Passing);
    let (after, ask) = one.next();
    assert_eq!((after.whole_minutes(), ask.rehearsal), (10, false));
}

#[test]
fn a_busy_authority_is_waited_for_and_staging_is_not_asked() {
    let mut one = One::new();
    one.tell(Event::Begin);
    let mut busy = fault(FaultKind::Busy, CA, false, one.now);
    busy.retry_after = Some(one.now + Duration::hours(3));
    one.tell(Event::Failed(busy));
    let (after, ask) = one.next();
    assert_eq!((after, ask.url.as_str()), (Duration::hours(3), CA));
}

#[test]
fn what_passes_by_itself_is_tried_again_soon() {
    let mut one = One::new();
    one.tell(Event::Begin);
    let mut minutes = Vec::new();
    for _ in 0..9 {
        one.fails(FaultKind::Passing);
        let (after, ask) = one.next();
        assert!(!ask.rehearsal);
        minutes.push(after.whole_minutes());
    }
    assert_eq!(minutes, [1, 2, 5, 10, 21, 31, 63, 63, 63]);
}

#[test]
fn a_refusal_stops_until_a_person_asks_or_other_names_are_wanted() {
    let mut one = One::new();
    one.tell(Event::Begin);
    let effects = one.fails(FaultKind::Refused);
    assert!(matches!(&effects[..], [Effect::Tell(Note::Stopped { .. })]));
    one.now += days(30);
    assert!(ordered(one.tell(Event::Begin)).is_none());
    assert!(one.state.next_order(&one.policy, one.now).is_none());
    let ask = ordered(one.tell(Event::Asked)).unwrap();
    assert!(ask.rehearsal, "asked for by a person it goes to staging first");
    one.fails(FaultKind::Refused);
    let other = Want { names: vec!["b.example".into()], ..want() };
    assert_eq!(ordered(one.tell(Event::Wanted(other))).unwrap().url, CA);
}

#[test]
fn a_lost_account_is_made_anew_once() {
    let mut one = One::new();
    assert!(!ordered(one.tell(Event::Begin)).unwrap().new_account);
    assert!(ordered(one.fails(FaultKind::NoAccount)).unwrap().new_account);
    assert!(ordered(one.fails(FaultKind::NoAccount)).is_none());
    assert!(!one.next().1.new_account);
}

#[test]
fn a_new_account_that_came_to_nothing_is_made_again_after_a_pause() {
    let mut one = One::new();
    one.tell(Event::Begin);
    assert!(ordered(one.fails(FaultKind::NoAccount)).unwrap().new_account);
    // Killed before it was made: the order is gone on with, and the account is still unknown.
    assert!(!ordered(one.tell(Event::Begin)).unwrap().new_account);
    assert!(ordered(one.fails(FaultKind::NoAccount)).is_none());
    assert!(!one.next().1.new_account);
    assert!(ordered(one.fails(FaultKind::NoAccount)).unwrap().new_account, "else nothing would ever be issued again");
}

#[test]
fn a_page_that_a_person_must_visit_is_shown() {
    let mut one = One::new();
    one.tell(Event::Begin);
    let mut action = fault(FaultKind::Action, CA, false, one.now);
    action.link = Some("https://ca.example/terms".into());
    let effects = one.tell(Event::Failed(action));
    assert!(matches!(&effects[..], [Effect::Tell(Note::Action { link: Some(_), .. })]));
    assert_eq!(one.next().0, days(1));
}

#[test]
fn alarms_come_at_a_quarter_and_daily() {
    let mut one = One::with(days(60));
    one.now = begin() + days(41);
    one.tell(Event::Look);
    let mut alarms = Vec::new();
    while one.now < begin() + days(48) {
        let mut effects = one.fails(FaultKind::Passing);
        loop {
            let told = effects.iter().any(|e| matches!(e, Effect::Tell(Note::Alarm { .. })));
            alarms.extend(told.then(|| (one.now - begin()).whole_days()));
            if ordered(effects).is_some() {
                break;
            }
            one.now = one.state.next_look(&one.policy, one.now).max(one.now + Duration::SECOND);
            effects = one.tell(Event::Look);
        }
    }
    assert_eq!(alarms, [45, 46, 47, 48]);
}

#[test]
fn five_certificates_for_the_same_names_are_all_in_a_week() {
    let mut one = One::new();
    one.tell(Event::Begin);
    for n in 0..5 {
        let issued = Certificate { id: None, ..certificate(days(60)) };
        one.tell(Event::Issued { certificate: issued, exempt: false });
        one.now += Duration::hours(1);
        let ask = ordered(one.tell(Event::Revoked));
        assert_eq!(ask.is_some(), n < 4, "{n}");
    }
    let (after, _) = one.next();
    assert_eq!(after, days(7) - Duration::hours(5));
}

#[test]
fn never_five_failed_validations_in_an_hour_even_if_a_person_insists() {
    let mut one = One::new();
    one.policy.authorities[0].staging = None;
    let mut orders: Vec<Time> = ordered(one.tell(Event::Begin)).map(|_| one.now).into_iter().collect();
    for _ in 0..600 {
        if one.state.order.is_some() {
            one.fails(FaultKind::Validation);
        }
        one.now += Duration::minutes(1);
        orders.extend(ordered(one.tell(Event::Asked)).map(|_| one.now));
    }
    assert!(orders.len() > 20);
    for five in orders.windows(5) {
        assert!(five[4] - five[0] >= Duration::hours(1), "{five:?}");
    }
}

#[test]
fn a_process_that_was_killed_goes_on_with_its_order() {
    let mut one = One::with(days(60));
    one.now = begin() + days(50);
    let first = ordered(one.tell(Event::Look)).unwrap();
    assert!(ordered(one.tell(Event::Look)).is_none(), "one order at a time");
    one.state = serde_json::from_str(&serde_json::to_string(&one.state).unwrap()).unwrap();
    assert_eq!(ordered(one.tell(Event::Begin)).unwrap(), first);
}

#[test]
fn a_clock_that_was_a_year_ahead_costs_nothing_afterwards() {
    let mut one = One::with(days(60));
    one.now += days(365);
    one.tell(Event::Look);
    // Nothing that is issued now is valid by this clock.
    let issued = Certificate { id: Some("aki.2".into()), ..certificate(days(60)) };
    let effects = one.tell(Event::Issued { certificate: issued, exempt: true });
    assert!(effects.iter().any(|e| matches!(e, Effect::Tell(Note::TimeWrong { .. }))));
    assert!(ordered(effects).is_none(), "it is not ordered again and again");
    one.now -= days(365);
    one.tell(Event::Look);
    assert_eq!(one.why().1, Reason::Share);
    one.now += days(40);
    assert!(ordered(one.tell(Event::Look)).is_some());
}

#[test]
fn another_authority_in_hearth_yaml_means_a_new_certificate() {
    let mut one = One::with(days(60));
    one.policy.authorities[0].directory = "https://other.example/directory".into();
    let ask = ordered(one.tell(Event::Look)).unwrap();
    assert_eq!((ask.url.as_str(), ask.replaces), ("https://other.example/directory", None));
}

#[test]
fn what_is_wrong_here_sends_nobody_to_a_second_authority() {
    let second = "https://second.example/directory";
    let asked = |problem: &str| {
        let mut one = One::new();
        one.policy.authorities.push(Authority { name: "Second".into(), directory: second.into(), staging: None });
        one.tell(Event::Look);
        let mut asked = Vec::new();
        for _ in 0..5 {
            let failed = fault(FaultKind::Passing, CA, false, one.now);
            let failed = Fault { problem: problem.into(), ..failed };
            // It may be asked at once.
            let ask = ordered(one.tell(Event::Failed(failed))).unwrap_or_else(|| one.next().1);
            asked.push(ask.directory);
        }
        asked
    };
    assert!(asked("network").iter().any(|directory| directory == second));
    assert!(asked("closed").iter().all(|directory| directory == CA));
}
