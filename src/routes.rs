//! Every URL on one page, with who may call it.
//!
//! A row is method, address, permission, handler. `anyone`: whoever it is; `user`: anybody signed in; `person`: the same, not by an API token; the roles are those of [`auth::who`]. What is `early` is
//! answered before the home is set up too: the way to its first admin, and what is the same in every home, as the documentation. Plain HTTP has the rows of [`open`] only, and leads everything else to HTTPS.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::response::Response;

use crate::about;
use crate::auth::accounts::Auth;
use crate::auth::audit::Log;
use crate::auth::forward::{self, Forward};
use crate::auth::json as people;
use crate::auth::oidc::{self, Oidc};
use crate::auth::page::{again, cookies, forms, keys};
use crate::auth::passkeys::{self, Passkeys};
use crate::auth::routed::Routes;
use crate::auth::table::Table;
use crate::auth::table::stay::HEAVY;
use crate::certs;
use crate::doctor;
use crate::notices::{self, Notices};
use crate::panel::{self, Panel, account as own};
use crate::proxy::{self, Ways};
use crate::stacks;
use crate::stacks::json as work;
use crate::web::read;
use crate::{calls, pages};

/// What handlers work with; each takes the part that is its own.
#[derive(Clone, FromRef)]
pub struct App {
    pub auth: Arc<Auth>,
    pub routed: Routes,
    pub audit: Log,
    pub forward: Arc<Forward>,
    pub pages: Arc<forms::Pages>,
    pub desk: Arc<keys::Desk>,
    pub oidc: Arc<Oidc>,
    pub passkeys: Arc<Passkeys>,
    pub ways: Arc<Ways>,
    pub about: Arc<about::state::State>,
    pub trust: certs::page::Trust,
    pub challenge: certs::page::Challenge,
    pub docs: Arc<about::docs::Docs>,
    pub stacks: stacks::json::Api,
    pub certs: certs::json::Api,
    pub panel: Panel,
    pub notices: Notices,
}

/// Where anybody may look whether Hearth lives.
pub const HEALTH: &str = "/health";

/// Below it is what programs call.
pub const API: &str = "/api/";

/// Who looks there is told so however busy it is.
pub const OUT_OF_TURN: &[&str] = &[HEALTH];

