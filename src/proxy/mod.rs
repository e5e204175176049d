//! The room of routes: what of a home goes to Traefik, what Traefik thinks of it, and what really answers.
