//! Passkeys on both databases, with a device in software that a test can have lie. A real browser is in `tests/it`.

mod device;

use super::*;
use crate::auth::accounts::tests::{MINUTE, PASSWORD, World, near};
use crate::auth::accounts::{Change, NewUser};
use crate::auth::who::Role;
use crate::base::random::SystemRandom;
use crate::config::people::People;
use crate::store::tests::{both, on_sqlite};
use device::Device;

const ORIGIN: &str = "https://panel.home.example";

struct Scene {
    world: World,
    passkeys: Passkeys,
}

fn at(host: &str) -> Caller {
    Caller { address: near().from, https: true, host: Some(host.into()) }
}

fn here() -> Caller {
    at("panel.home.example")
}

impl Scene {
    async fn new(db: Db, rules: People) -> Scene {
        let world = World::new(db, rules).await;
        let passkeys = Passkeys::open(Parts {
            auth: world.auth.clone(),
            db: world.db.clone(),
            clock: world.clock.clone(),
            random: Arc::new(SystemRandom),
            place: Place::of_domain("home.example", 443),
        });
        Scene { passkeys: passkeys.unwrap(), world }
    }

    async fn somebody(&self, name: &str, role: Role) -> Identity {
        let user = self.world.add(name, role).await;
        let (_, session) = self.world.auth.admit(user, &near()).await.unwrap();
        (*self.world.auth.by_cookie(session.token.expose()).await.unwrap().unwrap()).clone()
    }

    async fn make(&self, who: &Identity, device: &mut Device) -> Result<Key, Diagnostic> {
        let asked = self.passkeys.begin(who, None, &here()).await?;
        let made = device.make(&asked.options);
        self.passkeys.make(who, asked.ticket.expose(), Some(asked.cookie.expose()), "My phone", made).await
    }

    async fn sign_in(&self, device: &mut Device) -> Result<i64, &'static str> {
        let asked = self.passkeys.begin_login(&here()).unwrap();
        let shown = device.show(&asked.options);
        let (ticket, cookie) = (asked.ticket.expose(), Some(asked.cookie.expose()));
        let came = self.passkeys.login(ticket, cookie, shown, &near()).await;
        came.map(|(user, _)| user.id).map_err(|told| told.code)
    }
}

fn code<T>(came: Result<T, Diagnostic>) -> &'static str {
    came.map_or_else(|told| told.code, |_| "done")
}

#[tokio::test]
async fn a_key_is_made_signs_in_is_renamed_removed_and_then_opens_nothing() {
    both(async |db| {
        let scene = Scene::new(db, People::default()).await;
        let (ada, ben) = (scene.somebody("ada", Role::Admin).await, scene.somebody("ben", Role::Member).await);
        let mut phone = Device::new(b"phone", ORIGIN);
        let key = scene.make(&ada, &mut phone).await.unwrap();
        assert_eq!((key.name.as_str(), key.last_used), ("My phone", None));
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
        let keys = scene.passkeys.keys(ada.user).await.unwrap();
        assert_eq!(keys[0].last_used, Some(scene.passkeys.now()));
        // A second one of the same person, who is called the same towards it.
        let mut watch = Device::new(b"watch", ORIGIN);
        scene.make(&ada, &mut watch).await.unwrap();
        assert_eq!(phone.handle, watch.handle);
        assert_eq!(scene.sign_in(&mut watch).await, Ok(ada.user));
        // Nobody else's, neither to take nor to touch.
        let mut copy = Device::new(b"phone", ORIGIN);
        assert_eq!(code(scene.make(&ben, &mut copy).await), "auth.passkey-known");
        assert_eq!(code(scene.passkeys.rename(ben.user, &key.id, "x").await), "auth.no-such-passkey");
        assert_eq!(code(scene.passkeys.remove(ben.user, &key.id).await), "auth.no-such-passkey");
        assert_eq!(scene.passkeys.rename(ada.user, &key.id, " Her phone ").await.unwrap().name, "Her phone");
        assert_eq!(code(scene.passkeys.rename(ada.user, &key.id, "a\nb").await), "auth.bad-label");
        scene.passkeys.remove(ada.user, &key.id).await.unwrap();
        assert_eq!(code(scene.passkeys.remove(ada.user, &key.id).await), "auth.no-such-passkey");
        assert_eq!(scene.sign_in(&mut phone).await, Err("auth.passkey-unknown"));
        assert_eq!(scene.sign_in(&mut watch).await, Ok(ada.user));
        // With their owner keys go, and whoever is inactive stays out.
        let mut bens = Device::new(b"bens", ORIGIN);
        scene.make(&ben, &mut bens).await.unwrap();
        let change = Change { active: Some(false), ..Change::default() };
        scene.world.auth.change_user(ben.user, change).await.unwrap();
        assert_eq!(scene.sign_in(&mut bens).await, Err("auth.inactive"));
        scene.world.auth.remove_user(ben.user, None).await.unwrap();
        assert_eq!(scene.sign_in(&mut bens).await, Err("auth.passkey-unknown"));
    })
    .await;
}

