//! TLS on caller-owned buffers, over rustls's unbuffered interface.
//!
//! Chosen over `rustls::ServerConnection` because the ciphertext can then be decrypted where the
//! socket read put it, in the thread's buffer: the buffered interface takes it in reads of 4 KiB
//! into a buffer of its own, kept (and resized around each record) per connection. All of rustls
//! that a connection touches is in this file.

use std::fmt;
use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, EncryptError};

use crate::scratch::Scratch;

/// Bytes before a TLS record's payload (RFC 8446 §5.1): type, version, length.
const RECORD_HEADER_LEN: usize = 5;

/// Room for a record's header, tag and content type: 5 + 16 + 1, and TLS 1.2's 8 of nonce.
const RECORD_OVERHEAD: usize = 32;

/// The server's side of a TLS connection.
pub(super) struct RecordLayer {
    conn: UnbufferedServerConnection,
    /// Ciphertext received but not yet usable: an incomplete record, or the records of an
    /// incomplete handshake message.
    partial: Vec<u8>,
    peer_closed: bool,
}

impl fmt::Debug for RecordLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordLayer")
            .field("partial_len", &self.partial.len())
            .field("peer_closed", &self.peer_closed)
            .finish_non_exhaustive()
    }
}

impl RecordLayer {
    pub(super) fn new(config: Arc<rustls::ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self {
            conn: UnbufferedServerConnection::new(config)?,
            partial: Vec::new(),
            peer_closed: false,
        })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.conn.is_handshaking()
    }

    pub(super) fn alpn(&self) -> Option<&[u8]> {
        self.conn.alpn_protocol()
    }

    /// Whether the peer's close_notify came.
    pub(super) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// Takes ciphertext from the socket; appends plaintext to `plaintext` and what must be sent in
    /// return to `out`. On an error `out` may have the alert to send.
    pub(super) fn receive(
        &mut self,
        mut received: &mut [u8],
        plaintext: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), rustls::Error> {
        // Complete the first record of `partial` alone, so that the rest is decrypted in place.
        // Not during the handshake, whose messages may span records.
        while !self.partial.is_empty() && !received.is_empty() {
            let wanted = match missing(&self.partial) {
                0 => received.len(), // a handshake message over several records
                _ if self.conn.is_handshaking() => received.len(),
                missing => missing.min(received.len()),
            };
            let (first, rest) = received.split_at_mut(wanted);
            self.partial.extend_from_slice(first);
            received = rest;
            let mut partial = std::mem::take(&mut self.partial);
            let used = self.process(&mut partial, plaintext, out)?;
            if used < partial.len() {
                partial.drain(..used);
                self.partial = partial;
            }
        }
        if !received.is_empty() {
            let used = self.process(received, plaintext, out)?;
            self.partial.extend_from_slice(&received[used..]);
        }
        Ok(())
    }

    /// Encrypts `plaintext`, at most one record long, onto `out`.
    pub(super) fn encrypt(
        &mut self,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), rustls::Error> {
        self.write(out, plaintext.len(), |traffic, room| traffic.encrypt(plaintext, room))
    }

    /// Puts the close_notify alert onto `out`, once. Before the end of the handshake there is
    /// none to send.
    pub(super) fn close_notify(&mut self, out: &mut Vec<u8>) {
        // The only error is that nothing more may be encrypted; then the alert is not needed.
        let _ = self.write(out, 0, |traffic, room| traffic.queue_close_notify(room));
    }

    /// Lets rustls write application data or an alert onto `out`.
    fn write(
        &mut self,
        out: &mut Vec<u8>,
        len: usize,
        mut write: impl FnMut(
            &mut rustls::unbuffered::WriteTraffic<'_, ServerConnectionData>,
            &mut [u8],
        ) -> Result<usize, EncryptError>,
    ) -> Result<(), rustls::Error> {
        let mut used = 0;
        let result = loop {
            // `partial`, not an empty slice: rustls remembers how far it has looked at it.
            let status = self.conn.process_tls_records(&mut self.partial[used..]);
            used += status.discard;
            match status.state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    let start = out.len();
                    out.resize(start + len + RECORD_OVERHEAD, 0);
                    let written = match write(&mut traffic, &mut out[start..]) {
                        Err(EncryptError::InsufficientSize(size)) => {
                            // Something rustls had waiting, a session ticket, goes first.
                            out.resize(start + size.required_size, 0);
                            write(&mut traffic, &mut out[start..])
                        }
                        written => written,
                    };
                    out.truncate(start + written.as_ref().copied().unwrap_or(0));
                    break match written {
                        Ok(_) => Ok(()),
                        Err(_) => Err(rustls::Error::EncryptError),
                    };
                }
                ConnectionState::EncodeTlsData(mut data) => encode(&mut data, out)?,
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => self.peer_closed = true,
                // `partial` holds no whole record, so nothing can have been received; and once
                // both sides are closed nothing can be sent.
                _ => break Err(rustls::Error::EncryptError),
            }
        };
        self.partial.drain(..used);
        result
    }

    /// Has rustls take what it can from the front of `records`; says how many bytes are used up.
    fn process(
        &mut self,
        records: &mut [u8],
        plaintext: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<usize, rustls::Error> {
        let mut used = 0;
        loop {
            let status = self.conn.process_tls_records(&mut records[used..]);
            let mut discard = status.discard;
            match status.state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        if !plaintext.push(record.payload) {
                            // Cannot be: one read and a partial record fit. Never lose bytes.
                            return Err(rustls::Error::PeerSentOversizedRecord);
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, out)?,
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.peer_closed = true,
                // Waiting for the peer or for us. Early data is off in the configuration.
                Ok(_) => return Ok(used + discard),
                Err(err) => {
                    self.encode_alert(&mut records[used..], out);
                    return Err(err);
                }
            }
            used += discard;
        }
    }

    /// After an error, encodes the alert that tells the peer of it, if there is one.
    fn encode_alert(&mut self, records: &mut [u8], out: &mut Vec<u8>) {
        // Only while something waits: else rustls would look at the offending record again.
        while self.conn.wants_write() {
            let Ok(ConnectionState::EncodeTlsData(mut data)) =
                self.conn.process_tls_records(records).state
            else {
                return;
            };
            if encode(&mut data, out).is_err() {
                return;
            }
        }
    }
}

/// Bytes that the record at the front of `partial` still lacks; at least its header's, as long as
/// that is not complete.
fn missing(partial: &[u8]) -> usize {
    match partial.get(3..RECORD_HEADER_LEN) {
        Some(&[high, low]) => {
            let len = usize::from(u16::from_be_bytes([high, low]));
            (RECORD_HEADER_LEN + len).saturating_sub(partial.len())
        }
        _ => RECORD_HEADER_LEN - partial.len(),
    }
}

/// Appends a handshake message or alert.
fn encode(
    data: &mut EncodeTlsData<'_, ServerConnectionData>,
    out: &mut Vec<u8>,
) -> Result<(), rustls::Error> {
    let required = match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(size)) => size.required_size,
        Ok(_) | Err(_) => return Ok(()),
    };
    let start = out.len();
    out.resize(start + required, 0);
    match data.encode(&mut out[start..]) {
        Ok(n) => {
            out.truncate(start + n);
            Ok(())
        }
        Err(err) => Err(rustls::Error::General(err.to_string())),
    }
}
