//! The PutMedia session: body bytes in; fragments, live pieces and acks out. No I/O.
