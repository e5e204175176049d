//! What the file must never say, and what it must.

use super::super::route::{Access, tests::route};
use super::*;

fn content(routes: &[Route]) -> Content<'_> {
    Content { routes, https_port: 443, ..Content::default() }
}

fn parsed(content: &Content) -> Value {
    serde_json::from_str(&render(content)).expect("the file is JSON")
}

/// Paths of empty objects, which void Traefik's whole directory, but for those that are no lists of anything.
fn empty_objects(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if map.is_empty() && !(path.contains(".routers.") && path.ends_with(".tls")) => {
            found.push(path.into());
        }
        Value::Object(map) => map.iter().for_each(|(key, value)| empty_objects(value, &format!("{path}.{key}"), found)),
        Value::Array(items) => items.iter().for_each(|item| empty_objects(item, path, found)),
        _ => {}
    }
}

#[test]
fn nothing_in_it_is_empty_and_every_router_names_its_entry_points() {
    let mut url = route("nas", "nas.example.org", None, Access::Public);
    url.target = Target::Addresses(vec!["https://192.168.1.20:5001".into()]);
    url.timeout = Some("90s".into());
    let mut tcp = route("db", "x", None, Access::Lan);
    tcp.entry = Entry::Tcp(5432);
    tcp.target = Target::Addresses(vec!["192.168.1.20:5432".into()]);
    let routes = [route("web", "web.example.org", None, Access::User), url, tcp];
    for routes in [&routes[..], &routes[..1], &[]] {
        let inner = Inner {
            url: "https://10.0.0.1:8444".into(),
            server_name: "hearth.internal".into(),
            client: Pair { chain: "C".into(), key: "K".into() },
            authority: "A".into(),
            panel: Some("panel.example.org".into()),
        };
        for inner in [None, Some(&inner)] {
            let file = parsed(&Content { inner, ..content(routes) });
            let mut found = Vec::new();
            empty_objects(&file, "", &mut found);
            assert_eq!(found, Vec::<String>::new());
            for protocol in ["http", "tcp"] {
                for (name, router) in file[protocol]["routers"].as_object().into_iter().flatten() {
                    let points = router["entryPoints"].as_array().map_or(0, Vec::len);
                    assert_eq!(points, 1, "{protocol} router {name}");
                }
            }
        }
    }
}

#[test]
fn whoever_is_away_is_answered_for_behind_the_same_door_without_cookies() {
    let mut web = route("web", "web.example.org", None, Access::Lan);
    web.profile = Some("media".into());
    let routes = [web];
    let file = parsed(&content(&routes));
    let router = &file["http"]["routers"]["web--away"];
    assert_eq!(router["rule"], "Host(`web.example.org`)");
    assert_eq!(router["middlewares"], json!(["lan", "web--away"]));
    assert_eq!(router["priority"], 2);
    let headers = &file["http"]["middlewares"]["web--away"]["headers"]["customRequestHeaders"];
    assert_eq!((&headers[ROUTE_HEADER], &headers[PROFILE_HEADER]), (&json!("web"), &json!("media")));
    assert_eq!((&headers["Cookie"], &headers["Authorization"]), (&json!(""), &json!("")));
}

#[test]
fn what_leads_to_nobody_has_only_that_answer() {
    let mut shop = route("shop", "shop.example.org", Some("/a"), Access::Admin);
    shop.target = Target::Nobody("shop/web".into());
    let raw = Route { entry: Entry::Tcp(5432), name: "raw".into(), ..shop.clone() };
    let file = parsed(&content(&[shop, raw]));
    assert!(file["http"]["routers"]["shop"].is_null() && file["http"]["services"]["shop"].is_null());
    let router = &file["http"]["routers"]["shop--away"];
    assert_eq!(router["middlewares"], json!([PLAIN, "login--admin", "shop--away"]));
    let headers = &file["http"]["middlewares"]["shop--away"]["headers"]["customRequestHeaders"];
    assert_eq!((&headers[ROUTE_HEADER], &headers["Cookie"]), (&json!("shop/web"), &json!("")));
    assert_eq!(headers[PROFILE_HEADER], "", "whoever asks cannot say it either");
    assert!(file["tcp"]["routers"].is_null(), "{}", file["tcp"]);
}

#[test]
fn a_host_with_a_path_takes_plain_paths_only_before_all_else() {
    let mut whole = route("whole", "a.example.org", None, Access::Lan);
    whole.shares_paths = true;
    let mut nas = route("nas", "b.example.org", Some("/x"), Access::Public);
    nas.target = Target::Addresses(vec!["http://192.168.1.20".into()]);
    let routes = [
        whole,
        nas,
        route("part", "a.example.org", Some("/api"), Access::Public),
        route("free", "c.example.org", None, Access::Lan),
    ];
    let file = parsed(&content(&routes));
    let first = |name: &str| file["http"]["routers"][name]["middlewares"][0].clone();
    for name in ["whole--away", "nas", "part--away"] {
        assert_eq!(first(name), PLAIN, "{name}");
    }
    assert_eq!(first("free--away"), "lan");
    assert_eq!(
        file["http"]["middlewares"][PLAIN],
        json!({ "encodedCharacters": { "allowEncodedQuestionMark": true, "allowEncodedHash": true } })
    );
}

