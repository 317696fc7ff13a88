//! The pool: a queue, a thread per worker.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use streamkeep_decoder_protocol::{Answer, Error as ProtocolError, Timing};
use tokio::sync::oneshot;

use crate::backoff::Backoff;
use crate::executable::locate;
use crate::job::begins_like;
use crate::pipe::Patience;
use crate::queue::Queue;
use crate::stats::{Counters, add};
use crate::worker::{Lost, Worker};
use crate::{Picture, PictureError, PictureJob, Settings, Stats};

/// A pool of decoder workers. Dropping it kills them, which takes less than a tenth of a second.
#[derive(Debug)]
pub struct Pictures {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    queue: Queue<Order>,
    counters: Counters,
}

/// A job in the queue.
#[derive(Debug)]
struct Order {
    job: PictureJob,
    since: Instant,
    reply: oneshot::Sender<Result<Picture, PictureError>>,
}

impl Pictures {
    /// A pool without workers yet: each is started when it is first needed, and then stays.
    ///
    /// A missing executable is no error here but with each job, so that a server without it does
    /// all else; once it is there, jobs succeed.
    ///
    /// # Errors
    ///
    /// The system gives no threads.
    pub fn new(settings: Settings) -> io::Result<Self> {
        let worker_count = settings.workers.get();
        let queue = Queue::new(settings.queue_len_max);
        let shared = Arc::new(Shared { settings, queue, counters: Counters::default() });
        let mut pool = Self { shared, threads: Vec::new() };
        for index in 0..worker_count {
            let post = Post::new(Arc::clone(&pool.shared));
            let thread = std::thread::Builder::new().name(format!("pictures-{index}"));
            pool.threads.push(thread.spawn(|| post.run())?);
        }
        Ok(pool)
    }

