//! Profiles closed over needs: whatever is on, all that it needs is on too, so that Compose never meets
//! "depends on undefined service".

use super::Spec;
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Gives every needed service the profiles of those that need it. A service that is always on makes what it needs always on,
/// which is told, since a profile that was written no longer turns it off.
pub(super) fn close(spec: &mut Spec, diagnostics: &mut Diagnostics) {
    loop {
        let mut changed = false;
        for index in 0..spec.services.len() {
            let Some((name, service)) = spec.services.get_index(index) else { continue };
            let (name, profiles) = (name.clone(), service.profiles.clone());
            let required = service.needs.iter().filter(|n| n.is_required());
            let needs: Vec<(String, Span)> = required.map(|n| (n.service.clone(), n.span)).collect();
            for (needed, span) in needs {
                let Some(other) = spec.services.get_mut(&needed).filter(|o| !o.profiles.is_empty()) else { continue };
                if profiles.is_empty() {
                    diagnostics.push(always_on(&name, &needed, span, other.key));
                    other.profiles.clear();
                    changed = true;
                    continue;
                }
                let mut new: Vec<String> = profiles.iter().filter(|p| !other.profiles.contains(p)).cloned().collect();
                new.sort();
                new.dedup();
                changed |= !new.is_empty();
                other.profiles.extend(new);
            }
        }
        if !changed {
            break;
        }
    }
    for service in spec.services.values_mut() {
        let written = service.profiles.iter().filter(|p| service.written_profiles.contains(p)).cloned();
        let mut all: Vec<String> = written.collect();
        let mut added: Vec<String> =
            service.profiles.iter().filter(|p| !service.written_profiles.contains(p)).cloned().collect();
        added.sort();
        all.append(&mut added);
        service.profiles = all;
    }
}

fn always_on(name: &str, needed: &str, span: Span, other: Span) -> Diagnostic {
    let title = format!("`{needed}` is always on now, whatever its profiles: `{name}` has no profile and needs it");
    Diagnostic::warning("lint.always-on", title)
        .at(span)
        .field(format!("services.{name}"))
        .related(other, format!("the profiles of `{needed}` have no effect"))
        .hint(format!("give `{name}` a profile, or write required: false where it can do without"))
}
