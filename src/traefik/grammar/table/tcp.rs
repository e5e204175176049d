//! TCP and UDP.

use super::http::{DOMAIN, HEALTH_AWARE, PEM_PAIR, SPIFFE, WEIGHTED_NAME};
use super::*;

pub(super) const TCP: &[Field] = &[
    named("routers", &Shape::Struct(TCP_ROUTER)),
    named("services", &Shape::Struct(TCP_SERVICE)),
    named("middlewares", &Shape::Struct(TCP_MIDDLEWARE)),
    named("models", &Shape::Struct(&[text("defaultrulesyntax").not_by_label()])).not_by_label(),
    named("serverstransports", &Shape::Struct(TCP_SERVERS_TRANSPORT)).not_by_label(),
];

const TCP_ROUTER: &[Field] = &[
    list("entrypoints"),
    list("middlewares"),
    text("service"),
    text("rule"),
    text("rulesyntax"),
    int("priority"),
    object("tls", &[flag("passthrough"), text("options"), text("certresolver"), objects("domains", DOMAIN)]).bare(),
];

const TCP_SERVICE: &[Field] = &[
    object(
        "loadbalancer",
        &[
            field("server", Shape::One(&[text("address").not_by_label(), field("port", Shape::Port), flag("tls")])),
            text("serverstransport"),
            PROXY_PROTOCOL,
            int("terminationdelay"),
            object(
                "healthcheck",
                &[
                    int("port"),
                    text("send"),
                    text("expect"),
                    time("interval").or(Default::Duration(30 * SECOND)),
                    time("unhealthyinterval"),
                    time("timeout").or(Default::Duration(5 * SECOND)),
                ],
            )
            .bare(),
        ],
    ),
    object("weighted", &[objects("services", WEIGHTED_NAME), HEALTH_AWARE]).not_by_label(),
];

const PROXY_PROTOCOL: Field = object("proxyprotocol", &[int("version").or(Default::Int(2))]).bare();

const TCP_MIDDLEWARE: &[Field] = &[
    object("inflightconn", &[int("amount")]),
    object("ipwhitelist", &[list("sourcerange")]),
    object("ipallowlist", &[list("sourcerange")]),
];

const TCP_SERVERS_TRANSPORT: &[Field] = &[
    time("dialkeepalive"),
    time("dialtimeout"),
    PROXY_PROTOCOL,
    time("terminationdelay"),
    object(
        "tls",
        &[
            text("servername"),
            flag("insecureskipverify"),
            list("rootcas"),
            objects("certificates", PEM_PAIR),
            text("peercerturi"),
            object("spiffe", SPIFFE).bare(),
        ],
    )
    .bare(),
];

pub(super) const UDP: &[Field] = &[
    named("routers", &Shape::Struct(&[list("entrypoints"), text("service")])),
    named(
        "services",
        &Shape::Struct(&[
            object(
                "loadbalancer",
                &[field("server", Shape::One(&[text("address").not_by_label(), field("port", Shape::Port)]))],
            ),
            object("weighted", &[objects("services", WEIGHTED_NAME)]).not_by_label(),
        ]),
    ),
];
