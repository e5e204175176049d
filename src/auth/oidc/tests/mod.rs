//! Signing in by a provider that is there to be good or bad, on both databases.

mod rogue;

use std::net::IpAddr;

use jsonwebtoken::Algorithm;
use serde_json::json;

use super::exchange::basic;
use super::*;
use crate::auth::accounts;
use crate::auth::accounts::tests::{MINUTE, PASSWORD, World};
use crate::auth::own_name::OwnName;
use crate::auth::who::Role;
use crate::base::random::SystemRandom;
use crate::config::people::People;
use crate::store::tests::{both, on_sqlite};
use crate::web::outside::{Reach, trust};
use rogue::{Rogue, Signer};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 7));

struct Scene {
    world: World,
    oidc: Oidc,
    rogue: Rogue,
}

impl Scene {
    async fn new(db: Db, rules: People, change: impl FnOnce(&mut Settings)) -> Scene {
        Scene::with(db, rules, Algorithm::EdDSA, change).await
    }

    async fn with(db: Db, rules: People, alg: Algorithm, change: impl FnOnce(&mut Settings)) -> Scene {
        let world = World::new(db, rules).await;
        let rogue = Rogue::start(alg, world.clock.now().unix_timestamp()).await;
        let mut settings = Settings {
            issuer: rogue.issuer.clone(),
            client_id: "hearth".into(),
            name: "Accounts".into(),
            scopes: vec!["openid".into()],
            groups_claim: None,
            create: None,
            hosts: Vec::new(),
        };
        change(&mut settings);
        let oidc = Scene::opened(&world, settings);
        Scene { world, oidc, rogue }
    }

    fn opened(world: &World, settings: Settings) -> Oidc {
        let tls = trust::roots(&[]).unwrap();
        Oidc::open(Parts {
            auth: world.auth.clone(),
            db: world.db.clone(),
            clock: world.clock.clone(),
            random: Arc::new(SystemRandom),
            place: Place::of_machine(&OwnName::labelled("aaaaaaaaaaaa").unwrap(), 8443),
            settings: Some(settings),
            secret: Some(Secret::new("0123456789abcdef-of-nobody-else-at-all")),
            outside: Outside::new(tls, Reach::default()),
            folder: &world.state.path().join("auth"),
        })
    }

    fn login(&self) -> Login {
        Login { from: HERE, agent: "a browser".into() }
    }

    /// From the first click to what came of it.
    async fn sign_in(&self) -> Result<Arrived, Diagnostic> {
        let leaving = self.oidc.begin("/docs", HERE).await?;
        self.come_back(&leaving, None).await
    }

    async fn come_back(&self, leaving: &Leaving, who: Option<&Identity>) -> Result<Arrived, Diagnostic> {
        let sent = self.rogue.authorize(&leaving.to);
        let back = Back { state: sent["state"].clone(), code: sent["code"].clone(), ..Back::default() };
        self.oidc.arrive(&back, Some(leaving.cookie.expose()), who, &self.login()).await
    }

    async fn link(&self, who: &Identity) -> Result<(), Diagnostic> {
        let leaving = self.oidc.begin_link(who, Some(&Secret::new(PASSWORD)), HERE).await?;
        self.come_back(&leaving, Some(who)).await.map(drop)
    }

    /// Somebody of the home, signed in by a session.
    async fn somebody(&self, name: &str) -> (User, Identity) {
        let user = self.world.add(name, Role::Member).await;
        let (_, session) = self.world.auth.admit(user.clone(), &self.login()).await.unwrap();
        let who = self.world.auth.by_cookie(session.token.expose()).await.unwrap().unwrap();
        (user, (*who).clone())
    }
}

fn code(came: Result<Arrived, Diagnostic>) -> String {
    match came {
        Ok(Arrived::In { .. }) => "in".into(),
        Ok(Arrived::Half { .. }) => "half".into(),
        Ok(Arrived::Linked) => "linked".into(),
        Err(told) => told.code.into(),
    }
}

