//! Settings of the pool.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

/// How many workers, how long a job may take. [`Settings::default`] is right for most.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The worker's executable; `None`: `streamkeep-decoder` in the folder of the running
    /// executable.
    pub executable: Option<PathBuf>,
    /// Arguments of the worker: none, but for its self-test.
    pub arguments: Vec<String>,
    /// Worker processes, started when they are first needed. Default: the processors, at most 4.
    pub workers: NonZero<usize>,
    /// Jobs that wait for a worker. More are answered [`Busy`](crate::PictureError::Busy).
    /// Default: 64, more than two calls of GetImages with 25 images each.
    pub queue_len_max: usize,
    /// How long a job may wait for a worker before it is answered
    /// [`Busy`](crate::PictureError::Busy). Default: 1.5 s.
    pub wait_max: Duration,
    /// How long a worker may take for a job before it is killed. Default: 3 s. With `wait_max` it
    /// stays below 5 s, so that a hostile stream is answered in that time.
    pub decode_max: Duration,
    /// Jobs after which a worker is replaced, so that one that was taken over does not stay.
    /// Default: 256; a start costs less than a tenth of a picture each time.
    pub jobs_per_worker: NonZero<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self {
            executable: None,
            arguments: Vec::new(),
            workers: processors.min(NonZero::new(4).expect("4 is not 0")),
            queue_len_max: 64,
            wait_max: Duration::from_millis(1_500),
            decode_max: Duration::from_secs(3),
            jobs_per_worker: NonZero::new(256).expect("256 is not 0"),
        }
    }
}
