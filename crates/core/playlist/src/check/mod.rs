//! Checkers for playlists and manifests, ours and foreign.
//!
//! Most faults show only between two reloads, so the checkers take a recorded **series**, oldest
//! first. They read the text on their own, share nothing with the writers and accept any bytes.
//! Each [`Finding`] names its rule: a section of RFC 8216, of its second edition ("bis"), of ISO/IEC
//! 23009-1, or a number of Apple's HLS authoring specification ("Apple"), so that other validators
//! can be compared.
//!
//! Not looked at: what the URIs answer, encryption, date ranges, variables.

mod attributes;
mod finding;
mod instant;
mod lines;
mod list;
mod mpd;
mod multivariant;
mod parse_list;
mod renditions;
mod series;
mod xml;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Level, utf8};

use finding::Findings;

/// Checks the reloads of one media playlist in the order they were answered: each by itself, then
/// against the ones before. Delta updates may be among them.
pub fn media_playlists(series: &[&str]) -> Vec<Finding> {
    series::check(series.iter().map(|text| (None, *text)))
}

/// As [`media_playlists`], with the time of each answer in milliseconds on any clock: also checks
/// that the list grows in time.
pub fn media_playlists_at(series: &[(u64, &str)]) -> Vec<Finding> {
    series::check(series.iter().map(|(at, text)| (Some(*at), *text)))
}

/// Checks the media playlists of one presentation, all of one moment, against each other.
/// `Finding::text` is the index of the playlist.
pub fn renditions(lists: &[&str]) -> Vec<Finding> {
    renditions::check(lists)
}

/// Checks a multivariant playlist.
pub fn multivariant_playlist(text: &str) -> Vec<Finding> {
    let mut findings = Findings::default();
    multivariant::check(text, &mut findings);
    findings.into_vec()
}

/// Checks the reloads of one MPD in the order they were answered.
pub fn mpds(series: &[&str]) -> Vec<Finding> {
    mpd::check(series)
}
