//! Sessions on routed hosts: whose they are, and that they end with the panel's.

use super::*;
use crate::auth::forward::sessions::Sessions;
use crate::auth::who::By;
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
        let who =
            crate::auth::who::Identity { user: ada.id, name: ada.name.clone(), role: ada.role, groups: vec![], by };
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
