"""HTTP/1.1 (RFC 9110, 9112) on httptools, with the transport faults of the profiles."""
