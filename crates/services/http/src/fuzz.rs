//! What must hold for any input. Panics when it does not: for fuzz targets and tests.

use crate::h1::body_reader::BodyReader;
use crate::h1::chunked::Decoded;
use crate::h1::head_reader::{Begun, HeadReader};
use crate::limits::Limits;

/// Entry of the fuzz target. The first eight bytes seed the split points, the rest is what a
/// client sends on an HTTP/1 connection: heads and bodies, one after the other.
pub fn check_any_split(data: &[u8]) {
    let Some((seed, sent)) = data.split_first_chunk::<8>() else {
        return;
    };
    check(sent, u64::from_be_bytes(*seed));
}

/// Takes what a client sends apart whole, byte by byte, and in steps that depend on `seed`: all
/// must find the same requests and bodies. Gives the number of requests found complete.
pub fn check(sent: &[u8], seed: u64) -> usize {
    let whole = requests(sent, &mut |left| left);
    assert_eq!(whole, requests(sent, &mut |_| 1), "byte by byte");
    let mut random = seed;
    let in_steps = requests(sent, &mut |_| {
        // Knuth's MMIX generator: short steps mostly, sometimes longer than a head.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let bits = (random >> 59) % 13;
        (random >> 33) as usize % (1 << bits) + 1
    });
    assert_eq!(whole, in_steps, "in steps");
    whole.iter().filter(|found| found.ends_with("end")).count()
}

/// Each request as text: its head, its body, and "end" if it is complete. The last may be an
/// error; which one may depend on the steps, that it is one may not.
fn requests(sent: &[u8], step: &mut dyn FnMut(usize) -> usize) -> Vec<String> {
    // Smaller than in production, so that a fuzzer reaches them.
    let limits = Limits { head_len_max: 400, request_line_len_max: 100, ..Limits::default() };
    let mut found = Vec::new();
    // `from..to` has arrived and is not used up; a reader is given all of it.
    let (mut from, mut to) = (0, 0);
    loop {
        let mut reader = HeadReader::default();
        let head = loop {
            match reader.take(&sent[from..to], &limits) {
                Err(_) => {
                    found.push("head refused".into());
                    return found;
                }
                Ok((used, head)) => {
                    assert!(used <= to - from, "used what is not there");
                    let all_used = used == to - from;
                    assert!(head.is_some() || all_used || used > 0, "no progress");
                    from += used;
                    match head {
                        Some(Begun::Request(head)) => break head,
                        Some(Begun::Http2) => {
                            found.push("HTTP/2".into());
                            return found;
                        }
                        None if !all_used => continue,
                        None => {}
                    }
                }
            }
            if to == sent.len() {
                return found;
            }
            to += step(sent.len() - to).clamp(1, sent.len() - to);
        };
        let mut request = format!(
            "{:?} {:?} {} {}",
            head.parts, head.body, head.expects_continue, head.keep_alive
        );
        let mut body = BodyReader::new(head.body);
        let mut bytes = Vec::new();
        loop {
            match body.decode(&sent[from..to]) {
                Err(err) => {
                    found.push(format!("{request} {bytes:?} {err}"));
                    return found;
                }
                Ok(Decoded::Data { skip, len }) => {
                    assert!(len > 0, "an empty run");
                    bytes.extend_from_slice(&sent[from..to][skip..skip + len]);
                    from += skip + len;
                    continue;
                }
                Ok(Decoded::End { skip }) => {
                    from += skip;
                    break;
                }
                Ok(Decoded::Incomplete) => from = to,
            }
            if to == sent.len() {
                found.push(format!("{request} {bytes:?}"));
                return found;
            }
            to += step(sent.len() - to).clamp(1, sent.len() - to);
        }
        request.push_str(&format!(" {bytes:?} end"));
        found.push(request);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check;

    /// Pieces that requests are made of, right and wrong ones.
    const PIECES: [&str; 28] = [
        "GET / HTTP/1.1\r\n",
        "POST /putMedia HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.0\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        "Host: a\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 4\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n",
        "X-Long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
        "\r\n",
        "\r\n\r\n",
        "\r",
        "\n",
        " ",
        ":",
        "0\r\n\r\n",
        "0\r\n",
        "1\r\nx\r\n",
        "3;e\r\nabc\r\n",
        "abc",
        "Trailer: t\r\n",
        "g",
        "\0",
        "/",
        "fff\r\n",
    ];

    #[test]
    fn seeds() {
        let sent = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
            3;e\r\nabc\r\n0\r\nT: t\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(check(sent, 1), 2);
    }

    /// Once an empty line is skipped there is room for two bytes more, and those were left over.
    #[test]
    fn an_empty_line_before_a_head_that_is_too_long() {
        assert_eq!(check(format!("\r\nGET / HTTP/1.1\r\nX: {}", "x".repeat(500)).as_bytes(), 0), 0);
    }

    proptest! {
        #[test]
        fn any_split_finds_the_same(
            pieces in prop::collection::vec(prop_oneof![
                10 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
                1 => "GET /x{60,90} HTTP/1.1\r\n", // about as long as may be
                1 => "X: x{0,300}\r\n",
            ], 0..20),
            seed in any::<u64>(),
        ) {
            check(pieces.concat().as_bytes(), seed);
        }
    }
}
