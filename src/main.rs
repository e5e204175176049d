//! Arguments in, text and exit code out.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(hearth::command::main(std::env::args_os()))
}
