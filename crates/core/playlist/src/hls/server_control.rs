//! EXT-X-SERVER-CONTROL: what reloads the server offers (bis §4.4.3.8).

use crate::decimal::push_millis_as_secs;

/// The server's offers. Every playlist of a presentation carries the same ones, and they never
/// change within a session (packaging.md §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerControl {
    /// Blocking reloads: `_HLS_msn` and `_HLS_part` are obeyed.
    pub can_block_reload: bool,
    /// How far from the live edge a player of parts stays. At least twice the part target, three
    /// times it by Apple's advice; required when there are parts.
    pub part_hold_back_ms: Option<u32>,
    /// How far from the live edge a player of segments stays. At least three times the target
    /// duration, which is also what its absence means.
    pub hold_back_ms: Option<u32>,
    /// Segments older than this may be left out of a delta update. At least six times the target
    /// duration.
    pub can_skip_until_ms: Option<u32>,
}

impl ServerControl {
    /// One line, nothing when nothing is offered.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        let seconds = [
            ("PART-HOLD-BACK=", self.part_hold_back_ms),
            ("HOLD-BACK=", self.hold_back_ms),
            ("CAN-SKIP-UNTIL=", self.can_skip_until_ms),
        ];
        if *self == Self::default() {
            return;
        }
        out.extend_from_slice(b"#EXT-X-SERVER-CONTROL:");
        let mut separator: &[u8] = b"";
        if self.can_block_reload {
            out.extend_from_slice(b"CAN-BLOCK-RELOAD=YES");
            separator = b",";
        }
        for (name, millis) in seconds {
            let Some(millis) = millis else { continue };
            out.extend_from_slice(separator);
            out.extend_from_slice(name.as_bytes());
            push_millis_as_secs(out, millis.into(), 1);
            separator = b",";
        }
        out.push(b'\n');
    }
}
