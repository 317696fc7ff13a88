//! The task behind a [`Producer`](super::Producer): one session after the other until everything
//! is acked.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use streamkeep_media::TagGroup;
use streamkeep_mkv::producer::{
    encode_cluster_start, encode_end_of_fragment, encode_simple_block_header, encode_tags,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::cutter::{Cut, Cutter};
use super::outbox::{Fragment, Outbox};
use super::session_header::SessionHeader;
use super::{Command, Delivery, FinalAck, ProducerOptions, RefusedFragment, Status};
use crate::put_media::{Ack, AckEvent, Acks, PutMediaBody, PutMediaOptions, ack_error};
use crate::{Client, Error, PutMedia};

pub(super) async fn run(
    client: Client,
    options: ProducerOptions,
    commands: mpsc::Receiver<Command>,
    status: watch::Sender<Status>,
) -> Result<(), Error> {
    let cutter = Cutter::new(options.fragments, options.origin_ms);
    let mut driver = Driver {
        client,
        options,
        commands,
        commands_ended: false,
        status,
        cutter,
        header: None,
        outbox: Outbox::default(),
        last_progress: Instant::now(),
    };
    driver.drive().await
}

struct Driver {
    client: Client,
    options: ProducerOptions,
    commands: mpsc::Receiver<Command>,
    /// The producer is to finish.
    commands_ended: bool,
    status: watch::Sender<Status>,
    cutter: Cutter,
    /// Of the frames coming in.
    header: Option<Arc<SessionHeader>>,
    outbox: Outbox,
    /// Something was sent for the first time, or a fragment got its final ack.
    last_progress: Instant,
}

/// Why a session ended before its time.
enum Break {
    /// The service condemned one fragment, which is dealt with: go on at once.
    FragmentSettled,
    /// Trouble that may pass.
    Trouble(Error),
    /// No session will do better.
    Fatal(Error),
}

impl From<Error> for Break {
    fn from(error: Error) -> Self {
        if error.is_retriable() { Self::Trouble(error) } else { Self::Fatal(error) }
    }
}

impl Driver {
    async fn drive(&mut self) -> Result<(), Error> {
        let mut pause = PAUSE_MIN;
        loop {
            while self.outbox.next(self.whole_only()).is_none() {
                if self.commands_ended {
                    return Ok(());
                }
                self.take_command().await;
                self.last_progress = Instant::now();
            }
            let progress_before = self.last_progress;
            match self.session().await {
                Ok(()) | Err(Break::FragmentSettled) => pause = PAUSE_MIN,
                Err(Break::Fatal(error)) => return Err(error),
                Err(Break::Trouble(error)) => {
                    self.status.send_modify(|status| status.last_trouble = Some(error.to_string()));
                    if self.last_progress.elapsed() > self.options.give_up_after {
                        return Err(error);
                    }
                    if self.last_progress > progress_before {
                        pause = PAUSE_MIN;
                    }
                    self.outbox.rewind();
                    self.while_taking_commands(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
            self.outbox.rewind();
        }
    }

    /// One PutMedia session, from the header of the next fragment on, as long as fragments have
    /// the same header.
    async fn session(&mut self) -> Result<(), Break> {
        let header = match self.outbox.next(self.whole_only()) {
            Some(next) => next.header.clone(),
            None => return Ok(()),
        };
        let put_media = PutMediaOptions {
            stream_name: self.options.stream_name.clone(),
            timecode_type: self.options.timecode_type,
            producer_start: self.options.producer_start,
        };
        let client = self.client.clone();
        let opening = Box::pin(PutMedia::open(&client, &put_media));
        let (mut body, acks) = self.while_taking_commands(opening).await?.split();
        let mut acks = AckQueue::start(acks);
        self.status.send_modify(|status| status.sessions += 1);
        let result = self.exchange(&header, &mut body, &mut acks).await;
        if let Err(Break::Trouble(_)) = &result {
            // The reason may have come just before the connection broke.
            while let Ok(Some(Ok(ack))) = timeout(LAST_WORDS, acks.next()).await {
                self.handle_ack(&ack)?;
            }
        }
        result
    }

    async fn exchange(
        &mut self,
        header: &Arc<SessionHeader>,
        body: &mut PutMediaBody,
        acks: &mut AckQueue,
    ) -> Result<(), Break> {
        body.send(std::slice::from_ref(&header.bytes)).await?;
        let mut first_fragment = true;
        let mut ending = false;
        // A whole fragment was sent, and no final ack came since.
        let mut owed_since = Instant::now();
        loop {
            while let Some(next) = self.outbox.next(self.whole_only()).filter(|_| !ending) {
                let begins = self.outbox.is_between_fragments();
                let other = next.header != *header || next.needs_new_session;
                if begins && !first_fragment && other {
                    break;
                }
                first_fragment = false;
                self.send_pieces(body).await?;
            }
            if !ending && self.session_is_over(header, first_fragment) {
                let mut tag = Vec::new();
                encode_end_of_fragment(&mut tag);
                body.send(&[tag.into()]).await?;
                ending = true;
            }
            if ending && self.outbox.sent_count() == 0 {
                body.finish().await?;
                while let Ok(Some(Ok(_))) = timeout(LAST_WORDS, acks.next()).await {}
                return Ok(());
            }
            if self.outbox.sent_count() == 0 {
                owed_since = Instant::now();
            }
            let takes_commands = !self.commands_ended && !ending && !self.is_full();
            let overdue = owed_since + self.options.ack_timeout;
            tokio::select! {
                ack = acks.next() => match ack {
                    Some(ack) => {
                        self.handle_ack(&ack?)?;
                        owed_since = owed_since.max(self.last_progress);
                    }
                    None => return Err(Error::Http("the service ended the session").into()),
                },
                () = self.take_command(), if takes_commands => {}
                () = tokio::time::sleep_until(overdue) => {
                    return Err(Error::Timeout { waiting_for: "acks" }.into());
                }
            }
        }
    }

    /// The next fragment needs another session, or there is none and will be none.
    fn session_is_over(&self, header: &Arc<SessionHeader>, first_fragment: bool) -> bool {
        match self.outbox.next(self.whole_only()) {
            Some(next) => {
                let other = next.header != *header || next.needs_new_session;
                self.outbox.is_between_fragments() && !first_fragment && other
            }
            None => self.commands_ended,
        }
    }

    async fn send_pieces(&mut self, body: &mut PutMediaBody) -> Result<(), Break> {
        let pieces = self.outbox.take_pieces(CHUNK_LEN_MAX);
        let bytes: usize = pieces.iter().map(Bytes::len).sum();
        self.while_taking_commands(body.send(&pieces)).await?;
        self.status.send_modify(|status| status.bytes += bytes as u64);
        Ok(())
    }

    fn handle_ack(&mut self, ack: &Ack) -> Result<(), Break> {
        let is_final = match (&ack.event, self.options.final_ack) {
            (AckEvent::Error { id, code }, _) => return Err(self.error_ack(ack, *id, code)),
            (AckEvent::Persisted, FinalAck::Persisted) => true,
            (AckEvent::Received, FinalAck::Received) => true,
            (AckEvent::Received, FinalAck::Persisted) => false,
            _ => return Ok(()),
        };
        let Some(timecode) = ack.timecode else { return Ok(()) };
        let Some(fragment) = self.outbox.sent_mut(timecode) else { return Ok(()) };
        let newly_received = !std::mem::replace(&mut fragment.is_received, true);
        // An ack for a fragment that is still being sent makes no sense.
        let is_final = is_final && self.outbox.remove_sent_whole(timecode);
        if is_final {
            self.last_progress = Instant::now();
        }
        let buffered = Duration::from_millis(self.outbox.length_ms());
        self.status.send_modify(|status| {
            status.received += u64::from(newly_received);
            status.done += u64::from(is_final);
            status.buffered = buffered;
        });
        Ok(())
    }

    /// put-media.md §7.4: some errors pass, some condemn a fragment.
    fn error_ack(&mut self, ack: &Ack, id: u32, code: &str) -> Break {
        let error = Error::Ack { id, code: code.to_owned() };
        if ack_error::is_retriable(id) {
            return Break::Trouble(error);
        }
        if id == ack_error::STREAM_NOT_ACTIVE || id >= 4500 {
            return Break::Fatal(error);
        }
        let Some(timecode) = ack.timecode.or_else(|| self.outbox.sending()) else {
            return Break::Fatal(error);
        };
        if id == ack_error::FRAMES_MISSING_FOR_TRACK
            && let Some(fragment) = self.outbox.sent_mut(timecode)
            && !fragment.has_all_tracks()
            && !fragment.track_numbers.is_empty()
        {
            // In a session that declares only what is there, it will be taken.
            fragment.header = Arc::new(fragment.header.with_tracks(&fragment.track_numbers));
            return Break::FragmentSettled;
        }
        match self.outbox.remove_sent(timecode) {
            Some(_) => {
                self.status.send_modify(|status| {
                    status.refused.push(RefusedFragment {
                        timecode,
                        error_id: id,
                        error_code: code.to_owned(),
                    });
                });
                Break::FragmentSettled
            }
            None => Break::Trouble(error),
        }
    }

    fn whole_only(&self) -> bool {
        self.options.delivery == Delivery::WholeFragments
    }

    fn is_full(&self) -> bool {
        self.outbox.length_ms() >= self.options.buffer_max.as_millis() as u64
            || self.outbox.bytes() >= OUTBOX_LEN_MAX
    }

    /// Media keeps coming in while the connection is busy or gone, as far as the outbox holds it.
    async fn while_taking_commands<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let takes_commands = !self.commands_ended && !self.is_full();
            tokio::select! {
                result = &mut work => return result,
                () = self.take_command(), if takes_commands => {}
            }
        }
    }

    /// Waits for a command and obeys it. Dropping the future loses nothing.
    async fn take_command(&mut self) {
        match self.commands.recv().await {
            Some(Command::Tracks(tracks)) => {
                self.complete_fragment();
                self.cutter.set_tracks(&tracks);
                self.header = Some(Arc::new(SessionHeader::new(tracks)));
            }
            Some(Command::Frame(frame)) => {
                self.status.send_modify(|status| status.frames += 1);
                let mut cuts = Vec::new();
                self.cutter.frame(frame, &mut cuts);
                for cut in cuts {
                    self.apply(cut);
                }
            }
            Some(Command::Tags(groups)) => self.add_tags(&groups),
            None => {
                self.complete_fragment();
                self.commands_ended = true;
            }
        }
    }

    fn apply(&mut self, cut: Cut) {
        match cut {
            Cut::Dropped => self.status.send_modify(|status| status.frames_dropped += 1),
            Cut::Start { timecode, new_session } => {
                let Some(header) = self.header.clone() else { return };
                self.complete_fragment();
                let mut start = Vec::with_capacity(32);
                encode_cluster_start(&mut start, timecode);
                self.outbox.start(Fragment {
                    timecode,
                    header,
                    bytes: start.len(),
                    pieces: vec![start.into()],
                    length_ms: 0,
                    track_numbers: Vec::new(),
                    is_complete: false,
                    needs_new_session: new_session,
                    is_received: false,
                });
                self.status.send_modify(|status| status.fragments += 1);
            }
            Cut::Block { frame, relative_ms } => {
                let Some(fragment) = self.outbox.open() else { return };
                let tracks = &fragment.header.tracks;
                let Some(track) = tracks.get(frame.track_index) else { return };
                let number = track.number;
                let mut head = Vec::with_capacity(24);
                encode_simple_block_header(
                    &mut head,
                    number,
                    relative_ms,
                    frame.flags,
                    frame.data.len(),
                );
                fragment.bytes += head.len() + frame.data.len();
                fragment.length_ms =
                    fragment.length_ms.max(u64::try_from(relative_ms).unwrap_or(0));
                if !fragment.track_numbers.contains(&number) {
                    fragment.track_numbers.push(number);
                }
                fragment.pieces.extend([head.into(), frame.data]);
            }
        }
    }

    fn complete_fragment(&mut self) {
        let whole_only = self.whole_only();
        if let Some(fragment) = self.outbox.open()
            && whole_only
            && !fragment.has_all_tracks()
        {
            // The service would refuse it with FRAMES_MISSING_FOR_TRACK.
            fragment.header = Arc::new(fragment.header.with_tracks(&fragment.track_numbers));
        }
        self.outbox.complete();
        self.outbox.pass_complete();
    }

    fn add_tags(&mut self, groups: &[TagGroup]) {
        if let Some(fragment) = self.outbox.open() {
            let mut tags = Vec::new();
            encode_tags(&mut tags, groups);
            fragment.bytes += tags.len();
            fragment.pieces.push(tags.into());
        }
    }
}

/// Acks are read by a task of their own, so that a full sending direction does not stop them.
struct AckQueue {
    acks: mpsc::Receiver<Result<Ack, Error>>,
    reader: JoinHandle<()>,
}

impl AckQueue {
    fn start(mut acks: Acks) -> Self {
        let (sender, receiver) = mpsc::channel(ACKS_MAX);
        let reader = tokio::spawn(async move {
            loop {
                let ack = match acks.next().await {
                    Ok(Some(ack)) => Ok(ack),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let failed = ack.is_err();
                if sender.send(ack).await.is_err() || failed {
                    return;
                }
            }
        });
        Self { acks: receiver, reader }
    }

    /// `None`: the service has ended the session.
    async fn next(&mut self) -> Option<Result<Ack, Error>> {
        self.acks.recv().await
    }
}

impl Drop for AckQueue {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// For acks on their way when a session ends.
const LAST_WORDS: Duration = Duration::from_millis(500);
const CHUNK_LEN_MAX: usize = 256 * 1024;
/// 120 s at 17 Mbit/s.
const OUTBOX_LEN_MAX: usize = 256 * 1024 * 1024;
/// While a chunk waits for the connection; about 60 fragments' worth.
const ACKS_MAX: usize = 256;
