//! What handlers of the rooms work with, put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::auth::table::Doorkeeper;
use crate::base::clock::Clock;
use crate::certs;
use crate::engine::{Host, fake};
use crate::proxy;
use crate::stacks::Home;
use crate::stacks::json::Api;
use crate::stacks::works::{Setting, Works};

/// For the room of stacks. With `DOCKER_HOST=memory:` in `env` its engine is the test double, which begins empty.
pub fn of_stacks(
    home: &Home,
    env: &BTreeMap<String, String>,
    clock: Arc<dyn Clock>,
    keeper: Arc<dyn Doorkeeper>,
) -> Api {
    let double = env.get("DOCKER_HOST").is_some_and(|host| host == fake::ADDRESS);
    let double = double.then(|| Arc::new(fake::Double::default()) as Arc<dyn Host>);
    if double.is_some() {
        tracing::warn!("the engine is the one in memory, a test double: nothing really runs");
    }
    let setting = Setting { home: home.dir.clone(), environment: Arc::new(env.clone()), double, clock };
    Api::new(Works::new(setting), Arc::new(proxy::Door), keeper)
}

/// For the room of certificates.
pub fn of_certs(stacks: Api) -> certs::json::Api {
    certs::json::Api { stacks, front: Arc::new(proxy::Door), changed: Arc::new(proxy::cli::refresh) }
}
