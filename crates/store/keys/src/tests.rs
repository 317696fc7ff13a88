use std::collections::HashSet;

use proptest::prelude::*;
use streamkeep_io::Rng;
use streamkeep_io::sim::SimRng;
use streamkeep_media::StreamId;

use crate::section::{chunk_count, nonce};
use crate::*;

const STORE: StoreId = StoreId([0x22; 16]);
const STREAM: StreamId = StreamId([0x11; 16]);
const OTHER: StreamId = StreamId([0x12; 16]);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seal(seed: u64, aad: &[u8], meta: &[u8], media: &[&[u8]]) -> (DataKey, SealedFragment) {
    let rng = SimRng::new(seed);
    let key = DataKey::generate(STREAM, 1, &rng);
    let sealed = seal_fragment(&key, FreshSalt::generate(&rng), aad, meta, media).unwrap();
    (key, sealed)
}

fn open(
    key: &DataKey,
    sealed: &SealedFragment,
    aad: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), KeysError> {
    let opener = FragmentOpener::new(key, &sealed.salt, &sealed.commitment, aad)?;
    let (meta, media) = sealed.bytes.split_at(sealed_len(sealed.meta_len) as usize);
    let meta = opener.open_meta(meta.to_vec(), sealed.meta_len)?;
    Ok((meta, opener.open_media(media.to_vec(), sealed.media_len)?))
}

/// Known answers, computed with Python's hmac and the `cryptography` package (OpenSSL) from the
/// description in `design/store.md` and the same random bytes.
mod known_answers {
    use super::*;

    #[test]
    fn sealed_fragment() {
        let (_, sealed) = seal(7, b"aad", b"meta", &[b"media in ", b"", b"two pieces"]);
        assert_eq!(hex(&sealed.salt), "da211e6a663bd37311aabecb86beda3ff6d0c233a1c4cb77");
        assert_eq!(hex(&sealed.commitment), "c09b23d8d0ce41e8d8d652eba2e80a36");
        assert_eq!(
            hex(&sealed.bytes),
            "b5e62210a0e35c3875bd460fe2588adde60824a1\
             8bfedbd14be2899a4bc30adab1894ea8a99978ab0beaaccbed03b2b66838aadc9e4a6e"
        );
        assert_eq!((sealed.meta_len, sealed.media_len), (4, 19));
    }

    #[test]
    fn sealed_fragment_of_three_chunks() {
        let media: Vec<u8> = (0..2 * CHUNK_LEN + 5).map(|i| (i * 7 + (i >> 8)) as u8).collect();
        let (_, sealed) = seal(7, b"aad", b"", &[&media[..1_500_000], &media[1_500_000..]]);
        assert_eq!(sealed.bytes.len(), 2_097_221);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &sealed.bytes);
        let expected = "55aeb34643dabfc6b33112d05c6a3442e994f367d7949c6b8452d438681ddff3";
        assert_eq!(hex(digest.as_ref()), expected);
    }

    #[test]
    fn wrapped_keys() {
        let root = RootKey::generate(&SimRng::new(1));
        let stream_key = StreamKey::generate(STORE, STREAM, 1, &SimRng::new(2));
        let data_key = DataKey::generate(STREAM, 9, &SimRng::new(3));
        assert_eq!(hex(&root.id().0), "1c2ee5934ac0c69a805847b5d2300978");
        assert_eq!(
            hex(&root.wrap_stream_key(&stream_key, &SimRng::new(4)).key.0),
            "01010000ca8a33e272e3736e30b0984bb28b50c23aa797ca1499e2822b4876befd516fb6\
             ab4dc096f1530e0299df65fac4b9db0aaf1adba6cdf16ad28772d968"
        );
        assert_eq!(
            hex(stream_key.fingerprint_key().as_bytes()),
            "48820b62ba062aa6823295d01bec0c72c494cd3c49980b8777cfe5a8a3a7e084"
        );
        assert_eq!(
            hex(&stream_key.wrap_data_key(&data_key, &SimRng::new(5)).key.0),
            "010100005ac389a30c3b0363f8369793adb099bb7ee43425e292d25532c161cc290de9ff\
             474ede7bd5b5a3e8c36a201b052f9eeb043b7de0ed49927f9908245c"
        );
    }
}

