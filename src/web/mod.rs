//! The kit for serving: TLS listeners, limits, headers and pages; knows no room.
