//! Tokens of a rule as a tree.

use super::lexer::{Token, tokens};
use super::{Matcher, Protocol, ROWS, Row, Rule, RuleError, check};
use crate::base::wording;

/// Brackets within brackets.
const MAX_DEPTH: usize = 100;

/// Reads a rule, and checks what its matchers say.
pub fn parse(text: &str, protocol: Protocol) -> Result<Rule, RuleError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(RuleError::new(0, "the rule is empty").hint("write a rule, as Host(`name.example.org`)"));
    }
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.chars().count(), protocol };
    let rule = parser.any(0)?;
    match tokens.get(parser.at) {
        None => Ok(rule),
        Some((at, Token::Close)) => Err(RuleError::new(*at, "this bracket closes nothing")),
        Some((at, Token::Comma)) => {
            Err(RuleError::new(*at, "a comma does not join matchers").hint("write `||` or `&&`"))
        }
        Some((at, _)) => {
            Err(RuleError::new(*at, "something must join this to what stands before it").hint("write `&&` or `||`"))
        }
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    at: usize,
    end: usize,
    protocol: Protocol,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    /// Where the next token stands; at the end, where the text ends.
    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn eat(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    fn any(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut rules = vec![self.all(depth)?];
        while self.eat(&Token::Or) {
            rules.push(self.all(depth)?);
        }
        let flat = rules.into_iter().flat_map(|rule| match rule {
            Rule::Any(inner) => inner,
            other => vec![other],
        });
        Ok(one_or(flat.collect(), Rule::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut rules = vec![self.unary(depth)?];
        while self.eat(&Token::And) {
            rules.push(self.unary(depth)?);
        }
        let flat = rules.into_iter().flat_map(|rule| match rule {
            Rule::All(inner) => inner,
            other => vec![other],
        });
        Ok(one_or(flat.collect(), Rule::All))
    }

    fn unary(&mut self, depth: usize) -> Result<Rule, RuleError> {
        let mut turned = false;
        while self.eat(&Token::Not) {
            turned = !turned;
        }
        let place = self.place();
        if depth > MAX_DEPTH {
            return Err(RuleError::new(place, format!("brackets stand within one another more than {MAX_DEPTH} deep")));
        }
        let rule = if self.eat(&Token::Open) {
            let inner = self.any(depth + 1)?;
            if !self.eat(&Token::Close) {
                return Err(RuleError::new(place, "this bracket is not closed"));
            }
            inner
        } else {
            self.matcher(place)?
        };
        Ok(match (turned, rule) {
            (false, rule) => rule,
            (true, Rule::Not(inner)) => *inner,
            (true, rule) => Rule::Not(Box::new(rule)),
        })
    }

    fn matcher(&mut self, place: usize) -> Result<Rule, RuleError> {
        let word = match self.peek() {
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Text(_)) => {
                return Err(RuleError::new(place, "a text alone says nothing")
                    .hint("write which matcher it is for, as Host(`name`)"));
            }
            _ => return Err(RuleError::new(place, "a matcher is missing here").hint("write one, as Host(`name`)")),
        };
        self.at += 1;
        let row = self.row(&word, place)?;
        if !self.eat(&Token::Open) {
            return Err(RuleError::new(self.place(), format!("`{word}` needs its arguments"))
                .hint(format!("write {word}(`...`)")));
        }
        let mut arguments = Vec::new();
        let mut places = Vec::new();
        while !self.eat(&Token::Close) {
            let place = self.place();
            match self.peek() {
                Some(Token::Text(text)) => arguments.push(text.clone()),
                None => return Err(RuleError::new(place, format!("the bracket of `{word}` is not closed"))),
                Some(_) => {
                    return Err(RuleError::new(place, format!("`{word}` takes only texts"))
                        .hint("write each argument in backticks"));
                }
            }
            places.push(place);
            self.at += 1;
            if !self.eat(&Token::Comma) && self.peek() != Some(&Token::Close) {
                return Err(RuleError::new(self.place(), format!("the bracket of `{word}` is not closed")));
            }
        }
        count(row, &word, arguments.len(), place)?;
        if let Some((_, place)) = arguments.iter().zip(&places).find(|(argument, _)| argument.is_empty()) {
            return Err(RuleError::new(*place, format!("an argument of `{word}` is empty")));
        }
        let matcher = Matcher { name: row.0, arguments };
        match check::arguments(&matcher) {
            Ok(()) => Ok(Rule::Is(matcher)),
            Err((index, title, hint)) => {
                let at = places.get(index).copied().unwrap_or(place);
                Err(RuleError { at, title, hint })
            }
        }
    }

    /// Traefik knows each matcher as it is written in its manual, in lower case, in upper case, and with only the first letter large.
    fn row(&self, word: &str, place: usize) -> Result<&'static Row, RuleError> {
        let title = |name: &str| name[..1].to_uppercase() + &name[1..].to_lowercase();
        let forms = |name: &str| [name.to_string(), name.to_lowercase(), name.to_uppercase(), title(name)];
        let found = ROWS.iter().find(|row| forms(row.1).iter().any(|form| form == word));
        if let Some(row) = found.filter(|row| row.2.contains(&self.protocol)) {
            return Ok(row);
        }
        let kind = if self.protocol == Protocol::Http { "an HTTP" } else { "a TCP" };
        let known: Vec<&str> = ROWS.iter().filter(|row| row.2.contains(&self.protocol)).map(|row| row.1).collect();
        let folded: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
        let lower = word.to_lowercase();
        let near = wording::nearest(&lower, folded.iter().map(String::as_str))
            .and_then(|near| known.iter().find(|name| name.to_lowercase() == near));
        let hint = match (word, near) {
            (_, Some(near)) => format!("did you mean `{near}`?"),
            ("Headers", _) => "write Header".into(),
            _ => format!("known here: {}", known.join(", ")),
        };
        Err(RuleError::new(place, format!("{kind} rule knows no matcher `{word}`")).hint(hint))
    }
}

fn one_or(mut rules: Vec<Rule>, many: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.len() {
        1 => rules.remove(0),
        _ => many(rules),
    }
}

fn count(row: &Row, word: &str, given: usize, place: usize) -> Result<(), RuleError> {
    let Row(_, _, _, least, most) = *row;
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let wanted = match (least, most) {
        (1, 1) => "one argument".to_string(),
        (2, 2) => "two arguments".to_string(),
        _ => "one or two arguments".to_string(),
    };
    let error = RuleError::new(place, format!("`{word}` takes {wanted}, not {given}"));
    Err(match given > most && most == 1 {
        true => error.hint(format!("join several with `||`: {word}(`a`) || {word}(`b`)")),
        false => error,
    })
}
