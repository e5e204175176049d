//! HTTP: routers and services, and what stands beside them.

use super::middleware::MIDDLEWARE;
use super::*;

pub(super) const HTTP: &[Field] = &[
    named("routers", &Shape::Struct(ROUTER)),
    named("services", &Shape::Struct(SERVICE)),
    named("middlewares", &Shape::Struct(MIDDLEWARE)),
    named("models", &Shape::Struct(MODEL)),
    named("serverstransports", &Shape::Struct(SERVERS_TRANSPORT)).not_by_label(),
];

const ROUTER: &[Field] = &[
    list("entrypoints"),
    list("middlewares"),
    text("service"),
    text("rule"),
    list("parentrefs").not_by_label(),
    text("rulesyntax"),
    int("priority"),
    object("tls", ROUTER_TLS).bare(),
    object("observability", OBSERVABILITY),
    flag("defaultrule").not_by_label(),
    object("deniedencodedpathcharacters", ENCODED_CHARACTERS).not_by_label(),
];

const ROUTER_TLS: &[Field] =
    &[text("options"), text("resolvedoptions").not_by_label(), text("certresolver"), objects("domains", DOMAIN)];

pub(super) const DOMAIN: &[Field] = &[text("main"), list("sans")];

const OBSERVABILITY: &[Field] = &[
    flag("accesslogs"),
    flag("metrics"),
    flag("tracing"),
    field("traceverbosity", Shape::Word(&["minimal", "detailed"], Otherwise::Default)).or(Default::Text("minimal")),
    object("metadata", METADATA).not_by_label(),
];

const METADATA: &[Field] =
    &[object("ingress", &[text("namespace"), text("ingressname"), text("servicename"), text("serviceport")])
        .not_by_label()];

pub(super) const ENCODED_CHARACTERS: &[Field] = &[
    flag("allowencodedslash"),
    flag("allowencodedbackslash"),
    flag("allowencodednullcharacter"),
    flag("allowencodedsemicolon"),
    flag("allowencodedpercent"),
    flag("allowencodedquestionmark"),
    flag("allowencodedhash"),
];

const MODEL: &[Field] = &[
    list("middlewares"),
    object("tls", ROUTER_TLS).bare(),
    // Held by value in Traefik, so that its defaults do not come in.
    object(
        "observability",
        &[
            flag("accesslogs"),
            flag("metrics"),
            flag("tracing"),
            text("traceverbosity"),
            object("metadata", METADATA).not_by_label(),
        ],
    )
    .or(Default::Object),
    object("deniedencodedpathcharacters", ENCODED_CHARACTERS).not_by_label(),
    text("defaultrulesyntax").not_by_label(),
];

const SERVICE: &[Field] = &[
    list("middlewares"),
    object("loadbalancer", LOAD_BALANCER),
    object("highestrandomweight", &[objects("services", WEIGHTED_NAME), HEALTH_AWARE]).not_by_label(),
    object("weighted", &[objects("services", WEIGHTED_SERVICE), object("sticky", STICKY), HEALTH_AWARE]).not_by_label(),
    object(
        "mirroring",
        &[
            text("service"),
            flag("mirrorbody"),
            int("maxbodysize"),
            objects("mirrors", &[text("name"), int("percent")]),
            HEALTH_AWARE,
        ],
    )
    .not_by_label(),
    object(
        "failover",
        &[
            text("service"),
            text("fallback"),
            HEALTH_AWARE,
            object("errors", &[int("maxrequestbodybytes"), list("status")]),
        ],
    )
    .not_by_label(),
];

pub(super) const HEALTH_AWARE: Field = object("healthcheck", &[]).bare();
pub(super) const WEIGHTED_NAME: &[Field] = &[text("name"), int("weight")];
const WEIGHTED_SERVICE: &[Field] = &[
    text("name"),
    int("weight"),
    texts("headers").not_by_label(),
    int("status").not_by_label(),
    object("grpcstatus", &[int("code"), text("msg")]).not_by_label(),
];

const LOAD_BALANCER: &[Field] = &[
    object("sticky", STICKY).bare(),
    field("server", Shape::One(SERVER)),
    field("strategy", Shape::Word(&["wrr", "p2c", "hrw", "leasttime"], Otherwise::Broken)).or(Default::Text("wrr")),
    object("healthcheck", HEALTH_CHECK),
    object(
        "passivehealthcheck",
        &[time("failurewindow").or(Default::Duration(10 * SECOND)), int("maxfailedattempts").or(Default::Int(1))],
    ),
    flag("passhostheader").or(Default::Bool(true)),
    object("responseforwarding", &[time("flushinterval").or(Default::Duration(100 * MILLISECOND))]).or(Default::Object),
    text("serverstransport"),
    text("nginxupstreamhashby").not_by_label(),
];

const STICKY: &[Field] = &[object("cookie", COOKIE).bare()];
const COOKIE: &[Field] = &[
    text("name"),
    flag("secure"),
    flag("httponly"),
    field("samesite", Shape::Word(&["none", "lax", "strict"], Otherwise::DefaultAnyCase)),
    int("maxage"),
    text("path").or(Default::Text("/")),
    text("domain"),
    int("expires").not_by_label(),
];

const SERVER: &[Field] = &[
    text("url"),
    int("weight"),
    flag("preservepath"),
    flag("fenced").not_by_label(),
    field("scheme", Shape::Word(&["http", "https", "h2c"], Otherwise::Fails)),
    field("port", Shape::Port),
];

const HEALTH_CHECK: &[Field] = &[
    field("scheme", Shape::Word(&["http", "https", "h2c"], Otherwise::Fails)),
    field("mode", Shape::Word(&["http", "grpc"], Otherwise::Default)).or(Default::Text("http")),
    text("path"),
    text("method"),
    int("status"),
    int("port"),
    time("interval").or(Default::Duration(30 * SECOND)),
    time("unhealthyinterval"),
    time("timeout").or(Default::Duration(5 * SECOND)),
    text("hostname"),
    flag("followredirects").or(Default::Bool(true)),
    texts("headers"),
];

pub(super) const PEM_PAIR: &[Field] = &[text("certfile"), text("keyfile")];
pub(super) const SPIFFE: &[Field] = &[list("ids"), text("trustdomain")];

const SERVERS_TRANSPORT: &[Field] = &[
    text("servername"),
    flag("insecureskipverify"),
    list("rootcas"),
    objects("certificates", PEM_PAIR),
    list("ciphersuites"),
    text("minversion"),
    text("maxversion"),
    int("maxidleconnsperhost"),
    object(
        "forwardingtimeouts",
        &[
            time("dialtimeout"),
            time("responseheadertimeout"),
            time("idleconntimeout"),
            time("readidletimeout"),
            time("pingtimeout"),
            time("readtimeout"),
            time("writetimeout"),
        ],
    ),
    flag("disablehttp2"),
    text("peercerturi"),
    object("spiffe", SPIFFE).bare(),
];