#[test]
fn the_chain_of_keys_opens_what_it_wrapped() {
    let rng = SimRng::new(1);
    let root = RootKey::generate(&rng);
    let stream_key = StreamKey::generate(STORE, STREAM, 3, &rng);
    let data_key = DataKey::generate(STREAM, 9, &rng);
    let wrapped_stream_key = root.wrap_stream_key(&stream_key, &rng);
    let wrapped_data_key = stream_key.wrap_data_key(&data_key, &rng);
    let sealed =
        seal_fragment(&data_key, FreshSalt::generate(&rng), b"", b"meta", &[b"media"]).unwrap();
    drop((stream_key, data_key));

    let root = RootKey::parse(&root.to_hex()).unwrap();
    let stream_key = root.unwrap_stream_key(STORE, &wrapped_stream_key).unwrap();
    assert_eq!((stream_key.stream(), stream_key.generation()), (STREAM, 3));
    let data_key = stream_key.unwrap_data_key(&wrapped_data_key).unwrap();
    assert_eq!((data_key.stream(), data_key.generation()), (STREAM, 9));
    assert_eq!(open(&data_key, &sealed, b"").unwrap(), (b"meta".to_vec(), b"media".to_vec()));
}

#[test]
fn a_wrapped_key_opens_only_where_it_belongs() {
    let rng = SimRng::new(1);
    let root = RootKey::generate(&rng);
    let stream_key = StreamKey::generate(STORE, STREAM, 3, &rng);
    let wrapped = root.wrap_stream_key(&stream_key, &rng);
    let refused = |root: &RootKey, store, wrapped: WrappedStreamKey| {
        root.unwrap_stream_key(store, &wrapped).unwrap_err()
    };
    let other_root = RootKey::generate(&rng);
    assert_ne!(root.id(), other_root.id());
    assert_eq!(refused(&other_root, STORE, wrapped), KeysError::WrongKey);
    assert_eq!(refused(&root, StoreId([1; 16]), wrapped), KeysError::WrongKey);
    assert_eq!(
        refused(&root, STORE, WrappedStreamKey { stream: OTHER, ..wrapped }),
        KeysError::WrongKey
    );
    assert_eq!(
        refused(&root, STORE, WrappedStreamKey { generation: 4, ..wrapped }),
        KeysError::WrongKey
    );

    let wrapped = stream_key.wrap_data_key(&DataKey::generate(STREAM, 9, &rng), &rng);
    let refused =
        |key: &StreamKey, wrapped: WrappedDataKey| key.unwrap_data_key(&wrapped).unwrap_err();
    let other_stream = StreamKey::generate(STORE, OTHER, 3, &rng);
    for wrapped in [
        WrappedDataKey { stream: OTHER, ..wrapped },
        WrappedDataKey { generation: 8, ..wrapped },
        WrappedDataKey { stream_key_generation: 2, ..wrapped },
    ] {
        assert_eq!(refused(&stream_key, wrapped), KeysError::WrongKey);
        assert_eq!(refused(&other_stream, wrapped), KeysError::WrongKey);
    }
    // The same stream id, its key generated anew: what a deleted and restored stream would have.
    let regenerated = StreamKey::generate(STORE, STREAM, 3, &rng);
    assert_eq!(refused(&regenerated, wrapped), KeysError::WrongKey);
}

#[test]
fn every_flipped_bit_of_a_wrapped_key_is_noticed() {
    let rng = SimRng::new(1);
    let root = RootKey::generate(&rng);
    let wrapped = root.wrap_stream_key(&StreamKey::generate(STORE, STREAM, 3, &rng), &rng);
    for bit in 0..WRAPPED_KEY_LEN * 8 {
        let mut bad = wrapped;
        bad.key.0[bit / 8] ^= 1 << (bit % 8);
        let error = root.unwrap_stream_key(STORE, &bad).unwrap_err();
        if bit < 32 {
            let [version, algorithm, ..] = bad.key.0;
            assert_eq!(error, KeysError::UnknownWrapping { version, algorithm });
        } else {
            assert_eq!(error, KeysError::WrongKey);
        }
    }
}

#[test]
fn every_flipped_bit_of_a_fragment_is_noticed() {
    let (key, sealed) = seal(1, b"aad", b"meta", &[b"media bytes"]);
    let meta_len = sealed_len(sealed.meta_len) as usize;
    for bit in 0..sealed.bytes.len() * 8 {
        let mut bad = sealed.clone();
        bad.bytes[bit / 8] ^= 1 << (bit % 8);
        let section = if bit / 8 < meta_len { Section::Meta } else { Section::Media };
        let expected = KeysError::Damaged { section, chunk: 0 };
        assert_eq!(open(&key, &bad, b"aad"), Err(expected));
    }
    for bit in 0..SALT_LEN * 8 {
        let mut bad = sealed.clone();
        bad.salt[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&key, &bad, b"aad"), Err(KeysError::CommitmentMismatch));
    }
    for bit in 0..COMMITMENT_LEN * 8 {
        let mut bad = sealed.clone();
        bad.commitment[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&key, &bad, b"aad"), Err(KeysError::CommitmentMismatch));
    }
    let damaged = Err(KeysError::Damaged { section: Section::Meta, chunk: 0 });
    for aad in [&b"aae"[..], b"aa", b"aadd", b""] {
        assert_eq!(open(&key, &sealed, aad), damaged);
    }
}

