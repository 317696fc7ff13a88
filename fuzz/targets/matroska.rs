//! A PutMedia body: any split gives the same events, and the session never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamkeep_ingest::{BodyEnd, IngestLimits, IngestSession, SessionConfig, TimecodeType};
use streamkeep_media::{FragmentNumber, UnixMillis};

fuzz_target!(|data: &[u8]| {
    streamkeep_mkv::fuzz::check_any_split(data);
    let (step, body) = data.split_first().map_or((1, data), |(step, body)| (*step, body));
    let mut session = IngestSession::new(SessionConfig {
        timecode_type: TimecodeType::Absolute,
        kept: step & 1 == 0,
        limits: IngestLimits { fragment_bytes_max: 1 << 20, ..IngestLimits::default() },
    });
    let mut sequence = 0;
    for piece in body.chunks(usize::from(step).max(1)) {
        session.handle_body(UnixMillis(1_795_166_438_000), piece, &mut || {
            sequence += 1;
            let at = UnixMillis(1_795_166_438_000 + sequence);
            Ok((FragmentNumber::new(at, 1, sequence), at))
        });
        while let Some(output) = session.poll_output() {
            if let streamkeep_ingest::Output::Complete(fragment) = output {
                for frame in &fragment.frames {
                    let (start, len) = (frame.offset as usize, frame.len as usize);
                    assert!(streamkeep_media::gather(&fragment.media, start, len).is_some());
                }
            }
        }
    }
    session.handle_end(BodyEnd::Complete);
    while session.poll_output().is_some() {}
});
