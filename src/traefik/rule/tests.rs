//! Rules that are read, refused, printed and compared.

use proptest::prelude::*;

use super::*;

fn http(text: &str) -> Rule {
    parse(text, Protocol::Http).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

/// Parses, and gives the canonical form or where and why not.
fn shown(text: &str, protocol: Protocol) -> String {
    match parse(text, protocol) {
        Ok(rule) => rule.to_string(),
        Err(e) => format!("{}: {}{}", e.at, e.title, e.hint.map(|h| format!(" ({h})")).unwrap_or_default()),
    }
}

#[test]
fn rules_are_read_as_traefik_reads_them_and_printed_one_way() {
    for (text, wanted) in [
        ("Host(`a.b`)", "Host(`a.b`)"),
        ("HOST ( \"a.b\" , )", "Host(`a.b`)"),
        ("hostregexp(`^a\\d+$`)", "HostRegexp(`^a\\d+$`)"),
        ("Clientip(`10.0.0.0/8`)", "ClientIP(`10.0.0.0/8`)"),
        ("Host(`a`)&&Path(`/x`)||Host(`b`)", "Host(`a`) && Path(`/x`) || Host(`b`)"),
        ("(Host(`a`)||Host(`b`))&&!PathPrefix(`/x`)", "(Host(`a`) || Host(`b`)) && !PathPrefix(`/x`)"),
        ("Host(`a`) || (Host(`b`) || Host(`c`))", "Host(`a`) || Host(`b`) || Host(`c`)"),
        ("!(!(Host(`a`)))", "Host(`a`)"),
        ("!!Host(`a`)", "Host(`a`)"),
        ("!(Host(`a`) && Host(`*`))", "!(Host(`a`) && Host(`*`))"),
        ("Query(`a`) && QueryRegexp(`a`, `b+`)", "Query(`a`) && QueryRegexp(`a`, `b+`)"),
        ("Header(`X-\"`, \"a`\\n\\x41\")", "Header(`X-\"`, \"a`\\u000aA\")"),
        ("Host(`a`) &&\n  Path(`/x`)\n", "Host(`a`) && Path(`/x`)"),
    ] {
        assert_eq!(shown(text, Protocol::Http), wanted, "{text}");
        assert_eq!(shown(wanted, Protocol::Http), wanted);
    }
    assert_eq!(shown("HostSNI(`*`) && ALPN(`h2`)", Protocol::Tcp), "HostSNI(`*`) && ALPN(`h2`)");
}

#[test]
fn a_wrong_rule_is_told_where_and_why() {
    for (text, wanted) in [
        ("", "0: the rule is empty (write a rule, as Host(`name.example.org`))"),
        ("Host(`a`", "8: the bracket of `Host` is not closed"),
        ("(Host(`a`)", "0: this bracket is not closed"),
        ("Host(`a`))", "9: this bracket closes nothing"),
        ("Host(`a)", "5: this text has no closing backtick"),
        ("Host(\"a\n\")", "5: this text has no closing quote"),
        ("Host('a')", "5: single quotes hold no text in a rule (write `text` in backticks)"),
        ("Host(a)", "5: `Host` takes only texts (write each argument in backticks)"),
        ("Host()", "0: `Host` takes one argument, not 0"),
        ("Host(`a`, `b`)", "0: `Host` takes one argument, not 2 (join several with `||`: Host(`a`) || Host(`b`))"),
        ("Header(`a`)", "0: `Header` takes two arguments, not 1"),
        ("Query(`a`, `b`, `c`)", "0: `Query` takes one or two arguments, not 3"),
        ("Host(``)", "5: an argument of `Host` is empty"),
        ("Hots(`a`)", "0: an HTTP rule knows no matcher `Hots` (did you mean `Host`?)"),
        ("PathPrefixStrip(`/a`)", "0: an HTTP rule knows no matcher `PathPrefixStrip` (did you mean `PathPrefix`?)"),
        ("Host(`a`) & Path(`/`)", "10: `&` is no operator (write &&)"),
        ("Host(`a`) Path(`/`)", "10: something must join this to what stands before it (write `&&` or `||`)"),
        (
            "Host(`a`)\n&& Path(`/`)",
            "10: a line break ends the rule here, and more follows (end the line with `&&` or `||`, or write the rule on one line)",
        ),
        ("Host(`a`) && ", "13: a matcher is missing here (write one, as Host(`name`))"),
        ("`a`", "0: a text alone says nothing (write which matcher it is for, as Host(`name`))"),
        ("Path(`x`)", "5: the path `x` does not begin with `/` (write `/x`)"),
        (
            "Host(`bücher.de`)",
            "5: the host `bücher.de` holds letters that no host name has (write it as browsers send it: xn--bcher-kva.de)",
        ),
        (
            "Host(`https://a.b`)",
            "5: no request ever has the host `https://a.b`: the host stands without its scheme (write `a.b` without https://)",
        ),
        (
            "Host(`a.b:80`)",
            "5: no request ever has the host `a.b:80`: hosts are compared without their port (write the name alone)",
        ),
        ("Host(`a`) && HeaderRegexp(`X`, `(`)", "31: `(` is no regular expression: unclosed group"),
        (
            "ClientIP(`10.0.0.0/33`)",
            "9: `10.0.0.0/33` is neither an IP address nor a network (write one, as 192.168.1.0/24)",
        ),
        (
            "HostSNI(`a`)",
            "0: an HTTP rule knows no matcher `HostSNI` (known here: Host, HostRegexp, Path, PathPrefix, PathRegexp, Method, Header, HeaderRegexp, Query, QueryRegexp, ClientIP)",
        ),
    ] {
        assert_eq!(shown(text, Protocol::Http), wanted, "{text}");
    }
    for (text, wanted) in [
        ("ALPN(`acme-tls/1`)", "5: `acme-tls/1` is kept for certificates: no router may take it"),
        ("HostSNI(`a b`)", "8: `a b` is no host name"),
        (
            "HostSNI(`*`) || Path(`/`)",
            "16: a TCP rule knows no matcher `Path` (known here: ClientIP, HostSNI, HostSNIRegexp, ALPN)",
        ),
    ] {
        assert_eq!(shown(text, Protocol::Tcp), wanted, "{text}");
    }
    let deep = format!("{}Host(`a`){}", "(".repeat(50_000), ")".repeat(50_000));
    assert!(shown(&deep, Protocol::Http).contains("more than 100 deep"));
}

#[test]
fn what_a_rule_reaches_is_known() {
    let ways = |text: &str| -> Vec<String> {
        let way = |r: Reach| format!("{:?} {:?}{}", r.host, r.path, if r.narrowed { " narrowed" } else { "" });
        reach::of(&http(text)).into_iter().map(way).collect()
    };
    assert_eq!(
        ways("(Host(`A.b.`) || Host(`*.c`)) && PathPrefix(`/x`)"),
        ["Wildcard(\"c\") Prefix(\"/x\")", "Name(\"a.b\") Prefix(\"/x\")"]
    );
    assert_eq!(ways("Host(`a`) && Host(`b`)"), Vec::<String>::new());
    assert_eq!(ways("Host(`a.c`) && Host(`*.c`) && PathPrefix(`/`)"), ["Name(\"a.c\") Any narrowed"]);
    assert_eq!(ways("Host(`a`) && !Path(`/x`)"), ["Name(\"a\") Any narrowed"]);
    assert_eq!(ways("PathPrefix(`/a`) && PathPrefix(`/a/b`)"), ["Any Prefix(\"/a/b\")"]);
    assert_eq!(ways("!(!Host(`a`) || !Path(`/x`))"), ["Name(\"a\") Exact(\"/x\")"]);
    let pair = vec!["(Host(`a`) || Host(`b`))"; 20].join(" && ");
    assert_eq!(ways(&pair).len(), 2);
    let many = (0..20).map(|i| format!("(Method(`A{i}`) || Method(`B{i}`))")).collect::<Vec<_>>().join(" && ");
    assert_eq!(ways(&many), ["Any Any narrowed"]);
}

#[test]
fn two_rules_meet_where_one_request_satisfies_both() {
    let meet = |a: &str, b: &str| reach::of(&http(a)).iter().any(|a| reach::of(&http(b)).iter().any(|b| a.meets(b)));
    for (a, b, wanted) in [
        ("Host(`a.b`)", "Host(`A.B`)", true),
        ("Host(`a.b`)", "Host(`c.b`)", false),
        ("Host(`a.b`)", "Host(`*.b`)", true),
        ("Host(`x.a.b`)", "Host(`*.b`)", false),
        ("Host(`a`) && PathPrefix(`/x`)", "Host(`a`) && PathPrefix(`/y`)", false),
        ("Host(`a`) && PathPrefix(`/x`)", "Host(`a`) && Path(`/x/1`)", true),
        ("Host(`a`)", "PathPrefix(`/`)", true),
        ("Host(`a`)", "HostRegexp(`.`)", true),
    ] {
        assert_eq!((meet(a, b), meet(b, a)), (wanted, wanted), "{a} {b}");
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let text = prop_oneof!["[a-z]{1,8}", "[ -~]{1,6}", "\\PC{1,4}", Just("`\"\\\r\n".to_string())];
    let leaf = prop_oneof![
        "[a-z]{1,5}(\\.[a-z]{1,3}){0,2}".prop_map(|host| Matcher { name: Name::Host, arguments: vec![host] }),
        text.clone().prop_map(|path| Matcher { name: Name::PathPrefix, arguments: vec![format!("/{path}")] }),
        (text.clone(), text).prop_map(|(a, b)| Matcher { name: Name::Header, arguments: vec![a, b] }),
    ];
    leaf.prop_map(Rule::Is).prop_recursive(4, 24, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        let flat = |rules: Vec<Rule>, all: bool| {
            rules.into_iter().flat_map(move |rule| match (rule, all) {
                (Rule::All(rules), true) | (Rule::Any(rules), false) => rules,
                (rule, _) => vec![rule],
            })
        };
        prop_oneof![
            several.clone().prop_map(move |rules| Rule::All(flat(rules, true).collect())),
            several.prop_map(move |rules| Rule::Any(flat(rules, false).collect())),
            inner.prop_map(|rule| match rule {
                Rule::Not(inner) => *inner,
                rule => Rule::Not(Box::new(rule)),
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_rule_is_the_same_rule(rule in rule()) {
        prop_assert_eq!(parse(&rule.to_string(), Protocol::Http), Ok(rule));
    }

    #[test]
    fn any_text_gets_an_answer(text in "(\\PC|[`\"()&|!,\\n]|Host|Path){0,40}") {
        let _ = parse(&text, Protocol::Http);
        let _ = parse(&text, Protocol::Tcp);
    }
}