/// All rows that are answered over HTTPS.
pub fn table() -> Table<App> {
    let mut table = Table::default();
    open(&mut table);
    table.early(|early| {
        calls! { early:
            GET "/health" Anyone => about::json::health;
        }
    });
    other_ways_in(&mut table);
    table.early(|early| {
        pages! { early:
            GET "/setup" Anyone => forms::setup;
            POST "/setup" Anyone => forms::set_up;
            GET "/docs" Anyone => about::docs::page;
            GET "/api/v1/openapi.json" Anyone => about::docs::openapi;
            GET "/docs/errors" Anyone => about::docs::errors;
            GET "/docs/guide" Anyone => about::docs::guides;
            GET "/docs/guide/{page}" Anyone => about::docs::guide;
        }
    });
    pages! { table:
        GET "/login" Anyone => forms::login;
        POST "/login" Anyone => forms::sign_in;
        GET "/login/second" Anyone => again::to_login;
        POST "/login/second" Anyone => forms::second;
        GET "/second-factor" Anyone => own::factor::show;
        POST "/second-factor" Anyone => own::factor::begin;
        GET "/second-factor/confirm" Anyone => again::to_second_factor;
        POST "/second-factor/confirm" Anyone => own::factor::confirm;
        GET "/register" Anyone => forms::register;
        POST "/register" Anyone => forms::make_account;
        GET "/invitation" Anyone => forms::invitation;
        POST "/invitation" Anyone => forms::make_account;
        GET "/password" User => own::password::show;
        POST "/password" Person => own::password::change;
        POST "/logout" User => forms::logout;
        GET "/signed-out" Anyone => forms::signed_out;
        GET "/cookies" Anyone => cookies::show;
        POST "/cookies" Anyone => cookies::clear;
    }
    // The first leads from the panel to a service, the second out; the others are on every host with a login.
    pages! { table:
        GET "/go" Anyone => forward::page::go;
        GET "/logout" Anyone => forward::page::ask_logout;
        GET "/.well-known/hearth/callback" Anyone => forward::page::callback;
        GET "/.well-known/hearth/logout" Anyone => forward::page::to_logout;
        POST "/.well-known/hearth/logout" Anyone => forward::page::logout;
    }
    calls! { table:
        GET "/api/v1/info" Anyone => about::json::info;
    }
    pages! { table:
        GET "/" Anyone => panel::home::index;
        GET "/services" User => panel::tiles::mine;
        POST "/theme" User => panel::shell::choose;
        GET "/routes" Viewer => panel::reach::show;
        GET "/doctor" Viewer => panel::health::show;
        GET "/search" Viewer => panel::search::search;
        GET "/found" Viewer => panel::found::list;
        GET "/found/{name}" Viewer => panel::found::one;
        POST "/found/{name}/adopt" Admin => panel::found::adopt;
        POST "/found/{name}/leave" Admin => panel::found::leave;
        POST "/found/{name}/undo" Admin => panel::found::undo;
        GET "/welcome" Admin => panel::welcome::go_on;
        GET "/welcome/machine" Admin => panel::welcome::machine;
        POST "/welcome/machine" Admin => panel::welcome::leave_machine;
        GET "/welcome/way" Admin => panel::welcome::way;
        POST "/welcome/way" Admin => panel::welcome::choose_way;
        POST "/welcome/authority" Admin => panel::welcome::authority;
        GET "/welcome/found" Admin => panel::welcome::found;
        POST "/welcome/found" Admin => panel::welcome::leave_found;
        GET "/welcome/profiles" Admin => panel::welcome::choose;
        POST "/welcome/profiles" Admin => panel::welcome::chosen;
        GET "/welcome/again" Admin => panel::welcome::go_on;
        POST "/welcome/again" Admin => panel::welcome::make;
        GET "/welcome/plan" Admin => panel::welcome::plan;
        POST "/welcome/plan" Admin => panel::welcome::apply;
        GET "/welcome/work" Admin => panel::welcome::work;
        POST "/welcome/work" Admin => panel::welcome::answers;
        GET "/welcome/done" Admin => panel::welcome::done;
        POST "/welcome/done" Admin => panel::welcome::end;
        GET "/images" Viewer => panel::storage::images;
        GET "/volumes" Viewer => panel::storage::volumes;
        GET "/networks" Viewer => panel::storage::networks;
        POST "/storage/plan" Admin => panel::storage::plan;
        GET "/storage/plans/{id}" Viewer => panel::storage::one;
        POST "/storage/plans/{id}/apply" Admin => panel::storage::apply;
        GET "/profiles/{name}" Viewer => panel::profile::one;
        POST "/profiles/{name}/plan" Operator => panel::plan::of_profile;
        POST "/profiles/{name}/on" Operator => panel::profile::on;
        POST "/profiles/{name}/off" Operator => panel::profile::off;
        GET "/services/{name}" Viewer => panel::service::one;
        GET "/services/{name}/way" Viewer => panel::service::way;
        POST "/services/{name}/invite" Admin => panel::service::invite;
        GET "/services/{name}/terminal" Operator => panel::service::terminal::show;
        GET "/services/{name}/log" Viewer => panel::service::log_page;
        POST "/services/{name}/start" Operator => panel::service::start;
        POST "/services/{name}/stop" Operator => panel::service::stop;
        POST "/services/{name}/restart" Operator => panel::service::restart;
        POST "/services/{name}/pull" Operator => panel::service::pull;
        POST "/services/{name}/update" Operator => panel::service::update;
        POST "/services/{name}/recreate" Operator => panel::service::recreate;
        POST "/services/{name}/route" Admin => panel::service::route;
        GET "/bulk/stop" Operator => panel::bulk::ask;
        POST "/bulk/start" Operator => panel::bulk::start;
        POST "/bulk/restart" Operator => panel::bulk::restart;
        POST "/bulk/stop" Operator => panel::bulk::stop;
        GET "/plans/{id}" Viewer => panel::plan::one;
        POST "/plans/{id}/apply" Operator => panel::plan::apply;
        POST "/plans/{id}/discard" Operator => panel::plan::discard;
        GET "/stacks" Viewer => panel::stack::list;
        POST "/stacks" Admin => panel::stack::create;
        GET "/stacks/new" Admin => panel::stack::new;
        GET "/stacks/{name}" Admin => panel::stack::one;
        POST "/stacks/{name}" Admin => panel::stack::act;
        POST "/stacks/{name}/delete" Admin => panel::stack::delete;
        GET "/stacks/{name}/history" Admin => panel::stack::history::list;
        GET "/stacks/{name}/history/{id}" Admin => panel::stack::history::one;
        POST "/stacks/{name}/history/{id}" Admin => panel::stack::history::restore;
        GET "/variables" Admin => panel::variables::list;
        POST "/variables" Admin => panel::variables::add;
        POST "/variables/{name}" Admin => panel::variables::change;
        POST "/variables/secrets/{name}" Admin => panel::variables::change_file;
        GET "/works" Viewer => panel::work::list;
        GET "/works/{id}" Viewer => panel::work::one;
        GET "/about" User => panel::about::show;
        GET "/notifications" User => panel::bell::list;
        POST "/notifications" User => panel::bell::act;
        GET "/audit" User => panel::audit::show;
        GET "/audit/verify" Admin => panel::audit::verify;
        GET "/settings" Admin => panel::settings::list;
        GET "/settings/{key}" Admin => panel::settings::show;
        POST "/settings/{key}" Admin => panel::settings::act;
        GET "/people" Admin => panel::people::list;
        POST "/people" Admin => panel::people::add;
        GET "/people/new" Admin => panel::people::new;
        GET "/people/{id}" Admin => panel::people::person::show;
        POST "/people/{id}" Admin => panel::people::person::act;
        GET "/groups" Admin => panel::people::groups::overview;
        POST "/groups" Admin => panel::people::groups::make;
        GET "/groups/{name}" Admin => panel::people::groups::show;
        POST "/groups/{name}" Admin => panel::people::groups::act;
        GET "/invitations" Admin => panel::people::invitations::overview;
        POST "/invitations" Admin => panel::people::invitations::make;
        POST "/invitations/{id}" Admin => panel::people::invitations::act;
        POST "/works/{id}/cancel" Operator => panel::work::cancel;
        GET "/history/{id}" Viewer => panel::work::past_one;
    }
    table.streams(1, |table| {
        pages! { table:
            GET "/live" Viewer => panel::live::follow;
            GET "/profiles/{name}/live" Viewer => panel::profile::follow;
            GET "/services/{name}/live" Viewer => panel::service::changes;
            GET "/works/{id}/live" Viewer => panel::work::follow;
        }
    });
    table.streams(HEAVY, |table| {
        pages! { table:
            GET "/services/{name}/log/lines" Viewer => panel::service::log_lines;
            GET "/services/{name}/log/file" Viewer => panel::service::log_file;
        }
    });
    of_people(&mut table);
    of_stacks(&mut table);
    calls! { table:
        GET "/api/v1/routes" Viewer => proxy::json::list;
        GET "/api/v1/certificates" Viewer => certs::json::list;
        POST "/api/v1/certificates/renew" Admin => certs::json::renew;
        POST "/api/v1/certificates/new-ca" Admin => certs::json::new_authority;
        GET "/api/v1/doctor" Viewer => doctor::json::look_around;
        GET "/api/v1/notifications" User => notices::json::list;
        POST "/api/v1/notifications/read" User => notices::json::mark;
    }
    table
}

