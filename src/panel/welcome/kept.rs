//! What the setup remembers between its steps: a small file in the home's state, so that it goes on after a restart and in another browser.

use std::path::Path;

use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use crate::base::files;
use crate::panel::Panel;
use crate::web::Refusal;

const FILE: &str = "state/setup.json";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    #[default]
    Machine,
    Way,
    Found,
    Profiles,
    Plan,
    Work,
    /// What answers now.
    Done,
    /// Somebody has said that it is done.
    Over,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub step: Step,
    /// What was chosen.
    pub profiles: Vec<String>,
    pub plan: Option<String>,
    pub work: Option<String>,
}

impl Kept {
    /// One that cannot be read is begun anew: nothing of the home depends on it.
    pub fn read(panel: &Panel) -> Kept {
        let path = panel.api.works.setting().home.join(FILE);
        files::read_text(&path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Changes what is remembered, and leads to the step that it is at then.
    pub fn change(panel: &Panel, change: impl FnOnce(&mut Kept)) -> Response {
        let mut kept = Kept::read(panel);
        change(&mut kept);
        match kept.write(panel) {
            Ok(()) => Redirect::to(kept.step.path()).into_response(),
            Err(refused) => refused,
        }
    }

    /// Remembers that it has begun.
    pub fn begin(panel: &Panel) -> Result<(), Response> {
        match panel.api.works.setting().home.join(FILE).exists() {
            true => Ok(()),
            false => Kept::default().write(panel),
        }
    }

    pub fn write(&self, panel: &Panel) -> Result<(), Response> {
        let home = panel.api.home().map_err(|refused| crate::web::Refusals::from(refused).into_response())?;
        let text = serde_json::to_string(self).unwrap_or_default();
        let written = home.folder().and_then(|folder| folder.write(Path::new(FILE), &text, 0o600));
        written.map_err(|told| Refusal(told).into_response())
    }

    /// Whether there is something to go on with.
    pub fn waits(panel: &Panel) -> bool {
        let begun = panel.api.works.setting().home.join(FILE).exists();
        match begun {
            true => Kept::read(panel).step != Step::Over,
            false => {
                panel.api.home().is_ok_and(|home| home.config.profiles.is_empty() && home.config.adopted.is_empty())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_remembered_is_read_and_what_is_broken_is_begun_anew() {
        let read = |text: &str| serde_json::from_str::<Kept>(text).unwrap_or_default();
        assert_eq!(read(r#"{"step": "profiles"}"#).step, Step::Profiles);
        assert_eq!(read("{").step, Step::Machine);
        let kept = Kept { step: Step::Plan, profiles: vec!["media".into()], plan: Some("x".into()), work: None };
        assert_eq!(read(&serde_json::to_string(&kept).unwrap()), kept);
    }
}
