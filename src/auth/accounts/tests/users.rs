//! Users, groups, invitations, the setup link.

use super::*;
use crate::config::people::Registration as Rule;

fn change() -> Change {
    Change::default()
}

fn code<T>(done: Result<T, Diagnostic>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(told) => told.code,
    }
}

#[tokio::test]
async fn a_role_that_is_none_is_the_lowest_and_hides_nobody() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        let anna = w.add("anna", Role::Admin).await;
        let sql = "UPDATE users SET role = 'Admin' WHERE name = 'anna'";
        w.db.write(async move |tx| crate::store::execute!(tx, sql).map(drop)).await.unwrap();
        let roles: Vec<Role> = a.users(0, 10).await.unwrap().into_iter().map(|user| user.role).collect();
        assert_eq!(roles, [Role::Admin, Role::Viewer]);
        let (user, session) = a.login_browser(&named("anna", PASSWORD), &near()).await.unwrap();
        assert_eq!(user.role, Role::Viewer);
        assert_eq!(a.by_cookie(session.token.expose()).await.unwrap().unwrap().role, Role::Viewer);
        assert_eq!(code(a.change_user(1, Change { active: Some(false), ..change() }).await), "auth.last-admin");
        let given = a.change_user(anna.id, Change { role: Some(Role::Admin), ..change() }).await.unwrap();
        assert_eq!((given.role, a.user_named("anna").await.unwrap().role), (Role::Admin, Role::Admin));
        // Also where it is the one that it reads as.
        w.db.write(async move |tx| crate::store::execute!(tx, sql).map(drop)).await.unwrap();
        a.change_user(anna.id, Change { role: Some(Role::Viewer), ..change() }).await.unwrap();
        let row: (String,) =
            crate::store::fetch_one!(&mut w.db.reader().await.unwrap(), "SELECT role FROM users WHERE id = 2").unwrap();
        assert_eq!(row.0, "viewer");
    })
    .await;
}

#[tokio::test]
async fn users_are_added_changed_listed_and_removed() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        a.add_group("kids", "those under age").await.unwrap();
        w.add("root", Role::Admin).await;
        let new = NewUser {
            name: "Anna".into(),
            email: Some("Anna@Example.org".into()),
            display_name: Some("Anna B.".into()),
            role: Role::Member,
            groups: vec!["kids".into()],
            only: Vec::new(),
            password: Some(secret(PASSWORD)),
        };
        let anna = a.add_user(new.clone()).await.unwrap();
        assert_eq!((anna.id, &*anna.name, anna.email.as_deref()), (2, "anna", Some("anna@example.org")));
        assert_eq!(
            (&*anna.display_name, anna.role, &anna.groups[..]),
            ("Anna B.", Role::Member, &["kids".to_string()][..])
        );
        assert!(anna.active && anna.has_password && !anna.second_factor && anna.last_login.is_none());
        assert_eq!(a.user_named("ANNA").await.unwrap(), anna);
        let same_name = NewUser { email: None, ..new.clone() };
        assert_eq!(code(a.add_user(same_name).await), "auth.taken");
        let same_email = NewUser { name: "berta".into(), ..new.clone() };
        assert!(a.add_user(same_email).await.unwrap_err().title.contains("e-mail"));
        let no_group = NewUser { name: "berta".into(), email: None, groups: vec!["none".into()], ..new };
        assert_eq!(code(a.add_user(no_group).await), "auth.no-such-group");
        assert_eq!(code(a.user_named("berta").await), "auth.no-such-user", "nothing was left of those refused");

        let groups = Change { groups: Some(vec![]), display_name: Some("A".into()), ..change() };
        let changed = a.change_user(anna.id, groups).await.unwrap();
        assert_eq!((&*changed.display_name, changed.groups.len(), changed.version), ("A", 0, anna.version + 1));
        let stale = Change { display_name: Some("B".into()), version: Some(anna.version), ..change() };
        assert_eq!(code(a.change_user(anna.id, stale).await), "auth.changed-meanwhile");
        let taken = Change { email: Some("anna@example.org".into()), ..change() };
        assert_eq!(code(a.change_user(1, taken).await), "auth.taken");
        assert_eq!(code(a.change_user(99, change()).await), "auth.no-such-user");

        let names = |users: Vec<User>| users.into_iter().map(|u| u.name).collect::<Vec<_>>();
        assert_eq!(names(a.users(0, 10).await.unwrap()), ["root", "anna"]);
        assert_eq!(names(a.users(1, 10).await.unwrap()), ["anna"]);
        assert_eq!(names(a.users(0, 1).await.unwrap()), ["root"]);
        assert_eq!(a.user_count().await.unwrap(), 2);

        assert_eq!(code(a.remove_user(anna.id, Some(anna.id)).await), "auth.no-heir");
        assert_eq!(code(a.remove_user(anna.id, Some(77)).await), "auth.no-such-user");
        a.remove_user(anna.id, Some(1)).await.unwrap();
        assert_eq!(a.heir_of(anna.id).await.unwrap(), Some(Some(1)));
        assert_eq!(code(a.user(anna.id).await), "auth.no-such-user");
        let berta = w.add("anna", Role::Viewer).await;
        assert!(berta.id > anna.id, "an id is never given twice");
        a.remove_user(berta.id, None).await.unwrap();
        let heirs = (a.heir_of(berta.id).await.unwrap(), a.heir_of(99).await.unwrap());
        assert_eq!(heirs, (Some(None), None));
    })
    .await;
}

