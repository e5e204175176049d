//! A rule's text as tokens, by the parts of Go's grammar that rules can use.

use super::RuleError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
}

/// The tokens, each with the character at which it begins. A line break ends a rule after a word, a text or `)`, as it ends a statement
/// of Go; only blanks may follow it then.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, RuleError> {
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let mut found: Vec<(usize, Token)> = Vec::new();
    let mut broken = false;
    while lexer.at < chars.len() {
        let (begin, c) = (lexer.at, chars[lexer.at]);
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            broken |= c == '\n' && matches!(found.last(), Some((_, Token::Word(_) | Token::Text(_) | Token::Close)));
            lexer.at += 1;
            continue;
        }
        if broken {
            return Err(RuleError::new(begin, "a line break ends the rule here, and more follows")
                .hint("end the line with `&&` or `||`, or write the rule on one line"));
        }
        let token = lexer.token(c)?;
        found.push((begin, token));
    }
    Ok(found)
}

struct Lexer<'c> {
    chars: &'c [char],
    at: usize,
}

impl Lexer<'_> {
    fn token(&mut self, c: char) -> Result<Token, RuleError> {
        let begin = self.at;
        let next = self.chars.get(begin + 1).copied();
        self.at += 1;
        match c {
            '(' => Ok(Token::Open),
            ')' => Ok(Token::Close),
            ',' => Ok(Token::Comma),
            '!' if next != Some('=') => Ok(Token::Not),
            '&' | '|' if next == Some(c) => {
                self.at += 1;
                Ok(if c == '&' { Token::And } else { Token::Or })
            }
            '`' => self.raw(begin),
            '"' => self.quoted(begin),
            c if c.is_alphabetic() || c == '_' => {
                let more = |c: &char| c.is_alphanumeric() || *c == '_';
                let end = begin + self.chars[begin..].iter().take_while(|c| more(c)).count();
                self.at = end;
                Ok(Token::Word(self.chars[begin..end].iter().collect()))
            }
            '&' | '|' => Err(RuleError::new(begin, format!("`{c}` is no operator")).hint(format!("write {c}{c}"))),
            '\'' => {
                Err(RuleError::new(begin, "single quotes hold no text in a rule").hint("write `text` in backticks"))
            }
            c => Err(RuleError::new(begin, format!("`{c}` has no meaning here"))
                .hint("a rule is made of matchers as Host(`name`), `&&`, `||`, `!` and brackets")),
        }
    }

    /// Up to the next backtick; carriage returns do not count.
    fn raw(&mut self, begin: usize) -> Result<Token, RuleError> {
        match self.chars[self.at..].iter().position(|c| *c == '`') {
            Some(length) => {
                let text = self.chars[self.at..self.at + length].iter().filter(|c| **c != '\r').collect();
                self.at += length + 1;
                Ok(Token::Text(text))
            }
            None => Err(RuleError::new(begin, "this text has no closing backtick")),
        }
    }

    fn quoted(&mut self, begin: usize) -> Result<Token, RuleError> {
        let open = || RuleError::new(begin, "this text has no closing quote");
        let mut text = String::new();
        loop {
            let c = *self.chars.get(self.at).ok_or_else(open)?;
            self.at += 1;
            match c {
                '"' => return Ok(Token::Text(text)),
                '\n' => return Err(open()),
                '\\' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
    }

    /// What follows a backslash, as Go knows it.
    fn escape(&mut self) -> Result<char, RuleError> {
        let begin = self.at - 1;
        let wrong = || {
            RuleError::new(begin, "this backslash begins nothing that Go's texts know")
                .hint("write the text in backticks")
        };
        let c = *self.chars.get(self.at).ok_or_else(wrong)?;
        self.at += 1;
        let (digits, radix) = match c {
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\u{b}'),
            '\\' | '"' => return Ok(c),
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => {
                self.at -= 1;
                (3, 8)
            }
            _ => return Err(wrong()),
        };
        let number: String = self.chars[self.at..].iter().take(digits).collect();
        self.at += digits;
        let whole = number.chars().count() == digits && number.chars().all(|c| c.is_digit(radix));
        let value = u32::from_str_radix(&number, radix).ok().filter(|_| whole).ok_or_else(wrong)?;
        // Of bytes only those that are characters by themselves: Traefik would get text that is none.
        let byte = matches!(digits, 2 | 3);
        char::from_u32(value).filter(|c| !byte || c.is_ascii()).ok_or_else(wrong)
    }
}