/// Accounts: one's own, and all of them.
fn of_people(table: &mut Table<App>) {
    table.early(|early| {
        calls! { early:
            POST "/api/v1/setup" Anyone => people::setup::set_up;
        }
    });
    calls! { table:
        POST "/api/v1/auth/login" Anyone => people::login::login;
        POST "/api/v1/auth/refresh" Anyone => people::login::refresh;
        POST "/api/v1/auth/register" Anyone => people::login::register;
        POST "/api/v1/auth/logout" Person => people::login::logout;
        GET "/api/v1/auth/me" User => people::me::me;
        PATCH "/api/v1/auth/me" Person => people::me::change;
        POST "/api/v1/auth/password" Person => people::me::password;
        GET "/api/v1/auth/second-factor" User => people::second_factor::show;
        POST "/api/v1/auth/second-factor/begin" Anyone => people::second_factor::begin;
        POST "/api/v1/auth/second-factor/confirm" Anyone => people::second_factor::confirm;
        POST "/api/v1/auth/second-factor/codes" Person => people::second_factor::codes;
        POST "/api/v1/auth/second-factor/off" Person => people::second_factor::off;
        GET "/api/v1/sessions" User => people::sessions::list;
        DELETE "/api/v1/sessions" Person => people::sessions::end_all;
        DELETE "/api/v1/sessions/{id}" Person => people::sessions::end;
        GET "/api/v1/tokens" User => people::tokens::list;
        POST "/api/v1/tokens" Person => people::tokens::add;
        DELETE "/api/v1/tokens/{id}" Person => people::tokens::end;
        GET "/api/v1/auth/users/{id}" Admin => people::users::show_as_homeserver;
        GET "/api/v1/users" Admin => people::users::list;
        POST "/api/v1/users" Admin => people::users::add;
        GET "/api/v1/users/{id}" Admin => people::users::show;
        PATCH "/api/v1/users/{id}" Admin => people::users::change;
        DELETE "/api/v1/users/{id}" Admin => people::users::remove;
        PUT "/api/v1/users/{id}/password" Admin => people::users::password;
        DELETE "/api/v1/users/{id}/second-factor" Admin => people::users::second_factor_off;
        GET "/api/v1/users/{id}/sessions" Admin => people::sessions::of_user;
        DELETE "/api/v1/users/{id}/sessions" Admin => people::sessions::end_of_user;
        DELETE "/api/v1/users/{id}/sessions/{session}" Admin => people::ways::end_session;
        GET "/api/v1/users/{id}/second-factor" Admin => people::ways::second_factor;
        GET "/api/v1/users/{id}/tokens" Admin => people::ways::tokens;
        DELETE "/api/v1/users/{id}/tokens/{token}" Admin => people::ways::end_token;
        GET "/api/v1/users/{id}/passkeys" Admin => people::ways::passkeys;
        DELETE "/api/v1/users/{id}/passkeys/{key}" Admin => people::ways::take_passkey;
        GET "/api/v1/users/{id}/oidc" Admin => people::ways::links;
        DELETE "/api/v1/users/{id}/oidc" Admin => people::ways::unlink;
        GET "/api/v1/groups" Admin => people::groups::list;
        POST "/api/v1/groups" Admin => people::groups::add;
        GET "/api/v1/groups/{name}" Admin => people::groups::show;
        PATCH "/api/v1/groups/{name}" Admin => people::groups::change;
        DELETE "/api/v1/groups/{name}" Admin => people::groups::remove;
        GET "/api/v1/invitations" Admin => people::invitations::list;
        POST "/api/v1/invitations" Admin => people::invitations::add;
        DELETE "/api/v1/invitations/{id}" Admin => people::invitations::end;
        GET "/api/v1/audit" User => people::audit::list;
        GET "/api/v1/audit/export" User => people::audit::take;
        GET "/api/v1/audit/verify" Admin => people::audit::look;
        POST "/api/auth/login" Anyone => people::baluhost::login;
    }
}

