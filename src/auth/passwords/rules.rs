//! Which passwords are taken: long enough, and not among those that are tried first.
//!
//! Length is what counts (NIST SP 800-63B); no kinds of characters are asked for. What is refused is what a list of guesses begins with:
//! listed words with digits and signs around them, walks over the keyboard, sequences, repetitions, dates, and what stands in the account.

use crate::diag::Diagnostic;

/// Characters that a password has at least and at most.
pub const SHORTEST: usize = 10;
pub const LONGEST: usize = 256;

/// What the documentation of the API shows; refused, since whoever reads it knows it.
pub const EXAMPLE: &str = "a sentence of your own";

/// Words that passwords are made of, one a line, sorted; letters only, as they are after [`plain`].
const WORDS: &str = include_str!("words.txt");

/// Whose password it is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    pub name: &'a str,
    pub email: &'a str,
}

/// Refuses what is too short, too long, or among the first that are tried.
pub fn judge(password: &str, about: About<'_>) -> Result<(), Diagnostic> {
    let password = &*super::form::of(password);
    let length = password.chars().count();
    let told = |title: String| {
        Err(Diagnostic::error("auth.password", title)
            .field("password")
            .hint("take a sentence that only you would say, or four words that have nothing to do with each other"))
    };
    if length < SHORTEST {
        return told(format!("the password is shorter than {SHORTEST} characters"));
    }
    if length > LONGEST {
        return told(format!("the password is longer than {LONGEST} characters"));
    }
    let lower = password.to_lowercase();
    let mut own = vec![about.name, about.email];
    own.extend(about.email.split('@').next());
    for known in own.into_iter().filter(|known| known.chars().count() >= 4) {
        // Somebody called `anna` may well write of a `savanna`: only a short rest is no password of its own.
        let known = known.to_lowercase();
        if lower.contains(&known) && length - known.chars().count() < SHORTEST {
            return told("the password holds the user name or e-mail address, and little else".into());
        }
    }
    if lower == EXAMPLE {
        return told("the password is the example of the documentation".into());
    }
    match guessable(&lower) {
        Some(why) => told(format!("the password is among those that are tried first: it is {why}")),
        None => Ok(()),
    }
}

/// Why a password, in lower case, is guessed soon; `None` where nothing speaks against it.
fn guessable(lower: &str) -> Option<&'static str> {
    let chars: Vec<char> = lower.chars().collect();
    if chars.iter().all(|c| !c.is_alphanumeric()) && variety(&chars) < 5 {
        return Some("a few signs repeated");
    }
    let letterless = !chars.iter().any(|c| c.is_alphabetic());
    if letterless && chars.iter().any(char::is_ascii_digit) && chars.len() < 16 {
        return Some("a number");
    }
    if (1..=4).any(|period| chars.len() >= 2 * period && chars.iter().skip(period).zip(&chars).all(|(a, b)| a == b)) {
        return Some("a repetition");
    }
    if covered(&chars, walks, 4) {
        return Some("a sequence, or a walk over the keyboard");
    }
    if !letterless && [false, true].into_iter().any(|l| is_of_words(&plain(lower, l))) {
        return Some("made of one or two common words");
    }
    None
}

fn variety(chars: &[char]) -> usize {
    chars.iter().collect::<std::collections::BTreeSet<_>>().len()
}

/// Whether runs that `is` accepts, each at least `least` long, are all of it but three characters.
fn covered(chars: &[char], is: impl Fn(&[char]) -> bool, least: usize) -> bool {
    let (mut at, mut left) = (0, 0);
    while at < chars.len() {
        let longest = (at + least..=chars.len()).rev().find(|end| is(&chars[at..*end]));
        match longest {
            Some(end) => at = end,
            None => {
                at += 1;
                left += 1;
            }
        }
    }
    left <= 3
}

/// Neighbours all the way, in one direction: of the alphabet, of the digits, or of a row or column of keys.
fn walks(run: &[char]) -> bool {
    const ROWS: [&str; 12] = [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890",
        "`1234567890-=",
        "!@#$%^&*()_+",
        "qwertyuiop[]",
        "asdfghjkl;'",
        "zxcvbnm,./",
        "qwertzuiopü",
        "asdfghjklöä",
        "yxcvbnm,.-",
        "azertyuiop",
        "qsdfghjklm",
    ];
    const COLUMNS: [&str; 1] = ["1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/"];
    let text: String = run.iter().collect();
    let back: String = run.iter().rev().collect();
    ROWS.iter().chain(&COLUMNS).any(|row| row.contains(&text) || row.contains(&back))
}

