//! Codes on paper: each stands in for the second factor once.

use crate::auth::secrets;
use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;

/// How many there are.
pub const CODES: usize = 10;
/// Letters and digits that cannot be taken for one another, 5 bits each.
const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
const GROUPS: usize = 4;
const EACH: usize = 4;

/// New codes, `xxxx-xxxx-xxxx-xxxx` each: 80 bits, so that their hashes cannot be tried out.
pub fn codes(random: &dyn Random) -> Vec<Secret> {
    (0..CODES).map(|_| code(random)).collect()
}

/// One of them; also a password that is made up for somebody.
pub fn code(random: &dyn Random) -> Secret {
    let random: [u8; GROUPS * EACH] = bytes(random);
    let signs: Vec<char> = random.iter().map(|b| char::from(SIGNS[usize::from(b & 31)])).collect();
    Secret::new(signs.chunks(EACH).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

/// What is kept of a code: the same for each way to type it. `None`: it has not the form of one.
pub fn kept(code: &str) -> Option<String> {
    let plain: String = code.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect();
    let formed = plain.len() == GROUPS * EACH && plain.bytes().all(|b| SIGNS.contains(&b));
    formed.then(|| secrets::hash(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn codes_differ_and_are_known_however_they_are_typed() {
        let codes = codes(&SystemRandom);
        let kept_of: std::collections::BTreeSet<_> = codes.iter().map(|c| kept(c.expose()).unwrap()).collect();
        assert_eq!(kept_of.len(), CODES);
        let one = codes[0].expose();
        assert_eq!(one.len(), 19);
        assert_eq!(kept(&one.to_uppercase().replace('-', " ")), kept(one));
        for text in ["", "123456", "aaaa-aaaa-aaaa", "aaaa-aaaa-aaaa-aaa1", "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"] {
            assert_eq!(kept(text), None, "{text}");
        }
    }
}
