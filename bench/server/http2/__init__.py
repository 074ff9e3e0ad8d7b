"""HTTP/2 (RFC 9113) on h2.

All requests of a client use one connection, and each is answered when it is due.
"""