#[tokio::test]
async fn somebody_who_is_linked_gets_in_and_nobody_else() {
    both(async |db| {
        let scene = Scene::new(db, People::default(), |_| {}).await;
        let (user, who) = scene.somebody("ada").await;
        assert_eq!(code(scene.sign_in().await), "auth.oidc-unknown", "the same name and e-mail address are no link");
        scene.link(&who).await.unwrap();
        scene.link(&who).await.unwrap();
        let came = scene.sign_in().await.unwrap();
        let Arrived::In { user: came, session, next } = came else { panic!("{came:?}") };
        assert_eq!((came.id, next.as_str()), (user.id, "/docs"));
        let identity = scene.world.auth.by_cookie(session.token.expose()).await.unwrap().unwrap();
        assert_eq!(identity.user, user.id);
        let (_, used) = scene.oidc.linked(user.id).await.unwrap().unwrap();
        assert_eq!(used, Some(scene.oidc.now()));
        // Another person cannot take it over.
        let (_, ben) = scene.somebody("ben").await;
        assert_eq!(scene.link(&ben).await.unwrap_err().code, "auth.oidc-linked");
        // Whoever is made inactive stays out.
        let change = |active| accounts::Change { active: Some(active), ..Default::default() };
        scene.world.auth.change_user(user.id, change(false)).await.unwrap();
        assert_eq!(code(scene.sign_in().await), "auth.inactive");
        scene.world.auth.change_user(user.id, change(true)).await.unwrap();
        scene.oidc.unlink(user.id).await.unwrap();
        assert_eq!(scene.oidc.linked(user.id).await.unwrap(), None);
        assert_eq!(code(scene.sign_in().await), "auth.oidc-unknown");
        // With an account its links go.
        scene.link(&ben).await.unwrap();
        scene.world.auth.remove_user(ben.user, None).await.unwrap();
        assert_eq!(code(scene.sign_in().await), "auth.oidc-unknown");
    })
    .await;
}