#[test]
fn other_keys_and_streams_do_not_open_a_fragment() {
    let (key, sealed) = seal(1, b"aad", b"meta", &[b"media"]);
    let rng = SimRng::new(2);
    let other = DataKey::generate(STREAM, 1, &rng);
    assert_eq!(open(&other, &sealed, b"aad"), Err(KeysError::CommitmentMismatch));
    // The same secret under another stream's name.
    let renamed = DataKey::generate(OTHER, 1, &SimRng::new(1));
    assert_eq!(renamed.secret(), key.secret());
    assert_eq!(open(&renamed, &sealed, b"aad"), Err(KeysError::CommitmentMismatch));
}

#[test]
fn chunks_cannot_be_cut_off_swapped_or_moved() {
    let chunk = (CHUNK_LEN + TAG_LEN) as usize;
    let media = vec![7; 2 * CHUNK_LEN as usize + 10];
    let (key, sealed) = seal(1, b"", b"", &[&media]);
    let opener = FragmentOpener::new(&key, &sealed.salt, &sealed.commitment, b"").unwrap();
    let media_len = sealed.media_len;
    let section = Section::Media;
    let bytes = sealed.bytes[16..].to_vec();

    // Cut after a whole chunk: that chunk does not say it is the last.
    let cut = bytes[..2 * chunk].to_vec();
    let error = opener.open_media(cut, 2 * CHUNK_LEN).unwrap_err();
    assert_eq!(error, KeysError::Damaged { section, chunk: 1 });
    // A length that does not fit.
    let error = opener.open_media(bytes.clone(), media_len - 1).unwrap_err();
    assert!(matches!(error, KeysError::Length { .. }), "{error}");
    // Swapped.
    let swapped = [&bytes[chunk..2 * chunk], &bytes[..chunk], &bytes[2 * chunk..]].concat();
    let error = opener.open_media(swapped, media_len).unwrap_err();
    assert_eq!(error, KeysError::Damaged { section, chunk: 0 });
    // Repeated.
    let repeated = [&bytes[..chunk], &bytes[..chunk], &bytes[2 * chunk..]].concat();
    let error = opener.open_media(repeated, media_len).unwrap_err();
    assert_eq!(error, KeysError::Damaged { section, chunk: 1 });
    // The empty meta section in place of an empty media section.
    let error = opener.open_media(sealed.bytes[..16].to_vec(), 0).unwrap_err();
    assert_eq!(error, KeysError::Damaged { section, chunk: 0 });
    assert_eq!(opener.open_media(bytes, media_len).unwrap(), media);
}

#[test]
fn an_empty_section_cannot_be_cut_off() {
    let (key, sealed) = seal(1, b"", b"", &[] as &[&[u8]]);
    assert_eq!(sealed.bytes.len(), 2 * TAG_LEN as usize);
    assert_eq!(open(&key, &sealed, b"").unwrap(), (vec![], vec![]));
    let opener = FragmentOpener::new(&key, &sealed.salt, &sealed.commitment, b"").unwrap();
    let error = opener.open_meta(vec![], 0).unwrap_err();
    assert_eq!(error, KeysError::Length { section: Section::Meta, expected: 16, found: 0 });
}

