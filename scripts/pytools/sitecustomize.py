"""Names below localhost are this machine (RFC 6761, 6.3). Browsers and curl know it; the C library, which Python asks, does not."""

import socket

_asked = socket.getaddrinfo


def _getaddrinfo(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.rstrip(".").endswith(".localhost"):
        host = "127.0.0.1"
    return _asked(host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
