//! Changes to the text of `hearth.yaml` that leave every other byte as it is (comments, anchors, order, quotes).
//!
//! The edited text is read again and compared before it is given out: what cannot be edited safely is refused with the lines
//! to write by hand.

use std::str::FromStr;

use yaml_edit::{Document, Mapping, Sequence, YamlFile, YamlValue};

use super::{Adopted, Config};
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources};
use crate::spec::Mode;

/// The text with `profiles` as given: those that stay keep their place and comments, new ones come last.
pub fn set_profiles(text: &str, profiles: &[String]) -> Result<String, Diagnostic> {
    let wanted = format!("profiles: [{}]", profiles.join(", "));
    edit(
        text,
        &wanted,
        |config| config.profiles = profiles.to_vec(),
        |document| match document.get_sequence("profiles") {
            Some(list) => resize(&list, profiles),
            None => {
                let list = Sequence::new_flow();
                profiles.iter().for_each(|p| list.push(p.as_str()));
                document.set("profiles", list);
            }
        },
    )
}

/// The text with another mode.
pub fn set_mode(text: &str, mode: Mode) -> Result<String, Diagnostic> {
    let wanted = format!("mode: {}", mode.name());
    edit(
        text,
        &wanted,
        |config| config.mode = mode,
        |document| {
            document.set("mode", mode.name());
        },
    )
}

/// The text with a project recorded as adopted, or recorded anew.
pub fn set_adopted(text: &str, name: &str, adopted: &Adopted) -> Result<String, Diagnostic> {
    let wanted =
        format!("adopted: {{{name}: {{directory: {}, files: [{}]}}}}", adopted.directory, adopted.files.join(", "));
    edit(
        text,
        &wanted,
        |config| drop(config.adopted.insert(name.to_string(), adopted.clone())),
        |document| {
            let list =
                |items: &[String]| YamlValue::Sequence(items.iter().map(|i| YamlValue::from(i.as_str())).collect());
            let mut entry = std::collections::BTreeMap::new();
            entry.insert("directory".to_string(), YamlValue::from(adopted.directory.as_str()));
            entry.insert("files".to_string(), list(&adopted.files));
            if !adopted.env_files.is_empty() {
                entry.insert("env_files".to_string(), list(&adopted.env_files));
            }
            match document.get_mapping("adopted").filter(|map| !map.is_empty()) {
                Some(map) => map.set(name, entry),
                None => {
                    let map = Mapping::new();
                    map.set(name, entry);
                    document.set("adopted", map);
                }
            }
        },
    )
}

/// The text without an adopted project.
pub fn remove_adopted(text: &str, name: &str) -> Result<String, Diagnostic> {
    edit(
        text,
        &format!("adopted, without {name}"),
        |config| drop(config.adopted.remove(name)),
        |document| {
            if let Some(map) = document.get_mapping("adopted") {
                map.remove(name);
            }
        },
    )
}

/// The text with these projects left alone, and no others.
pub fn set_left_alone(text: &str, names: &[String]) -> Result<String, Diagnostic> {
    edit(
        text,
        &format!("left_alone: [{}]", names.join(", ")),
        |config| config.left_alone = names.to_vec(),
        |document| match document.get_sequence("left_alone") {
            Some(list) => resize(&list, names),
            None => {
                let list = Sequence::new_flow();
                names.iter().for_each(|name| list.push(name.as_str()));
                document.set("left_alone", list);
            }
        },
    )
}

fn resize(list: &Sequence, wanted: &[String]) {
    let text = |index: usize| list.get(index).and_then(|node| node.as_scalar().map(|s| s.as_string()));
    for index in (0..list.len()).rev() {
        if text(index).is_none_or(|name| !wanted.contains(&name)) {
            list.remove(index);
        }
    }
    let kept: Vec<String> = (0..list.len()).filter_map(text).collect();
    wanted.iter().filter(|name| !kept.contains(name)).for_each(|name| list.push(name.as_str()));
}

/// Edits, reads the result again, and gives it only when it says what it should. `wanted` is the line to write by hand.
fn edit(
    text: &str,
    wanted: &str,
    expect: impl FnOnce(&mut Config),
    change: impl FnOnce(&Document),
) -> Result<String, Diagnostic> {
    let refuse = || {
        Diagnostic::error("config.cannot-edit", "hearth.yaml cannot be changed without touching other lines of it")
            .kind(Kind::Failed)
            .hint(format!("write this into it by hand: {wanted}"))
    };
    let mut expected = read(text).ok_or_else(refuse)?;
    expect(&mut expected);
    let file = YamlFile::from_str(text).map_err(|_| refuse())?;
    change(&file.document().ok_or_else(refuse)?);
    let edited = file.to_string();
    let mut got = read(&edited).ok_or_else(refuse)?;
    got.profiles.sort();
    expected.profiles.sort();
    if got == expected { Ok(edited) } else { Err(refuse()) }
}

