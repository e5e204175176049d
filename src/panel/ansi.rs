//! What a program wrote for a terminal, made safe for a page: colours become classes, all else that would act on a terminal is dropped.

use serde::Serialize;
use serde::ser::Serializer;

/// A piece of a line in one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Classes of the style sheet: `a1` to `a15` a colour, `b0` to `b15` one behind the text, `ab` bold, `ad` faint, `ai` slanted, `au` underlined. Nothing else.
    pub class: String,
    pub text: String,
}

impl Serialize for Part {
    /// Short, since a script reads thousands of them in a second: the text alone, or class and text.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.class.is_empty() {
            true => to.serialize_str(&self.text),
            false => (&self.class, &self.text).serialize(to),
        }
    }
}

/// What is left of a text, bit by bit.
enum Bit<'t> {
    Char(char),
    /// Parameters of SGR (ECMA-48, 8.3.117).
    Look(&'t str),
}

/// Reads a text as a terminal would: escape sequences (ECMA-48, 5.4) and control characters but the tab come to nothing, except for looks.
fn read(text: &str, mut take: impl FnMut(Bit<'_>)) {
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // CSI: until its final byte.
                Some((at, '[')) => {
                    let end = chars.find(|(_, c)| ('@'..='~').contains(c));
                    if let Some((end, 'm')) = end {
                        take(Bit::Look(text.get(at + 1..end).unwrap_or_default()));
                    }
                }
                // OSC, DCS, PM, APC, SOS: until BEL or ST.
                Some((_, ']' | 'P' | '^' | '_' | 'X')) => {
                    while let Some((_, c)) = chars.next() {
                        let ends = c == '\u{1b}' && chars.next_if(|(_, c)| *c == '\\').is_some();
                        if c == '\u{7}' || c == '\u{9c}' || ends {
                            break;
                        }
                    }
                }
                // Two characters, with others in between that say which set is meant.
                Some((_, ' '..='/')) => {
                    chars.next();
                }
                _ => {}
            },
            '\t' => take(Bit::Char(c)),
            // What turns the direction of a line is for no log.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => take(Bit::Char(c)),
        }
    }
}

/// The text alone.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    read(text, |bit| {
        if let Bit::Char(c) = bit {
            plain.push(c);
        }
    });
    plain
}

/// The text in pieces of one look each.
pub fn parts(text: &str) -> Vec<Part> {
    let (mut parts, mut look) = (Vec::new(), Look::default());
    let mut current = Part::default();
    read(text, |bit| match bit {
        Bit::Char(c) => current.text.push(c),
        Bit::Look(parameters) => {
            look.take(parameters);
            let class = look.class();
            if class != current.class {
                let before = std::mem::replace(&mut current, Part { class, text: String::new() });
                parts.extend(Some(before).filter(|part| !part.text.is_empty()));
            }
        }
    });
    parts.extend(Some(current).filter(|part| !part.text.is_empty()));
    parts
}

/// How text looks from here on.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    text: Option<u8>,
    behind: Option<u8>,
    bold: bool,
    faint: bool,
    slanted: bool,
    underlined: bool,
    swapped: bool,
}

impl Look {
    fn take(&mut self, parameters: &str) {
        let mut all = parameters.split([';', ':']).map(|one| if one.is_empty() { Some(0) } else { one.parse().ok() });
        while let Some(one) = all.next() {
            match one {
                Some(0) => *self = Look::default(),
                Some(1) => self.bold = true,
                Some(2) => self.faint = true,
                Some(3) => self.slanted = true,
                Some(4) => self.underlined = true,
                Some(7) => self.swapped = true,
                Some(22) => (self.bold, self.faint) = (false, false),
                Some(23) => self.slanted = false,
                Some(24) => self.underlined = false,
                Some(27) => self.swapped = false,
                Some(n @ 30..=37) => self.text = u8::try_from(n - 30).ok(),
                Some(38) => self.text = colour(&mut all),
                Some(39) => self.text = None,
                Some(n @ 40..=47) => self.behind = u8::try_from(n - 40).ok(),
                Some(48) => self.behind = colour(&mut all),
                Some(49) => self.behind = None,
                Some(n @ 90..=97) => self.text = u8::try_from(n - 82).ok(),
                Some(n @ 100..=107) => self.behind = u8::try_from(n - 92).ok(),
                _ => {}
            }
        }
    }

