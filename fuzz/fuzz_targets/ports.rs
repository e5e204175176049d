//! Any text as a short port: what is taken has a target and a protocol, and reads the same when written again.
#![no_main]

use hearth_fuzz::compose::short::ports;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(ports) = ports::parse(text) else { return };
    for port in ports.iter().take(10) {
        let host = if port.host_ip.contains(':') { format!("[{}]", port.host_ip) } else { port.host_ip.clone() };
        let written = format!("{host}:{}:{}/{}", port.published, port.target, port.protocol);
        assert_eq!(ports::parse(&written).as_deref(), Ok(&[port.clone()][..]), "{text:?} as {written:?}");
    }
});