fn read(text: &str) -> Option<Config> {
    let mut sources = Sources::default();
    let file = sources.add(super::FILE, text);
    super::parse(file, &sources, &mut Diagnostics::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(text: &str, wanted: &[&str]) -> String {
        let wanted: Vec<String> = wanted.iter().map(|w| w.to_string()).collect();
        set_profiles(text, &wanted).unwrap_or_else(|d| panic!("{}\n{text}", d.title))
    }

    #[test]
    fn profiles_change_and_nothing_else() {
        for (before, wanted, after) in [
            (
                "name: h # c\nprofiles: []   # on\nmode: localhost\n",
                &["a"][..],
                "name: h # c\nprofiles: [a]   # on\nmode: localhost\n",
            ),
            ("name: h\nprofiles: [a, b]\n", &["b"], "name: h\nprofiles: [b]\n"),
            ("name: h\nprofiles: [a, b]\n", &["a", "b", "c"], "name: h\nprofiles: [a, b, c]\n"),
            ("name: h\nprofiles: [a]\n", &[], "name: h\nprofiles: []\n"),
            (
                "# top\nname: h\nprofiles:\n  # first\n  - a # one\n  - 'b'\n\nnetworks: 10.9.0.0/16\n",
                &["a", "b", "c"],
                "# top\nname: h\nprofiles:\n  # first\n  - a # one\n  - 'b'\n  - c\n\nnetworks: 10.9.0.0/16\n",
            ),
            ("name: h\nprofiles:\n- a\n- b\nmode: localhost\n", &["b"], "name: h\nprofiles:\n- b\nmode: localhost\n"),
            (
                "name: &n h\nmode: localhost\nprofiles: [ a ]\nadopted: {}\n",
                &["a", "b"],
                "name: &n h\nmode: localhost\nprofiles: [ a, b ]\nadopted: {}\n",
            ),
            ("name: h\n", &["a"], "name: h\nprofiles: [a]\n"),
            ("name: h", &["a"], "name: h\nprofiles: [a]"),
            ("---\nname: h\nprofiles: [a]\n...\n", &["a", "b"], "---\nname: h\nprofiles: [a, b]\n...\n"),
            ("{name: h, profiles: [a]}\n", &["a", "b"], "{name: h, profiles: [a, b]}\n"),
            (
                "name: h\r\nprofiles: [a]\r\nmode: localhost\r\n",
                &["b"],
                "name: h\r\nprofiles: [b]\r\nmode: localhost\r\n",
            ),
        ] {
            assert_eq!(profiles(before, wanted), after, "{before:?}");
        }
    }

    #[test]
    fn what_cannot_be_edited_is_refused_and_not_broken() {
        let broken = "name: h\nprofiles: [a\n";
        let refusal = set_profiles(broken, &["b".into()]).unwrap_err();
        assert_eq!(refusal.code, "config.cannot-edit");
        assert!(refusal.hints[0].contains("profiles: [b]"));
    }

    #[test]
    fn adopted_projects_come_and_go() {
        let one = Adopted { files: vec!["compose.yaml".into()], env_files: vec![], directory: "/srv/one".into() };
        let two = Adopted {
            files: vec!["a.yaml".into(), "b.yaml".into()],
            env_files: vec!["x".into()],
            directory: "/srv/t wo".into(),
        };
        for text in ["# c\nname: h\nadopted: {} # none\nprofiles: [a] # p\n", "# c\nname: h\nprofiles: [a] # p\n"] {
            let with = set_adopted(text, "one", &one).unwrap();
            let both = set_adopted(&with, "two", &two).unwrap();
            assert!(both.contains("# c\n") && both.contains("profiles: [a] # p\n"), "{both}");
            let config = read(&both).unwrap();
            assert_eq!((config.adopted["one"].clone(), config.adopted["two"].clone()), (one.clone(), two.clone()));
            let left = remove_adopted(&both, "one").unwrap();
            assert_eq!(read(&left).unwrap().adopted.keys().collect::<Vec<_>>(), ["two"]);
            assert_eq!(read(&remove_adopted(&left, "two").unwrap()).unwrap().adopted.len(), 0);
        }
    }

    #[test]
    fn what_is_left_alone_is_written_down_and_taken_back() {
        let text = "# c\nname: h\nprofiles: [a] # p\n";
        let one = set_left_alone(text, &["games".into()]).unwrap();
        assert_eq!(one, "# c\nname: h\nprofiles: [a] # p\nleft_alone: [games]\n");
        let two = set_left_alone(&one, &["games".into(), "shop".into()]).unwrap();
        assert_eq!(read(&two).unwrap().left_alone, ["games", "shop"]);
        assert_eq!(read(&set_left_alone(&two, &[]).unwrap()).unwrap().left_alone.len(), 0);
    }
}
