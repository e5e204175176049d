//! What labels may say, as a table: each key below `traefik.`, what its value is, and what holds where it is not written.
//!
//! The rows follow Traefik 3.7's dynamic configuration. Names are in lower case: keys are compared without regard to case. Keys that
//! Traefik knows but does not take from labels are here too ([`Field::by_label`]), since it refuses what stands wrongly below them.

/// The form of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Text,
    /// One of these; what Traefik does with another word.
    Word(&'static [&'static str], Otherwise),
    Bool,
    Int,
    /// 1 to 65535, kept as text.
    Port,
    /// A number of seconds, or a number with its unit.
    Duration,
    /// Texts with commas between.
    List,
    Struct(&'static [Field]),
    /// Several of them: `domains[0].main`.
    Structs(&'static [Field]),
    /// A list of which labels give exactly one: `server.port`.
    One(&'static [Field]),
    /// Names that a person chooses, each with such a value.
    Named(&'static Shape),
    /// Whatever a plugin asks for.
    Free,
}

/// What happens to a word that is none of those known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The service cannot be made, and routers that use it are off.
    Broken,
    /// Every request to the service fails.
    Fails,
    /// Traefik takes its default.
    Default,
    /// The same, and words are compared without their case.
    DefaultAnyCase,
}

/// What holds where nothing is written.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    Zero,
    Bool(bool),
    Int(i64),
    Text(&'static str),
    /// In nanoseconds.
    Duration(i64),
    List(&'static [&'static str]),
    /// The object with the defaults of its own fields.
    Object,
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    /// An object that may be switched on by `true` alone.
    pub bare: bool,
    /// Traefik takes it from labels at all.
    pub by_label: bool,
    pub default: Default,
}

impl Field {
    const fn bare(mut self) -> Field {
        self.bare = true;
        self
    }
    const fn not_by_label(mut self) -> Field {
        self.by_label = false;
        self
    }
    const fn or(mut self, default: Default) -> Field {
        self.default = default;
        self
    }
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, bare: false, by_label: true, default: Default::Zero }
}
const fn text(name: &'static str) -> Field {
    field(name, Shape::Text)
}
const fn flag(name: &'static str) -> Field {
    field(name, Shape::Bool)
}
const fn int(name: &'static str) -> Field {
    field(name, Shape::Int)
}
const fn time(name: &'static str) -> Field {
    field(name, Shape::Duration)
}
const fn list(name: &'static str) -> Field {
    field(name, Shape::List)
}
const fn object(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Shape::Struct(fields))
}
const fn objects(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Shape::Structs(fields))
}
const fn named(name: &'static str, shape: &'static Shape) -> Field {
    field(name, Shape::Named(shape))
}
const fn texts(name: &'static str) -> Field {
    field(name, Shape::Named(&Shape::Text))
}

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;

/// Everything below `traefik.`.
pub const ROOT: &[Field] = &[
    flag("enable"),
    object("docker", &[text("network"), flag("lbswarm"), flag("allownonrunning")]),
    object("http", HTTP),
    object("tcp", TCP),
    object("udp", UDP),
    object("tls", TLS),
];

const HTTP: &[Field] = &[
    named("routers", &Shape::Struct(ROUTER)),
    named("services", &Shape::Struct(SERVICE)),
    named("middlewares", &Shape::Struct(MIDDLEWARE)),
    named("models", &Shape::Struct(MODEL)),
    named("serverstransports", &Shape::Struct(SERVERS_TRANSPORT)).not_by_label(),
];