/// What runs, what should, and what was done. Verbs that take their time are answered with a work.
fn of_stacks(table: &mut Table<App>) {
    calls! { table:
        GET "/api/v1/profiles" Viewer => stacks::json::profiles::list;
        GET "/api/v1/profiles/{name}" Viewer => stacks::json::profiles::one;
        POST "/api/v1/profiles/{name}/enable" Operator => stacks::json::profiles::enable;
        POST "/api/v1/profiles/{name}/disable" Operator => stacks::json::profiles::disable;
        GET "/api/v1/services" Viewer => stacks::json::services::list;
        GET "/api/v1/services/{name}" Viewer => stacks::json::services::one;
        GET "/api/v1/services/{name}/route" Admin => stacks::json::route::show;
        PUT "/api/v1/services/{name}/route" Admin => stacks::json::route::set;
        DELETE "/api/v1/services/{name}/route" Admin => stacks::json::route::remove;
        GET "/api/v1/containers" Viewer => stacks::json::containers::list;
        GET "/api/v1/containers/{id}" Viewer => stacks::json::containers::one;
        GET "/api/v1/containers/{id}/logs" Viewer => stacks::json::logs::last;
        POST "/api/v1/containers/{id}/exec" Operator => stacks::json::exec::ask;
        POST "/api/v1/up" Operator => stacks::json::verbs::up;
        POST "/api/v1/down" Operator => stacks::json::verbs::down;
        POST "/api/v1/start" Operator => stacks::json::verbs::start;
        POST "/api/v1/stop" Operator => stacks::json::verbs::stop;
        POST "/api/v1/restart" Operator => stacks::json::verbs::restart;
        POST "/api/v1/pull" Operator => stacks::json::verbs::pull;
        POST "/api/v1/update" Operator => stacks::json::verbs::update;
        POST "/api/v1/mode" Admin => stacks::json::verbs::mode;
        POST "/api/v1/plans" Operator => stacks::json::plans::make;
        GET "/api/v1/plans" Viewer => stacks::json::plans::list;
        GET "/api/v1/plans/{id}" Viewer => stacks::json::plans::one;
        DELETE "/api/v1/plans/{id}" Operator => stacks::json::plans::discard;
        POST "/api/v1/plans/{id}/apply" Operator => stacks::json::plans::apply;
        GET "/api/v1/works" Viewer => stacks::json::works::list;
        GET "/api/v1/works/{id}" Viewer => stacks::json::works::one;
        POST "/api/v1/works/{id}/cancel" Operator => stacks::json::works::cancel;
        GET "/api/v1/history" Viewer => stacks::json::history::list;
        GET "/api/v1/history/{id}" Viewer => stacks::json::history::one;
        GET "/api/v1/projects" Viewer => stacks::json::adoption::list;
        GET "/api/v1/projects/{name}" Viewer => stacks::json::adoption::one;
        GET "/api/v1/projects/{name}/adoption" Admin => stacks::json::adoption::preview;
        POST "/api/v1/projects/{name}/adopt" Admin => stacks::json::adoption::adopt;
        DELETE "/api/v1/projects/{name}/adopt" Admin => stacks::json::adoption::release;
        PUT "/api/v1/projects/{name}/left-alone" Admin => stacks::json::adoption::leave;
        DELETE "/api/v1/projects/{name}/left-alone" Admin => stacks::json::adoption::think_again;
        GET "/api/v1/loose-containers" Viewer => stacks::json::loose::list;
        GET "/api/v1/images" Viewer => stacks::json::storage::images::list;
        GET "/api/v1/volumes" Viewer => stacks::json::storage::volumes::list;
        GET "/api/v1/networks" Viewer => stacks::json::storage::networks::list;
        POST "/api/v1/prune" Admin => stacks::json::storage::plan;
        GET "/api/v1/stacks" Viewer => stacks::json::stacks::list;
        GET "/api/v1/stacks/{name}" Admin => stacks::json::stacks::one;
        PUT "/api/v1/stacks/{name}" Admin => stacks::json::stacks::save;
        DELETE "/api/v1/stacks/{name}" Admin => stacks::json::stacks::delete;
        POST "/api/v1/stacks/{name}/validate" Admin => stacks::json::stacks::validate;
        POST "/api/v1/stacks/{name}/plan" Admin => stacks::json::plans::draft;
        GET "/api/v1/stacks/{name}/history" Admin => stacks::json::versions::list;
        GET "/api/v1/stacks/{name}/history/{id}" Admin => stacks::json::versions::one;
        POST "/api/v1/stacks/{name}/history/{id}/restore" Admin => stacks::json::versions::restore;
        GET "/api/v1/variables" Admin => stacks::json::variables::list;
        PUT "/api/v1/variables/{name}" Admin => stacks::json::variables::set;
        DELETE "/api/v1/variables/{name}" Admin => stacks::json::variables::unset;
        PUT "/api/v1/secrets/{name}" Admin => stacks::json::variables::write_file;
        GET "/api/v1/settings" Admin => stacks::json::settings::all;
        PUT "/api/v1/settings" Admin => stacks::json::settings::save;
        GET "/api/v1/settings/{key}" Admin => stacks::json::settings::key;
        PUT "/api/v1/settings/{key}" Admin => stacks::json::settings::set;
        DELETE "/api/v1/settings/{key}" Admin => stacks::json::settings::unset;
    }
    table.streams(1, |table| {
        calls! { table:
            GET "/api/v1/events" Viewer => stacks::json::live::follow;
            GET "/api/v1/works/{id}/events" Viewer => stacks::json::works::events;
        }
    });
    table.streams(HEAVY, |table| {
        calls! { table:
            GET "/api/v1/containers/{id}/logs/stream" Viewer => stacks::json::logs::follow;
            GET "/api/v1/containers/{id}/stats" Viewer => stacks::json::containers::stats;
            GET "/api/v1/containers/{id}/exec" Operator => stacks::json::exec::open;
        }
    });
}