#[test]
fn without_a_key_what_needs_a_login_is_closed_for_everybody() {
    let mut nas = route("nas", "nas.example.org", None, Access::Admin);
    nas.target = Target::Addresses(vec!["http://192.168.1.20".into()]);
    let routes = [nas];
    let file = parsed(&content(&routes));
    assert_eq!(file["http"]["routers"]["nas"]["middlewares"][0], "login--admin");
    assert_eq!(file["http"]["middlewares"]["login--admin"]["chain"]["middlewares"], json!(["closed"]));
    assert_eq!(file["http"]["middlewares"]["nobody"]["ipAllowList"]["sourceRange"], json!([NOBODY]));
    // Nobody is at home where no range is known.
    assert_eq!(file["http"]["middlewares"]["at-home"]["ipAllowList"]["sourceRange"], json!([NOBODY]));
}

#[test]
fn another_https_port_is_named_in_the_redirect() {
    let file = parsed(&Content { https_port: 8443, ..content(&[]) });
    assert_eq!(file["http"]["middlewares"]["redirect"]["redirectScheme"]["port"], "8443");
    assert!(parsed(&content(&[]))["http"]["middlewares"]["redirect"]["redirectScheme"].get("port").is_none());
}

#[test]
fn what_needs_a_login_asks_gate_with_the_homes_key_and_believes_no_header() {
    let key = Key([5; 32]);
    let mut api = route("api", "api.example.org", None, Access::User);
    api.bypass = vec![forward::bypass::Bypass { path: "/v1".into(), needs: forward::bypass::Needs::Token }];
    let mut home = route("home", "home.example.org", None, Access::LanOrUser);
    home.target = Target::Addresses(vec!["http://192.168.1.20".into()]);
    let routes = [
        route("a", "a.example.org", None, Access::Group("family".into())),
        api,
        home,
        route("b", "b.example.org", None, Access::Public),
    ];
    let file = parsed(&Content { login: Some(&key), ..content(&routes) });
    let all = &file["http"]["middlewares"];
    for (name, query) in
        [("login--group-family", "p=group:family"), ("login--of-api", "p=user&r=api"), ("login--home", "p=lan-or-user")]
    {
        let asks = &all[name]["forwardAuth"];
        assert_eq!(asks["address"], format!("{PAGES}/auth/{}?{query}", key.text()), "{name}");
        assert_eq!(asks["trustForwardHeader"], false);
        // A token of Hearth's is gate's alone, also where no path takes one.
        let sets = ["Cookie", "Authorization", "Remote-User", "Remote-Groups", "Remote-Email", "Remote-Name"];
        assert_eq!(asks["authResponseHeaders"], json!(sets), "{name}");
        assert!(asks["maxResponseBodySize"].is_number() && asks["maxBodySize"].is_number());
        // Gate sees nothing by which somebody could say who they are.
        assert!(
            !asks["authRequestHeaders"].as_array().unwrap().iter().any(|h| IDENTITY.contains(&h.as_str().unwrap()))
        );
    }
    assert_eq!(file["http"]["routers"]["home"]["middlewares"], json!(["login--home", "clean--behind-login"]));
    // What a login sets stays; all else of its kind does not.
    let taken = |name: &str| all[name]["headers"]["customRequestHeaders"].as_object().unwrap().len();
    assert_eq!(taken("clean"), taken("clean--behind-login") + forward::IDENTITY.len());
    for name in forward::IDENTITY {
        assert!(IDENTITY.contains(&name) && all["clean"]["headers"]["customRequestHeaders"][name] == "");
    }
    for name in ["clean", "clean--behind-login"] {
        // A service that takes cookies away would take every other's.
        assert_eq!(all[name]["headers"]["customResponseHeaders"]["Clear-Site-Data"], "");
    }
    // The panel's own page may, and takes nothing else that a service's does not.
    let panel = &all["clean--panel"]["headers"];
    assert_eq!(panel["customRequestHeaders"], all["clean"]["headers"]["customRequestHeaders"]);
    assert!(panel["customResponseHeaders"].get("Clear-Site-Data").is_none());
    for (name, router) in file["http"]["routers"].as_object().unwrap() {
        let named = router["middlewares"].as_array().is_some_and(|all| all.contains(&json!("clean--panel")));
        assert_eq!(named, name == "panel", "{name}");
    }
    let own = &file["http"]["routers"]["login--own"];
    assert_eq!(
        own["rule"],
        "PathPrefix(`/.well-known/hearth/`) && (Host(`a.example.org`) || Host(`api.example.org`) || Host(`home.example.org`))"
    );
    assert_eq!((&own["service"], &own["middlewares"]), (&json!("gate"), &json!(["closed"])), "Hearth is not there");
}
