//! Producer and consumer library: signed calls, PutMedia, GetMedia.
