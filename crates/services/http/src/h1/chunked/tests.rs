use proptest::prelude::*;

use super::{ChunkError, ChunkErrorKind, ChunkedDecoder, Decoded};

/// Decodes pieces; gives the body, whether its end was reached, and the bytes behind it.
fn decode<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, bool, Vec<u8>), ChunkError> {
    let mut decoder = ChunkedDecoder::new();
    let (mut body, mut ended, mut rest) = (Vec::new(), false, Vec::new());
    for mut piece in pieces {
        while !piece.is_empty() {
            match decoder.decode(piece)? {
                Decoded::Data { skip, len } => {
                    assert!(len > 0);
                    body.extend_from_slice(&piece[skip..skip + len]);
                    piece = &piece[skip + len..];
                }
                Decoded::Incomplete => break,
                Decoded::End { skip } => {
                    ended = true;
                    rest.extend_from_slice(&piece[skip..]);
                    break;
                }
            }
        }
    }
    Ok((body, ended, rest))
}

#[track_caller]
fn check(encoded: &str, expected: Result<(&str, &str), (ChunkErrorKind, u64)>) {
    let expected = match expected {
        Ok((body, rest)) => Ok((body.into(), true, rest.into())),
        Err((kind, position)) => Err(ChunkError { kind, position }),
    };
    let bytes = encoded.as_bytes();
    assert_eq!(decode([bytes]), expected, "whole");
    assert_eq!(decode(bytes.chunks(1)), expected, "byte by byte");
    for at in 0..=bytes.len() {
        let (left, right) = bytes.split_at(at);
        assert_eq!(decode([left, right]), expected, "split at {at}");
    }
}

#[test]
fn bodies() {
    check("0\r\n\r\n", Ok(("", "")));
    check("5\r\nhello\r\n0\r\n\r\n", Ok(("hello", "")));
    check("1\r\na\r\n2\r\nbc\r\n0\r\n\r\nGET", Ok(("abc", "GET")));
    check("A\r\n0123456789\r\n000\r\n\r\n", Ok(("0123456789", "")));
    check("0000000000000001\r\nx\r\n0\r\n\r\n", Ok(("x", "")));
    // Data may look like framing.
    check("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", Ok(("\r\n0\r\n\r\n", "")));
}

#[test]
fn extensions_and_trailers_are_dropped() {
    check("1;a=b\r\nx\r\n0;c\r\n\r\n", Ok(("x", "")));
    check("1 ; a=\"b;c\"\r\nx\r\n0\r\n\r\n", Ok(("x", "")));
    check("1  \r\nx\r\n0\t\r\n\r\n", Ok(("x", "")));
    check("0\r\nA: b\r\nC: d\r\n\r\nrest", Ok(("", "rest")));
}

#[test]
fn broken_framing_is_refused_where_it_breaks() {
    use ChunkErrorKind::{LineEnd, Size, SizeTooLong};
    check("\r\n", Err((Size, 0)));
    check("x\r\n", Err((Size, 0)));
    check(" 1\r\n", Err((Size, 0)));
    check("-1\r\n", Err((Size, 0)));
    check("0x1\r\n", Err((Size, 1)));
    check("1 1\r\n", Err((Size, 2)));
    check("00000000000000001\r\n", Err((SizeTooLong, 16)));
    check("1\nx", Err((LineEnd, 1)));
    check("1 \nx", Err((LineEnd, 2)));
    check("1\rx", Err((LineEnd, 2)));
    check("1;\n\r\n", Err((LineEnd, 2)));
    check("1\r\nxy\r\n", Err((LineEnd, 4)));
    check("1\r\nx\n", Err((LineEnd, 4)));
    check("1\r\nx\rx", Err((LineEnd, 5)));
    check("0\r\n\n", Err((LineEnd, 3)));
    check("0\r\n\rx", Err((LineEnd, 4)));
    check("0\r\nA: b\n", Err((LineEnd, 7)));
    check("0\r\nA: b\rx", Err((LineEnd, 8)));
}

#[test]
fn extensions_and_trailers_are_bounded() {
    for (before, len, after, kind) in [
        ("1;", 4096, "\r\nx\r\n0\r\n\r\n", ChunkErrorKind::ExtensionTooLong),
        ("0\r\n", 8192, "\r\n\r\n", ChunkErrorKind::TrailerTooLong),
    ] {
        let fits = format!("{before}{}{after}", "e".repeat(len));
        assert!(decode([fits.as_bytes()]).unwrap().1);
        let over = format!("{before}{}{after}", "e".repeat(len + 1));
        let position = (before.len() + len) as u64;
        assert_eq!(decode([over.as_bytes()]), Err(ChunkError { kind, position }));
    }
    // Many short trailers count as one long one, and blanks as extensions.
    let over = format!("0\r\n{}", "a: b\r\n".repeat(3000));
    let err = decode([over.as_bytes()]).unwrap_err();
    assert_eq!(err.kind, ChunkErrorKind::TrailerTooLong);
    let over = format!("1{}", " ".repeat(5000));
    let err = decode([over.as_bytes()]).unwrap_err();
    assert_eq!(err.kind, ChunkErrorKind::ExtensionTooLong);
}

#[test]
fn the_largest_size_is_a_u64() {
    let mut decoder = ChunkedDecoder::new();
    let found = decoder.decode(b"FFFFFFFFFFFFFFFF\r\nabc");
    assert_eq!(found, Ok(Decoded::Data { skip: 18, len: 3 }));
    let found = decoder.decode(b"0\r\n\r\n");
    assert_eq!(found, Ok(Decoded::Data { skip: 0, len: 5 }));
}

#[test]
fn after_the_end_nothing_is_used() {
    let mut decoder = ChunkedDecoder::new();
    assert_eq!(decoder.decode(b"0\r\n\r\n"), Ok(Decoded::End { skip: 5 }));
    assert_eq!(decoder.decode(b"1\r\n"), Ok(Decoded::End { skip: 0 }));
    assert_eq!(decoder.decode(b""), Ok(Decoded::End { skip: 0 }));
}

/// Cuts `bytes` at the places that `cuts` name, modulo its length.
fn split<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (left, right) = bytes.split_at(cut % (bytes.len() + 1));
        pieces.push(left);
        bytes = right;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #[test]
    fn any_chunks_in_any_pieces_give_the_body(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..10),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
        behind in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        let mut encoded = Vec::new();
        for chunk in &chunks {
            crate::h1::response::encode_chunk(&mut encoded, chunk);
        }
        encoded.extend_from_slice(crate::h1::response::LAST_CHUNK);
        let end = encoded.len();
        encoded.extend_from_slice(&behind);
        // What lies behind stays with the caller; here only the last piece can hold it.
        let (body, ended, _) = decode(split(&encoded[..end], &cuts)).unwrap();
        prop_assert_eq!(&body, &chunks.concat());
        prop_assert!(ended);
        prop_assert_eq!(decode([&encoded[..]]).unwrap(), (body, true, behind));
    }

    #[test]
    fn any_bytes_decode_alike_in_any_pieces(
        bytes in prop::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'3'), Just(b';'), any::<u8>()],
            0..60,
        ),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let whole = decode([&bytes[..]]).map(|(body, ended, _)| (body, ended));
        let split = decode(split(&bytes, &cuts)).map(|(body, ended, _)| (body, ended));
        prop_assert_eq!(whole, split);
    }
}
