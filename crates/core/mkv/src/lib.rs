//! Matroska: a push parser for growing input, and writers for the producer and GetMedia layouts.