pub const ROUTER: &[Field] = &[
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

const DOMAIN: &[Field] = &[text("main"), list("sans")];

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

const ENCODED_CHARACTERS: &[Field] = &[
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

pub const SERVICE: &[Field] = &[
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

const HEALTH_AWARE: Field = object("healthcheck", &[]).bare();
const WEIGHTED_NAME: &[Field] = &[text("name"), int("weight")];
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

pub const MIDDLEWARE: &[Field] = &[
    object("addprefix", &[text("prefix")]),
    object("stripprefix", &[list("prefixes"), flag("forceslash")]),
    object("stripprefixregex", &[list("regex")]),
    object("replacepath", &[text("path")]),
    object("replacepathregex", &[text("regex"), text("replacement")]),
    object("chain", &[list("middlewares")]),
    object("ipwhitelist", &[list("sourcerange"), object("ipstrategy", IP_STRATEGY).bare()]),
    object("ipallowlist", &[list("sourcerange"), object("ipstrategy", IP_STRATEGY).bare(), int("rejectstatuscode")]),
    object("headers", HEADERS),
    object("encodedcharacters", ENCODED_CHARACTERS),
    object(
        "errors",
        &[
            list("status"),
            named("statusrewrites", &Shape::Int),
            text("service"),
            text("query"),
            list("errorrequestheaders"),
            text("nginxheaders").not_by_label(),
        ],
    ),
    object(
        "ratelimit",
        &[
            int("average"),
            time("period").or(Default::Duration(SECOND)),
            int("burst").or(Default::Int(1)),
            object("sourcecriterion", SOURCE_CRITERION),
            object("redis", REDIS),
        ],
    ),
    object("redirectregex", &[text("regex"), text("replacement"), flag("permanent"), int("statuscode").not_by_label()]),
    object(
        "redirectscheme",
        &[text("scheme"), text("port"), flag("permanent"), flag("forcepermanentredirect").not_by_label()],
    ),
    object("basicauth", USERS),
    object("digestauth", USERS),
    object("forwardauth", FORWARD_AUTH),
    object("inflightreq", &[int("amount"), object("sourcecriterion", SOURCE_CRITERION)]),
    object(
        "buffering",
        &[
            int("maxrequestbodybytes"),
            int("memrequestbodybytes"),
            int("maxresponsebodybytes"),
            int("memresponsebodybytes"),
            text("retryexpression"),
            flag("disablerequestbuffer").not_by_label(),
            flag("disableresponsebuffer").not_by_label(),
        ],
    ),
    object(
        "circuitbreaker",
        &[
            text("expression"),
            time("checkperiod").or(Default::Duration(100 * MILLISECOND)),
            time("fallbackduration").or(Default::Duration(10 * SECOND)),
            time("recoveryduration").or(Default::Duration(10 * SECOND)),
            int("responsecode").or(Default::Int(503)),
        ],
    ),
    object(
        "compress",
        &[
            list("excludedcontenttypes"),
            list("includedcontenttypes"),
            int("minresponsebodybytes"),
            list("encodings").or(Default::List(&["gzip", "br", "zstd"])),
            text("defaultencoding"),
        ],
    )
    .bare(),
    object("passtlsclientcert", &[flag("pem"), object("info", CLIENT_CERTIFICATE)]),
    object(
        "retry",
        &[
            int("attempts"),
            time("timeout"),
            time("initialinterval"),
            int("maxrequestbodybytes").or(Default::Int(2 * 1024 * 1024)),
            list("status"),
            flag("disableretryonnetworkerror"),
            flag("retrynonidempotentmethod"),
        ],
    ),
    object("contenttype", &[flag("autodetect")]).bare(),
    object("grpcweb", &[list("alloworigins")]),
    named("plugin", &Shape::Free),
    object("requestheadermodifier", HEADER_MODIFIER).not_by_label(),
    object("responseheadermodifier", HEADER_MODIFIER).not_by_label(),
    object(
        "requestredirect",
        &[text("scheme"), text("hostname"), text("port"), text("path"), text("pathprefix"), int("statuscode")],
    )
    .not_by_label(),
    object("urlrewrite", &[text("hostname"), text("path"), text("pathprefix")]).not_by_label(),
    object("authtlspasscertificatetoupstream", &[text("clientauthtype"), list("cafiles")]).not_by_label(),
    object(
        "snippet",
        &[
            text("serversnippet"),
            text("configurationsnippet"),
            object(
                "auth",
                &[text("address"), text("method"), text("snippet"), list("authresponseheaders"), text("authsigninurl")],
            ),
        ],
    )
    .not_by_label(),
    object("rewritetarget", &[text("regex"), text("replacement"), text("xforwardedprefix")]).not_by_label(),
    object("upstreamvhost", &[text("vhost"), texts("vars")]).not_by_label(),
    object("approot", &[text("path")]).not_by_label(),
];

const IP_STRATEGY: &[Field] = &[int("depth"), list("excludedips"), int("ipv6subnet")];
const SOURCE_CRITERION: &[Field] = &[object("ipstrategy", IP_STRATEGY), text("requestheadername"), flag("requesthost")];
const USERS: &[Field] = &[list("users"), text("usersfile"), text("realm"), flag("removeheader"), text("headerfield")];
const HEADER_MODIFIER: &[Field] = &[texts("set"), texts("add"), list("remove")];

const HEADERS: &[Field] = &[
    texts("customrequestheaders"),
    texts("customresponseheaders"),
    flag("accesscontrolallowcredentials"),
    list("accesscontrolallowheaders"),
    list("accesscontrolallowmethods"),
    list("accesscontrolalloworiginlist"),
    list("accesscontrolalloworiginlistregex"),
    list("accesscontrolexposeheaders"),
    int("accesscontrolmaxage"),
    flag("addvaryheader"),
    list("allowedhosts"),
    list("hostsproxyheaders"),
    texts("sslproxyheaders"),
    int("stsseconds"),
    flag("stsincludesubdomains"),
    flag("stspreload"),
    flag("forcestsheader"),
    flag("framedeny"),
    text("customframeoptionsvalue"),
    flag("contenttypenosniff"),
    flag("browserxssfilter"),
    text("custombrowserxssvalue"),
    text("contentsecuritypolicy"),
    text("contentsecuritypolicyreportonly"),
    text("publickey"),
    text("referrerpolicy"),
    text("permissionspolicy"),
    flag("isdevelopment"),
    text("featurepolicy"),
    flag("sslredirect"),
    flag("ssltemporaryredirect"),
    text("sslhost"),
    flag("sslforcehost"),
];

const REDIS: &[Field] = &[
    list("endpoints").or(Default::List(&["localhost:6379"])),
    object("tls", &[text("ca"), text("cert"), text("key"), flag("insecureskipverify")]),
    text("username"),
    text("password"),
    int("db"),
    int("poolsize"),
    int("minidleconns"),
    int("maxactiveconns"),
    time("readtimeout").or(Default::Duration(3 * SECOND)),
    time("writetimeout").or(Default::Duration(3 * SECOND)),
    time("dialtimeout").or(Default::Duration(5 * SECOND)),
];

const FORWARD_AUTH: &[Field] = &[
    text("address"),
    object("tls", &[text("ca"), text("cert"), text("key"), flag("insecureskipverify"), flag("caoptional")]),
    flag("trustforwardheader"),
    list("authresponseheaders"),
    text("authresponseheadersregex"),
    list("authrequestheaders"),
    int("maxresponsebodysize"),
    list("addauthcookiestoresponse"),
    text("headerfield"),
    flag("forwardbody"),
    int("maxbodysize").or(Default::Int(-1)),
    flag("preservelocationheader"),
    flag("preserverequestmethod"),
    text("authsigninurl"),
];

const CLIENT_CERTIFICATE: &[Field] = &[
    flag("notafter"),
    flag("notbefore"),
    flag("sans"),
    flag("serialnumber"),
    object(
        "subject",
        &[
            flag("country"),
            flag("province"),
            flag("locality"),
            flag("organization"),
            flag("organizationalunit"),
            flag("commonname"),
            flag("serialnumber"),
            flag("domaincomponent"),
        ],
    ),
    object(
        "issuer",
        &[
            flag("country"),
            flag("province"),
            flag("locality"),
            flag("organization"),
            flag("commonname"),
            flag("serialnumber"),
            flag("domaincomponent"),
        ],
    ),
];

const PEM_PAIR: &[Field] = &[text("certfile"), text("keyfile")];
const SPIFFE: &[Field] = &[list("ids"), text("trustdomain")];

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

const TCP: &[Field] = &[
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

const UDP: &[Field] = &[
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

/// Only the store `default` can be reached by labels ([`super::keys`]).
const TLS: &[Field] = &[named(
    "stores",
    &Shape::Struct(&[
        object("defaultcertificate", PEM_PAIR).not_by_label(),
        object("defaultgeneratedcert", &[text("resolver"), object("domain", DOMAIN)]),
    ]),
)];
