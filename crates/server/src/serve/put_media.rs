//! PutMedia: the shell around [`IngestSession`] that owns the connection.
//!
//! Body bytes go into the session; what it says is done here: acks are written, frames go to the
//! live tail, fragments to the store. The rules are in the session; the clocks are here.

mod admission;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use streamkeep_api::ConnectionPermit;
use streamkeep_engine::{AppendDone, AppendRefused, Engine};
use streamkeep_http::{ConnectionInfo, Exchange, ReadError, WriteError};
use streamkeep_ingest::{
    Ack, AckEvent, BodyEnd, ErrorId, IngestSession, Output, SessionConfig, StoreFailure, Stored,
};
use streamkeep_io::Clock;
use streamkeep_live::LiveFragment;
use streamkeep_media::{Fragment, FragmentNumber, UnixMillis};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::metrics::{PutHistograms, StreamMetrics};
use super::stream_health::SessionId;
use super::streams::StreamRuntime;
use super::throttle::Throttle;

pub(super) use admission::answer;

/// An IDLE ack after this much silence, and again each time as much passes (put-media.md §7.3).
const IDLE_ACK_AFTER: Duration = Duration::from_secs(10);
/// A session of a stream without retention whose producer waits for a PERSISTED that never comes
/// is released after this much silence (design/ingest.md, "Acks").
const UNRETAINED_WAIT: Duration = Duration::from_secs(3);
/// How long the store may have no room before the session is broken off (storage notes §0).
const OVERLOAD_PATIENCE: Duration = Duration::from_secs(3);
/// How often the store is asked again while it has no room.
const OVERLOAD_RETRY: Duration = Duration::from_millis(20);

/// A fragment above this is hashed, sealed and queued on another thread: 50 MB would hold up
/// everyone else on this one for a tenth of a second.
const LARGE_FRAGMENT: usize = 1 << 20;

/// A silence that explains a gap in the recording.
const SILENCE_MIN: Duration = Duration::from_secs(1);
/// Silences remembered between two fragments. A later one explains no less than they do.
const SILENCES_MAX: usize = 4;

/// A session whose producer has opened another one ends after this much silence.
const SUPERSEDED_WAIT: Duration = Duration::from_secs(10);

/// How long a session may be silent, how long it may last, how fast it may be (put-media.md §6).
#[derive(Clone, Copy, Debug)]
struct SessionRules {
    /// Closed after this long without a byte; never below 30 s.
    idle_max: Duration,
    /// 4003 after this long; `None` for no limit.
    life_max: Option<Duration>,
    /// Bytes per second; what is faster is read later.
    bytes_per_second_max: Option<u64>,
    /// Fragments per second, likewise.
    fragments_per_second_max: Option<u32>,
}

/// What a session works with.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    engine: &'a Engine,
    clock: &'a dyn Clock,
    histograms: &'a PutHistograms,
    stream: &'a Arc<StreamRuntime>,
    permit: &'a ConnectionPermit,
    /// The producer's User-Agent.
    producer: Option<&'a str>,
}

