//! The socket: requests in, the tiles' messages out.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use streamkeep_io::Clock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::feed::TileMessage;
use crate::limits::{PING_INTERVAL, REPLIES_MAX, TEXT_BYTES_MAX, TILES_MAX};
use crate::line::Line;
use crate::request::{Open, Request, Tier};
use crate::tile::{self, Control, Turn, Turns};
use crate::{Streams, reply};

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By the page.
    ByPeer,
    /// By us, with this reason in the close frame.
    Closed(&'static str),
    /// The connection was lost, or what came was no WebSocket.
    Lost(String),
}

/// Serves a page on `io`, whose handshake is done, until either side ends or `shutdown` completes.
/// Tiles run as tasks of this runtime and end with the future.
///
/// The close frame that says why is flushed; ending the connection is the caller's.
pub async fn serve<S>(
    io: S,
    streams: Arc<dyn Streams>,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_LEN)
        .write_buffer_size(0)
        .max_message_size(Some(TEXT_BYTES_MAX))
        .max_frame_size(Some(TEXT_BYTES_MAX));
    let ws = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let (queue, turns) = mpsc::channel(1);
    let mut socket = Socket {
        ws,
        line: Line::new(),
        turns,
        turn: VecDeque::new(),
        permit: None,
        waited: Duration::ZERO,
        replies: VecDeque::from([Message::text(reply::hello(streams.may_be_unattended()))]),
        is_lost: false,
    };
    let turns = Turns { queue, turn: Arc::new(Semaphore::new(1)) };
    let tiles = HashMap::new();
    let mut page = Page { streams, clock, tiles, tasks: JoinSet::new(), turns };
    let mut shutdown = pin!(shutdown);
    let mut ping = tokio::time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ended = loop {
        let handled = tokio::select! {
            () = &mut shutdown => Err(Ended::Closed(STOPPING)),
            Some(ended) = page.tasks.join_next() => {
                page.tile_ended(ended, &mut socket);
                Ok(())
            }
            event = socket.next() => event.and_then(|event| {
                page.handle(event, &mut socket)
            }),
            _ = ping.tick() => {
                // Says that we are here, and finds out whether the page is: every peer answers.
                if socket.replies.len() < REPLIES_MAX {
                    let at = page.clock.now().0.to_le_bytes();
                    socket.replies.push_back(Message::Ping(Bytes::copy_from_slice(&at)));
                }
                Ok(())
            }
        };
        if let Err(ended) = handled {
            break ended;
        }
    };
    page.tasks.abort_all();
    socket.finish(&ended).await;
    ended
}

/// Requests are short; a text of [`TEXT_BYTES_MAX`] takes several reads.
const READ_BUFFER_LEN: usize = 4 * 1024;

const STOPPING: &str = "server-stopping";
const TOO_MANY_TILES: &str = "too-many-tiles";
const TEXT_TOO_LONG: &str = "text-too-long";
const BINARY: &str = "binary-message";

fn close_code(reason: &str) -> CloseCode {
    match reason {
        STOPPING => CloseCode::Away,
        TEXT_TOO_LONG => CloseCode::Size,
        BINARY => CloseCode::Unsupported,
        _ => CloseCode::Policy,
    }
}

/// The WebSocket with what waits to be written.
struct Socket<S> {
    ws: WebSocketStream<S>,
    line: Line,
    turns: mpsc::Receiver<Turn>,
    /// What is left of a tile's turn.
    turn: VecDeque<TileMessage>,
    /// Kept until the line bears another turn.
    permit: Option<OwnedSemaphorePermit>,
    /// The longest that a tile waited for its turn since the page last asked.
    waited: Duration,
    /// Answers to the page and pings; they go first.
    replies: VecDeque<Message>,
    is_lost: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// The next text of the page; writes what waits meanwhile. Cancel-safe.
    async fn next(&mut self) -> Result<String, Ended> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<String, Ended>> {
        loop {
            if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                return Poll::Ready(Err(self.lost(&error)));
            }
            if self.replies.len() >= REPLIES_MAX {
                // The page asks and does not take the answers; the write stall ends it in time.
                return Poll::Pending;
            }
            let Poll::Ready(message) = self.ws.poll_next_unpin(cx) else { return Poll::Pending };
            match message {
                Some(Ok(Message::Text(text))) => return Poll::Ready(Ok(text.as_str().to_owned())),
                Some(Ok(Message::Binary(_))) => return Poll::Ready(Err(Ended::Closed(BINARY))),
                Some(Ok(Message::Pong(payload))) => {
                    self.line.answered(&payload, Instant::now().into_std());
                }
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Err(Ended::ByPeer)),
                Some(Err(Error::Capacity(_))) => {
                    return Poll::Ready(Err(Ended::Closed(TEXT_TOO_LONG)));
                }
                Some(Err(error)) => return Poll::Ready(Err(self.lost(&error))),
            }
        }
    }

    /// Writes until the socket takes no more or nothing waits. One message is in the WebSocket's own
    /// buffer at a time, and one turn is given at a time, so that what waits, waits where its tile sees
    /// it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.ws.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
            let message = match self.replies.pop_front() {
                Some(message) => message,
                None => match self.poll_turn(cx) {
                    Poll::Ready(message) => message,
                    Poll::Pending => return Poll::Ready(Ok(())),
                },
            };
            self.ws.start_send_unpin(message)?;
        }
    }

    /// The next message of a tile.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Message> {
        loop {
            match self.turn.pop_front() {
                Some(TileMessage::Text(text)) => return Poll::Ready(Message::text(text)),
                Some(TileMessage::Binary(bytes)) => {
                    self.line.sent(bytes.len());
                    return Poll::Ready(Message::Binary(bytes));
                }
                None => {}
            }
            if let Some(probe) = self.line.probe(Instant::now().into_std()) {
                return Poll::Ready(Message::Ping(Bytes::copy_from_slice(&probe)));
            }
            // The answer that opens the line comes by this socket, and polls it.
            if self.permit.is_some() && self.line.is_open() {
                self.permit = None;
            }
            let turn = ready!(self.turns.poll_recv(cx));
            // The page holds a sender.
            let Some(turn) = turn else { return Poll::Pending };
            self.waited = self.waited.max(turn.waited);
            self.turn.extend(turn.messages);
            if turn.permit.is_some() {
                self.permit = turn.permit;
            }
        }
    }

    fn lost(&mut self, error: &Error) -> Ended {
        self.is_lost = true;
        Ended::Lost(error.to_string())
    }

    /// Says why, or answers the page's own close.
    async fn finish(&mut self, ended: &Ended) {
        let last = match ended {
            Ended::Closed(reason) => {
                let frame = CloseFrame { code: close_code(reason), reason: (*reason).into() };
                self.ws.close(Some(frame)).await
            }
            Ended::ByPeer => self.ws.flush().await,
            Ended::Lost(_) => Ok(()),
        };
        if let Err(error) = last {
            tracing::debug!(%error, "the last word was not delivered");
        }
    }
}