/// Letters only: signs and digits that stand for letters are read as those, others fall away. `l`: a `1` is an l, not an i.
fn plain(lower: &str, l: bool) -> String {
    // Digits at either end are a year or a number, no letters.
    let inner = lower.trim_matches(|c: char| !c.is_alphabetic());
    let letter = |c: char| match c {
        '0' => Some('o'),
        '1' | '!' | '|' => Some(if l { 'l' } else { 'i' }),
        '3' | '€' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' | '+' => Some('t'),
        '8' => Some('b'),
        '9' => Some('g'),
        c if c.is_alphabetic() => Some(c),
        _ => None,
    };
    inner.chars().filter_map(letter).collect()
}

/// Whether it is nothing, or at most two listed words, or the same one again and again, with up to two letters more.
fn is_of_words(plain: &str) -> bool {
    let words = |text: &str| text.is_empty() || is_listed(text);
    let cuts = || (0..=plain.len()).filter(|at| plain.is_char_boundary(*at));
    if plain.chars().count() <= 2 || words(plain) {
        return true;
    }
    for a in cuts() {
        let (first, rest) = plain.split_at(a);
        if is_listed(first) {
            let again = rest.replace(first, "");
            if again.chars().count() <= 2 {
                return true;
            }
        }
        for b in cuts().filter(|b| *b >= a) {
            let (middle, last) = (&plain[a..b], &plain[b..]);
            // Two words, a word and two letters on either side.
            let extra = |text: &str| text.chars().count() <= 2;
            if extra(first) && is_listed(middle) && words(last)
                || words(first) && is_listed(middle) && extra(last)
                || words(first) && extra(middle) && is_listed(last)
            {
                return true;
            }
        }
    }
    false
}

fn is_listed(word: &str) -> bool {
    use std::sync::OnceLock;
    static LIST: OnceLock<Vec<&str>> = OnceLock::new();
    word.len() >= 3 && LIST.get_or_init(|| WORDS.lines().collect()).binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANNA: About<'_> = About { name: "anna", email: "anna.berg@example.org" };

    #[test]
    fn what_is_tried_first_is_refused() {
        for password in [
            "short",
            "123456789",
            "1234567890",
            "0987654321",
            "01012000010120",
            "aaaaaaaaaaaa",
            "abababababab",
            "password12",
            "Password123!",
            "P@ssw0rd123",
            "passwordpassword",
            "qwertyuiop",
            "qwertzuiop123",
            "1qaz2wsx3edc",
            "asdfghjkl123",
            "abcdefghijkl",
            "iloveyou2024",
            "ilovefootball",
            "letmein12345",
            "Sommer2024!!",
            "sunshine!sunshine",
            "!!!!!!!!!!!!",
            "2024-password",
            "administrator1",
            "changeme123",
            "homeserver1234",
            "anna.berg@example.org",
            "anna.berg1",
            "hearthhearth",
        ] {
            assert_eq!(judge(password, ANNA).map_err(|d| d.code), Err("auth.password"), "{password}");
        }
        assert!(judge(&"x y".repeat(100), ANNA).unwrap_err().title.contains("longer"));
    }

    #[test]
    fn sentences_and_random_passwords_are_taken() {
        for password in [
            "correct horse battery staple",
            "the cat sleeps on our oven",
            "kT9#vQ2!mZ",
            "xk7-pq3-vw9-tz",
            "wir essen heute spät",
            "savanna elephants drink at night",
            "日本語のパスワードです漢字",
            "4815 1623 4210 8151 6",
        ] {
            assert!(judge(password, ANNA).is_ok(), "{password}: {:?}", judge(password, ANNA));
        }
    }

    #[test]
    fn the_list_is_sorted_and_each_word_can_be_met() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert!(words.len() > 400);
        assert!(words.is_sorted_by(|a, b| a < b), "sorted, each once");
        assert!(words.iter().all(|w| w.len() >= 3 && w.chars().all(|c| c.is_ascii_lowercase())));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_random_ones_are_taken(text in ".{0,300}", random in "[a-zA-Z0-9]{20}") {
            let _ = judge(&text, ANNA);
            prop_assert!(judge(&random, ANNA).is_ok(), "{random}");
        }
    }
}
