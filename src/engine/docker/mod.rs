//! A real Docker Engine over bollard.
