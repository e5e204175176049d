//! Documents of this project as markup. They are our own words, and still nothing in them is taken for markup of its own.

use std::collections::BTreeMap;

use askama::Template;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::web::asset;

/// A document as markup, for a page.
#[derive(Debug)]
pub struct Markup {
    /// Its first heading, as text.
    pub title: String,
    pub html: String,
}

/// Pictures are those of the guide, which are in the program; of others their words are left. `leads`: where a link of the text leads here; to what is not served there is none, and its words stand alone.
pub fn markup(text: &str, leads: impl Fn(&str) -> Option<String>) -> Markup {
    let mut events: Vec<Event> = Parser::new_ext(text, Options::ENABLE_TABLES).map(plain).collect();
    let title = name_headings(&mut events);
    let mut kept = true;
    // The picture that is being read, and the words that stand for it so far.
    let mut picture: Option<(String, String)> = None;
    let events = events.into_iter().filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let to = leads(&dest_url);
            kept = to.is_some();
            to.map(|to| Event::Start(Tag::Link { link_type, dest_url: to.into(), title, id }))
        }
        Event::End(TagEnd::Link) => kept.then_some(Event::End(TagEnd::Link)),
        Event::Start(Tag::Image { dest_url, .. }) => {
            picture = Some((dest_url.into_string(), String::new()));
            None
        }
        Event::End(TagEnd::Image) => {
            let (file, words) = picture.take()?;
            Some(shown(&file, &words).map_or(Event::Text(words.into()), |html| Event::InlineHtml(html.into())))
        }
        Event::Text(text) if picture.is_some() => {
            picture.iter_mut().for_each(|(_, words)| words.push_str(&text));
            None
        }
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    Markup { title, html: out }
}

/// A picture of the guide as an element. Its name says how large it is, `home.1280x800.webp`, so that nothing moves when it comes.
fn shown(file: &str, words: &str) -> Option<String> {
    let name = file.strip_prefix("pictures/")?;
    let path = asset(name)?;
    let (width, height) = name.strip_suffix(".webp")?.rsplit_once('.')?.1.split_once('x')?;
    let (width, height): (u16, u16) = (width.parse().ok()?, height.parse().ok()?);
    Picture { path, words, width, height }.render().ok()
}

/// An element of a page.
#[derive(Template)]
#[template(
    source = "<img src=\"{{ path }}\" alt=\"{{ words }}\" width=\"{{ width }}\" height=\"{{ height }}\" loading=\"lazy\">",
    ext = "html"
)]
struct Picture<'a> {
    path: &'a str,
    words: &'a str,
    width: u16,
    height: u16,
}

/// What would be markup is text.
fn plain(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        other => other,
    }
}

/// Gives each heading the name by which links lead to it. The text of the first of the first level is given back.
fn name_headings(events: &mut [Event<'_>]) -> String {
    let (mut title, mut seen) = (String::new(), BTreeMap::<String, usize>::new());
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let within = events[at + 1..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let text: String = within
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let name = slug(&text);
        let before = seen.entry(name.clone()).or_default();
        let unique = if *before == 0 { name } else { format!("{name}-{before}") };
        *before += 1;
        if let Event::Start(Tag::Heading { level, id, .. }) = &mut events[at] {
            *id = Some(CowStr::from(unique));
            if *level == HeadingLevel::H1 && title.is_empty() {
                title = text;
            }
        }
    }
    title
}

/// As Git hosts make an anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_markup_with_named_headings_and_links_that_lead_somewhere() {
        let text =
            "# One `two`\n\n[a](b.md#c) and [gone](d.md)\n\n## Over\n\n## Over\n\n| a | b |\n|---|---|\n| `x` | y |\n";
        let made = markup(text, |link| link.strip_prefix("b.md").map(|rest| format!("/docs/b{rest}")));
        assert_eq!(made.title, "One two");
        for part in [
            "<h1 id=\"one-two\">One <code>two</code></h1>",
            "<a href=\"/docs/b#c\">a</a> and gone",
            "<h2 id=\"over\">",
            "<h2 id=\"over-1\">",
            "<td><code>x</code></td>",
        ] {
            assert!(made.html.contains(part), "{part}: {}", made.html);
        }
    }

    #[test]
    fn nothing_in_a_document_is_markup_of_its_own() {
        let made = markup("<script>x</script>\n\na <b onclick=x>b</b> ![p](//evil/x.png)\n\n`<i>`\n", |_| None);
        for part in ["<script", "<b ", "<img", "<i>", "<a"] {
            assert!(!made.html.contains(part), "{part}: {}", made.html);
        }
    }
}