/// Runs one session to its end. The response head has been queued.
async fn run(
    surroundings: Surroundings<'_>,
    config: SessionConfig,
    rules: SessionRules,
    exchange: &mut Exchange,
    conn: &ConnectionInfo,
) {
    let Surroundings { engine, clock, stream, permit, .. } = surroundings;
    let open = OpenSession::new(surroundings);
    let (stored_tx, mut stored_rx) = mpsc::unbounded_channel();
    let mut shell = Shell {
        around: surroundings,
        id: open.id,
        silences: Vec::new(),
        is_told_silent: false,
        was_held_back: false,
        kept: config.kept,
        stored_tx,
        signals: signals(conn, stream),
        awaits_viewers: false,
        live: None,
        open_since: Instant::now(),
        completed: Vec::new(),
        blocked: None,
        unreported_bytes: 0,
        unreported_frames: 0,
        unreported_fragments: 0,
    };
    let mut session = IngestSession::new(config);
    let started = Instant::now();
    let mut last_byte = started;
    let mut last_idle_ack = started;
    let mut byte_rate = rules.bytes_per_second_max.map(|rate| Throttle::new(rate, started));
    let mut fragment_rate =
        rules.fragments_per_second_max.map(|rate| Throttle::new(rate.into(), started));
    let mut paused_until: Option<Instant> = None;
    // The clocks are here, so that they also count while nothing is read.
    exchange.set_read_timeout(None);
    let timer = tokio::time::sleep(IDLE_ACK_AFTER);
    tokio::pin!(timer);

    loop {
        if shell.carry_out(&mut session, exchange) == Flow::Close {
            break;
        }
        let reading = session.wants_body() && shell.blocked.is_none() && paused_until.is_none();
        shell.was_held_back |= !reading;
        tokio::select! {
            biased;
            // Not looked at while nothing is at the store: that is most frames.
            Some((number, result)) = stored_rx.recv(), if session.outstanding_count() > 0 => session.handle_stored(number, result),
            result = handed_over(&mut shell.blocked) => shell.resume(&mut session, result),
            io = io(exchange, reading) => match io {
                Io::Read(Ok(Some(bytes))) => {
                    let now = Instant::now();
                    shell.heard_after(now - last_byte);
                    last_byte = now;
                    // Once a fragment: the flag is far from everything else a frame touches.
                    if shell.unreported_bytes == 0 {
                        shell.kept = stream.is_kept();
                        session.set_kept(shell.kept);
                    }
                    shell.unreported_bytes += bytes.len() as u64;
                    session.handle_body(clock.now(), bytes, &mut || {
                        engine.begin_fragment(stream.id).map_err(|error| {
                            tracing::warn!(%error, "no fragment number");
                            ErrorId::InternalError
                        })
                    });
                    let wait = |throttle: &mut Option<Throttle>, amount: u64| {
                        throttle.as_mut().map_or(Duration::ZERO, |t| t.take(amount, last_byte))
                    };
                    let pause = wait(&mut byte_rate, bytes.len() as u64).max(wait(
                        &mut fragment_rate,
                        std::mem::take(&mut shell.unreported_fragments),
                    ));
                    if !pause.is_zero() {
                        paused_until = Some(last_byte + pause);
                        bring_forward(timer.as_mut(), pause);
                    }
                    if session.may_wait_for_persisted() {
                        bring_forward(timer.as_mut(), UNRETAINED_WAIT);
                    }
                }
                Io::Read(Ok(None)) => {
                    shell.heard_after(last_byte.elapsed());
                    session.handle_end(BodyEnd::Complete);
                }
                Io::Read(Err(error)) => {
                    log_cut(&error);
                    shell.heard_after(last_byte.elapsed());
                    session.handle_end(BodyEnd::Cut);
                }
                Io::Flushed(Ok(())) => {}
                // Nobody reads acks any more. What is complete is still made durable.
                Io::Flushed(Err(_)) => session.handle_end(BodyEnd::Cut),
            },
            Some(signal) = shell.signals.next() => match signal {
                Signal::Shutdown => session.drain(Some(ErrorId::MaxConnectionDurationReached)),
                Signal::StreamGone => session.give_up(ErrorId::StreamNotActive),
                Signal::Watched => {
                    shell.awaits_viewers = false;
                    session.set_watched(true);
                }
            },
            () = &mut timer => {
                let silent = last_byte.elapsed();
                if shell.waits_for_room() {
                    shell.retry(&mut session);
                } else if let Some(until) = paused_until {
                    paused_until = Some(until).filter(|until| *until > Instant::now());
                } else if permit.superseded()
                    && silent >= SUPERSEDED_WAIT
                    && session.outstanding_count() == 0
                {
                    tracing::debug!("the producer has gone on in another session");
                    session.drain(None);
                } else if session.may_wait_for_persisted() && silent >= UNRETAINED_WAIT {
                    tracing::info!(
                        "the stream keeps nothing, but its producer waits for PERSISTED: raise \
                         the stream's retention or set the producer's to 0"
                    );
                    session.release_waiting_producer();
                } else if silent >= rules.idle_max {
                    tracing::debug!(?silent, "the producer is silent, the session ends");
                    session.drain(None);
                } else if rules.life_max.is_some_and(|most| started.elapsed() >= most) {
                    session.drain(Some(ErrorId::MaxConnectionDurationReached));
                } else if silent.min(last_idle_ack.elapsed()) >= IDLE_ACK_AFTER {
                    last_idle_ack = Instant::now();
                    shell.tell_silent(silent);
                    exchange.send_chunk(Ack::IDLE.to_json_line().as_bytes());
                }
            }
        }
        if shell.waits_for_room() {
            bring_forward(timer.as_mut(), OVERLOAD_RETRY);
        }
        if timer.is_elapsed() {
            let mut next = IDLE_ACK_AFTER.saturating_sub(last_byte.elapsed());
            if next.is_zero() {
                next = Duration::from_secs(1);
            }
            if session.may_wait_for_persisted() {
                next = next.min(UNRETAINED_WAIT.saturating_sub(last_byte.elapsed()));
            }
            if let Some(until) = paused_until {
                next = next.min(until.saturating_duration_since(Instant::now()));
            }
            if shell.waits_for_room() {
                next = OVERLOAD_RETRY;
            }
            if let Some(most) = rules.life_max.filter(|_| session.wants_body()) {
                next = next.min(most.saturating_sub(started.elapsed()));
            }
            timer.as_mut().reset(tokio::time::Instant::now() + next.max(Duration::from_millis(1)));
        }
    }
    shell.heard_after(last_byte.elapsed());
    open.close(&shell.silences);
    exchange.finish();
    if exchange.flush().await.is_err() {
        tracing::debug!("the producer was gone before the last ack was written");
    }
    shell.abort_live();
    shell.report();
}

