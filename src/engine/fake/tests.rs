//! Promises of the fake.
