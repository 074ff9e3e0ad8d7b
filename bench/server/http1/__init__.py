"""HTTP/1.1 as the flag server speaks it (RFC 9110, 9112)."""