/// What a page has open.
struct Page {
    streams: Arc<dyn Streams>,
    clock: Arc<dyn Clock>,
    tiles: HashMap<u16, Tile>,
    /// Each gives its tile's number.
    tasks: JoinSet<u16>,
    turns: Turns,
}

struct Tile {
    control: Arc<Control>,
    /// Opened again before the closing was done.
    next: Option<Open>,
}

impl Page {
    /// Obeys a request. `Err` ends the socket.
    fn handle<S>(&mut self, text: String, socket: &mut Socket<S>) -> Result<(), Ended> {
        let Socket { waited, replies, .. } = socket;
        let mut answer = |text: String| replies.push_back(Message::text(text));
        match Request::parse(&text) {
            None => answer(reply::bad_message()),
            Some(Request::Ping { at }) => {
                answer(reply::pong(&at, self.clock.now(), std::mem::take(waited)));
            }
            Some(Request::Open(open)) => {
                if let Some(text) = self.open(open)? {
                    answer(text);
                }
            }
            Some(Request::Tier { tile, tier }) => match (self.tiles.get(&tile), tier) {
                (None, _) => answer(reply::error(tile, "NoSuchTile")),
                (Some(_), Err(name)) => answer(reply::error(tile, name)),
                (Some(open), Ok(tier)) => open.control.set_tier(tier),
            },
            Some(Request::Sound { tile, is_on }) => match self.tiles.get(&tile) {
                Some(open) => open.control.set_sound(is_on),
                None => answer(reply::error(tile, "NoSuchTile")),
            },
            // What crosses the end of a tile on its way is no fault.
            Some(Request::Credit { tile, bytes }) => {
                if let Some(open) = self.tiles.get(&tile) {
                    open.control.grant(bytes);
                }
            }
            Some(Request::Close { tile }) => {
                if let Some(open) = self.tiles.get_mut(&tile) {
                    open.next = None;
                    open.control.close();
                }
            }
        }
        Ok(())
    }

    /// Opens a tile; gives what to answer when it stays closed.
    fn open(&mut self, open: Open) -> Result<Option<String>, Ended> {
        let tile = open.tile;
        if let Some(before) = self.tiles.get_mut(&tile) {
            if !before.control.is_closing() {
                return Ok(Some(reply::error(tile, "TileInUse")));
            }
            before.next = Some(open);
            return Ok(None);
        }
        if self.tiles.len() >= TILES_MAX {
            return Err(Ended::Closed(TOO_MANY_TILES));
        }
        let tier = match open.tier {
            Ok(_) if !open.is_live => return Ok(Some(reply::error(tile, "FromNotAvailable"))),
            Ok(tier) => tier,
            Err(name) => return Ok(Some(reply::error(tile, name))),
        };
        match self.streams.open(&open.stream) {
            Err(refusal) => Ok(Some(reply::refused(tile, &refusal))),
            Ok(stream) => {
                self.start(tile, tier, stream);
                Ok(None)
            }
        }
    }

    fn start(&mut self, tile: u16, tier: Tier, stream: Arc<dyn crate::LiveStream>) {
        let control = Arc::new(Control::default());
        let (turns, clock) = (self.turns.clone(), self.clock.clone());
        let run = tile::run(tile, tier, stream, control.clone(), turns, clock);
        self.tasks.spawn(async move {
            run.await;
            tile
        });
        self.tiles.insert(tile, Tile { control, next: None });
    }

    fn tile_ended<S>(&mut self, ended: Result<u16, JoinError>, socket: &mut Socket<S>) {
        let tile = match ended {
            Ok(tile) => tile,
            Err(error) => {
                // Its number stays taken: nothing is known of it any more.
                tracing::error!(%error, "a tile's task ended");
                return;
            }
        };
        let next = self.tiles.remove(&tile).and_then(|tile| tile.next);
        if let Some(open) = next
            && let Ok(Some(text)) = self.open(open)
        {
            socket.replies.push_back(Message::text(text));
        }
    }
}

#[cfg(test)]
mod tests;
