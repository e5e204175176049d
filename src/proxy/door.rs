//! The way in, as the room of stacks needs it: made ready before anything starts.

use super::content::{self, Values};
use super::place::{Owner, Place};
use super::{certificates, judge, names};
use crate::cli::{Failure, Out};
use crate::diag::{Diagnostics, Severity};
use crate::plan::observed::Observed;
use crate::plan::wanted::Wanted;
use crate::stacks::FrontDoor;
use crate::stacks::home::{Home, Read};
use crate::traefik::file::{self, Content};

/// Hearth's own front door.
pub struct Door;

impl FrontDoor for Door {
    fn make_ready(&self, home: &Home, read: &Read, out: &Out) -> Result<(), Failure> {
        let mut told = Diagnostics::default();
        let written = publish(home, read, &mut told)?;
        told.0.iter().for_each(|d| out.diagnostic(d, &read.sources));
        if told.0.iter().any(|d| d.severity == Severity::Error) {
            return Err(Failure::Code(told.exit_code().max(1)));
        }
        if written && !out.json {
            out.say("wrote what Traefik reads (state/traefik)");
        }
        Ok(())
    }

    fn judge(&self, home: &Home, read: &Read, wanted: &Wanted, observed: &Observed) -> Diagnostics {
        judge::judge(home, read, wanted, observed)
    }
}

/// Writes what Traefik reads for this home as it is now. Gives whether that changed. Mistakes are in `told`; then nothing was written.
pub fn publish(home: &Home, read: &Read, told: &mut Diagnostics) -> Result<bool, Failure> {
    let values = Values::of(home)?;
    let routes = content::resolved(&read.rendered.routes, &values, told);
    let domain = values.domain().unwrap_or_default();
    names::judge(&domain, &routes, told);
    if told.has_errors() {
        return Ok(false);
    }
    let place = Place::make(&home.dir, owner(&values))?;
    let sets = names::sets(&domain, &routes);
    let mut notes = Vec::new();
    let certificates = certificates::of(home, read, &domain, &sets, &mut notes)?;
    notes.into_iter().for_each(|d| told.push(d));
    let lan = content::lan(home, read);
    let text = file::render(&Content {
        routes: &routes,
        https_port: home.config.traefik.https,
        lan: &lan,
        certificates: &certificates.pairs,
        default: certificates.pairs.first(),
        inner: certificates.inner.as_ref(),
        hsts: certificates.public,
    });
    Ok(place.write(&text)?)
}

/// Traefik's user, as the rendered file says it.
fn owner(values: &Values) -> Owner {
    let number = |name: &str| values.get(name).and_then(|text| text.parse().ok()).unwrap_or(1000);
    Owner { uid: number("PUID"), gid: number("PGID") }
}
