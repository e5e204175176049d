//! A Docker Engine in memory, with scripted failures.