/// What the server says to a session.
enum Signal {
    Shutdown,
    StreamGone,
    /// Someone watches a stream that nobody watched.
    Watched,
}

/// A set, because it looks only at what has woken it: frames come by the thousand, signals hardly
/// ever.
type Signals = FuturesUnordered<BoxFuture<'static, Signal>>;

fn signals(conn: &ConnectionInfo, stream: &StreamRuntime) -> Signals {
    let (mut signal, mut deletion) = (conn.shutdown.clone(), stream.gone());
    let shutdown = async move {
        signal.requested().await;
        Signal::Shutdown
    };
    let gone = async move {
        deletion.wait().await;
        Signal::StreamGone
    };
    [shutdown.boxed(), gone.boxed()].into_iter().collect()
}

/// What the connection had for us.
enum Io<'a> {
    Read(Result<Option<&'a [u8]>, ReadError>),
    Flushed(Result<(), WriteError>),
}

/// Reads, which also writes what is queued; with nothing to read, acks still have to leave.
async fn io(exchange: &mut Exchange, reading: bool) -> Io<'_> {
    if reading {
        Io::Read(exchange.read().await)
    } else if exchange.queued() > 0 {
        Io::Flushed(exchange.flush().await)
    } else {
        std::future::pending().await
    }
}

fn bring_forward(timer: std::pin::Pin<&mut tokio::time::Sleep>, after: Duration) {
    let at = tokio::time::Instant::now() + after;
    if timer.deadline() > at {
        timer.reset(at);
    }
}

fn log_cut(error: &ReadError) {
    // The normal end of small cameras, so nothing to warn about.
    tracing::debug!(%error, "the body was cut");
}

#[derive(PartialEq, Eq)]
enum Flow {
    Continue,
    Close,
}

type StoredMessage = (FragmentNumber, Result<Stored, StoreFailure>);

