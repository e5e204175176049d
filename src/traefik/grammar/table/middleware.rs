//! Middlewares of HTTP.

use super::http::ENCODED_CHARACTERS;
use super::*;

pub(super) const MIDDLEWARE: &[Field] = &[
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
