//! HTTP/1.1 and HTTP/2 over TCP and TLS, with full-duplex takeover for PutMedia.