#[test]
fn single_chunks_open_alone_and_leave_nothing_on_failure() {
    let media: Vec<u8> = (0..CHUNK_LEN + 100).map(|i| i as u8).collect();
    let (key, sealed) = seal(1, b"", b"meta", &[&media]);
    let opener = FragmentOpener::new(&key, &sealed.salt, &sealed.commitment, b"").unwrap();
    let media_len = sealed.media_len;
    let start = sealed_len(sealed.meta_len) as usize;
    for range in [0..1, CHUNK_LEN..CHUNK_LEN + 1, CHUNK_LEN - 1..CHUNK_LEN + 1, 0..media_len] {
        let span = chunk_span(media_len, range.clone()).unwrap();
        let mut bytes =
            sealed.bytes[start..][span.sealed.start as usize..span.sealed.end as usize].to_vec();
        let mut plain = Vec::new();
        let chunk_len = (CHUNK_LEN + TAG_LEN) as usize;
        for (index, chunk) in span.chunks.zip(bytes.chunks_mut(chunk_len)) {
            plain.extend_from_slice(opener.open_media_chunk(media_len, index, chunk).unwrap());
        }
        let skip = (range.start - span.plain_start) as usize;
        let plain = &plain[skip..skip + range.len()];
        assert_eq!(plain, &media[range.start as usize..range.end as usize]);
    }
    let last = &sealed.bytes[start + (CHUNK_LEN + TAG_LEN) as usize..];
    for (index, harm) in [(0, None), (2, None), (1, Some(0)), (1, Some(115)), (9, None)] {
        let mut bytes = last.to_vec();
        if let Some(at) = harm {
            bytes[at] ^= 1;
        }
        assert!(opener.open_media_chunk(media_len, index, &mut bytes).is_err());
        // With an index past the end nothing was decrypted.
        assert!(index > 1 || bytes.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn no_nonce_comes_twice_in_a_fragment() {
    let mut seen = HashSet::new();
    for section in [Section::Meta, Section::Media] {
        for index in 0..4096 {
            for is_last in [false, true] {
                assert!(seen.insert(*nonce(section, index, is_last).as_ref()));
            }
        }
    }
    assert_eq!(chunk_count(u32::MAX), 4096);
}

#[test]
fn every_fragment_has_a_key_of_its_own() {
    let rng = SimRng::new(1);
    let key = DataKey::generate(STREAM, 1, &rng);
    let mut salts = HashSet::new();
    let mut commitments = HashSet::new();
    let mut sealed_bytes = HashSet::new();
    for _ in 0..500 {
        let sealed =
            seal_fragment(&key, FreshSalt::generate(&rng), b"", b"same", &[b"same"]).unwrap();
        assert!(salts.insert(sealed.salt));
        assert!(commitments.insert(sealed.commitment));
        assert!(sealed_bytes.insert(sealed.bytes));
    }
}

#[test]
fn nothing_secret_is_printed() {
    /// Gives bytes that are easy to find in any text form.
    #[derive(Debug)]
    struct Telltale;
    impl Rng for Telltale {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0xd7);
        }
    }
    let root = RootKey::generate(&Telltale);
    let stream_key = StreamKey::generate(STORE, STREAM, 1, &Telltale);
    let data_key = DataKey::generate(STREAM, 1, &Telltale);
    let rng = SimRng::new(1);
    let sealed = seal_fragment(&data_key, FreshSalt::generate(&rng), b"", b"", &[b""]).unwrap();
    let opener = FragmentOpener::new(&data_key, &sealed.salt, &sealed.commitment, b"").unwrap();
    let mut cache = DataKeyCache::new(1, std::time::Duration::from_secs(1));
    let wrapped = stream_key.wrap_data_key(&data_key, &rng);
    let shown = format!(
        "{root:?} {stream_key:?} {data_key:?} {:?} {opener:?}",
        stream_key.fingerprint_key()
    );
    assert!(!shown.contains("d7") && !shown.contains("215") && !shown.contains("D7"), "{shown}");
    assert_eq!(shown.matches("[redacted]").count(), 5);
    cache.insert(wrapped, data_key.into(), std::time::Duration::ZERO);
    assert!(!format!("{cache:?}").contains("215"));
}

#[test]
#[should_panic(expected = "its own stream's key")]
fn a_data_key_of_another_stream_is_not_wrapped() {
    let rng = SimRng::new(1);
    let stream_key = StreamKey::generate(STORE, STREAM, 1, &rng);
    stream_key.wrap_data_key(&DataKey::generate(OTHER, 1, &rng), &rng);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sealed_and_opened(
        seed: u64,
        aad in prop::collection::vec(any::<u8>(), 0..100),
        meta in prop::collection::vec(any::<u8>(), 0..2_000),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3_000), 0..6),
        long in prop::option::weighted(0.2, CHUNK_LEN as usize - 3..CHUNK_LEN as usize + 3),
    ) {
        let mut pieces = pieces;
        if let Some(len) = long {
            pieces.push(vec![seed as u8; len]);
        }
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let (key, sealed) = seal(seed, &aad, &meta, &slices);
        let media = pieces.concat();
        prop_assert_eq!(sealed.media_len as usize, media.len());
        let len = sealed_len(sealed.meta_len) + sealed_len(sealed.media_len);
        prop_assert_eq!(sealed.bytes.len() as u64, len);
        prop_assert_eq!(open(&key, &sealed, &aad), Ok((meta, media)));
    }

    #[test]
    fn any_text_is_a_root_key_or_an_error(text in "\\PC{0,70}") {
        if let Ok(key) = RootKey::parse(&text) {
            prop_assert_eq!(RootKey::parse(&key.to_hex()).map(|key| key.id()), Ok(key.id()));
        }
    }
}