/// What the shell keeps beside the session.
struct Shell<'a> {
    around: Surroundings<'a>,
    id: SessionId,
    /// When no byte came for a second or more since the last fragment began.
    silences: Vec<(UnixMillis, UnixMillis)>,
    /// The stream's watch has been told of the silence that goes on.
    is_told_silent: bool,
    /// Bytes were left unread since the last ones: that is not the producer's silence.
    was_held_back: bool,
    kept: bool,
    stored_tx: mpsc::UnboundedSender<StoredMessage>,
    signals: Signals,
    /// [`Signal::Watched`] is among the signals.
    awaits_viewers: bool,
    /// The fragment that is arriving, as live readers see it.
    live: Option<Arc<LiveFragment>>,
    open_since: Instant,
    /// When fragments that are not yet acked were complete, oldest first.
    completed: Vec<(u64, Instant)>,
    /// A complete fragment for which the store has no room, since when, and what follows it.
    blocked: Option<Blocked>,
    unreported_bytes: u64,
    unreported_frames: u64,
    /// Complete fragments that the throttle has not seen.
    unreported_fragments: u64,
}

struct Blocked {
    since: Instant,
    fragments: Vec<Arc<Fragment>>,
    /// The first of them is being handed to the store on another thread.
    handing_over: Option<JoinHandle<Result<(), AppendRefused>>>,
}

/// What the store says to the fragment that is being handed over; never, when there is none.
async fn handed_over(blocked: &mut Option<Blocked>) -> Result<(), AppendRefused> {
    match blocked.as_mut().and_then(|blocked| blocked.handing_over.as_mut()) {
        Some(task) => task.await.unwrap_or(Err(AppendRefused::Closed)),
        None => std::future::pending().await,
    }
}

