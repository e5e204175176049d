//! The terminal's view of certificates: one file for each subcommand of `hearth certs`.

mod trust;

use crate::cli::{Done, Out};
use crate::command::{Certs, Global};

pub fn run(global: &Global, args: Certs, out: &Out) -> Done {
    match args {
        Certs::Trust(args) => trust::trust(global, &args, out),
        Certs::NewCa(args) => trust::new_ca(global, &args, out),
    }
}