#[tokio::test]
async fn the_last_active_admin_stays_one() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("one", Role::Admin).await;
        let demote = || Change { role: Some(Role::Operator), ..change() };
        let sleep = || Change { active: Some(false), ..change() };
        let refused = async || {
            [
                code(a.change_user(1, demote()).await),
                code(a.change_user(1, sleep()).await),
                code(a.remove_user(1, None).await),
            ]
        };
        assert_eq!(refused().await, ["auth.last-admin"; 3]);
        let two = w.add("two", Role::Admin).await;
        a.change_user(two.id, sleep()).await.unwrap();
        assert_eq!(refused().await, ["auth.last-admin"; 3], "one who is not active does not count");
        a.change_user(two.id, Change { active: Some(true), ..change() }).await.unwrap();
        // Both at once: one of them comes first.
        let (x, y) = tokio::join!(a.change_user(1, demote()), a.change_user(two.id, demote()));
        assert!(x.is_ok() != y.is_ok(), "{x:?} {y:?}");
    })
    .await;
}

#[tokio::test]
async fn groups_have_members_and_a_purpose() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        w.add("ben", Role::Member).await;
        a.add_group("Family", "").await.unwrap();
        assert_eq!(code(a.add_group("family", "").await), "auth.taken");
        let members = Some(vec!["ben".into(), "Anna".into(), "ben".into()]);
        let group = a.change_group("family", Some("us"), members, None).await.unwrap();
        assert_eq!((&*group.about, group.members), ("us", vec!["anna".to_string(), "ben".to_string()]));
        assert_eq!(a.user(1).await.unwrap().groups, ["family"]);
        let unknown = a.change_group("family", None, Some(vec!["carl".into()]), None).await;
        assert_eq!(code(unknown), "auth.no-such-user");
        assert_eq!(a.group("family").await.unwrap().members.len(), 2, "a change that is refused changes nothing");
        assert_eq!(a.groups().await.unwrap().len(), 1);
        a.remove_group("family").await.unwrap();
        assert_eq!(code(a.remove_group("family").await), "auth.no-such-group");
        assert!(a.user(1).await.unwrap().groups.is_empty());
    })
    .await;
}

fn registration(name: &str, invite: Option<&Secret>) -> Registration {
    Registration { username: name.into(), email: None, password: secret(PASSWORD), invite: invite.cloned() }
}

