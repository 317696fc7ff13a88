//! A moving camera: ffmpeg encodes, our producer sends it over the real wire.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use streamkeep_client::producer::{Producer, ProducerOptions, Status};
use streamkeep_client::source::{RawVideoSource, Source as _, SourceItem};
use streamkeep_client::{Client, Error};
use streamkeep_codec::VideoCodec;
use streamkeep_media::UnixMillis;
use tokio::task::JoinHandle;

use super::test_picture::{FRAME_RATE, Feed, HEIGHT, WIDTH};

/// A font for the clock in the picture, from Debian's `fonts-dejavu-core`; without it there is
/// only the counter that the test picture has anyway.
const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf";

/// What a camera shows.
pub(super) enum Picture {
    /// The moving test picture with a clock, in a colour of its own.
    Moving { index: usize, feed: Feed },
    /// A file or URL that ffmpeg reads, over and over.
    Input(String),
}

/// A camera that is sending.
pub(super) struct Camera {
    name: String,
    status: tokio::sync::watch::Receiver<Status>,
    encoder: Arc<Mutex<Option<Child>>>,
    task: JoinHandle<(Status, Result<(), Error>)>,
}

/// What became of a camera.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) trouble: Option<String>,
}

/// Whether there is an ffmpeg to draw with.
pub(super) fn check_ffmpeg() -> Result<(), String> {
    let found =
        Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err("the demo's cameras need ffmpeg: install it (Debian: apt-get install ffmpeg), \
                  or run scripts/demo, which does"
            .into()),
    }
}

impl Camera {
    /// Starts encoding and sending.
    pub(super) fn start(client: Client, name: &str, picture: Picture) -> io::Result<Self> {
        let mut child = encoder(&picture).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let encoder = Arc::new(Mutex::new(Some(child)));
        let output = output.ok_or(io::ErrorKind::BrokenPipe)?;
        if let (Picture::Moving { feed, .. }, Some(mut input)) = (picture, input) {
            // Ends with the encoder, or with the drawing; the runtime waits for it.
            tokio::task::spawn_blocking(move || feed.write_to(&mut input));
        }
        let now = UnixMillis::from_system_time(SystemTime::now());
        let producer = Producer::start(client, ProducerOptions::live(name, now));
        let status = producer.status();
        let task = tokio::spawn(send(producer, Box::new(output), encoder.clone()));
        Ok(Self { name: name.to_owned(), status, encoder, task })
    }

    /// How far it has got.
    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// There is enough of it for a player to begin, or there will be no more.
    pub(super) fn can_be_played(&self) -> bool {
        self.status.borrow().done >= 2 || self.has_ended()
    }

    /// It sends no more.
    pub(super) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Stops encoding, and waits until all that was encoded is acked.
    pub(super) async fn finish(mut self) -> Outcome {
        stop(&self.encoder);
        let (status, result) = match (&mut self.task).await {
            Ok(finished) => finished,
            Err(_) => (self.status.borrow().clone(), Err(Error::Stopped)),
        };
        let trouble = match (result, status.refused.first()) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(()), Some(refused)) => {
                Some(format!("refused: {} {}", refused.error_id, refused.error_code))
            }
            (Ok(()), None) => None,
        };
        Outcome { name: self.name.clone(), status, trouble }
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        stop(&self.encoder);
    }
}

/// Ends ffmpeg; the pipe then ends, and with it the source.
fn stop(encoder: &Mutex<Option<Child>>) {
    if let Some(mut child) = encoder.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Both fail only when it has ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }
}

async fn send(
    producer: Producer,
    output: Box<dyn Read + Send>,
    encoder: Arc<Mutex<Option<Child>>>,
) -> (Status, Result<(), Error>) {
    let (items, mut received) = tokio::sync::mpsc::channel(64);
    let reader = tokio::task::spawn_blocking(move || {
        let rate = Some(f64::from(FRAME_RATE));
        let mut source = RawVideoSource::new(output, VideoCodec::H264, rate);
        loop {
            match source.next() {
                Ok(Some(item)) => {
                    if items.blocking_send(item).is_err() {
                        return Ok(());
                    }
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    });
    while let Some(item) = received.recv().await {
        let sent = match item {
            SourceItem::Tracks(tracks) => producer.set_tracks(tracks).await,
            SourceItem::Frame(frame) => producer.send_frame(frame).await,
            _ => Ok(()),
        };
        if sent.is_err() {
            break;
        }
    }
    // First, because ffmpeg complains about a pipe that nobody reads.
    stop(&encoder);
    drop(received);
    let read = reader.await.unwrap_or(Err(Error::Stopped));
    let (status, result) = producer.finish().await;
    // An encoder that was stopped leaves half a picture behind: that is no error.
    let result = if status.fragments > 0 { result } else { result.and(read) };
    (status, result)
}

/// H.264 on standard output, a key frame every two seconds. A file comes at the pace of the clock, as
/// the test picture does.
fn encoder(picture: &Picture) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin"]);
    let rate = FRAME_RATE.to_string();
    match picture {
        Picture::Moving { index, .. } => {
            // Turning the hue changes neither luma nor grey: the stamp stays.
            let hue = index * 360 / 7 % 360;
            let mut filter = format!("hue=h={hue}");
            if Path::new(FONT).exists() {
                filter.push_str(&format!(
                    ",drawtext=fontfile={FONT}:text='demo-{} %{{localtime}}':x=20:y=h-50:\
                     fontsize=28:fontcolor=white:box=1:boxcolor=black",
                    index + 1
                ));
            }
            let size = format!("{WIDTH}x{HEIGHT}");
            command.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &size, "-r", &rate]);
            command.args(["-i", "pipe:0", "-vf", &filter]);
            command.stdin(Stdio::piped());
        }
        Picture::Input(input) => {
            command.args(["-re", "-stream_loop", "-1", "-i", input, "-an", "-r", &rate]);
            command.stdin(Stdio::null());
        }
    }
    let gop = (FRAME_RATE * 2).to_string();
    command.args(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]);
    command.args(["-pix_fmt", "yuv420p", "-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0"]);
    command.args(["-b:v", "1M", "-maxrate", "1M", "-bufsize", "2M", "-f", "h264", "pipe:1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}