#[tokio::test]
async fn who_is_new_gets_an_account_only_where_the_home_says_so_and_takes_over_nobodys() {
    both(async |db| {
        let scene = Scene::new(db, People::default(), |s| s.create = Some("viewer".into())).await;
        // Somebody has the name and the address already: neither is a link.
        let change = accounts::Change { email: Some("ada@home.example".into()), ..Default::default() };
        let ada = scene.world.add("ada", Role::Admin).await;
        scene.world.auth.change_user(ada.id, change).await.unwrap();
        let Arrived::In { user, .. } = scene.sign_in().await.unwrap() else { panic!() };
        assert_ne!(user.id, ada.id);
        assert_eq!((user.name.as_str(), user.email, user.role, user.has_password), ("ada2", None, Role::Viewer, false));
        let Arrived::In { user: again, .. } = scene.sign_in().await.unwrap() else { panic!() };
        assert_eq!(again.id, user.id, "once is enough");
        assert_eq!(scene.oidc.unlink(user.id).await.unwrap_err().code, "auth.only-way");
        scene.rogue.set(|m| {
            m.claims = json!({"sub": "subject-2", "preferred_username": "Eve E", "email": "eve@home.example"})
        });
        let Arrived::In { user: eve, .. } = scene.sign_in().await.unwrap() else { panic!() };
        assert_eq!((eve.name.as_str(), eve.email.as_deref()), ("eve.e", Some("eve@home.example")));
        assert_eq!(scene.world.auth.user_count().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn groups_are_as_the_provider_says_where_it_is_asked() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |s| {
            (s.create, s.groups_claim) = (Some("member".into()), Some("teams".into()));
        })
        .await;
        for group in ["kids", "media"] {
            scene.world.auth.add_group(group, "").await.unwrap();
        }
        let groups = async |said: serde_json::Value| {
            scene.rogue.set(|m| m.claims = json!({ "teams": said }));
            let Arrived::In { user, .. } = scene.sign_in().await.unwrap() else { panic!() };
            user.groups.join(" ")
        };
        assert_eq!(groups(json!(["media", "unknown", 7])).await, "media");
        assert_eq!(groups(json!(["kids", "media"])).await, "kids media");
        assert_eq!(groups(json!(null)).await, "kids media", "it says nothing of groups");
        assert_eq!(groups(json!([])).await, "");
        assert_eq!(groups(json!("kids")).await, "kids");
    })
    .await;
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for_and_counts_only_for_the_same_person() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |s| {
            (s.create, s.groups_claim) = (Some("member".into()), Some("groups".into()));
        })
        .await;
        scene.world.auth.add_group("kids", "").await.unwrap();
        let at = format!("{}/me", scene.rogue.issuer);
        scene.rogue.set(|m| {
            m.description = json!({ "userinfo_endpoint": at });
            m.claims = json!({"preferred_username": null, "email": null, "email_verified": null});
            m.said = json!({"sub": "another", "preferred_username": "rita", "groups": ["kids"]});
        });
        assert_eq!(code(scene.sign_in().await), "auth.oidc-token");
        scene.rogue.set(|m| m.said["sub"] = json!("subject-1"));
        let Arrived::In { user, .. } = scene.sign_in().await.unwrap() else { panic!() };
        assert_eq!(user.name, "rita");
        let Arrived::In { user, .. } = scene.sign_in().await.unwrap() else { panic!() };
        assert_eq!(user.groups, ["kids"]);
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_unless_the_provider_has_seen_to_it() {
    on_sqlite(async |db| {
        let rules = People { second_factor: vec!["member".into()], ..People::default() };
        let scene = Scene::new(db, rules, |s| s.create = Some("member".into())).await;
        assert_eq!(code(scene.sign_in().await), "auth.second-factor-missing");
        scene.rogue.set(|m| m.claims = json!({"amr": ["pwd", "mfa"]}));
        let Arrived::In { user, .. } = scene.sign_in().await.unwrap() else { panic!() };
        let codes = scene.world.with_factor(user.id).await;
        assert_eq!(code(scene.sign_in().await), "in");
        scene.rogue.set(|m| m.claims = json!({}));
        let came = scene.sign_in().await.unwrap();
        let Arrived::Half { cookie, .. } = came else { panic!("{came:?}") };
        let second = async |cookie: Option<&str>, code: &str| {
            scene.oidc.second(cookie, code, &scene.login()).await.map(|(_, next)| next).map_err(|told| told.code)
        };
        assert_eq!(second(None, codes[0].expose()).await, Err("auth.oidc-begin-again"));
        assert_eq!(second(Some("another"), codes[0].expose()).await, Err("auth.oidc-begin-again"));
        assert!(second(Some(cookie.expose()), "000000").await.is_err());
        assert_eq!(second(Some(cookie.expose()), codes[0].expose()).await, Ok("/docs".into()));
        assert_eq!(second(Some(cookie.expose()), codes[1].expose()).await, Err("auth.oidc-begin-again"), "once");
    })
    .await;
}

#[tokio::test]
async fn a_link_takes_a_password_or_a_session_that_has_just_begun_and_the_same_person_at_its_end() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |_| {}).await;
        let ((_, ada), (_, ben)) = (scene.somebody("ada").await, scene.somebody("ben").await);
        scene.oidc.begin_link(&ada, None, HERE).await.unwrap();
        scene.world.clock.pass(11 * MINUTE);
        scene.rogue.set(|m| m.now += 11 * 60);
        let told = |came: Result<Leaving, Diagnostic>| came.map(drop).map_err(|told| told.code);
        assert_eq!(told(scene.oidc.begin_link(&ada, None, HERE).await), Err("auth.proof"));
        let wrong = Secret::new("another password");
        assert_eq!(told(scene.oidc.begin_link(&ada, Some(&wrong), HERE).await), Err("auth.wrong-password"));
        let by_token = Identity { by: By::Token { id: "t".into(), scopes: vec!["admin".into()] }, ..ada.clone() };
        assert_eq!(told(scene.oidc.begin_link(&by_token, None, HERE).await), Err("auth.proof"));
        let leaving = scene.oidc.begin_link(&ada, Some(&Secret::new(PASSWORD)), HERE).await.unwrap();
        assert_eq!(code(scene.come_back(&leaving, Some(&ben)).await), "auth.oidc-begin-again");
        let leaving = scene.oidc.begin_link(&ada, Some(&Secret::new(PASSWORD)), HERE).await.unwrap();
        assert_eq!(code(scene.come_back(&leaving, None).await), "auth.oidc-begin-again");
        let leaving = scene.oidc.begin_link(&ada, Some(&Secret::new(PASSWORD)), HERE).await.unwrap();
        assert_eq!(code(scene.come_back(&leaving, Some(&ada)).await), "linked");
    })
    .await;
}

