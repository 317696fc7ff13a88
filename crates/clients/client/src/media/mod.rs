//! Media from the service: GetMedia and GetMediaForFragmentList (get-media.md).

mod body;
mod fragment_list;
mod fragment_reader;
mod matroska_file;
mod start_selector;

pub use body::MediaBody;
pub use fragment_list::{FragmentInfo, TimestampAxis, list_fragments};
pub use fragment_reader::{Document, FragmentReader, MediaEvent};
pub use matroska_file::{MatroskaFile, Patch};
pub use start_selector::StartSelector;
