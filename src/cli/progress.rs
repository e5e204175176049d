//! Progress of an apply: bars on a terminal, plain lines elsewhere, JSON lines with `--json`.