#[tokio::test]
async fn hostile_18_nothing_is_linked_for_whom_another_password_has_ended_meanwhile() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |_| {}).await;
        let (user, ada) = scene.somebody("ada").await;
        let leaving = scene.oidc.begin_link(&ada, Some(&Secret::new(PASSWORD)), HERE).await.unwrap();
        scene.world.auth.set_password(user.id, Secret::new("another one on paper"), true).await.unwrap();
        // Let in before, and back from the provider after.
        assert_eq!(code(scene.come_back(&leaving, Some(&ada)).await), "auth.nobody");
        assert_eq!(scene.oidc.linked(user.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn hostile_21_a_callback_counts_once_and_only_in_the_browser_that_began() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |s| s.create = Some("member".into())).await;
        let (mine, evils) = (scene.oidc.begin("", HERE).await.unwrap(), scene.oidc.begin("", HERE).await.unwrap());
        let sent = scene.rogue.authorize(&evils.to);
        let back = |state: &str| Back { state: state.into(), code: sent["code"].clone(), ..Back::default() };
        let arrive =
            async |back: Back, cookie: Option<&str>| code(scene.oidc.arrive(&back, cookie, None, &scene.login()).await);
        // Somebody has another's browser end their own sign-in (login CSRF): it has not begun it.
        assert_eq!(arrive(back(&sent["state"]), Some(mine.cookie.expose())).await, "auth.oidc-begin-again");
        assert_eq!(arrive(back(&sent["state"]), None).await, "auth.oidc-begin-again");
        for state in ["", "made-up", "\u{0}"] {
            assert_eq!(arrive(back(state), Some(mine.cookie.expose())).await, "auth.oidc-begin-again");
        }
        // Another's code under one's own state: the verifier does not fit.
        let mine_sent = scene.rogue.authorize(&mine.to);
        assert_eq!(arrive(back(&mine_sent["state"]), Some(mine.cookie.expose())).await, "auth.oidc-declined");
        assert_eq!(scene.rogue.asked("token"), 1);
        let again = scene.oidc.begin("", HERE).await.unwrap();
        let sent = scene.rogue.authorize(&again.to);
        let whole = || Back { state: sent["state"].clone(), code: sent["code"].clone(), ..Back::default() };
        assert_eq!(arrive(whole(), Some(again.cookie.expose())).await, "in");
        assert_eq!(arrive(whole(), Some(again.cookie.expose())).await, "auth.oidc-begin-again", "replayed");
        let late = scene.oidc.begin("", HERE).await.unwrap();
        scene.world.clock.pass(11 * MINUTE);
        assert_eq!(code(scene.come_back(&late, None).await), "auth.oidc-begin-again");
    })
    .await;
}

