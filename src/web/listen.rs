//! A listener, or in plain words why there is none.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::diag::{Diagnostic, Kind};

/// Listens on `address`.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Diagnostic> {
    TcpListener::bind(address).await.map_err(|error| words(address, &error))
}

fn words(address: SocketAddr, error: &std::io::Error) -> Diagnostic {
    let port = address.port();
    match error.kind() {
        ErrorKind::AddrInUse => {
            Diagnostic::error("web.port-in-use", format!("another program listens on {address} already"))
                .kind(Kind::Conflict)
                .hint(format!("`ss -ltnp 'sport = :{port}'` shows which (as root)"))
                .hint("end it, or let Hearth listen on another port")
        }
        ErrorKind::PermissionDenied => {
            Diagnostic::error("web.no-right", format!("this user may not listen on {address}")).kind(Kind::Denied).hint(
                "ports below 1024 are root's: take one above, or give the program the capability CAP_NET_BIND_SERVICE",
            )
        }
        ErrorKind::AddrNotAvailable => {
            Diagnostic::error("web.no-address", format!("this machine has no address {}", address.ip()))
                .kind(Kind::Invalid)
                .hint("`ip address` shows those that it has; 0.0.0.0 or [::] means all of them")
        }
        _ => Diagnostic::error("web.cannot-listen", format!("nothing can listen on {address} ({error})"))
            .kind(Kind::Failed)
            .hint("look at the address, and at the limits of open files"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_told_in_words() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let told = bind(first.local_addr().unwrap()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("web.port-in-use", Kind::Conflict));
        let told = bind("192.0.2.7:8443".parse().unwrap()).await.unwrap_err();
        assert_eq!(told.code, "web.no-address");
        let denied = words("127.0.0.1:443".parse().unwrap(), &ErrorKind::PermissionDenied.into());
        assert!(denied.hints[0].contains("1024"));
    }
}
