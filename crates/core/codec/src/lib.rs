//! Codec facts: NAL units, parameter sets, decoder configuration records, key frames.