#[tokio::test]
async fn hostile_16_no_bad_token_gets_anybody_in() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |s| s.create = Some("admin".into())).await;
        let now = scene.world.clock.now().unix_timestamp();
        let issuer = scene.rogue.issuer.clone();
        for claims in [
            json!({"iss": "http://127.0.0.1:1"}),
            json!({"iss": format!("{issuer}/")}),
            json!({"aud": "other"}),
            json!({"aud": ["hearth", "other"]}),
            json!({"azp": "other"}),
            json!({"nonce": "other"}),
            json!({"nonce": null}),
            json!({"exp": now - 61}),
            json!({"iat": now + 120}),
            json!({"iat": now - 3600}),
            json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
            json!({"sub": ""}),
        ] {
            scene.rogue.set(|m| m.claims = claims.clone());
            assert_eq!(code(scene.sign_in().await), "auth.oidc-token", "{claims}");
        }
        let other = Signer::new(Algorithm::EdDSA, "k1");
        scene.rogue.set(|m| (m.claims, m.signer) = (json!({}), other));
        assert_eq!(
            code(scene.sign_in().await),
            "auth.oidc-token",
            "the name of a key that is known, and another's signature"
        );
        assert_eq!(scene.world.auth.user_count().await.unwrap(), 0, "and nobody got an account");
    })
    .await;
}