#[tokio::test]
async fn a_key_counts_as_both_factors() {
    on_sqlite(async |db| {
        let rules = People { second_factor: vec!["admin".into()], ..People::default() };
        let scene = Scene::new(db, rules).await;
        let ada = scene.somebody("ada", Role::Admin).await;
        let mut phone = Device::new(b"phone", ORIGIN);
        scene.make(&ada, &mut phone).await.unwrap();
        let by_password = crate::auth::accounts::tests::named("ada", PASSWORD);
        let told = scene.world.auth.login_browser(&by_password, &near()).await.unwrap_err();
        assert_eq!((told.code, told.hints[0].contains("passkey")), ("auth.second-factor-missing", true));
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
        scene.world.with_factor(ada.user).await;
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
    })
    .await;
}

#[tokio::test]
async fn the_only_way_in_stays() {
    both(async |db| {
        let scene = Scene::new(db, People::default()).await;
        let name = "eve".to_owned();
        let (role, groups, only) = (Role::Member, vec![], vec![]);
        let new = NewUser { name, email: None, display_name: None, role, groups, only, password: None };
        let eve = scene.world.auth.add_user(new).await.unwrap();
        let (_, session) = scene.world.auth.admit(eve.clone(), &near()).await.unwrap();
        let who = scene.world.auth.by_cookie(session.token.expose()).await.unwrap().unwrap();
        let (mut one, mut two) = (Device::new(b"one", ORIGIN), Device::new(b"two", ORIGIN));
        let (first, second) = (scene.make(&who, &mut one).await.unwrap(), scene.make(&who, &mut two).await.unwrap());
        scene.passkeys.remove(eve.id, &first.id).await.unwrap();
        assert_eq!(code(scene.passkeys.remove(eve.id, &second.id).await), "auth.only-way");
        assert_eq!(scene.sign_in(&mut two).await, Ok(eve.id), "it is still there");
        // Nor does the only second factor go of who needs one: what is left would make another by itself.
        scene.world.auth.set_password(eve.id, Secret::new("four words on paper"), false).await.unwrap();
        scene.world.auth.set_rules(People { second_factor: vec!["member".into()], ..People::default() });
        assert_eq!(code(scene.passkeys.remove(eve.id, &second.id).await), "auth.second-factor-kept");
        scene.world.auth.set_rules(People::default());
        assert_eq!(code(scene.passkeys.remove(eve.id, &second.id).await), "done");
    })
    .await;
}

#[tokio::test]
async fn hostile_21_a_challenge_is_good_once_in_one_browser_and_for_a_while() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default()).await;
        let (ada, ben) = (scene.somebody("ada", Role::Admin).await, scene.somebody("ben", Role::Member).await);
        let mut phone = Device::new(b"phone", ORIGIN);
        let p = &scene.passkeys;
        let asked = p.begin(&ada, None, &here()).await.unwrap();
        let made = phone.make(&asked.options);
        let (ticket, cookie) = (asked.ticket.expose(), asked.cookie.expose());
        assert_eq!(code(p.make(&ada, ticket, None, "x", made.clone()).await), "auth.passkey-begin-again");
        assert_eq!(code(p.make(&ada, ticket, Some("other"), "x", made.clone()).await), "auth.passkey-begin-again");
        assert_eq!(code(p.make(&ada, ticket, Some(cookie), "x", made.clone()).await), "done");
        assert_eq!(code(p.make(&ada, ticket, Some(cookie), "x", made.clone()).await), "auth.passkey-begin-again");
        let asked = p.begin(&ada, None, &here()).await.unwrap();
        let (ticket, cookie) = (asked.ticket.expose(), asked.cookie.expose());
        assert_eq!(code(p.make(&ben, ticket, Some(cookie), "x", made).await), "auth.passkey-begin-again");
        // Signing in: replayed, another's browser, too late, an answer to another question.
        let asked = p.begin_login(&here()).unwrap();
        let shown = phone.show(&asked.options);
        let login = async |asked: &Asked, cookie: &str, shown: &Value| {
            code(p.login(asked.ticket.expose(), Some(cookie), shown.clone(), &near()).await)
        };
        assert_eq!(login(&asked, "other", &shown).await, "auth.passkey-begin-again");
        assert_eq!(login(&asked, asked.cookie.expose(), &shown).await, "done");
        assert_eq!(login(&asked, asked.cookie.expose(), &shown).await, "auth.passkey-begin-again");
        let other = p.begin_login(&here()).unwrap();
        assert_eq!(login(&other, other.cookie.expose(), &shown).await, "auth.passkey-not-taken");
        let late = p.begin_login(&here()).unwrap();
        let shown = phone.show(&late.options);
        scene.world.clock.pass(11 * MINUTE);
        assert_eq!(login(&late, late.cookie.expose(), &shown).await, "auth.passkey-begin-again");
        assert_eq!(code(p.begin(&ada, None, &here()).await), "auth.proof", "the session is older by now");
        let password = Secret::new(PASSWORD);
        assert_eq!(code(p.begin(&ada, Some(&password), &here()).await), "done");
        assert_eq!(code(p.begin(&ada, Some(&Secret::new("wrong password")), &here()).await), "auth.wrong-password");
    })
    .await;
}

