//! SQLite: pools and migrations. No queries of rooms.
