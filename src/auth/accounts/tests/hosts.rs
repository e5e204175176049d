//! Sessions on routed hosts: whose they are, and that they end with the panel's.

use super::*;
use crate::auth::forward::sessions::Sessions;
use crate::auth::who::By;
use crate::config::people::Registration as Rule;
use crate::traefik::forward::wire::{Grant, Hash, Kind, Of};

impl World {
    async fn session(&self, user: &User) -> NewSession {
        self.auth.begin_session(user, "a browser", "192.168.1.7".parse().unwrap()).await.unwrap()
    }

    async fn on_host(&self, parent: &NewSession, host: &str) -> Hash {
        let opened = self.auth.open(&parent.id, host).await.unwrap().expect("the panel's session holds");
        Hash::of(opened.cookie.expose())
    }

    async fn grant_of(&self, hash: Hash) -> Option<Grant> {
        self.auth.whose(Kind::Cookie, hash).await.unwrap()
    }
}

#[tokio::test]
async fn a_session_on_a_host_says_whose_it_is_and_is_none_on_the_panel() {
    both(async |db| {
        let world = World::new(db, People::default()).await;
        let ada = world.add("ada", Role::Admin).await;
        let bob = world.add("bob", Role::Member).await;
        let (first, second) = (world.session(&ada).await, world.session(&bob).await);
        let opened = world.auth.open(&first.id, "app.example.org").await.unwrap().unwrap();
        let hash = Hash::of(opened.cookie.expose());
        let other = world.on_host(&second, "app.example.org").await;
        let grant = world.grant_of(hash).await.unwrap();
        assert_eq!((grant.user.as_str(), grant.admin, &grant.of), ("ada", true, &Of::Host("app.example.org".into())));
        assert!(!world.grant_of(other).await.unwrap().admin);
        let mut all = world.auth.all().await.unwrap();
        all.sort_by(|a, b| a.1.user.cmp(&b.1.user));
        assert_eq!(all.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [hash, other]);
        assert_eq!(all[0].1, grant);
        assert!(world.auth.by_cookie(opened.cookie.expose()).await.unwrap().is_none(), "it opens its host only");
        assert!(world.auth.open(&world.auth.sessions(ada.id, None).await.unwrap()[0].id, "b").await.unwrap().is_some());
        assert!(world.auth.open("nobody", "app.example.org").await.unwrap().is_none());
        assert!(world.grant_of(Hash::of(first.token.expose())).await.is_none(), "nor does the panel's open a host");
    })
    .await;
}