    /// Makes one image. At most [`worker_count`](Self::worker_count) jobs of one request at a time
    /// leave room for others.
    ///
    /// A dropped future takes its job with it if that still waits; else the worker finishes it in
    /// vain.
    pub async fn picture(&self, job: PictureJob) -> Result<Picture, PictureError> {
        let (reply, answer) = oneshot::channel();
        if !self.shared.queue.push(Order { job, since: Instant::now(), reply }) {
            self.shared.counters.error(&PictureError::Busy);
            return Err(PictureError::Busy);
        }
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Workers the pool has when all are needed.
    pub fn worker_count(&self) -> usize {
        self.shared.settings.workers.get()
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot(self.shared.queue.len())
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A thread and its worker.
struct Post {
    shared: Arc<Shared>,
    worker: Option<Worker>,
    starts: Backoff,
    losses: Backoff,
    /// Why the last start failed.
    trouble: String,
}

impl Post {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            worker: None,
            starts: Backoff::new(START_BACKOFF, START_BACKOFF_MAX),
            losses: Backoff::new(LOSS_BACKOFF, LOSS_BACKOFF_MAX),
            trouble: String::new(),
        }
    }

    fn run(mut self) {
        while let Some(order) = self.next_order() {
            let counters = &self.shared.counters;
            let waited = order.since.elapsed();
            if waited > self.shared.settings.wait_max {
                counters.error(&PictureError::Busy);
                let _ = order.reply.send(Err(PictureError::Busy));
                continue;
            }
            add(&counters.wait_us, waited.as_micros() as u64);
            add(&counters.running, 1);
            let result = self.serve(&order);
            self.shared.counters.running.fetch_sub(1, Ordering::Relaxed);
            match &result {
                Ok((_, timing)) => self.shared.counters.picture(*timing),
                Err(error) => self.shared.counters.error(error),
            }
            // Whoever asked may be gone.
            let _ = order.reply.send(result.map(|(picture, _)| picture));
            self.after_job();
        }
        drop(self.dismiss());
    }

    /// The next job that somebody still waits for; `None` when the pool closes.
    fn next_order(&self) -> Option<Order> {
        let queue = &self.shared.queue;
        while self.worker.is_none() && self.workers_elsewhere() && !queue.is_closed() {
            // A thread that cannot start a worker leaves the jobs to those that have one.
            let wait = self.starts.remaining(Instant::now());
            if wait.is_zero() {
                break;
            }
            queue.sleep(wait.min(Duration::from_millis(100)));
        }
        loop {
            let order = queue.pop()?;
            if !order.reply.is_closed() {
                return Some(order);
            }
        }
    }

    fn workers_elsewhere(&self) -> bool {
        self.shared.counters.workers.load(Ordering::Relaxed) > 0
    }

    fn serve(&mut self, order: &Order) -> Result<(Picture, Timing), PictureError> {
        let (job, settings) = (&order.job, &self.shared.settings);
        // However long it waited and a start takes: nobody waits longer for an answer.
        let deadline = order.since + settings.wait_max + settings.decode_max;
        let frame = job.message().encode().map_err(|error| match error {
            ProtocolError::TooLarge { .. } => PictureError::TooLarge { reason: error.to_string() },
            _ => PictureError::Internal { reason: error.to_string() },
        })?;
        if self.worker.as_ref().is_some_and(Worker::is_lost) {
            // Not this job's fault: it gets a new one.
            add(&self.shared.counters.lost_by_death, 1);
            drop(self.dismiss());
        }
        self.ensure_worker(deadline).map_err(|reason| PictureError::Unavailable { reason })?;
        let Some(worker) = &mut self.worker else { return Err(stopping()) };

        let shared = Arc::clone(&self.shared);
        let patience = Patience {
            deadline: deadline.min(Instant::now() + shared.settings.decode_max),
            stop: &|| shared.queue.is_closed(),
        };
        let answer = worker.exchange(&frame, &patience).and_then(|answer| understand(job, answer));
        shared.counters.worker_bytes(worker.peak_bytes());
        match answer {
            Ok(result) => {
                self.losses.succeeded();
                result
            }
            Err(lost) => Err(self.lose(lost)),
        }
    }

    /// The worker is lost; what the job is told.
    fn lose(&mut self, lost: Lost) -> PictureError {
        self.losses.failed(Instant::now());
        let end = self.dismiss().filter(|_| matches!(lost, Lost::Died)).map(Worker::end);
        let counters = &self.shared.counters;
        let reason = match lost {
            Lost::Deadline => {
                add(&counters.lost_by_deadline, 1);
                format!("the decoder took longer than {:?}", self.shared.settings.decode_max)
            }
            Lost::Died => {
                add(&counters.lost_by_death, 1);
                format!("the decoder did not survive it: {}", end.unwrap_or_default())
            }
            Lost::Nonsense(error) => {
                add(&counters.lost_by_nonsense, 1);
                format!("the decoder answered nonsense: {error}")
            }
            Lost::Stopped => return stopping(),
        };
        PictureError::Media { reason }
    }

    /// Has a worker ready before the next job comes, if there was one for the last.
    fn after_job(&mut self) {
        let wait = self.losses.remaining(Instant::now());
        if !wait.is_zero() {
            self.shared.queue.sleep(wait);
        } else if self
            .worker
            .as_ref()
            .is_none_or(|worker| worker.jobs() < self.shared.settings.jobs_per_worker.get())
        {
            return;
        } else {
            add(&self.shared.counters.replaced, 1);
            drop(self.dismiss());
        }
        if !self.shared.queue.is_closed() {
            // What goes wrong is told to the next job.
            let _ = self.ensure_worker(Instant::now() + START_MAX);
        }
    }

    fn ensure_worker(&mut self, deadline: Instant) -> Result<(), String> {
        if self.worker.is_some() {
            return Ok(());
        }
        if !self.starts.remaining(Instant::now()).is_zero() {
            return Err(self.trouble.clone());
        }
        let settings = &self.shared.settings;
        let patience = Patience {
            deadline: deadline.min(Instant::now() + START_MAX),
            stop: &|| self.shared.queue.is_closed(),
        };
        let started = locate(settings.executable.as_deref())
            .and_then(|executable| Worker::start(&executable, &settings.arguments, &patience));
        let counters = &self.shared.counters;
        match started {
            Ok(worker) => {
                add(&counters.starts, 1);
                add(&counters.workers, 1);
                add(&counters.workers_with_landlock, worker.confinement().landlock.into());
                self.worker = Some(worker);
                self.starts.succeeded();
                Ok(())
            }
            Err(trouble) => {
                add(&counters.start_failures, 1);
                self.starts.failed(Instant::now());
                self.trouble = trouble;
                Err(self.trouble.clone())
            }
        }
    }

    /// Takes the worker out of the count. Dropping it kills it.
    fn dismiss(&mut self) -> Option<Worker> {
        let worker = self.worker.take()?;
        let counters = &self.shared.counters;
        let landlock = u64::from(worker.confinement().landlock);
        counters.workers.fetch_sub(1, Ordering::Relaxed);
        counters.workers_with_landlock.fetch_sub(landlock, Ordering::Relaxed);
        Some(worker)
    }
}

/// What the answer is for the job. An answer that cannot be true is nonsense: the worker may have
/// been taken over.
fn understand(
    job: &PictureJob,
    answer: Vec<u8>,
) -> Result<Result<(Picture, Timing), PictureError>, Lost> {
    let answer = Bytes::from(answer);
    match Answer::parse(&answer).map_err(Lost::Nonsense)? {
        Answer::Failure { kind, reason } => Ok(Err(PictureError::of_worker(kind, reason))),
        Answer::Image { size, timing, bytes } => {
            let wrong =
                |field, value: u64| Err(Lost::Nonsense(ProtocolError::Invalid { field, value }));
            if !begins_like(job.format, bytes) {
                return wrong("format of the image", 0);
            }
            if bytes.len() > job.image_len_max as usize {
                return wrong("length of the image", bytes.len() as u64);
            }
            if job.size.is_some_and(|wanted| wanted != size) {
                return wrong("width of the image", size.width.into());
            }
            Ok(Ok((Picture { size, bytes: answer.slice_ref(bytes) }, timing)))
        }
    }
}

fn stopping() -> PictureError {
    PictureError::Unavailable { reason: "the server is stopping".to_owned() }
}

/// How long a worker may take to get ready: it decodes one small picture.
const START_MAX: Duration = Duration::from_secs(2);

/// After failed starts: the executable is missing or does not work.
const START_BACKOFF: Duration = Duration::from_millis(200);
const START_BACKOFF_MAX: Duration = Duration::from_secs(10);

/// After lost workers in a row. Small: whoever sends hostile streams must not be able to keep the
/// pool empty for others.
const LOSS_BACKOFF: Duration = Duration::from_millis(5);
const LOSS_BACKOFF_MAX: Duration = Duration::from_millis(500);
