//! Pages for people, from the real table: what a browser gets, without a script.

use hearth::auth::accounts::{NewInvitation, NewUser};
use hearth::auth::who::{By, Role};
use hearth::base::secret::Secret;
use serde_json::json;

use crate::rig::{Server, app_code};

const PASSWORD: &str = "correct horse battery staple";

/// A server with ann, whom the rig takes for its member.
async fn with_ann() -> Server {
    let s = Server::begin().await;
    let new = NewUser {
        name: "ann".into(),
        email: None,
        display_name: None,
        role: Role::Member,
        groups: Vec::new(),
        only: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
    };
    assert_eq!(s.auth.add_user(new).await.unwrap().id, Role::Member as i64);
    s
}

fn encoded(text: &str) -> String {
    text.replace(' ', "+")
}

/// Fields, as a browser sends them.
fn sent(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("`{before}` stands in {text}")).1;
    rest.split_once(after).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_form_opened_without_one_leads_to_its_page() {
    let s = Server::begin().await;
    for (path, page) in [
        ("/login/second", "/login"),
        ("/login/oidc/second", "/login"),
        ("/second-factor/confirm", "/second-factor"),
        ("/account/provider", "/account"),
        ("/account/passkeys/k1", "/account"),
        ("/account/second-factor/codes", "/account"),
        ("/account/second-factor/off", "/account"),
    ] {
        let answer = s.call("member", "GET", path, None, &[("accept", "text/html")]).await.is(303);
        assert_eq!(answer.header("location"), page, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_set_up_after_a_slip_renewed_and_turned_off_in_a_browser() {
    let s = with_ann().await;
    let asked =
        s.browser("member", "/second-factor", &format!("username=ann&password={}", encoded(PASSWORD)), "").await;
    assert!(asked.body.contains("<svg") && asked.cookie.contains("Max-Age=600"), "{}", asked.cookie);
    let key = between(&asked.body, "class=\"key\">", "<").to_owned();
    assert_eq!(key.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8], "groups of four: {key}");
    let cookie = asked.cookie.split(';').next().unwrap().to_owned();

    let slip = s.browser("", "/second-factor/confirm", "otp=000000", &cookie).await;
    assert_eq!(slip.status, 401);
    assert!(slip.body.contains("<svg") && slip.body.contains(&key), "the app can still be set up: {}", slip.body);
    assert!(slip.body.contains("only the newest") && !slip.body.to_lowercase().contains("recovery"), "{}", slip.body);

    let code = app_code(&key);
    let done = s.browser("", "/second-factor/confirm", &format!("otp={code}"), &cookie).await;
    assert!(done.status == 200 && done.body.contains("dot good"), "{}", done.body);
    let paper = between(&done.body, "<li><code>", "<").to_owned();
    let again = s.text("member", "GET", "/second-factor", None).await.1;
    let asks = again.contains("action=\"/second-factor\"");
    assert!(again.contains("You have an app with codes") && !asks, "one is on: {again}");

    let (status, refused) = s.form("member", "/account/second-factor/codes", "otp=000000").await;
    assert!(status == 401 && refused.contains("How you sign in") && refused.contains("role=\"alert\""), "{refused}");
    let (status, renewed) = s.form("member", "/account/second-factor/codes", &format!("otp={paper}")).await;
    assert!(status == 200 && !renewed.contains(&paper), "{renewed}");
    let (status, _) = s.form("member", "/account/second-factor/off", &format!("otp={paper}")).await;
    assert_eq!(status, 401, "those before have ended");
    let paper = between(&renewed, "<li><code>", "<");
    let (status, _) = s.form("member", "/account/second-factor/off", &format!("otp={paper}")).await;
    assert!(status == 303 && !s.auth.factor(Role::Member as i64).await.unwrap().on);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_says_what_it_has_ended_and_which_one_was_wrong() {
    let s = with_ann().await;
    let ann = s.auth.user(Role::Member as i64).await.unwrap();
    for _ in 0..2 {
        s.auth.begin_session(&ann, "Firefox/140.0", [192, 168, 1, 9].into()).await.unwrap();
    }
    let new = hearth::auth::accounts::NewToken { name: "cron".into(), scopes: vec!["read".into()], days: None };
    s.auth.add_token(ann.id, &By::Terminal, new).await.unwrap();
    let form = |old: &str| format!("old={}&password=four+words+on+paper&again=four+words+on+paper", encoded(old));
    let (status, wrong) = s.form("member", "/password", &form("not this one")).await;
    assert!(status == 401 && wrong.contains("The password until now is wrong"), "{wrong}");
    assert!(!wrong.contains("user name") && !wrong.contains("hearth users"), "{wrong}");
    let (status, done) = s.form("member", "/password", &form(PASSWORD)).await;
    assert_eq!(status, 200, "{done}");
    assert!(done.contains("signed out by it: 2") && done.contains("ended with it: 1"), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_link_of_a_home_with_an_admin_says_so_and_leads_to_the_login() {
    let s = Server::begin().await;
    let root = NewUser {
        name: "root.of.it".into(),
        email: None,
        display_name: None,
        role: Role::Admin,
        groups: Vec::new(),
        only: Vec::new(),
        password: Some(Secret::new(PASSWORD)),
    };
    let token = s.auth.setup_token().await.unwrap();
    s.auth.set_up(&token, root, [192, 168, 1, 9].into()).await.unwrap();
    let (status, page) = s.text("", "GET", &format!("/setup?token={}", token.expose()), None).await;
    assert!(status == 409 && page.contains("has an admin already") && page.contains("href=\"/login\""), "{page}");
    assert!(!page.contains("setup-link") && !page.contains("hearth users"), "{page}");
    let body = serde_json::json!({"token": token.expose(), "username": "eve", "password": "four words on paper"});
    let told = s.post("", "/api/v1/setup", body).await.is(409);
    assert_eq!(told.code(), "auth.set-up");
    assert!(told.body["error"]["hints"][0].as_str().unwrap().contains("/login"), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_which_home_it_is_of_and_speaks_to_people() {
    let s = with_ann().await;
    for path in ["/login", "/second-factor", "/signed-out", "/cookies"] {
        let page = s.text("", "GET", path, None).await.1;
        assert!(page.contains("<strong>apihome</strong> <span class=\"host\">panel.test</span>"), "{path}: {page}");
    }
    let wrong = s.form("", "/login", "username=ann&password=no&next=").await.1;
    assert!(wrong.contains("password is wrong") && !wrong.contains("hearth users"), "{wrong}");
    let told = s.post("", "/api/v1/auth/login", serde_json::json!({"username": "ann", "password": "no"})).await;
    assert!(told.body["error"]["hints"].to_string().contains("hearth users password"), "{}", told.body);
    assert!(wrong.matches("An admin of the home").count() == 1, "said once: {wrong}");
    let sent = "token=x&username=ben&email=&password=four+words+on+paper&again=four+words+of+paper";
    let differ = s.form("", "/invitation", sent).await.1;
    let field = |id: &str| between(&differ, &format!("<input id=\"{id}\""), ">").to_owned();
    assert!(field("password").contains("autofocus") && !field("username").contains("autofocus"), "{differ}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_says_as_what_until_when_and_what_a_name_may_be() {
    let s = Server::begin().await;
    let new =
        NewInvitation { role: Role::Operator, only: Vec::new(), note: String::new(), days: 3, uses: 1, maker: None };
    let (held, token) = s.auth.invite(new).await.unwrap();
    let token = token.expose();
    let day = time::OffsetDateTime::from_unix_timestamp(held.expires / 1000).unwrap().date().to_string();
    let told = |page: &str| {
        page.contains("You become an operator") && page.contains(&format!("until {day}, ")) && page.contains("UTC.")
    };
    let (status, page) = s.text("", "GET", &format!("/invitation?token={token}"), None).await;
    assert!(status == 200 && told(&page), "{page}");
    assert!(page.contains("maxlength=\"32\"") && page.contains("Up to 32 letters"), "{page}");
    assert!(!page.contains("maxlength=\"64\""), "{page}");
    // What it says stays where the form comes back, and another name of the same length is taken.
    let form = |name: &str| format!("token={token}&username={name}&password={0}&again={0}", encoded(PASSWORD));
    let slip = s.browser("", "/invitation", &form("a+b"), "").await;
    assert!(slip.status == 422 && told(&slip.body), "{} {}", slip.status, slip.body);
    let made = s.browser("", "/invitation", &form(&"a".repeat(32)), "").await;
    assert_eq!(made.status, 303, "{}", made.body);
    // A form of an invitation that has lost its token is no open home's.
    let none = s.browser("", "/invitation", &form("ben").replace(token, ""), "").await;
    assert!(none.status == 403 && !none.body.contains("This home is open"), "{}", none.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_prints_a_value_that_a_setting_may_have() {
    let s = Server::begin().await;
    let page = s.text("", "GET", "/docs", None).await.1.replace("&#34;", "\"").replace("&quot;", "\"");
    let api = s.get("", "/api/v1/openapi.json").await.is(200).body.to_string();
    for text in [&page, &api] {
        let found = text.find("\"value\":null").or_else(|| text.find("\"value\": null"));
        assert_eq!(found.map(|at| &text[at.saturating_sub(200)..at + 20]), None);
    }
    assert!(page.contains("{\"value\":{\"registration\":\"invite\"}}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stack_of_a_name_that_there_is_writes_over_nothing_and_offers_no_such_thing() {
    let s = Server::begin().await;
    let before = std::fs::read_to_string(s.dir.join("stacks/media.yaml")).unwrap();
    let sent =
        "act=save&name=media&etag=&message=&text=services%3A+%7B+mine%3A+%7B+image%3A+any%2Fimage%3A1+%7D+%7D%0A";
    let (status, page) = s.form("admin", "/stacks", sent).await;
    assert_eq!(status, 412, "{page}");
    assert!(page.contains("already") && page.contains("any/image:1"), "{page}");
    assert!(!page.contains("The file has changed meanwhile"), "{page}");
    assert_eq!(std::fs::read_to_string(s.dir.join("stacks/media.yaml")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_of_a_person_keeps_what_was_typed_and_never_writes_over_another_change() {
    let s = with_ann().await;
    let id = Role::Member as i64;
    let path = format!("/people/{id}");
    let version = s.get("admin", &format!("/api/v1/users/{id}")).await.is(200).body["version"].clone();
    // All that was typed comes back, that she may not sign in too.
    let typed =
        |email: &str| format!("act=change&version={version}&display_name=Ann+B.&email={email}&role=viewer&states=1");
    let (status, page) = s.form("admin", &path, &typed("no-address")).await;
    let field = |id: &str| between(&page, &format!("<input id=\"{id}\""), ">").to_owned();
    assert_eq!(status, 422, "{page}");
    assert!(field("email").contains("no-address") && page.contains("value=\"Ann B.\""), "{page}");
    assert!(!between(&page, "name=\"is_active\"", ">").contains("checked"), "{page}");
    assert!(page.contains("<h1>ann</h1>"), "what is not saved is no heading: {page}");
    // What somebody else changed is shown in its place: saved once more, the form changes nothing of it.
    let change = serde_json::json!({"email": "ann@home.example", "version": version});
    s.call("admin", "PATCH", &format!("/api/v1/users/{id}"), Some(change), &[]).await.is(200);
    let (status, page) = s.form("admin", &path, &typed("other%40home.example")).await;
    assert_eq!(status, 409, "{page}");
    assert!(page.contains("ann@home.example") && !page.contains("other@home.example"), "{page}");
    assert!(!page.contains("value=\"Ann B.\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_services_of_which_one_is_refused_say_what_has_begun_and_what_not() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    let (status, page) = s.form("operator", "/bulk/restart", "services=ghost%2Fmatter&services=web").await;
    assert!(status == 200 && page.contains("Not all of them"), "{status} {page}");
    assert!(page.contains("ghost") && page.contains("goes on, as one work"), "why, and how many: {page}");
    let note = s.keeper.notes.lock().unwrap().iter().rfind(|act| act.object == "/bulk/restart").cloned().unwrap();
    assert_eq!(note.detail, Some(json!({"services": ["web"]})), "what was refused was not done");
    // Where nothing has begun, nothing else is said.
    let (status, page) = s.form("operator", "/bulk/restart", "services=ghost%2Fmatter").await;
    assert!(status == 404 && !page.contains("Not all of them"), "{status} {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_said_also_where_no_plan_can_be_made_of_it() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    let before = s.read("stacks/media.yaml");
    let tag = s.get("admin", "/api/v1/stacks/media").await.is(200).header("etag").to_owned();
    // A file like any other, which no engine can carry out.
    let text = before.replace("any/web:1", "any/web:1\n    deploy: {restart_policy: {condition: weekly}}");
    let sent = sent(&[("act", "save-plan"), ("etag", &tag), ("message", "newer"), ("text", &text)]);
    let (status, page) = s.form("admin", "/stacks/media", &sent).await;
    assert_eq!(s.read("stacks/media.yaml"), text, "it is saved: {page}");
    assert!(status == 200 && page.contains(">weekly<"), "{status} {page}");
    assert!(page.contains("Saved, as version"), "{page}");
    assert!(!page.contains("/apply"), "nothing is offered to be carried out: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dns_provider_wants_is_asked_for_before_it_is_called_missing() {
    let s = Server::begin().await;
    let fields =
        [("mode", "domain"), ("domain", "home.example.org"), ("certificates", "dns"), ("provider", "cloudflare")];
    let (status, page) = s.form("admin", "/welcome/way", &sent(&fields)).await;
    assert_eq!(status, 422, "{page}");
    let told = |page: &str| between(page, "id=\"key-token\"", "</p>").to_owned();
    assert!(told(&page).contains("class=\"hint\"") && !page.contains("class=\"wrong\""), "{page}");
    let again: Vec<_> = fields.into_iter().chain([("key-token", "")]).collect();
    let (status, page) = s.form("admin", "/welcome/way", &sent(&again)).await;
    assert!(status == 422 && told(&page).contains("class=\"wrong\""), "{page}");
    assert_eq!(s.read(".env"), "", "nothing is written down before all is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_to_a_service_that_asks_nobody_says_why_it_was_refused() {
    let s = Server::begin().await;
    let (status, page) = s.form("admin", "/services/web/invite", "days=7&note=").await;
    let (refused, title) = {
        let body = json!({"role": "member", "only": ["web"], "days": 7});
        let told = s.post("admin", "/api/v1/invitations", body).await;
        (told.status, told.body["error"]["title"].as_str().unwrap_or_default().replace('`', ""))
    };
    assert!(refused >= 400 && !title.is_empty(), "{refused} {title}");
    assert_eq!(status, refused, "{page}");
    let plain = page.replace("<code>", "").replace("</code>", "");
    assert!(plain.to_lowercase().contains(&title.to_lowercase()), "{title}: {plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_groups_page_leads_to_services_and_to_no_route_of_hearth_yaml() {
    let s = Server::begin().await;
    let text = s.read("hearth.yaml");
    let route = "routes: { nas: { host: nas, url: 'http://192.168.1.20:5000', access: 'group:family' } }\n";
    std::fs::write(s.dir.join("hearth.yaml"), text + route).unwrap();
    s.post("admin", "/api/v1/groups", json!({"name": "family"})).await.is(201);
    let page = s.text("admin", "GET", "/groups/family", None).await.1;
    assert!(page.contains(">nas<") && page.contains("of hearth.yaml"), "{page}");
    assert!(!page.contains("/services/nas"), "{page}");
}