/// What is answered over plain HTTP too: it is asked for by who cannot trust us yet.
pub fn open(table: &mut Table<App>) {
    table.early(|early| {
        pages! { early:
            GET "/trust" Anyone => certs::page::trust;
            GET "/trust/hearth-ca.crt" Anyone => certs::page::pem;
            GET "/trust/hearth-ca.der" Anyone => certs::page::der;
            GET "/trust/hearth-ca.mobileconfig" Anyone => certs::page::mobileconfig;
            GET "/.well-known/acme-challenge/{token}" Anyone => certs::page::challenge;
            GET "/favicon.ico" Anyone => about::page::no_icon;
        }
    });
}

/// Signing in by the home's provider of accounts and by passkeys, and what somebody has of both.
fn other_ways_in(table: &mut Table<App>) {
    table.early(|early| {
        pages! { early:
            GET "/static/passkeys.js" Anyone => keys::script;
            GET "/static/{file}" Anyone => about::page::file;
        }
    });
    pages! { table:
        GET "/login/oidc" Anyone => oidc::page::begin;
        GET "/login/oidc/callback" Anyone => oidc::page::callback;
        GET "/login/oidc/second" Anyone => again::to_login;
        POST "/login/oidc/second" Anyone => oidc::page::second;
        GET "/account" User => own::show;
        POST "/account" Person => own::act;
        GET "/account/passkeys/{id}" User => again::to_account;
        POST "/account/passkeys/{id}" User => own::change_key;
        GET "/account/second-factor/codes" User => again::to_account;
        POST "/account/second-factor/codes" User => own::factor::new_codes;
        GET "/account/second-factor/off" User => again::to_account;
        POST "/account/second-factor/off" User => own::factor::turn_off;
        GET "/account/provider" User => again::to_account;
        POST "/account/provider" User => own::change_link;
    }
    calls! { table:
        GET "/api/v1/auth/oidc" User => oidc::json::show;
        POST "/api/v1/auth/oidc/link" Person => oidc::json::link;
        DELETE "/api/v1/auth/oidc/link" Person => oidc::json::unlink;
        GET "/api/v1/auth/passkeys" User => passkeys::json::list;
        POST "/api/v1/auth/passkeys" Person => passkeys::json::add;
        POST "/api/v1/auth/passkeys/begin" Person => passkeys::json::begin;
        PATCH "/api/v1/auth/passkeys/{id}" Person => passkeys::json::rename;
        DELETE "/api/v1/auth/passkeys/{id}" Person => passkeys::json::remove;
        POST "/api/v1/auth/passkeys/login" Anyone => passkeys::json::login;
        POST "/api/v1/auth/passkeys/login/begin" Anyone => passkeys::json::begin_login;
    }
}

