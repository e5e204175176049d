//! Pages as they are now, sent as they change: each message is the pieces of the page that are other than before, and htmx puts each in the place of the
//! one with its id.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::Panel;
use super::bell::BellPart;
use super::home::{
    self, AttentionPart, CardPart, Home, MachinePart, NowPart, OffPart, OthersPart, RowPart, SwitchPart, UsedPart,
    WorksPart,
};
use crate::auth::who::{Identity, Viewer};
use crate::stacks::seen::Seen;
use crate::web::Lang;
use crate::web::events::{self, Held, Message};
use crate::web::read::Query;

/// How often the figures of the machine are sent.
const FIGURES: Duration = Duration::from_secs(10);

/// Of what changes fast so often: nobody reads faster.
const CALM: Duration = Duration::from_millis(200);

/// A piece of a page.
pub struct Piece {
    /// Of its element.
    pub id: String,
    /// Its element, which begins with its id.
    pub html: String,
    /// Changes where the piece has to be sent as a whole: it has other pieces, or something around them.
    pub frame: u64,
    pub pieces: Vec<Piece>,
}

impl Piece {
    pub fn alone(id: &str, page: &impl Template, lang: Lang) -> Piece {
        let html = page.render_with_values(&lang).unwrap_or_default();
        Piece { id: id.into(), frame: hash(&html), html, pieces: Vec::new() }
    }

    /// With pieces in it. `frame`: what is in it besides them.
    pub fn around(id: &str, page: &impl Template, lang: Lang, frame: &impl Hash, pieces: Vec<Piece>) -> Piece {
        let html = page.render_with_values(&lang).unwrap_or_default();
        Piece { id: id.into(), html, frame: hash(frame), pieces }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What a row says, but for how long ago: that it is another second is no change.
fn said(row: &home::Row) -> impl Hash + '_ {
    let since = row.since.as_ref().map(|since| since.exact.as_str());
    (row.name.as_str(), row.mark.kind, row.why.as_str(), since, row.url.as_deref())
}

/// Those of a card's services.
pub(super) fn rows(card: &home::Card, lang: Lang) -> impl Iterator<Item = Piece> + '_ {
    card.rows.iter().map(move |row| Piece::around(&row.id, &RowPart { row }, lang, &said(row), Vec::new()))
}

/// The pieces of the home's page.
pub fn pieces(home: &Home) -> Vec<Piece> {
    let lang = home.shell.lang;
    let card = |card: &home::Card| {
        let ids: Vec<&str> = card.rows.iter().map(|row| row.id.as_str()).collect();
        let switch = card.switch.as_ref().map(|switch| (&switch.action, switch.key));
        Piece {
            id: card.id.clone(),
            html: CardPart { card }.render_with_values(&lang).unwrap_or_default(),
            frame: hash(&(&card.title, &card.note, switch, ids)),
            pieces: std::iter::once(Piece::alone(&format!("{}-used", card.id), &UsedPart { card }, lang))
                .chain(rows(card, lang))
                .collect(),
        }
    };
    let wrong: Vec<_> = home.attention.iter().map(said).collect();
    let works: Vec<_> = home.works.iter().map(|one| (&one.path, one.mark.kind)).collect();
    let cards: Vec<Piece> = home.cards.iter().map(card).collect();
    let ids: Vec<&str> = cards.iter().map(|card| card.id.as_str()).collect();
    let all: String = cards.iter().map(|card| card.html.as_str()).collect();
    let form = SwitchPart { switches: home.switches }.render_with_values(&lang).unwrap_or_default();
    vec![
        Piece::alone("bell", &BellPart { shell: &home.shell }, lang),
        Piece::alone("now", &NowPart { now: &home.now }, lang),
        Piece::around(
            "attention",
            &AttentionPart { attention: &home.attention, more: home.more },
            lang,
            &(wrong, home.more),
            Vec::new(),
        ),
        Piece {
            id: "cards".into(),
            html: format!("<div id=\"cards\" class=\"stack\">{form}{all}</div>"),
            frame: hash(&(ids, home.switches)),
            pieces: cards,
        },
        Piece::alone("off", &OffPart { off: &home.off }, lang),
        Piece::alone("others", &OthersPart { others: home.others }, lang),
        Piece::alone("machine", &MachinePart { machine: &home.machine }, lang),
        Piece::around("works", &WorksPart { works: &home.works }, lang, &works, Vec::new()),
    ]
}

/// What somebody has of a page: the frame of each piece.
#[derive(Default)]
pub struct Has(BTreeMap<String, u64>);

impl Has {
    /// Takes in what the page is now, and gives what is to be sent of it.
    pub fn take(&mut self, all: &[Piece]) -> String {
        let mut sent = String::new();
        for piece in all {
            if self.0.get(&piece.id) == Some(&piece.frame) {
                sent += &self.take(&piece.pieces);
            } else {
                // In the place of the one with its id (htmx: `hx-swap-oob`).
                sent += &piece.html.trim().replacen(" id=\"", " hx-swap-oob=\"true\" id=\"", 1);
                self.note(piece);
            }
        }
        sent
    }