#[tokio::test]
async fn registration_is_closed_by_invitation_or_open_as_the_home_says() {
    let me: IpAddr = "192.168.1.9".parse().unwrap();
    let invited = |days, uses, role| NewInvitation { role, only: vec![], note: "Anna".into(), days, uses, maker: None };
    homes(People { registration: Rule::Closed, ..People::default() }, async |w| {
        assert_eq!(code(w.auth.register(registration("anna", None), me).await), "auth.registration-closed");
        assert_eq!(code(w.auth.invite(invited(1, 1, Role::Member)).await), "auth.registration-closed");
    })
    .await;
    homes(People { registration: Rule::Invite, ..People::default() }, async |w| {
        let a = &w.auth;
        assert_eq!(code(a.register(registration("anna", None), me).await), "auth.registration-closed");
        for (days, uses) in [(0, 1), (91, 1), (1, 0), (1, 101)] {
            assert_eq!(code(a.invite(invited(days, uses, Role::Member)).await), "auth.bad-invitation");
        }
        let (shown, link) = a.invite(invited(7, 1, Role::Operator)).await.unwrap();
        assert_eq!((a.invitations().await.unwrap(), &*shown.note), (vec![shown.clone()], "Anna"));
        let anna = a.register(registration("anna", Some(&link)), me).await.unwrap();
        assert_eq!(anna.role, Role::Operator);
        assert_eq!(code(a.register(registration("ben", Some(&link)), me).await), "auth.bad-link", "used up");
        let (_, link) = a.invite(invited(7, 2, Role::Member)).await.unwrap();
        assert_eq!(code(a.register(registration("anna", Some(&link)), me).await), "auth.taken");
        assert_eq!(code(a.register(registration("ben", Some(&link)), me).await), "done", "a refused one costs no use");
        w.clock.pass(8 * DAY);
        assert_eq!(code(a.register(registration("carl", Some(&link)), me).await), "auth.bad-link", "ended");
        let (shown, link) = a.invite(invited(7, 2, Role::Member)).await.unwrap();
        a.end_invitation(&shown.id).await.unwrap();
        assert_eq!(code(a.end_invitation(&shown.id).await), "auth.no-such-invitation");
        assert_eq!(code(a.register(registration("carl", Some(&link)), me).await), "auth.bad-link", "taken back");
        // Two at once, with a link for one.
        let (_, link) = a.invite(invited(7, 1, Role::Member)).await.unwrap();
        let (x, y) = tokio::join!(
            a.register(registration("dora", Some(&link)), me),
            a.register(registration("emil", Some(&link)), me)
        );
        assert!(x.is_ok() != y.is_ok());
    })
    .await;
    homes(People { registration: Rule::Open, ..People::default() }, async |w| {
        let anna = w.auth.register(registration("anna", None), me).await.unwrap();
        assert_eq!(anna.role, Role::Member);
        let stranger: IpAddr = "203.0.113.5".parse().unwrap();
        let mut codes = Vec::new();
        for n in 0..8 {
            codes.push(code(w.auth.register(registration(&format!("spam{n}"), None), stranger).await));
        }
        assert_eq!(codes.iter().filter(|code| **code == "done").count(), 5, "{codes:?}");
        assert!(codes.contains(&"auth.too-often"));
    })
    .await;
}