/// Reads bytes as one body; the refusal, where they are none.
pub type Reads = fn(&[u8]) -> Option<Response>;

/// Every body of JSON that a call takes, by its name in the description of the API. For fuzzing: a unit test holds that none is left out.
pub fn bodies() -> Vec<(String, Reads)> {
    macro_rules! bodies {
        ($($body:ty),* $(,)?) => {
            vec![$((<$body as utoipa::ToSchema>::name().into_owned(), (|bytes| read::json::<$body>(bytes).err()) as Reads)),*]
        };
    }
    bodies![
        people::setup::SetupRequest,
        people::login::LoginRequest,
        people::login::RefreshRequest,
        people::login::RegisterRequest,
        people::me::MeChange,
        people::me::PasswordChange,
        people::second_factor::BeginRequest,
        people::second_factor::ConfirmRequest,
        people::second_factor::CodeRequest,
        people::tokens::ApiTokenRequest,
        people::users::UserRequest,
        people::users::UserChange,
        people::users::PasswordRequest,
        people::groups::GroupRequest,
        people::groups::GroupChange,
        people::invitations::InvitationRequest,
        oidc::json::LinkRequest,
        passkeys::json::BeginRequest,
        passkeys::json::NewPasskey,
        passkeys::json::PasskeyName,
        passkeys::json::PasskeyLogin,
        work::exec::Asked,
        work::verbs::Up,
        work::verbs::Down,
        work::verbs::Services,
        work::verbs::Timed,
        work::verbs::Update,
        work::verbs::Switch,
        work::stacks::Text,
        work::stacks::Save,
        work::route::Set,
        work::versions::Restore,
        work::variables::Text,
        work::settings::Text,
        work::settings::New,
        work::adoption::Asked,
        work::plans::Asked,
        work::plans::Apply,
        stacks::storage::Prune,
        work::profiles::Asked,
        certs::json::Renew,
        notices::json::Read,
        certs::json::NewAuthority,
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use futures_util::FutureExt;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    /// A description that leads nowhere is none: clients made from it cannot be built.
    #[test]
    fn everything_that_openapi_names_is_in_it() {
        fn names(value: &serde_json::Value, all: &mut BTreeSet<String>) {
            match value {
                serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| match value.as_str() {
                    Some(name) if key == "$ref" => drop(all.insert(name.to_owned())),
                    _ => names(value, all),
                }),
                serde_json::Value::Array(list) => list.iter().for_each(|value| names(value, all)),
                _ => {}
            }
        }
        let api = serde_json::to_value(table().openapi("1")).unwrap();
        let mut all = BTreeSet::new();
        names(&api, &mut all);
        assert!(all.len() > 50);
        let lost: Vec<_> = all.iter().filter(|name| api.pointer(name.trim_start_matches('#')).is_none()).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    /// The audit says in words what was done, by whatever way it was.
    #[test]
    fn every_row_that_changes_something_has_a_sentence_in_the_audit() {
        // What a page does by calls of the API is entered by their names.
        let by_calls = [
            "account.",
            "own.",
            "people.",
            "person.",
            "groups.",
            "invitations.",
            "settings.act",
            "bell.act",
            "factor.",
            "service.invite",
        ];
        let table = table();
        let rows = table.entries().filter(|entry| entry.changes()).map(|entry| entry.name.as_str());
        let own = rows.filter(|name| !by_calls.iter().any(|begin| name.starts_with(begin)));
        let lost: Vec<&str> = own.filter(|name| !crate::panel::audit::sentence::is_known(name)).collect();
        assert!(lost.is_empty(), "{lost:?}");
    }

    /// What is named beside the table is a row of it.
    #[test]
    fn anybody_may_look_whether_hearth_lives() {
        let table = table();
        let entry = table.entries().find(|entry| entry.path == HEALTH).unwrap();
        assert!(entry.early && !entry.changes() && entry.who == crate::auth::who::Who::Anyone);
        assert!(table.entries().any(|entry| entry.path.starts_with(API)));
    }

    /// One of two would be described as the other.
    #[test]
    fn no_two_types_have_one_name_in_openapi() {
        let table = table();
        let mut known = BTreeMap::new();
        for (name, schema) in table.schemas() {
            assert!(**known.entry(name).or_insert(schema) == *schema, "two types are named {name}");
        }
        assert!(known.len() > 80);
        let mut names: Vec<String> = bodies().into_iter().map(|(name, _)| name).collect();
        names.sort();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused_in_words(
            which in any::<proptest::sample::Index>(),
            body in "\\PC{0,40}|[{}\\[\\]\",:0-9a-z]{0,40}|\\{\"(username|password|names|text|name|role)\":[\\[\\]{}\",:0-9a-z-]{0,12}\\}",
        ) {
            let all = bodies();
            let (name, reads) = &all[which.index(all.len())];
            if let Some(refusal) = reads(body.as_bytes()) {
                prop_assert!([400, 422].contains(&refusal.status().as_u16()), "{}", name);
                let told = refusal.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
                let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
                let title = told["error"]["title"].as_str().unwrap();
                prop_assert!(!title.is_empty() && !title.chars().any(char::is_control) && told["error"]["code"].is_string(), "{}: {}", name, told);
            }
        }
    }

    #[test]
    fn every_body_of_the_api_is_known_by_name() {
        let api = serde_json::to_value(table().openapi("1")).unwrap();
        let operations = api["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
        let named = operations.filter_map(|operation| {
            let named = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
            Some(named.rsplit('/').next().unwrap_or_default().to_owned())
        });
        let (named, known): (BTreeSet<String>, BTreeSet<String>) =
            (named.collect(), bodies().into_iter().map(|(name, _)| name).collect());
        assert!(named.len() > 20, "{named:?}");
        assert_eq!(named, known);
    }
}
