//! `hearth serve`: wiring of store, engine, clock, rooms, loops and listeners, and their orderly stop.
