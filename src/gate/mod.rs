//! `hearth gate`: the small always-running service that shows Traefik as much of Docker as it reads, and answers for services
//! that cannot.
