//! The stacks that ship with Hearth. Each is a file of the project's own `stacks/`, carried in the binary.

/// A shipped stack.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// The file's name without `.yaml`.
    pub name: &'static str,
    pub text: &'static str,
}

/// All of them, by name.
pub const ALL: [Shipped; 5] = [
    Shipped { name: "automation", text: include_str!("../../stacks/automation.yaml") },
    Shipped { name: "databases", text: include_str!("../../stacks/databases.yaml") },
    Shipped { name: "example", text: include_str!("../../stacks/example.yaml") },
    Shipped { name: "files", text: include_str!("../../stacks/files.yaml") },
    Shipped { name: "media", text: include_str!("../../stacks/media.yaml") },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_carried() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let carried: Vec<String> = ALL.iter().map(|s| format!("{}.yaml", s.name)).collect();
        assert_eq!(carried, files);
    }
}