#[tokio::test]
async fn hostile_18_invitations_end_with_who_made_them() {
    let me: IpAddr = "192.168.1.9".parse().unwrap();
    homes(People { registration: Rule::Invite, ..People::default() }, async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        let mut n = 0;
        for how in ["removed", "demoted", "inactive", "password", "only", "nothing"] {
            let tina = w.add(&format!("tina-{how}"), Role::Admin).await;
            let maker = Some((tina.id, tina.name.clone()));
            let new =
                NewInvitation { role: Role::Admin, only: vec![], note: String::new(), days: 90, uses: 100, maker };
            let (shown, link) = a.invite(new).await.unwrap();
            assert_eq!((a.invitations().await.unwrap(), &shown.made_by), (vec![shown.clone()], &tina.name));
            match how {
                "removed" => drop(a.remove_user(tina.id, None).await.unwrap()),
                "demoted" => {
                    drop(a.change_user(tina.id, Change { role: Some(Role::Operator), ..change() }).await.unwrap())
                }
                "inactive" => drop(a.change_user(tina.id, Change { active: Some(false), ..change() }).await.unwrap()),
                "password" => a.set_password(tina.id, secret("another four words on paper"), false).await.unwrap(),
                "only" => a.set_password(tina.id, secret("another four words on paper"), true).await.unwrap(),
                _ => {}
            }
            n += 1;
            let used = code(a.register(registration(&format!("guest-{n}"), Some(&link)), me).await);
            assert_eq!(used, if how == "nothing" { "done" } else { "auth.bad-link" }, "{how}");
            // It does not come back with its maker either.
            let again = Change { role: Some(Role::Admin), active: Some(true), ..change() };
            if ["demoted", "inactive"].contains(&how) {
                a.change_user(tina.id, again).await.unwrap();
                assert!(a.invitations().await.unwrap().is_empty(), "{how}");
            }
        }
        // Whatever ended them as an admin: they are looked at when it is used.
        w.db.write(async |tx| {
            crate::store::execute!(tx, "UPDATE users SET role = 'viewer' WHERE name = 'tina-nothing'").map(drop)
        })
        .await
        .unwrap();
        assert!(a.invitations().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_makes_an_account_of_their_own_is_called_nothing_that_applications_trust() {
    // Each from another address: how many one makes is counted.
    let tries = std::cell::Cell::new(0u8);
    let me = || {
        tries.set(tries.get() + 1);
        IpAddr::from([192, 168, 1, tries.get()])
    };
    homes(People { registration: Rule::Open, ..People::default() }, async |w| {
        let a = &w.auth;
        for name in ["admin", "root", "Administrator", "ad.min", "grafana"] {
            assert_eq!(code(a.register(registration(name, None), me()).await), "auth.bad-name", "{name}");
        }
        let admin = w.add("admin", Role::Admin).await;
        let bob = w.add("bob", Role::Member).await;
        a.remove_user(bob.id, None).await.unwrap();
        assert_eq!(
            code(a.register(registration("bob", None), me()).await),
            "auth.taken",
            "what was bob's is not a stranger's"
        );
        assert_eq!(w.add("bob", Role::Member).await.name, "bob", "an admin may give the name");
        // Nor as somebody is called who is here, or a group, with other signs between.
        a.add_group("the-kids", "").await.unwrap();
        for name in ["b.ob", "bo-b", "thekids"] {
            assert_eq!(code(a.register(registration(name, None), me()).await), "auth.taken", "{name}");
        }
        // Nor as anybody who is here or was, with signs that look alike: an admin may give such a name.
        for (name, alike) in [
            ("boss", &["b0ss", "8oss", "bo55", "b.o.5-s"][..]),
            ("mem", &["rnem", "mern", "r-nem"]),
            ("ellie", &["e11ie", "eiiie", "el1ie"]),
            ("gone", &["g.one", "g0ne"]),
            ("arnold", &["amold", "arno1d"]),
        ] {
            let first = w.add(name, Role::Member).await;
            if name == "gone" {
                a.remove_user(first.id, None).await.unwrap();
            }
            for other in alike {
                assert_eq!(code(a.register(registration(other, None), me()).await), "auth.taken", "{other}");
            }
            assert_eq!(w.add(alike[0], Role::Member).await.name, alike[0]);
        }
        for name in ["bess", "emm", "done", "erna"] {
            assert_eq!(code(a.register(registration(name, None), me()).await), "done", "{name}");
        }
        // Nobody vouches for an address that somebody gives themselves.
        let own = Registration { email: Some("boss@home.example".into()), ..registration("eve", None) };
        let eve = a.register(own, me()).await.unwrap();
        assert!(!eve.email_vouched);
        assert!(!a.rename(eve.id, None, Some("eve@home.example")).await.unwrap().email_vouched);
        let vouched = |address: &str| Change { email: Some(address.into()), vouched: true, ..change() };
        assert!(a.change_user(eve.id, vouched("eve@home.example")).await.unwrap().email_vouched);
        assert!(a.rename(eve.id, Some("Eve"), Some("eve@home.example")).await.unwrap().email_vouched, "it is the same");
        assert!(!a.rename(eve.id, None, Some("boss@home.example")).await.unwrap().email_vouched);
        assert!(!a.change_user(eve.id, vouched("")).await.unwrap().email_vouched);
        assert!(
            a.rename(admin.id, None, Some("root@home.example")).await.unwrap().email_vouched,
            "admins' word counts"
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_password_can_be_made_the_only_way_in() {
    homes(People::default(), async |w| {
        let anna = w.add("anna", Role::Member).await;
        w.with_factor(anna.id).await;
        for (only, factor) in [(false, true), (true, false)] {
            w.auth.set_password(anna.id, secret("another four words on paper"), only).await.unwrap();
            assert_eq!(w.auth.user(anna.id).await.unwrap().second_factor, factor);
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_15_the_first_admin_is_made_with_the_printed_token_only_and_only_once() {
    let me: IpAddr = "192.168.1.9".parse().unwrap();
    let root = |name: &str| NewUser {
        name: name.into(),
        email: None,
        display_name: None,
        role: Role::Viewer,
        groups: vec!["none".into()],
        only: Vec::new(),
        password: Some(secret(PASSWORD)),
    };
    homes(People::default(), async |w| {
        let a = &w.auth;
        assert!(!a.is_set_up());
        assert_eq!(code(a.set_up(&secret(""), root("root"), me).await), "auth.bad-link");
        let old = a.setup_token().await.unwrap();
        let token = a.setup_token().await.unwrap();
        for wrong in [&old, &secret("guess"), &secret("' OR 1=1 --")] {
            assert_eq!(code(a.set_up(wrong, root("root"), me).await), "auth.bad-link");
        }
        let weak = NewUser { password: Some(secret("password123")), ..root("root") };
        assert_eq!(code(a.set_up(&token, weak, me).await), "auth.password", "and the token still holds");
        let first = a.set_up(&token, root("root"), me).await.unwrap();
        assert_eq!((first.role, first.groups.len()), (Role::Admin, 0), "whatever was asked for");
        assert!(a.is_set_up());
        assert_eq!(code(a.set_up(&token, root("evil"), me).await), "auth.set-up");
        assert_eq!(code(a.setup_token().await), "auth.set-up");
        assert!(w.again().await.is_set_up());
    })
    .await;
    homes(People::default(), async |w| {
        let token = w.auth.setup_token().await.unwrap();
        w.clock.pass(SETUP_HOURS * 60 * MINUTE);
        assert_eq!(code(w.auth.set_up(&token, root("root"), me).await), "auth.bad-link", "it has ended");
        let token = w.auth.setup_token().await.unwrap();
        let (x, y) = tokio::join!(w.auth.set_up(&token, root("one"), me), w.auth.set_up(&token, root("two"), me));
        assert!(x.is_ok() != y.is_ok());
        // The command line makes one too: the server sees it at its next look.
        let server = w.again().await;
        assert!(server.is_set_up());
    })
    .await;
}

#[tokio::test]
async fn a_link_is_looked_at_before_its_form_and_guessing_it_there_is_counted() {
    let me: IpAddr = "192.168.1.9".parse().unwrap();
    let stranger: IpAddr = "203.0.113.5".parse().unwrap();
    homes(People { registration: Rule::Invite, ..People::default() }, async |w| {
        let a = &w.auth;
        let token = a.setup_token().await.unwrap();
        for _ in 0..30 {
            a.look_at_setup(&token, stranger).await.unwrap();
        }
        let root = NewUser {
            name: "root".into(),
            email: None,
            display_name: None,
            role: Role::Admin,
            groups: Vec::new(),
            only: Vec::new(),
            password: Some(secret(PASSWORD)),
        };
        a.set_up(&token, root, me).await.unwrap();
        assert_eq!(code(a.look_at_setup(&token, me).await), "auth.bad-link", "it was used");
        let (role, only, note) = (Role::Member, vec![], String::new());
        let new = NewInvitation { role, only, note, days: 1, uses: 1, maker: None };
        let (_, link) = a.invite(new).await.unwrap();
        for _ in 0..30 {
            assert_eq!(a.look_at_invitation(&link, stranger).await.unwrap().role, "member");
        }
        a.register(registration("anna", Some(&link)), me).await.unwrap();
        assert_eq!(code(a.look_at_invitation(&link, me).await), "auth.bad-link", "used up");
        // Looking is trying: both come to one count.
        let mut codes = Vec::new();
        for n in 0..6 {
            let guess = secret(&format!("guess{n}"));
            codes.push(code(a.look_at_invitation(&guess, stranger).await));
            codes.push(code(a.register(registration("eve", Some(&guess)), stranger).await));
        }
        assert_eq!((codes[9], codes[11]), ("auth.bad-link", "auth.too-often"), "{codes:?}");
        assert_eq!(code(a.look_at_invitation(&link, stranger).await), "auth.too-often", "whether it holds or not");
    })
    .await;
    homes(People { registration: Rule::Closed, ..People::default() }, async |w| {
        assert_eq!(code(w.auth.look_at_invitation(&secret("any"), me).await), "auth.registration-closed");
    })
    .await;
}

/// Applications were told them before there was such a thing as vouching.
#[tokio::test]
async fn an_upgrade_says_once_whose_addresses_applications_are_not_told_any_more() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        for name in ["anna", "ben", "carl"] {
            let user = w.add(name, Role::Member).await;
            a.rename(user.id, None, Some(&format!("{name}@example.org"))).await.unwrap();
        }
        assert!(a.say_news().await.unwrap().is_empty(), "a home that was never another says nothing");
        w.db.write(async |tx| crate::auth::sql::put(tx, "say.emails", "once").await).await.unwrap();
        let change = Change { email: Some("ben@example.org".into()), vouched: true, ..change() };
        let ben = a.user_named("ben").await.unwrap();
        assert!(a.change_user(ben.id, change).await.unwrap().email_vouched, "as hearth users set does");
        assert_eq!(a.say_news().await.unwrap(), ["anna", "carl"]);
        assert!(a.say_news().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_admin_made_at_the_terminal_opens_the_server_that_runs() {
    homes(People::default(), async |w| {
        let terminal = w.again().await;
        w.auth.look().await.unwrap();
        assert!(!w.auth.is_set_up());
        let (name, password) = ("root".to_owned(), Some(Secret::new(PASSWORD)));
        let (role, groups, only) = (Role::Admin, vec![], vec![]);
        let new = NewUser { name, email: None, display_name: None, role, groups, only, password };
        terminal.add_user(new).await.unwrap();
        w.auth.look().await.unwrap();
        assert!(w.auth.is_set_up());
    })
    .await;
}