    fn class(&self) -> String {
        let (text, behind) = match self.swapped {
            true => (None, self.text.or(Some(8))),
            false => (self.text, self.behind),
        };
        let colours = [text.map(|n| format!("a{n}")), behind.map(|n| format!("b{n}"))];
        let flags = [(self.bold, "ab"), (self.faint, "ad"), (self.slanted, "ai"), (self.underlined, "au")];
        let flags = flags.into_iter().filter(|(on, _)| *on).map(|(_, class)| class.to_owned());
        colours.into_iter().flatten().chain(flags).collect::<Vec<_>>().join(" ")
    }
}

/// After 38 or 48: one of 256 colours, or red, green and blue; the nearest of the sixteen that can be read on every page.
fn colour(all: &mut impl Iterator<Item = Option<u32>>) -> Option<u8> {
    let mut byte = || all.next().flatten().and_then(|n| u8::try_from(n).ok());
    match byte()? {
        5 => match byte()? {
            n @ 0..=15 => Some(n),
            n @ 16..=231 => {
                let side = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
                let n = n - 16;
                Some(nearest([side(n / 36), side(n / 6 % 6), side(n % 6)]))
            }
            grey => Some(nearest([8 + (grey - 232) * 10; 3])),
        },
        2 => Some(nearest([byte()?, byte()?, byte()?])),
        _ => None,
    }
}

/// As terminals show the sixteen.
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

fn nearest(colour: [u8; 3]) -> u8 {
    let distance =
        |other: &[u8; 3]| -> u32 { colour.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum() };
    (0u8..).zip(SIXTEEN).min_by_key(|(_, other)| distance(other)).map_or(7, |(n, _)| n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_22_what_is_for_a_terminal_does_nothing_in_a_page() {
        for (text, wanted) in [
            ("\u{1b}[31mred\u{1b}[0m and plain", "red and plain"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\u{1b}(Bb\u{1b}Mc", "abc"),
            ("\u{1b}[2J\u{1b}[H\rdone\u{8}\u{0}\t!", "done\t!"),
            ("\u{1b}P1;2|abc\u{1b}\\x", "x"),
            ("\u{202e}gnp.exe", "gnp.exe"),
            ("cut \u{1b}[", "cut "),
        ] {
            assert_eq!(plain(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn colours_become_classes_that_every_page_has() {
        let told =
            |text: &str| parts(text).iter().map(|p| format!("{}={}", p.class, p.text)).collect::<Vec<_>>().join(",");
        for (text, wanted) in [
            ("plain", "=plain"),
            ("\u{1b}[1;31mbad\u{1b}[0m good", "a1 ab=bad,= good"),
            ("\u{1b}[93mbright\u{1b}[39m\u{1b}[42mbehind", "a11=bright,b2=behind"),
            ("\u{1b}[38;5;196mred\u{1b}[38;2;10;20;240mblue", "a9=red,a4=blue"),
            ("\u{1b}[38:2:255:255:255mwhite\u{1b}[m.", "a15=white,=."),
            ("\u{1b}[7mswapped\u{1b}[27;4mlined", "b8=swapped,au=lined"),
            ("\u{1b}[38;5mcut\u{1b}[999;-1mx", "=cutx"),
            ("\u{1b}[2Jgone\u{1b}[31m", "=gone"),
        ] {
            assert_eq!(told(text), wanted, "{text:?}");
        }
        assert_eq!(serde_json::to_string(&parts("\u{1b}[31m<b>\u{1b}[0mx")).unwrap(), r#"[["a1","<b>"],"x"]"#);
    }

    proptest! {
        #[test]
        fn nothing_of_a_log_line_is_a_control_character(text in "(\\PC|\u{1b}\\[[0-9;:]{0,8}[mHJ]|\u{1b}[\\]PX(]|[\u{0}-\u{1f}]){0,24}") {
            let plain = plain(&text);
            prop_assert!(plain.chars().all(|c| c == '\t' || !c.is_control()));
            prop_assert!(plain.len() <= text.len());
            let parts = parts(&text);
            prop_assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), plain);
            for part in parts {
                prop_assert!(part.class.split(' ').all(|class| class.is_empty() || class.chars().all(|c| c.is_ascii_alphanumeric()) && class.len() < 4));
            }
        }
    }
}