    fn note(&mut self, piece: &Piece) {
        self.0.insert(piece.id.clone(), piece.frame);
        piece.pieces.iter().for_each(|one| self.note(one));
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct From_ {
    /// The number of the look that the page was made from.
    #[serde(default)]
    pub(super) number: u64,
}

struct Following {
    panel: Panel,
    who: Identity,
    headers: HeaderMap,
    has: Has,
    seen: watch::Receiver<Option<Arc<Seen>>>,
    moves: watch::Receiver<usize>,
    notices: watch::Receiver<u64>,
    tick: Interval,
    /// What the page shows is what there is.
    begins: bool,
}

/// What changes of the home's page, as long as somebody has it open: server-sent events named `parts`.
pub async fn follow(
    who: Viewer,
    State(panel): State<Panel>,
    Query(from): Query<From_>,
    headers: HeaderMap,
    held: Held,
) -> Response {
    let (seen, moves) = (panel.world.watch(), panel.api.works.moves());
    let mut tick = interval_at(Instant::now() + FIGURES, FIGURES);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let now = home::shown(&panel, &who, &headers).await;
    let current = seen.borrow().as_ref().map_or(0, |seen| seen.number);
    let mut has = Has::default();
    if current == from.number {
        has.take(&pieces(&now));
    }
    let end = panel.api.end_of(&who);
    let begins = current != from.number;
    let notices = panel.notices.changes();
    let following = Following { panel, who: (*who).clone(), headers, has, seen, moves, notices, tick, begins };
    events::answer_page(stream::unfold(following, next), held, end)
}

async fn next(mut at: Following) -> Option<(Message, Following)> {
    loop {
        if !std::mem::take(&mut at.begins) {
            tokio::select! {
                changed = at.seen.changed() => changed.ok()?,
                changed = at.moves.changed() => changed.ok()?,
                changed = at.notices.changed() => changed.ok()?,
                _ = at.tick.tick() => {}
            }
        }
        let now = home::shown(&at.panel, &at.who, &at.headers).await;
        let sent = at.has.take(&pieces(&now));
        if !sent.is_empty() {
            let message = Message { id: None, name: "parts".into(), data: sent.into() };
            return Some((message, at));
        }
    }
}

/// What changes of a page whenever `watch` wakes, until it ends; the first message is the whole of it. Not more often than [`CALM`].
pub fn pieces_of<T: Send + Sync + 'static>(
    watch: watch::Receiver<T>,
    make: impl Fn() -> Vec<Piece> + Send + 'static,
) -> impl Stream<Item = Message> + Send {
    stream::unfold((watch, make, Has::default(), true), |(mut watch, make, mut has, first)| async move {
        let mut wait = !first;
        loop {
            if std::mem::replace(&mut wait, true) {
                watch.changed().await.ok()?;
                tokio::time::sleep(CALM).await;
            }
            // Seen before the look: what comes after it wakes.
            watch.borrow_and_update();
            let sent = has.take(&make());
            if !sent.is_empty() {
                let message = Message { id: None, name: "parts".into(), data: sent.into() };
                return Some((message, (watch, make, has, false)));
            }
        }
    })
}

/// The same where making the pieces takes a call. `has`: what the page has already; `begins`: that is not known.
pub fn pieces_when<T: Send + Sync + 'static, R: Future<Output = Vec<Piece>> + Send>(
    watch: watch::Receiver<T>,
    has: Has,
    begins: bool,
    make: impl Fn() -> R + Send + 'static,
) -> impl Stream<Item = Message> + Send {
    stream::unfold((watch, make, has, begins), |(mut watch, make, mut has, mut begins)| async move {
        loop {
            if !std::mem::take(&mut begins) {
                watch.changed().await.ok()?;
                tokio::time::sleep(CALM).await;
            }
            watch.borrow_and_update();
            let sent = has.take(&make().await);
            if !sent.is_empty() {
                let message = Message { id: None, name: "parts".into(), data: sent.into() };
                return Some((message, (watch, make, has, false)));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::samples;

    #[test]
    fn only_what_has_changed_is_sent_and_each_piece_has_its_place() {
        let mut home = samples::home(20);
        let mut has = Has::default();
        let whole = has.take(&pieces(&home));
        for id in ["bell", "now", "attention", "cards", "off", "others", "machine", "works"] {
            assert!(whole.contains(&format!("hx-swap-oob=\"true\" id=\"{id}\"")), "{id}");
        }
        assert_eq!(has.take(&pieces(&home)), "");
        home.cards[0].rows[1].why = "it ended with 1".into();
        let sent = has.take(&pieces(&home));
        let id = &home.cards[0].rows[1].id;
        assert!(sent.starts_with(&format!("<li hx-swap-oob=\"true\" id=\"{id}\"")) && sent.matches("<li").count() == 1);
        home.cards[0].note = "another".into();
        assert!(has.take(&pieces(&home)).starts_with("<section hx-swap-oob"));
        home.cards.remove(0);
        assert!(has.take(&pieces(&home)).starts_with("<div hx-swap-oob=\"true\" id=\"cards\""));
        assert_eq!(has.take(&pieces(&home)), "");
    }
}