#[tokio::test]
async fn every_algorithm_that_is_taken_is_taken_and_changed_keys_are_found_once() {
    on_sqlite(async |db| {
        for alg in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            let scene = Scene::with(db.clone(), People::default(), alg, |s| s.create = Some("member".into())).await;
            assert_eq!(code(scene.sign_in().await), "in", "{alg:?}");
            assert_eq!(code(scene.sign_in().await), "in", "{alg:?}");
            assert_eq!((scene.rogue.asked("description"), scene.rogue.asked("keys")), (1, 1), "kept");
            // Just asked: it is not asked again for each unknown key.
            scene.rogue.set(|m| m.signer = Signer::new(alg, "k2"));
            assert_eq!(code(scene.sign_in().await), "auth.oidc-token");
            assert_eq!(scene.rogue.asked("keys"), 1);
            scene.oidc.with().unwrap().provider.forget_pause().await;
            assert_eq!(code(scene.sign_in().await), "in", "{alg:?}");
            assert_eq!(scene.rogue.asked("keys"), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_06_its_description_leads_nowhere_else() {
    on_sqlite(async |db| {
        for (what, url) in [
            ("token_endpoint", "http://127.0.0.1:2375/containers/create"),
            ("token_endpoint", "http://169.254.169.254/latest/meta-data"),
            ("token_endpoint", "http://gate.hearth.internal:8081/auth"),
            ("token_endpoint", "https://other.example/token"),
            ("userinfo_endpoint", "http://127.0.0.1:1/me"),
            ("jwks_uri", "http://127.0.0.1:1/keys"),
            ("jwks_uri", "file:///etc/passwd"),
            ("jwks_uri", "unix:///var/run/docker.sock"),
            ("authorization_endpoint", "https://other.example/auth"),
            ("authorization_endpoint", "javascript:alert(1)"),
        ] {
            let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
            scene.rogue.set(|m| m.description = json!({ what: url }));
            assert_eq!(code(scene.sign_in().await), "auth.oidc-provider", "{what} {url}");
        }
        for description in [
            json!({"issuer": "https://id.example"}),
            json!({"issuer": null}),
            json!({"jwks_uri": null}),
            json!({"code_challenge_methods_supported": ["plain"]}),
        ] {
            let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
            scene.rogue.set(|m| m.description = description.clone());
            assert_eq!(code(scene.sign_in().await), "auth.oidc-provider", "{description}");
        }
        // Redirects: not followed, from no endpoint.
        let other = Rogue::start(Algorithm::EdDSA, 0).await;
        let target: &'static str = Box::leak(format!("{}/keys", other.issuer).into_boxed_str());
        let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
        scene.rogue.set(|m| m.instead = Some((302, target)));
        assert_eq!(code(scene.sign_in().await), "auth.oidc-provider");
        let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
        let leaving = scene.oidc.begin("", HERE).await.unwrap();
        scene.rogue.set(|m| m.instead = Some((307, target)));
        assert_eq!(code(scene.come_back(&leaving, None).await), "auth.oidc-provider");
        assert_eq!(other.asked("keys"), 0);
        // A host that is named in hearth.yaml may be led to (it is not there, so it is away).
        let scene = Scene::new(db, People::default(), |s| s.hosts = vec!["keys.invalid".into()]).await;
        scene.rogue.set(|m| m.description = json!({"jwks_uri": "https://keys.invalid/keys"}));
        assert_eq!(code(scene.sign_in().await), "auth.oidc-away");
    })
    .await;
}

#[tokio::test]
async fn hostile_31_slow_huge_and_broken_answers_end_in_words() {
    on_sqlite(async |db| {
        let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
        scene.rogue.set(|m| m.huge = 300 << 10);
        assert_eq!(code(scene.sign_in().await), "auth.oidc-away");
        let began = std::time::Instant::now();
        assert_eq!(code(scene.sign_in().await), "auth.oidc-away", "a failure is not asked for again at once");
        assert_eq!(scene.rogue.asked("description"), 1);
        let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
        scene.rogue.set(|m| m.slow = std::time::Duration::from_secs(60));
        assert_eq!(code(scene.sign_in().await), "auth.oidc-away");
        assert!(began.elapsed() < std::time::Duration::from_secs(15));
        for status in [404, 500] {
            let scene = Scene::new(db.clone(), People::default(), |_| {}).await;
            scene.rogue.set(|m| m.instead = Some((status, "/")));
            assert_eq!(
                code(scene.sign_in().await),
                if status == 500 { "auth.oidc-away" } else { "auth.oidc-provider" }
            );
        }
        let scene = Scene::new(db, People::default(), |_| {}).await;
        scene.rogue.set(|m| m.token = Some("x".repeat(100 << 10)));
        assert_eq!(code(scene.sign_in().await), "auth.oidc-token");
    })
    .await;
}

#[tokio::test]
async fn what_the_provider_says_no_to_is_said_in_words_without_its_markup() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |_| {}).await;
        let leaving = scene.oidc.begin("", HERE).await.unwrap();
        let sent = scene.rogue.authorize(&leaving.to);
        let back =
            Back { state: sent["state"].clone(), error: Some("access_denied<script>".into()), ..Back::default() };
        let told = scene.oidc.arrive(&back, Some(leaving.cookie.expose()), None, &scene.login()).await.unwrap_err();
        assert_eq!(
            (told.code, told.title.as_str()),
            ("auth.oidc-declined", "Accounts did not sign you in, and answered with `access_deniedscript`")
        );
        let leaving = scene.oidc.begin("", HERE).await.unwrap();
        let sent = scene.rogue.authorize(&leaving.to);
        let back = Back {
            state: sent["state"].clone(),
            code: sent["code"].clone(),
            iss: Some("https://other.example".into()),
            error: None,
        };
        let told = scene.oidc.arrive(&back, Some(leaving.cookie.expose()), None, &scene.login()).await.unwrap_err();
        assert_eq!(told.code, "auth.oidc-token", "RFC 9207");
        assert_eq!(scene.rogue.asked("token"), 0, "and the code went nowhere");
    })
    .await;
}

#[tokio::test]
async fn hostile_07_the_secret_goes_to_whom_it_was_given_for_and_in_no_address() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default(), |s| s.create = Some("member".into())).await;
        let leaving = scene.oidc.begin("", HERE).await.unwrap();
        assert!(!leaving.to.contains("of-nobody-else"));
        assert_eq!(code(scene.come_back(&leaving, None).await), "in");
        let client = scene.rogue.manner.lock().unwrap().client.clone().unwrap();
        assert_eq!(client, basic("hearth", &Secret::new("0123456789abcdef-of-nobody-else-at-all")).expose());
        // Whoever can change hearth.yaml names a provider of their own.
        let evil = Rogue::start(Algorithm::EdDSA, 0).await;
        let settings = Settings { issuer: evil.issuer.clone(), ..scene.oidc.with().unwrap().settings.clone() };
        let oidc = Scene::opened(&scene.world, settings);
        assert_eq!((oidc.name(), oidc.begin("", HERE).await.unwrap_err().code), (None, "auth.oidc-secret"));
        assert_eq!(evil.asked("description"), 0);
    })
    .await;
}
