"""HTTP/2 (RFC 9113) on h2: all requests of a client on one connection, each answered when it is due."""