#[tokio::test]
async fn a_device_that_lies_or_was_copied_opens_nothing() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default()).await;
        let ada = scene.somebody("ada", Role::Admin).await;
        for (host, https) in
            [("localhost:8443", true), ("10.0.0.7", true), ("home.example", true), ("panel.home.example", false)]
        {
            let caller = Caller { https, ..at(host) };
            assert_eq!(code(scene.passkeys.begin(&ada, None, &caller).await), "auth.passkey-place", "{host}");
            assert_eq!(code(scene.passkeys.begin_login(&caller)), "auth.passkey-place", "{host}");
        }
        // Made on another page, for another home, without looking who it is, inside a page of another site.
        let lies: [fn(&mut Device); 9] = [
            |d| d.origin = "https://media.home.example".into(),
            |d| d.origin = "https://panel.home.example:8443".into(),
            |d| d.origin = "http://panel.home.example".into(),
            |d| d.origin = "https://panel.home.example.evil.example".into(),
            |d| d.zone = "evil.example".into(),
            |d| d.verifies = false,
            |d| d.says = json!({"crossOrigin": true}),
            |d| d.says = json!({"crossOrigin": true, "topOrigin": "https://evil.example"}),
            |d| d.says = json!({"topOrigin": "https://evil.example"}),
        ];
        for lie in lies {
            let mut device = Device::new(b"liar", ORIGIN);
            lie(&mut device);
            assert_eq!(code(scene.make(&ada, &mut device).await), "auth.passkey-not-made");
        }
        assert_eq!(scene.passkeys.keys(ada.user).await.unwrap(), []);
        let mut phone = Device::new(b"phone", ORIGIN);
        scene.make(&ada, &mut phone).await.unwrap();
        for lie in lies {
            let (origin, zone, says) = (phone.origin.clone(), phone.zone.clone(), phone.says.clone());
            lie(&mut phone);
            assert_eq!(scene.sign_in(&mut phone).await, Err("auth.passkey-not-taken"));
            (phone.origin, phone.zone, phone.verifies, phone.says) = (origin, zone, true, says);
        }
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
        // Another key under the same id; somebody else's name; a copy that is behind.
        let mut forged = Device::new(b"phone", ORIGIN);
        (forged.handle, forged.counter) = (phone.handle.clone(), 100);
        assert_eq!(scene.sign_in(&mut forged).await, Err("auth.passkey-not-taken"));
        let handle = std::mem::replace(&mut phone.handle, BASE64_URL_SAFE_NO_PAD.encode([7; 16]));
        assert_eq!(scene.sign_in(&mut phone).await, Err("auth.passkey-unknown"));
        phone.handle = handle;
        let counter = std::mem::replace(&mut phone.counter, 0);
        assert_eq!(scene.sign_in(&mut phone).await, Err("auth.passkey-not-taken"), "it counts backwards");
        phone.counter = counter;
        assert_eq!(scene.sign_in(&mut phone).await, Ok(ada.user));
        for nonsense in [json!(null), json!({}), json!({"id": "", "rawId": "", "type": "public-key", "response": {}})] {
            let asked = scene.passkeys.begin_login(&here()).unwrap();
            let (ticket, cookie) = (asked.ticket.expose(), Some(asked.cookie.expose()));
            assert_eq!(code(scene.passkeys.login(ticket, cookie, nonsense, &near()).await), "auth.passkey-unread");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_has_keys_without_end() {
    on_sqlite(async |db| {
        let scene = Scene::new(db, People::default()).await;
        let ada = scene.somebody("ada", Role::Admin).await;
        for n in 0..MOST {
            scene.make(&ada, &mut Device::new(format!("key {n}").as_bytes(), ORIGIN)).await.unwrap();
        }
        assert_eq!(code(scene.passkeys.begin(&ada, None, &here()).await), "auth.passkey-many");
    })
    .await;
}
