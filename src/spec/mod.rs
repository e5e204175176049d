//! What Hearth adds to Compose: `x-hearth`, profile closure, networks, render. Pure.
