//! Label sets from the table of the grammar: every key with good and bad values, and mixtures of them with keys gone wrong.

use std::collections::BTreeMap;

use hearth::traefik::grammar::table::{Field, ROOT, Shape};

pub type Set = BTreeMap<String, String>;

/// What people write, rightly and wrongly.
const VALUES: [&str; 34] = [
    "",
    "true",
    "false",
    "TRUE",
    "tRUE",
    "True",
    "1",
    "0",
    "t",
    "F",
    "yes",
    "maybe",
    "5",
    "-1",
    "+7",
    "007",
    "1_000",
    "0x10",
    "1e3",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "10s",
    "1.5h",
    "-100ms",
    ".5s1us",
    "1d",
    "5 s",
    "a",
    "a,b",
    " a , b ,,",
    ",",
    "none",
    "bücher",
];

/// All keys below `traefik.`, with `web` for each name that a person chooses.
pub fn keys() -> Vec<String> {
    let mut all = Vec::new();
    fields(ROOT, "traefik", &mut all);
    all
}

fn fields(fields: &[Field], key: &str, all: &mut Vec<String>) {
    fields.iter().for_each(|field| shape(&field.shape, format!("{key}.{}", field.name), all));
}

fn shape(shape: &Shape, key: String, all: &mut Vec<String>) {
    let inner = match shape {
        Shape::Struct(inner) | Shape::One(inner) => Some((*inner, key.clone())),
        Shape::Structs(inner) => Some((*inner, format!("{key}[0]"))),
        _ => None,
    };
    all.push(key.clone());
    match (shape, inner) {
        (_, Some((inner, key))) => fields(inner, &key, all),
        (Shape::Named(inner), _) => {
            let name = if key.ends_with("stores") { "default" } else { "web" };
            self::shape(inner, format!("{key}.{name}"), all);
        }
        (Shape::Free, _) => {
            all.extend(["a", "a.b", "a.b.c", "a[0]", "a[1].b", "a.a"].map(|below| format!("{key}.{below}")))
        }
        _ => {}
    }
}

/// One label at a time: each key with each value, in other case, with something below it, without its end.
pub fn single() -> Vec<Set> {
    let one = |key: String, value: &str| Set::from([(key, value.to_string())]);
    let mut all = Vec::new();
    for key in keys() {
        all.extend(VALUES.map(|value| one(key.clone(), value)));
        for below in [".x", ".x.y", "[0]", "[0].x", "[]", ".", "..x", ".[0]", "]", "x", "[0][1]"] {
            all.push(one(format!("{}{below}", key), "a"));
        }
        all.push(one(key.to_uppercase(), "true"));
        all.push(one(format!("traefik{}", key["traefik".len()..].to_uppercase()), "true"));
        all.push(one(key.replacen('s', "ſ", 3), "true"));
    }
    for key in [
        "traefik",
        "traefik.",
        "traefik.foo",
        "traefik.foo.bar",
        "traefik.enabled",
        "traefik.enable.x",
        "traefik.docker",
        "traefik.dockerx.a",
        "traefik.docker.",
        "traefik.swarm.network",
        "traefik.httpx.a",
        "traefik.http",
        "traefik.tls",
        "traefik.tls.options.default.minversion",
        "traefik.tls.certificates[0].certfile",
        "traefik.tls.stores.other.defaultgeneratedcert.resolver",
        "traefik.tls.stores.defaultx.defaultgeneratedcert.resolver",
        "Traefik.http.routers.web.rule",
        "traefiK.enable",
        "com.example.traefik.enable",
    ] {
        all.extend(["true", "a"].map(|value| one(key.to_string(), value)));
    }
    all
}

/// Numbers from a seed, the same on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }
    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Several labels at once, most of them right, about few names, so that they meet.
pub fn mixture(dice: &mut Dice, keys: &[String]) -> Set {
    let mut set = Set::new();
    // Near to one another, or anywhere.
    let base = dice.below(keys.len());
    for _ in 0..1 + dice.below(7) {
        let key = match dice.below(3) {
            0 => &keys[dice.below(keys.len())],
            _ => &keys[(base + dice.below(12)).min(keys.len() - 1)],
        };
        let name = dice.of(&["web", "web", "web", "db", "Web", "a-b_1", "x[0]", "wéb"]);
        let mut text = key.replace(".web", &format!(".{name}"));
        text = text.replace("[0]", dice.of(&["[0]", "[0]", "[1]", "[10]", "[2]", "[x]"]));
        match dice.below(40) {
            0 => text.push_str(dice.of(&[".x", "[0]", ".y.z", ".", "[0].main"])),
            1 => text = text.to_uppercase().replacen("TRAEFIK", "traefik", 1),
            2 => text = text.replacen("rule", "rul", 1).replacen("server", "servers", 1),
            3 => text = text.replacen('.', "..", 1),
            _ => {}
        }
        let value = match dice.below(6) {
            0 => dice.of(&VALUES),
            _ => dice.of(&["true", "true", "false", "5", "5", "1", "0"]),
        };
        set.insert(text, value.to_string());
    }
    set
}
