//! What Traefik is told: routes as container labels and as one generated file, and a model of Traefik's own label grammar. Pure.