#[tokio::test]
async fn hostile_18_sessions_on_hosts_end_with_the_panels_and_with_the_account() {
    both(async |db| {
        let world = World::new(db, People::default()).await;
        world.add("boss", Role::Admin).await;
        let ada = world.add("ada", Role::Member).await;
        let mut changes = Sessions::changes(&*world.auth);
        let (panel, other) = (world.session(&ada).await, world.session(&ada).await);
        let (a, b) = (world.on_host(&panel, "a.example.org").await, world.on_host(&panel, "b.example.org").await);
        let c = world.on_host(&other, "a.example.org").await;
        changes.mark_unchanged();
        // By one of the hosts: that one only, for the service there could do it too.
        world.auth.leave(b).await.unwrap();
        assert!(changes.has_changed().unwrap(), "gate is told");
        assert!(world.grant_of(b).await.is_none() && world.grant_of(a).await.is_some());
        changes.mark_unchanged();
        // At the panel: all.
        world.auth.leave(Hash::of(panel.token.expose())).await.unwrap();
        assert!(world.grant_of(a).await.is_some(), "the panel's own is no host's");
        changes.mark_unchanged();
        let by = crate::auth::who::By::Session(panel.id.clone());
        let who = crate::auth::who::Identity {
            user: ada.id,
            name: ada.name.clone(),
            role: ada.role,
            groups: vec![],
            only: vec![],
            by,
        };
        world.auth.logout(&who).await.unwrap();
        assert!(changes.has_changed().unwrap(), "gate is told");
        assert!(world.grant_of(a).await.is_none() && world.grant_of(b).await.is_none());
        assert!(world.auth.by_cookie(panel.token.expose()).await.unwrap().is_none(), "the panel's has ended too");
        assert!(world.grant_of(c).await.is_some() && world.auth.open(&panel.id, "c").await.unwrap().is_none());
        // At a host, by the person: all too, and nobody else's.
        let panel = world.session(&ada).await;
        let (a, b) = (world.on_host(&panel, "a.example.org").await, world.on_host(&panel, "b.example.org").await);
        changes.mark_unchanged();
        let who = world.auth.sign_out(b).await.unwrap();
        assert_eq!(who.map(|who| (who.id, who.name)), Some((ada.id, "ada".into())));
        assert!(changes.has_changed().unwrap(), "gate is told");
        assert!(world.grant_of(a).await.is_none() && world.grant_of(b).await.is_none());
        assert!(world.auth.by_cookie(panel.token.expose()).await.unwrap().is_none(), "the panel's has ended too");
        assert!(world.grant_of(c).await.is_some());
        assert_eq!(world.auth.sign_out(b).await.unwrap(), None, "once");
        assert_eq!(
            world.auth.sign_out(Hash::of(other.token.expose())).await.unwrap(),
            None,
            "the panel's is no host's"
        );
        // By what an admin does.
        let change = Change { active: Some(false), ..Change::default() };
        world.auth.change_user(ada.id, change).await.unwrap();
        assert!(world.grant_of(c).await.is_none() && world.auth.all().await.unwrap().is_empty());
        assert!(world.auth.open(&other.id, "c").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn use_of_a_host_keeps_the_panels_session_too_and_without_use_both_end() {
    both(async |db| {
        let world = World::new(db, People::default()).await;
        let ada = world.add("ada", Role::Member).await;
        let panel = world.session(&ada).await;
        let a = world.on_host(&panel, "a.example.org").await;
        let idle = world.auth.rules().idle_ms();
        world.clock.pass(idle - MINUTE);
        let now = world.auth.now();
        world.auth.used(vec![(a, now + DAY)]).await;
        assert_eq!(world.grant_of(a).await.unwrap().used, now, "no clock that is ahead is believed");
        world.clock.pass(2 * MINUTE);
        assert!(world.grant_of(a).await.is_some() && world.auth.open(&panel.id, "b").await.unwrap().is_some());
        world.clock.pass(idle);
        assert!(world.grant_of(a).await.is_none() && world.auth.open(&panel.id, "c").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_token_for_a_service_opens_that_and_nothing_of_the_api() {
    both(async |db| {
        let world = World::new(db, People::default()).await;
        let ada = world.add("ada", Role::Admin).await;
        let token = async |scopes: &[&str]| {
            let scopes = scopes.iter().map(|s| s.to_string()).collect();
            world.auth.add_token(ada.id, &By::Terminal, NewToken { name: "t".into(), scopes, days: Some(1) }).await
        };
        let (made, secret) = token(&["route:photos", "route:photos", "route:films"]).await.unwrap();
        assert_eq!(made.scopes, ["route:films", "route:photos"]);
        let hash = Hash::of(secret.expose());
        let grant = world.auth.whose(Kind::Token, hash).await.unwrap().unwrap();
        assert_eq!(grant.of, Of::Routes(vec!["films".into(), "photos".into()]));
        assert!(world.grant_of(hash).await.is_none(), "a token is no cookie");
        for wrong in ["route:", "route:a b", "photos"] {
            assert_eq!(token(&[wrong]).await.unwrap_err().code, "auth.bad-token-request");
        }
        let (_, read) = token(&["read"]).await.unwrap();
        assert!(world.auth.whose(Kind::Token, Hash::of(read.expose())).await.unwrap().is_none());
        world.clock.pass(DAY + 1);
        assert!(world.auth.whose(Kind::Token, hash).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn hostile_18_the_services_that_an_account_is_for_alone_count_at_once_and_end_nothing() {
    both(async |db| {
        let world = World::new(db, People { registration: Rule::Invite, ..People::default() }).await;
        world.add("boss", Role::Admin).await;
        let ada = world.add("ada", Role::Member).await;
        let (panel, other) = (world.session(&ada).await, world.again().await);
        let host = world.on_host(&panel, "films.example.org").await;
        let new = NewToken { name: "player".into(), scopes: vec!["route:films".into()], days: None };
        let (_, token) = world.auth.add_token(ada.id, &By::Terminal, new).await.unwrap();
        let token = Hash::of(token.expose());
        let mut changes = Sessions::changes(&*world.auth);
        let only = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let before = world.auth.by_cookie(panel.token.expose()).await.unwrap().unwrap();
        for names in [&["photos"][..], &["films", "photos"], &[]] {
            changes.mark_unchanged();
            let change = Change { only: Some(only(names)), ..Change::default() };
            let user = world.auth.change_user(ada.id, change).await.unwrap();
            assert!(changes.has_changed().unwrap(), "gate is told");
            other.look().await.unwrap();
            for grant in [
                world.grant_of(host).await,
                world.auth.whose(Kind::Token, token).await.unwrap(),
                other.whose(Kind::Cookie, host).await.unwrap(),
                world.auth.all().await.unwrap().pop().map(|(_, grant)| grant),
            ] {
                assert_eq!((grant.unwrap().only, &user.only), (only(names), &only(names)));
            }
            let who = world.auth.by_cookie(panel.token.expose()).await.unwrap().expect("they stay signed in");
            assert_eq!(who.only, only(names));
            assert_eq!(world.auth.still(&before).await.unwrap(), names.is_empty(), "who is open has to look again");
        }
        // Nobody but a member is for some services alone, whichever of the two is changed.
        let photos = || Some(only(&["photos"]));
        let both = Change { only: photos(), role: Some(Role::Operator), ..Change::default() };
        assert_eq!(world.auth.change_user(ada.id, both).await.unwrap_err().code, "auth.bad-only");
        world.auth.change_user(ada.id, Change { only: photos(), ..Change::default() }).await.unwrap();
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            let rises = Change { role: Some(role), ..Change::default() };
            assert_eq!(world.auth.change_user(ada.id, rises).await.unwrap_err().code, "auth.bad-only", "{role}");
            let only = vec!["photos".to_owned()];
            let new = NewInvitation { role, only, note: String::new(), days: 1, uses: 1, maker: None };
            assert_eq!(world.auth.invite(new).await.unwrap_err().code, "auth.bad-only", "{role}");
        }
        let freed = Change { only: Some(vec![]), role: Some(Role::Operator), ..Change::default() };
        assert_eq!(world.auth.change_user(ada.id, freed).await.unwrap().role, Role::Operator);
        // Who comes by an invitation is for what it says.
        let (note, only) = ("Ben".to_owned(), only(&["photos", "films"]));
        let new = NewInvitation { role: Role::Member, only, note, days: 1, uses: 1, maker: None };
        let (made, link) = world.auth.invite(new).await.unwrap();
        assert_eq!((&made.only, world.auth.invitations().await.unwrap()), (&made.only, vec![made.clone()]));
        let new = Registration { username: "ben".into(), email: None, password: secret(PASSWORD), invite: Some(link) };
        let ben = world.auth.register(new, "192.168.1.9".parse().unwrap()).await.unwrap();
        assert_eq!((ben.role, ben.only), (Role::Member, vec!["films".to_owned(), "photos".to_owned()]));
    })
    .await;
}
