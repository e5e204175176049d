//! The YAML parser's complaints, in words for people.

/// Part of what the parser says, what it means, and what to do.
const KNOWN: [(&str, &str, &str); 11] = [
    (
        "mapping values are not allowed",
        "a `: ` stands where no value can begin",
        "put the text in quotes if the colon belongs to it; else check how this line and the one above are indented",
    ),
    ("unknown anchor", "no value above has this name", "write `&name` at the value that `*name` repeats"),
    ("tab", "a tab stands where YAML takes blanks only", "indent with blanks"),
    (
        "unclosed quote",
        "the quote that begins here is never closed",
        "close it; a quote inside is written \"\\\"\" or ''",
    ),
    ("unexpected end of stream", "the file ends within a quote or bracket", "close it"),
    ("unclosed bracket", "the bracket that begins here is never closed", "close it"),
    (
        "did not find expected key",
        "this line fits no line above it",
        "indent it as its neighbours are, or close the quote or bracket above",
    ),
    (
        "did not find expected '-' indicator",
        "a list ends here that the indentation still holds open",
        "begin the line with `- `, or indent it as the key that the list belongs to",
    ),
    ("expected ',' or", "a `,` or a closing bracket is missing here", "add it; texts with `,` inside need quotes"),
    ("unexpected character", "a plain text cannot begin with this character", "put the text in quotes"),
    ("cannot start any token", "a plain text cannot begin with this character", "put the text in quotes"),
];

/// Title and hint for what the parser said.
pub(super) fn words(said: &str) -> (String, &'static str) {
    match KNOWN.iter().find(|(part, ..)| said.contains(part)) {
        Some((_, title, hint)) => (title.to_string(), *hint),
        None => (
            format!("this is no valid YAML: {said}"),
            "check indentation, colons and quotes here and on the line above",
        ),
    }
}
