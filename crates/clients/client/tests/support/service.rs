//! A service that takes PutMedia as the real one does, with faults on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use streamkeep_client::Client;
use streamkeep_media::Tag;
use streamkeep_mkv::{Event, Limits, Scanner};

use super::{Peer, serve};

/// What the service does with a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Persist,
    /// RECEIVED only, as with retention 0.
    Receive,
    /// RECEIVED, then the service is gone: what it had in memory is lost.
    ReceiveAndDie,
    /// The connection breaks in the middle of it.
    Break,
    /// An ERROR ack with this id when it is complete.
    Error(u32),
    /// No ack at all.
    Ignore,
}

/// One fragment as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrived {
    pub(crate) session: usize,
    pub(crate) timecode: u64,
    /// TrackNumber, relative timestamp, key, payload.
    pub(crate) blocks: Vec<(u64, i16, bool, Vec<u8>)>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) declared_tracks: Vec<u64>,
    pub(crate) persisted: bool,
    /// Completed by the end-of-fragment tag.
    pub(crate) end_tag: bool,
}

#[derive(Default)]
struct State {
    sessions: usize,
    arrived: Vec<Arrived>,
    /// How often each timecode was seen.
    seen: HashMap<u64, usize>,
    /// Bodies that ended with the zero chunk.
    clean_ends: usize,
}

#[derive(Clone, Default)]
pub(crate) struct Service {
    state: Arc<Mutex<State>>,
}

impl Service {
    /// `fate` is asked with the timecode and how often it was seen before.
    pub(crate) async fn start(
        fate: impl Fn(u64, usize) -> Fate + Clone + Send + Sync + 'static,
    ) -> (Self, Client) {
        let service = Self::default();
        let shared = service.clone();
        let client = serve(move |mut peer, endpoint| {
            let (service, fate) = (shared.clone(), fate.clone());
            async move {
                while let Some(request) = peer.request().await {
                    if request.path == "/getDataEndpoint" {
                        peer.json(200, "", &format!(r#"{{"DataEndpoint":"{endpoint}"}}"#)).await;
                    } else {
                        service.put_media(peer, &fate).await;
                        return;
                    }
                }
            }
        })
        .await;
        (service, client)
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.state.lock().unwrap().arrived.clone()
    }

    pub(crate) fn persisted(&self) -> Vec<Arrived> {
        self.arrived().into_iter().filter(|fragment| fragment.persisted).collect()
    }

    pub(crate) fn sessions(&self) -> usize {
        self.state.lock().unwrap().sessions
    }

    pub(crate) fn clean_ends(&self) -> usize {
        self.state.lock().unwrap().clean_ends
    }

    async fn put_media(&self, mut peer: Peer, fate: &(impl Fn(u64, usize) -> Fate + Send)) {
        let session = {
            let mut state = self.state.lock().unwrap();
            state.sessions += 1;
            state.sessions
        };
        peer.chunked_head().await;
        let mut scanner = Scanner::new(Limits::default());
        let (mut buffer, mut tracks) = (Vec::new(), Vec::new());
        let mut open: Option<Arrived> = None;
        loop {
            let chunk = peer.chunk().await;
            let ended = chunk.is_none();
            buffer.extend(chunk.unwrap_or_default());
            let mut taken = 0;
            while let Some(item) = scanner.next(&buffer[taken..]).unwrap() {
                taken += item.len;
                match item.event {
                    Event::Tracks(found) => tracks = found.iter().map(|t| t.number).collect(),
                    Event::Cluster(_) => {
                        let goes_on = self.complete(&mut peer, open.take(), fate).await;
                        if !goes_on {
                            return;
                        }
                    }
                    Event::Timestamp(timecode) => {
                        let seen = self.seen(timecode);
                        peer.send_chunk(ack("BUFFERING", timecode)).await;
                        if fate(timecode, seen) == Fate::Break {
                            return;
                        }
                        open = Some(Arrived {
                            session,
                            timecode,
                            blocks: Vec::new(),
                            tags: Vec::new(),
                            declared_tracks: tracks.clone(),
                            persisted: false,
                            end_tag: false,
                        });
                    }
                    Event::Block(block) => open.as_mut().unwrap().blocks.push((
                        block.track_number,
                        block.relative_timestamp,
                        block.key,
                        block.payload.to_vec(),
                    )),
                    Event::Tags(groups) => {
                        let tags: Vec<Tag> = groups.into_iter().flat_map(|g| g.tags).collect();
                        let is_end = |t: &Tag| t.name == streamkeep_mkv::producer::END_OF_FRAGMENT;
                        if let Some(fragment) = &mut open {
                            fragment.end_tag = tags.iter().any(is_end);
                            fragment.tags.extend(tags.into_iter().filter(|t| !is_end(t)));
                        }
                        if open.as_ref().is_some_and(|fragment| fragment.end_tag)
                            && !self.complete(&mut peer, open.take(), fate).await
                        {
                            return;
                        }
                    }
                    _ => {}
                }
            }
            buffer.drain(..taken);
            if ended {
                scanner.finish(&buffer).unwrap();
                peer.send("0\r\n\r\n").await;
                self.state.lock().unwrap().clean_ends += 1;
                return;
            }
        }
    }

    fn seen(&self, timecode: u64) -> usize {
        let mut state = self.state.lock().unwrap();
        let count = state.seen.entry(timecode).or_default();
        *count += 1;
        *count - 1
    }

    /// False: the session is to end.
    async fn complete(
        &self,
        peer: &mut Peer,
        fragment: Option<Arrived>,
        fate: &(impl Fn(u64, usize) -> Fate + Send),
    ) -> bool {
        let Some(mut fragment) = fragment else { return true };
        let timecode = fragment.timecode;
        let seen = self.state.lock().unwrap().seen[&timecode] - 1;
        let fate = fate(timecode, seen);
        fragment.persisted = fate == Fate::Persist;
        self.state.lock().unwrap().arrived.push(fragment);
        if matches!(fate, Fate::Persist | Fate::Receive | Fate::ReceiveAndDie) {
            peer.send_chunk(ack("RECEIVED", timecode)).await;
        }
        match fate {
            Fate::Persist => peer.send_chunk(ack("PERSISTED", timecode)).await,
            Fate::Error(id) => {
                let json = format!(
                    "{{\"EventType\":\"ERROR\",\"FragmentTimecode\":{timecode},\"ErrorId\":{id},\"ErrorCode\":\"E{id}\"}}\n"
                );
                peer.send_chunk(json).await;
                peer.send("0\r\n\r\n").await;
                drain(peer).await;
                return false;
            }
            Fate::ReceiveAndDie => {
                drain(peer).await;
                return false;
            }
            _ => {}
        }
        true
    }
}

fn ack(event: &str, timecode: u64) -> String {
    format!(
        "{{\"EventType\":\"{event}\",\"FragmentTimecode\":{timecode},\"FragmentNumber\":\"{timecode}\"}}\n"
    )
}

/// Closing with input unread would reset the connection, and acks on their way with it.
async fn drain(peer: &mut Peer) {
    let rest = async { while peer.chunk().await.is_some() {} };
    let _closed = tokio::time::timeout(Duration::from_millis(300), rest).await;
}