impl Shell<'_> {
    fn carry_out(&mut self, session: &mut IngestSession, exchange: &mut Exchange) -> Flow {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Ack(ack) => {
                    exchange.send_chunk(ack.to_json_line().as_bytes());
                    self.measure(&ack);
                }
                Output::LiveStart(start) => {
                    self.open_since = Instant::now();
                    self.around.stream.watch.started(self.id, &start, &self.silences);
                    self.silences.clear();
                    let (live, is_watched) = self.around.stream.tail.begin(start);
                    self.live = Some(live);
                    session.set_watched(is_watched);
                    if !is_watched {
                        self.await_viewers();
                    }
                }
                Output::Live(piece) => {
                    if let Some(live) = &self.live {
                        self.unreported_frames += piece.frames.len() as u64;
                        self.around.stream.tail.push(live, piece);
                    }
                }
                Output::LiveAbort(_) => {
                    self.around.stream.watch.aborted(self.id);
                    self.abort_live();
                }
                Output::Complete(fragment) => self.complete(session, Arc::new(*fragment)),
                Output::Close => return Flow::Close,
            }
        }
        Flow::Continue
    }

    fn await_viewers(&mut self) {
        if !std::mem::replace(&mut self.awaits_viewers, true) {
            let stream = self.around.stream.clone();
            let watched = async move {
                stream.tail.watched().await;
                Signal::Watched
            };
            self.signals.push(watched.boxed());
        }
    }

    fn complete(&mut self, session: &mut IngestSession, fragment: Arc<Fragment>) {
        let metrics = &self.around.stream.metrics;
        metrics.put_fragments.inc();
        self.report();
        self.unreported_fragments += 1;
        self.around.histograms.fragment_ingestion.observe(self.open_since.elapsed().as_secs_f64());
        self.completed.push((fragment.timecode, Instant::now()));
        let now = self.around.clock.now();
        self.around.stream.watch.complete(self.id, &fragment, now, self.kept);
        if let Some(live) = self.live.take() {
            self.around.stream.tail.complete(&live, fragment.clone(), now);
        }
        if self.kept {
            self.append(session, fragment);
        }
    }

    fn append(&mut self, session: &mut IngestSession, fragment: Arc<Fragment>) {
        if let Some(blocked) = &mut self.blocked {
            blocked.fragments.push(fragment);
            return;
        }
        if fragment.media_len() > LARGE_FRAGMENT {
            let (engine, stream) = (self.around.engine.clone(), self.around.stream.id);
            let (copy, done) = (Fragment::clone(&fragment), self.done(fragment.number));
            let handing_over = Some(spawn_blocking(move || engine.append(stream, copy, done)));
            self.blocked =
                Some(Blocked { since: Instant::now(), fragments: vec![fragment], handing_over });
            return;
        }
        let done = self.done(fragment.number);
        let result =
            self.around.engine.append(self.around.stream.id, Fragment::clone(&fragment), done);
        self.appended(session, fragment, result);
    }

    /// What is called when the fragment is durable or lost.
    fn done(&self, number: FragmentNumber) -> AppendDone {
        let (tx, stream) = (self.stored_tx.clone(), self.around.stream.clone());
        Box::new(move |result: Result<_, streamkeep_engine::StoreError>| {
            // The row is in the index before this runs: a reader finds the fragment there.
            stream.tail.remove(number);
            let answer = match result {
                Ok(appended) => {
                    count_stored(&stream.metrics, &appended);
                    stream.delivery.stored();
                    Ok(Stored { number: appended.number })
                }
                Err(error) => {
                    tracing::warn!(%error, fragment = %number, stream = stream.name, "not stored");
                    Err(failure(&stream))
                }
            };
            // A session that is gone needs no answer.
            let _ = tx.send((number, answer));
        })
    }

    fn appended(
        &mut self,
        session: &mut IngestSession,
        fragment: Arc<Fragment>,
        result: Result<(), AppendRefused>,
    ) {
        match result {
            Ok(()) => {}
            Err(AppendRefused::Overloaded) => {
                self.blocked = Some(Blocked {
                    since: Instant::now(),
                    fragments: vec![fragment],
                    handing_over: None,
                });
            }
            Err(refused) => {
                let number = fragment.number;
                tracing::warn!(?refused, fragment = %number, "the store refuses");
                self.around.stream.tail.remove(number);
                session.handle_stored(number, Err(failure(self.around.stream)));
            }
        }
    }

    /// The store has taken or refused the large fragment that was handed over: on with what came
    /// behind it.
    fn resume(&mut self, session: &mut IngestSession, result: Result<(), AppendRefused>) {
        let Some(mut blocked) = self.blocked.take() else { return };
        let fragment = blocked.fragments.remove(0);
        // Still no room: the wait goes on, it does not begin anew.
        let is_overloaded = matches!(result, Err(AppendRefused::Overloaded));
        let since = if is_overloaded { blocked.since } else { Instant::now() };
        self.appended(session, fragment, result);
        for fragment in blocked.fragments {
            self.append(session, fragment);
        }
        if let Some(again) = &mut self.blocked {
            again.since = since;
        }
    }

    /// The store had no room, and is to be asked again.
    fn waits_for_room(&self) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| blocked.handing_over.is_none())
    }

    /// Asks the store again for what it had no room for.
    fn retry(&mut self, session: &mut IngestSession) {
        let Some(blocked) = self.blocked.take() else { return };
        if blocked.since.elapsed() > OVERLOAD_PATIENCE {
            tracing::warn!("the store is overloaded, the session is broken off");
            for fragment in &blocked.fragments {
                self.around.stream.tail.remove(fragment.number);
            }
            session.give_up(ErrorId::InternalError);
            return;
        }
        for fragment in blocked.fragments {
            self.append(session, fragment);
        }
        if let Some(again) = &mut self.blocked {
            again.since = blocked.since;
        }
    }

    /// Counts what arrived. Once per fragment: at each frame it would cost two cache misses.
    fn report(&mut self) {
        let metrics = &self.around.stream.metrics;
        metrics.put_bytes.inc_by(std::mem::take(&mut self.unreported_bytes));
        metrics.put_frames.inc_by(std::mem::take(&mut self.unreported_frames));
    }

    /// Bytes came, or the session ends, after so much silence.
    fn heard_after(&mut self, silence: Duration) {
        let was_held_back = std::mem::take(&mut self.was_held_back);
        if silence < SILENCE_MIN {
            return;
        }
        let now = self.around.clock.now();
        if std::mem::take(&mut self.is_told_silent) {
            self.around.stream.watch.heard(self.id, now);
        }
        if !was_held_back && self.silences.len() < SILENCES_MAX {
            self.silences.push((before(now, silence), now));
        }
    }

    fn tell_silent(&mut self, silence: Duration) {
        if !self.is_told_silent {
            self.is_told_silent = true;
            let since = before(self.around.clock.now(), silence);
            self.around.stream.watch.silent(self.id, since);
        }
    }

    fn abort_live(&mut self) {
        if let Some(live) = self.live.take() {
            self.around.stream.tail.abort(&live);
        }
    }

    fn measure(&mut self, ack: &Ack) {
        let completed = |timecode: Option<u64>| {
            let entry = self.completed.iter().find(|(own, _)| Some(*own) == timecode);
            entry.map(|(_, at)| at.elapsed().as_secs_f64())
        };
        match ack.event {
            AckEvent::Buffering => {
                self.around
                    .histograms
                    .buffering_ack
                    .observe(self.open_since.elapsed().as_secs_f64());
            }
            AckEvent::Received => {
                if let Some(seconds) = completed(ack.timecode) {
                    self.around.histograms.received_ack.observe(seconds);
                    self.around.stream.watch.received(ack.timecode, seconds);
                }
                if !self.kept {
                    self.completed.retain(|(timecode, _)| Some(*timecode) != ack.timecode);
                }
            }
            AckEvent::Persisted => {
                if let Some(seconds) = completed(ack.timecode) {
                    self.around.histograms.persisted_ack.observe(seconds);
                    self.around.histograms.persisted.record(Duration::from_secs_f64(seconds));
                    self.around.histograms.fragment_persist.observe(seconds);
                    self.around.stream.watch.persisted(ack.timecode, seconds);
                }
                self.around.stream.metrics.put_persisted.inc();
                self.completed.retain(|(timecode, _)| Some(*timecode) != ack.timecode);
            }
            AckEvent::Error(error) => {
                let (id, code) = error.wire();
                tracing::info!(error_id = id, code, timecode = ack.timecode, "error ack");
                self.around.stream.metrics.put_error_acks.inc();
                let now = self.around.clock.now();
                self.around.stream.watch.refused(self.id, ack.timecode, error, now);
            }
            AckEvent::Idle => {}
        }
    }
}

fn count_stored(metrics: &StreamMetrics, appended: &streamkeep_engine::Appended) {
    if appended.duplicate {
        metrics.put_duplicates.inc();
    }
}

/// A deleted stream's footage may be dropped by the camera; anything else must not be.
fn failure(stream: &StreamRuntime) -> StoreFailure {
    if stream.tail.is_closed() { StoreFailure::StreamDeleted } else { StoreFailure::Archival }
}

/// Counts a session while it lives.
struct OpenSession<'a> {
    around: Surroundings<'a>,
    id: SessionId,
}

impl<'a> OpenSession<'a> {
    fn new(around: Surroundings<'a>) -> Self {
        around.stream.metrics.put_connections.inc();
        let id = around.stream.watch.open(around.clock.now(), around.producer);
        Self { around, id }
    }

    /// The session ends; repeatable.
    fn close(&self, silences: &[(UnixMillis, UnixMillis)]) {
        self.around.stream.watch.close(self.id, silences, self.around.clock.now());
    }
}

impl Drop for OpenSession<'_> {
    fn drop(&mut self) {
        self.around.stream.metrics.put_connections.dec();
        self.close(&[]);
    }
}

fn before(now: UnixMillis, silence: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX)))
}
