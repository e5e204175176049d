//! Which fields of a container differ from what is wanted.
