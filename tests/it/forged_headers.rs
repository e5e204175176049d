//! No header that a client forges reaches a service, or is believed by Hearth: whatever its spelling, its number and the version of HTTP.

use crate::rig::{DOMAIN, Done, Door, Scratch, cases, curl, free_port, until};

cases![together:
    no_header_that_a_client_forges_reaches_a_service,
    no_header_that_a_client_forges_is_believed_by_hearth,
];

/// A page that shows what it was asked with.
const ECHO: &str = "    image: hearth-test/busybox:1
    stop_grace_period: 1s
    command:
      - sh
      - -c
      - |
        mkdir -p /www/cgi-bin
        printf '#!/bin/sh\\necho \"Content-Type: text/plain\"\\necho\\nenv | sort\\n' > /www/cgi-bin/env
        chmod +x /www/cgi-bin/*
        exec httpd -f -p 80 -h /www
";

/// By which a service could be told who asks, from where, and for what.
const NAMES: [&str; 43] = [
    "Forwarded",
    "Remote-Email",
    "Remote-Groups",
    "Remote-Name",
    "Remote-User",
    "True-Client-Ip",
    "X-Auth-Request-Access-Token",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-User",
    "X-Authentik-Email",
    "X-Authentik-Groups",
    "X-Authentik-Name",
    "X-Authentik-Uid",
    "X-Authentik-Username",
    "X-Client-Ip",
    "X-Forwarded-Access-Token",
    "X-Forwarded-By",
    "X-Forwarded-Email",
    "X-Forwarded-For",
    "X-Forwarded-Groups",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Forwarded-User",
    "X-Hearth-Route",
    "X-Original-Url",
    "X-Real-Ip",
    "X-Remote-Groups",
    "X-Remote-User",
    "X-Rewrite-Url",
    "X-Webauth-User",
];

/// Further ones: what other logins and networks in front of a service say.
const OTHERS: [&str; 80] = [
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Jwt-Assertion",
    "Cf-Connecting-Ip",
    "Cf-Connecting-Ipv6",
    "Ssl-Client-Cert",
    "Ssl-Client-S-Dn",
    "Ssl-Client-Verify",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "Tailscale-User-Profile-Pic",
    "X-Amzn-Oidc-Accesstoken",
    "X-Amzn-Oidc-Data",
    "X-Amzn-Oidc-Identity",
    "X-Auth-Email",
    "X-Auth-Groups",
    "X-Auth-Name",
    "X-Auth-Request-Roles",
    "X-Auth-Role",
    "X-Auth-Roles",
    "X-Auth-User",
    "X-Auth-Username",
    "X-Authelia-Email",
    "X-Authelia-Groups",
    "X-Authelia-Name",
    "X-Authelia-User",
    "X-Authentik-Entitlements",
    "X-Authentik-Jwt",
    "X-Authentik-Meta-App",
    "X-Authentik-Meta-Jwks",
    "X-Authentik-Meta-Outpost",
    "X-Authentik-Meta-Provider",
    "X-Authentik-Meta-Version",
    "X-Client-Cert",
    "X-Client-Dn",
    "X-Client-Verify",
    "X-Email",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Name",
    "X-Forwarded-Role",
    "X-Forwarded-Roles",
    "X-Goog-Authenticated-User-Email",
    "X-Goog-Authenticated-User-Id",
    "X-Goog-Iap-Jwt-Assertion",
    "X-Hearth-Gate",
    "X-Ms-Client-Principal",
    "X-Ms-Client-Principal-Id",
    "X-Ms-Client-Principal-Idp",
    "X-Ms-Client-Principal-Name",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-Uri",
    "X-Pomerium-Claim-Email",
    "X-Pomerium-Claim-Groups",
    "X-Pomerium-Claim-Name",
    "X-Pomerium-Claim-User",
    "X-Pomerium-Jwt-Assertion",
    "X-Remote-Email",
    "X-Remote-Group",
    "X-Remote-Name",
    "X-Ssl-Client-Cert",
    "X-Ssl-Client-Dn",
    "X-Ssl-Client-S-Dn",
    "X-Ssl-Client-Verify",
    "X-Token-Subject",
    "X-Token-User-Email",
    "X-Token-User-Name",
    "X-Token-User-Roles",
    "X-User",
    "X-User-Email",
    "X-User-Groups",
    "X-User-Name",
    "X-User-Roles",
    "X-Username",
    "X-Vouch-Idp-Accesstoken",
    "X-Vouch-Idp-Idtoken",
    "X-Vouch-User",
    "X-Webauth-Email",
    "X-Webauth-Groups",
    "X-Webauth-Name",
    "X-Webauth-Role",
];

/// Each of them twice, and once with underscores.
pub fn forged() -> Vec<String> {
    let spellings = |name: &&str| {
        let under = name.replace('-', "_");
        [format!("{name}: forged"), format!("{}: forged", name.to_lowercase()), format!("{under}: forged")]
    };
    NAMES.iter().flat_map(spellings).collect()
}

fn no_header_that_a_client_forges_reaches_a_service(s: &Scratch) -> Done {
    let service = |name: &str, access: &str| {
        format!(
            "  {name}:\n{ECHO}    profiles: [web]\n    x-hearth: {{route: {{host: {name}, port: 80, access: {access}}}}}\n"
        )
    };
    let door = Door::new(s, &format!("services:\n{}{}", service("open", "public"), service("lan", "lan")))?;
    door.hearth("up web").ok();
    let headers = forged();
    let all: Vec<&str> = headers.iter().flat_map(|header| ["-H", header.as_str()]).collect();
    let hop = format!("Connection: close, {}", NAMES.join(", "));
    for host in ["open", "lan"] {
        assert!(until(std::time::Duration::from_secs(15), || door.get(host, "/cgi-bin/env").status == 200));
        for (version, more) in [("--http1.1", vec![]), ("--http2", vec![]), ("--http1.1", vec!["-H", &hop])] {
            let how = [&[version, "-H", "X-Own: kept"][..], &all, &more].concat();
            let page = door.ask(host, "/cgi-bin/env", &how);
            let spoken = if version == "--http2" { "HTTP/2" } else { "HTTP/1.1" };
            assert!(page.status == 200 && page.head.starts_with(spoken), "{version}: {page:?}");
            let seen = &page.body;
            assert!(!seen.contains("forged"), "{host}, {version}: it came through:\n{seen}");
            // What Traefik says is there, and nobody else's.
            let whole = format!("{host}.{DOMAIN}:{}", door.https);
            for line in ["HTTP_X_OWN=kept", "HTTP_X_FORWARDED_PROTO=https", &format!("HTTP_X_FORWARDED_HOST={whole}")] {
                assert!(seen.lines().any(|l| l == line), "{host}, {version}: no {line} in\n{seen}");
            }
            let from = seen.lines().find_map(|l| l.strip_prefix("HTTP_X_FORWARDED_FOR=")).unwrap_or_default();
            assert!(from.parse::<std::net::IpAddr>().is_ok(), "one address, its client's: {from:?}\n{seen}");
        }
        let others: Vec<String> = OTHERS.iter().map(|name| format!("{name}: forged")).collect();
        let others: Vec<&str> = others.iter().flat_map(|header| ["-H", header.as_str()]).collect();
        let page = door.ask(host, "/cgi-bin/env", &others);
        assert!(page.status == 200 && !page.body.contains("forged"), "{host}: it came through:\n{}", page.body);
        // A blank before the colon makes two programs see two headers.
        let page = door.ask(host, "/cgi-bin/env", &["--http1.1", "-H", "Remote-User : forged"]);
        assert!(page.status == 400 && !page.body.contains("forged"), "{page:?}");
    }
    Ok(())
}

fn no_header_that_a_client_forges_is_believed_by_hearth(s: &Scratch) -> Done {
    s.write("hearth.yaml", &format!("name: {}\n", s.project));
    s.write("stacks/web.yaml", "services: {}\n");
    let (https, http) = (free_port(), free_port());
    let args = ["serve", "--log-format", "json", "--listen", &https.to_string(), "--http", &http.to_string()];
    let serve = s.hearth_args_start(&args, &[]);
    let root = s.dir.join("state/ca/root.pem").display().to_string();
    let own = format!("https://localhost:{https}/health");
    let ask = |more: &[&str]| curl(s, &[&["--cacert", &root, &own], more].concat());
    assert!(until(std::time::Duration::from_secs(10), || ask(&[]).status == 200));
    // Values that would be believed, if any were.
    let lie = |name: &str| match name {
        "X-Forwarded-Host" => "evil.example",
        "X-Forwarded-Proto" => "http",
        "X-Forwarded-Port" => "1",
        "Forwarded" => "for=203.0.113.66;host=evil.example;proto=http",
        _ => "203.0.113.66",
    };
    let headers: Vec<String> = NAMES
        .iter()
        .flat_map(|name| [format!("{name}: {}", lie(name)), format!("{}: {}", name.replace('-', "_"), lie(name))])
        .collect();
    let all: Vec<&str> = headers.iter().flat_map(|header| ["-H", header.as_str()]).collect();
    for version in ["--http1.1", "--http2"] {
        let page = ask(&[&[version], all.as_slice()].concat());
        assert_eq!(page.status, 200, "{page:?}");
        assert!(!page.head.contains("evil") && !page.body.contains("evil"), "{page:?}");
    }
    let page = curl(s, &[&[format!("http://127.0.0.1:{http}/a").as_str()], all.as_slice()].concat());
    let to = format!("https://127.0.0.1:{https}/a");
    assert_eq!((page.status, page.header("location")), (307, Some(to.as_str())), "{page:?}");
    serve.signal(rustix::process::Signal::TERM);
    let ran = s.noted(serve).exits(0);
    assert!(ran.err.contains(r#""client":"127.0.0.1""#), "{}", ran.err);
    assert!(!ran.err.contains("203.0.113.66") && !ran.err.contains("evil"), "{}", ran.err);
    Ok(())
}
