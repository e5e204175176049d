//! What a plain scalar means: the rules of go-yaml v3, which Compose uses (YAML 1.1 numbers, 1.2 booleans).

use crate::compose::tree::Value;

/// The value of an untagged plain scalar.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        b'.' => text.parse().ok().filter(|_| text[1..].starts_with(|c: char| c.is_ascii_digit())).map(Value::Float),
        b'0'..=b'9' | b'+' | b'-' if is_date(text) => Some(Value::Date(text.to_string())),
        b'0'..=b'9' | b'+' | b'-' => number(text),
        _ => None,
    };
    number.unwrap_or_else(|| Value::Str(text.to_string()))
}

fn number(text: &str) -> Option<Value> {
    let plain: std::borrow::Cow<str> = if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, &plain[..]),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A second sign is no number; Rust would take one.
    let magnitude = match digits.starts_with(['+', '-']) {
        true => None,
        false => u64::from_str_radix(digits, radix).ok(),
    };
    match (magnitude, negative) {
        (Some(n), true) if n <= i64::MAX as u64 + 1 => return Some(Value::Int((n as i64).wrapping_neg())),
        (Some(n), false) => return Some(i64::try_from(n).map_or(Value::Uint(n), Value::Int)),
        _ => {}
    }
    // What no double can hold stays text.
    yaml_float(&plain).then(|| plain.parse().ok()).flatten().filter(|f: &f64| f.is_finite()).map(Value::Float)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn yaml_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    mantissa_ok && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)))
}

/// A YAML timestamp: `2006-1-2`, alone or followed by a time.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-').skip(1);
    let mut field = |most: u32| {
        let part = parts.next().unwrap_or("");
        let short = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        short && (1..=most).contains(&part.parse().unwrap_or(0))
    };
    field(12) && field(31) && parts.next().is_none() && time.is_none_or(|t| is_time(t, text.contains(' ')))
}

fn is_time(text: &str, spaced: bool) -> bool {
    let zone = text.find(['Z', '+', '-']);
    // RFC 3339 needs a zone; the form with a blank has none.
    if spaced == zone.is_some() {
        return false;
    }
    let clock = &text[..zone.unwrap_or(text.len())];
    let mut parts = clock.split(':');
    let mut field = |most: u32, last: bool| {
        let part = parts.next().unwrap_or("");
        let whole = if last { part.split_once('.').map_or(part, |(whole, _)| whole) } else { part };
        !whole.is_empty() && whole.len() <= 2 && whole.parse::<u32>().is_ok_and(|n| n < most)
    };
    field(24, false) && field(60, false) && field(60, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_compose_takes_them_for() {
        use Value::*;
        for (text, value) in [
            ("yes", Str("yes".into())),
            ("on", Str("on".into())),
            ("true", Bool(true)),
            ("~", Null),
            ("010", Int(8)),
            ("0o10", Int(8)),
            ("0x10", Int(16)),
            ("0b11", Int(3)),
            ("1_000", Int(1000)),
            ("+1", Int(1)),
            ("-5", Int(-5)),
            ("08", Float(8.0)),
            ("1e3", Float(1000.0)),
            ("1.50", Float(1.5)),
            (".5", Float(0.5)),
            ("1.", Float(1.0)),
            ("18446744073709551615", Uint(u64::MAX)),
            ("80:80", Str("80:80".into())),
            ("1.2.3", Str("1.2.3".into())),
            ("--5", Str("--5".into())),
            ("-", Str("-".into())),
            ("2020-01-01", Date("2020-01-01".into())),
            ("2020-01-01T10:00:00Z", Date("2020-01-01T10:00:00Z".into())),
            ("2020-13-01", Str("2020-13-01".into())),
            ("1d", Str("1d".into())),
            ("1e400", Str("1e400".into())),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
        assert_eq!(resolve(".inf"), Float(f64::INFINITY));
    }
}
