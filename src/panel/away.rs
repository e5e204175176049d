//! That the engine does not answer, above what pages show of it from before.

use askama::Template;

use super::live::Piece;
use crate::base::wording;
use crate::stacks::seen::Seen;
use crate::web::Lang;
use crate::web::lang::filters;

/// `panel/away.html`, as a piece of an open page.
#[derive(Template)]
#[template(path = "panel/away.html")]
struct AwayPart<'a> {
    away: &'a Option<String>,
}

/// Why it does not, and what that means for what is shown; `None`: it answers.
pub fn words(seen: &Seen, lang: Lang) -> Option<String> {
    let told = seen.away.as_ref()?;
    Some(lang.with("home-away-words", [("told", wording::sentence(&told.title).into())]))
}

pub fn piece(away: &Option<String>, lang: Lang) -> Piece {
    Piece::alone("away", &AwayPart { away }, lang)
}
