//! The other ways in: a provider of accounts and passkeys, put together from what the home says.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::auth::accounts::Auth;
use crate::auth::oidc::{self, Oidc};
use crate::auth::own_name::OwnName;
use crate::auth::page::keys::Desk;
use crate::auth::passkeys::{self, Passkeys};
use crate::auth::place::Place;
use crate::base::clock::Clock;
use crate::base::random::SystemRandom;
use crate::base::secret::Secret;
use crate::config::oidc::SECRET;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::Home;
use crate::store::Db;
use crate::web::outside::{Outside, Reach, trust};

/// Where names count: at the panel's name in a home with a domain, else at its own on this machine.
pub fn place(home: &Home, domain: Option<&str>, own: &OwnName, https: &[SocketAddr]) -> Place {
    match domain {
        Some(domain) => Place::of_domain(domain, home.config.traefik.https),
        None => Place::of_machine(own, https.first().map_or(443, SocketAddr::port)),
    }
}

/// All that a page about them needs.
pub fn desk(
    home: &Home,
    place: Place,
    auth: &Arc<Auth>,
    db: &Db,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Desk>, Diagnostic> {
    let (auth, clock) = (auth.clone(), clock.clone());
    let parts = passkeys::Parts {
        auth: auth.clone(),
        db: db.clone(),
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        place: place.clone(),
    };
    let passkeys = Arc::new(Passkeys::open(parts)?);
    let oidc = Oidc::open(oidc::Parts {
        auth: auth.clone(),
        db: db.clone(),
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        place,
        settings: home.config.people.oidc.clone(),
        secret: home.env_values()?.get(SECRET).map(|value| Secret::new(value.as_str())),
        outside: outside(home)?,
        folder: &home.dir.join("state/auth"),
    });
    Ok(Arc::new(Desk { auth, clock, passkeys, oidc: Arc::new(oidc) }))
}

/// To a provider: for it the machine's roots are trusted, the home's own authority, and the private one that it names for certificates. Nobody leads into
/// the networks of the home's services.
fn outside(home: &Home) -> Result<Outside, Diagnostic> {
    let own = Some(home.dir.join("state/ca/root.pem")).filter(|path| path.is_file());
    let named = home.config.certificates.roots.as_ref().map(|file| home.dir.join(file));
    let files: Vec<PathBuf> = own.into_iter().chain(named).collect();
    let files: Vec<&std::path::Path> = files.iter().map(PathBuf::as_path).collect();
    let tls = trust::roots(&files).map_err(|(file, why)| {
        let title = match file {
            Some(file) => format!("the roots in {file} cannot be used ({why})"),
            None => format!("TLS cannot be set up: {why}"),
        };
        Diagnostic::error("serve.bad-roots", title)
            .kind(Kind::Failed)
            .hint("`certificates: {roots: ...}` names a file with the root certificates of a private authority, in PEM")
    })?;
    let inner = home.config.networks.to_string().parse().into_iter().collect();
    Ok(Outside::new(tls, Reach { inner }))
}
