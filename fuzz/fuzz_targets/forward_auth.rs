//! Any question that Traefik might ask gate, with a panel on the line: nobody enters without what the route wants, nobody is sent anywhere but to the login, and
//! from there to a host of the home; no answer has our cookie or token in it.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use hearth::auth::forward::double::Double;
use hearth::auth::forward::sessions::Sessions;
use hearth::auth::forward::{Forward, channel, place};
use hearth::base::clock::SystemClock;
use hearth::base::random::SystemRandom;
use hearth::gate::auth::Auth;
use hearth::traefik::forward::bypass::{self, Bypass, Needs};
use hearth::traefik::forward::wire::{Door, Doors, Grant, Key, Of};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const APP: &str = "app.example.org";
const API: &str = "api.example.org";

struct Home {
    runtime: Runtime,
    auth: Arc<Auth>,
    forward: Forward,
    key: String,
    bypass: Vec<Bypass>,
    cookie: String,
    token: String,
    _doors: watch::Sender<Option<Doors>>,
}

fn grant() -> Grant {
    Grant {
        user: "ada".into(),
        title: "Ada".into(),
        email: "ada@example.org".into(),
        groups: vec!["family".into()],
        admin: false,
        of: Of::Host(String::new()),
        until: i64::MAX,
        idle: 0,
        used: 0,
    }
}

static HOME: LazyLock<Home> = LazyLock::new(|| {
    let dir: PathBuf = std::env::temp_dir().join(format!("hearth-fuzz-gate-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder can be made");
    let keys = place::keys(&dir, &SystemRandom).expect("keys can be made");
    let bypass = vec![
        Bypass { path: "/v1".into(), needs: Needs::Token },
        Bypass { path: "/feed".into(), needs: Needs::Nothing },
    ];
    let door = |name: &str, host: &str, bypass: &[Bypass]| Door {
        name: format!("home-{name}"),
        service: name.into(),
        hosts: vec![host.into()],
        bypass: bypass.to_vec(),
    };
    let key: Key = keys.address.clone();
    let doors = Doors {
        key: keys.address,
        signing: keys.signing,
        panel: "panel.example.org".into(),
        https: 8443,
        lan: vec!["192.168.1.0/24".into()],
        routes: vec![door("app", APP, &[]), door("api", API, &bypass)],
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let people = Arc::new(Double::default());
    let (sender, seen) = watch::channel(Some(doors));
    let forward = Forward::new(people.clone(), seen.clone(), Arc::new(SystemClock), Arc::new(SystemRandom));
    people.sign_in("p1", grant());
    let cookie = runtime.block_on(people.open("p1", APP)).expect("in memory").expect("signed in").cookie.expose().to_owned();
    let token = people.give_token(&grant(), &["api"]).expose().to_owned();
    let panels = dir.clone();
    runtime.spawn(async move {
        channel::serve(&panels, people.clone(), people, seen, CancellationToken::new()).await.expect("it listens")
    });
    let auth = Arc::new(Auth::new(dir.join(place::FOLDER).join(place::SOCKET), Arc::new(SystemClock), Arc::new(SystemRandom)));
    let kept = auth.clone();
    runtime.spawn(async move { kept.keep(CancellationToken::new()).await });
    std::thread::sleep(Duration::from_secs(2));
    Home { runtime, auth, forward, key: key.text(), bypass, cookie, token, _doors: sender }
});

fuzz_target!(|text: &str| {
    let home = &*HOME;
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let (query, host, uri, method, address) = (next(), next(), next(), next(), next());
    let query = match query {
        "" => "p=user".to_owned(),
        "a" => "p=user&r=home-api".to_owned(),
        "l" => "p=lan-or-user&r=home-app".to_owned(),
        "g" => "p=group:family&r=home-api".to_owned(),
        "s" => "p=admin&r=home-api".to_owned(),
        other => other.to_owned(),
    };
    let Ok(asked) = format!("/auth/{}?{query}", home.key).parse::<Uri>() else { return };
    let host = match host {
        "" => APP,
        "a" => API,
        other => other,
    };
    let method = if method.is_empty() { "GET" } else { method };
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.append(name, value);
        }
    };
    for (name, value) in [
        ("x-forwarded-host", host),
        ("x-forwarded-uri", uri),
        ("x-forwarded-method", method),
        ("x-forwarded-for", address),
        ("x-forwarded-proto", "https"),
        ("accept", "text/html"),
    ] {
        put(HeaderName::from_static(name), value);
    }
    // A cookie of an application may hold what it likes, a token too: what stands where nobody looks for it is the client's to send.
    let (mut session, mut bearer, mut elsewhere) = (false, false, false);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        let Ok(name) = HeaderName::try_from(name) else { continue };
        let shown = value.replace('$', &format!("__Host-hearth={}", home.cookie)).replace('^', &format!("Bearer {}", home.token));
        session |= name == "cookie" && shown.contains(&home.cookie);
        bearer |= name == "authorization" && shown.contains(&home.token);
        elsewhere |= name != "authorization" && shown.contains(&home.token) || name != "cookie" && shown.contains(&home.cookie);
        put(name, &shown);
    }
    let answer = home.runtime.block_on(home.auth.answer(&asked, &headers));
    let said: Vec<(String, String)> = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    for (name, value) in &said {
        assert!(elsewhere || !value.contains(&home.cookie) && !value.contains(&home.token), "{name}: {value}");
        if name == "cookie" {
            assert!(!value.to_ascii_lowercase().contains("__host-hearth"), "{value}");
        }
    }
    let header = |wanted: &str| said.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    match answer.status() {
        StatusCode::OK => {
            let needs = (query.ends_with("&r=home-api")).then(|| bypass::needs(&home.bypass, uri)).flatten();
            let at_home = query.starts_with("p=lan-or-user") && address.trim().starts_with("192.168.1.");
            let open = query.starts_with("p=public") || query.starts_with("p=lan&") || query == "p=lan";
            let free = needs == Some(Needs::Nothing) || needs == Some(Needs::Token) && bearer || at_home || open;
            assert!(free || session, "{text:?}");
            if !session && !bearer {
                assert!(header("remote-user").is_none(), "{said:?}");
            }
            assert!(header("remote-user").is_none_or(|user| user == "ada"), "{said:?}");
        }
        StatusCode::FOUND => {
            let to = header("location").expect("a redirect leads somewhere");
            let signed = to.strip_prefix("https://panel.example.org:8443/login?next=/go%3Fback%3D");
            let back = home.forward.back(signed.unwrap_or_else(|| panic!("{to}"))).expect("it is ours");
            assert!([APP, API].contains(&back.host.as_str()), "{back:?}");
            let whole: Uri = format!("https://{}{}", back.host, back.path).parse().expect("an address");
            assert_eq!(whole.host(), Some(back.host.as_str()));
        }
        other => assert!([401, 403, 503].contains(&other.as_u16()), "{other}"),
    }
});
