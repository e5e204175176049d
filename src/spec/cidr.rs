//! IPv4 ranges: just what is needed to give every network its own piece of one.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An IPv4 range such as `10.213.0.0/16`; the bits behind the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    base: u32,
    prefix: u8,
}

impl Cidr {
    /// Clears the bits behind the prefix (at most 32).
    pub fn new(address: Ipv4Addr, prefix: u8) -> Cidr {
        let prefix = prefix.min(32);
        let base = u32::from(address) & mask(prefix);
        Cidr { base, prefix }
    }
    pub fn prefix(self) -> u8 {
        self.prefix
    }
    pub fn contains(self, other: Cidr) -> bool {
        other.prefix >= self.prefix && other.base & mask(self.prefix) == self.base
    }
    pub fn overlaps(self, other: Cidr) -> bool {
        self.contains(other) || other.contains(self)
    }
    /// The two halves; a single address has none.
    pub fn halves(self) -> Option<(Cidr, Cidr)> {
        let prefix = self.prefix + 1;
        (prefix <= 32).then(|| {
            let upper = self.base | (1u32 << (32 - prefix));
            (Cidr { base: self.base, prefix }, Cidr { base: upper, prefix })
        })
    }
    /// How many pieces of this prefix it holds.
    pub fn pieces(self, prefix: u8) -> u64 {
        if prefix < self.prefix || prefix > 32 { 0 } else { 1u64 << (prefix - self.prefix) }
    }
    /// The piece number `n` (counted from 0, below [`Cidr::pieces`]).
    pub fn piece(self, prefix: u8, n: u64) -> Cidr {
        let offset = (n << (32 - u32::from(prefix))) as u32;
        Cidr { base: self.base.wrapping_add(offset), prefix }
    }
    pub fn address(self) -> Ipv4Addr {
        Ipv4Addr::from(self.base)
    }
    /// Ranges that are for private networks (RFC 1918) or carrier-grade NAT (RFC 6598).
    pub fn is_private(self) -> bool {
        const PRIVATE: [([u8; 4], u8); 4] =
            [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)];
        PRIVATE.iter().any(|(base, prefix)| Cidr::new(Ipv4Addr::from(*base), *prefix).contains(self))
    }
}

fn mask(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - u32::from(prefix)) }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.prefix)
    }
}

impl FromStr for Cidr {
    type Err = String;
    /// Refuses set bits behind the prefix and says what was probably meant.
    fn from_str(text: &str) -> Result<Cidr, String> {
        let (address, prefix) = text.split_once('/').ok_or("write it as 10.213.0.0/16")?;
        let address: Ipv4Addr = address.parse().map_err(|_| format!("`{address}` is no IPv4 address"))?;
        let prefix: u8 = prefix.parse().ok().filter(|p| *p <= 32).ok_or("behind `/` stands a number from 0 to 32")?;
        let cidr = Cidr::new(address, prefix);
        match cidr.address() == address {
            true => Ok(cidr),
            false => Err(format!("this address is inside {cidr}, not its beginning; write {cidr}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_apart_and_know_each_other() {
        let range: Cidr = "10.213.0.0/16".parse().unwrap();
        let (low, high) = range.halves().unwrap();
        assert_eq!((low.to_string(), high.to_string()), ("10.213.0.0/17".into(), "10.213.128.0/17".into()));
        assert_eq!((low.pieces(24), low.piece(24, 5).to_string()), (128, "10.213.5.0/24".into()));
        assert!(range.contains(high) && !low.overlaps(high) && range.is_private());
        assert!(!"8.8.0.0/16".parse::<Cidr>().unwrap().is_private());
        assert!("10.213.1.0/16".parse::<Cidr>().unwrap_err().contains("10.213.0.0/16"));
        for wrong in ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", ""] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }
}
