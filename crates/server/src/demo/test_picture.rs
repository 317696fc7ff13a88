//! The moving test picture: ffmpeg draws it once for all cameras, and each picture is stamped with
//! the time it was made.
//!
//! A picture is 345,600 bytes: 8.6 MB/s from ffmpeg to here, and as much from here to each camera's
//! encoder, which gives it the camera's colour, name and clock.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use bytes::Bytes;
use streamkeep_media::UnixMillis;
use tokio::sync::broadcast::{self, error::RecvError};

use super::stamp::StampStrip;

pub(super) const WIDTH: usize = 640;
pub(super) const HEIGHT: usize = 360;
/// Pictures per second.
pub(super) const FRAME_RATE: u32 = 25;
/// Pictures that wait for an encoder that lags: a second of them, which all encoders share.
const WAITING_MAX: usize = FRAME_RATE as usize;

/// What draws the pictures; it stops when this is dropped.
pub(super) struct TestPicture {
    ffmpeg: Child,
    /// The thread has the strong one, so that its end is the feeds' end.
    pictures: broadcast::WeakSender<Bytes>,
    thread: Option<JoinHandle<()>>,
}

/// The pictures from now on, for one encoder.
pub(super) struct Feed(broadcast::Receiver<Bytes>);

impl TestPicture {
    /// Starts drawing, at the pace of the clock.
    pub(super) fn start() -> io::Result<Self> {
        let strip = StampStrip::of(WIDTH, HEIGHT).ok_or(io::ErrorKind::InvalidInput)?;
        let mut ffmpeg = generator().spawn()?;
        let drawn = ffmpeg.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, _) = broadcast::channel(WAITING_MAX);
        let pictures = sender.downgrade();
        let mut picture = Self { ffmpeg, pictures, thread: None };
        let thread = thread::Builder::new().name("test picture".into());
        picture.thread = Some(thread.spawn(move || stamp_all(drawn, strip, &sender))?);
        Ok(picture)
    }

    /// An error when ffmpeg has ended.
    pub(super) fn feed(&self) -> io::Result<Feed> {
        let sender = self.pictures.upgrade().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Feed(sender.subscribe()))
    }
}

impl Drop for TestPicture {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.ffmpeg.kill();
        let _ = self.ffmpeg.wait();
        if let Some(thread) = self.thread.take() {
            // The pipe has ended, and with it the thread.
            let _ = thread.join();
        }
    }
}

impl Feed {
    /// Writes pictures until the encoder or the drawing has ended.
    pub(super) fn write_to(mut self, encoder: &mut impl Write) {
        let mut newest = Bytes::new();
        loop {
            let result = match self.0.blocking_recv() {
                Ok(picture) => {
                    newest = picture;
                    encoder.write_all(&newest)
                }
                // What it missed is made up by a picture that stands still: an encoder counts
                // pictures to tell the time.
                Err(RecvError::Lagged(missed)) => {
                    (0..missed).try_for_each(|_| encoder.write_all(&newest))
                }
                Err(RecvError::Closed) => return,
            };
            // The encoder was stopped.
            if result.is_err() {
                return;
            }
        }
    }
}

/// Hands on what ffmpeg draws until it ends. Without a camera too: a pipe that broke would make it
/// complain.
fn stamp_all(mut drawn: impl Read, strip: StampStrip, pictures: &broadcast::Sender<Bytes>) {
    loop {
        let mut picture = vec![0; strip.picture_len()];
        if drawn.read_exact(&mut picture).is_err() {
            return;
        }
        strip.draw(&mut picture, UnixMillis::from_system_time(SystemTime::now()));
        // Fails while there is no camera.
        let _ = pictures.send(picture.into());
    }
}

/// Raw pictures on standard output. What moves begins below the strip, which would hide the counter
/// in its corner.
fn generator() -> Command {
    let below = HEIGHT - StampStrip::HEIGHT;
    let head = StampStrip::HEIGHT;
    let filter = format!("testsrc2=size={WIDTH}x{below}:rate={FRAME_RATE},pad=h={HEIGHT}:y={head}");
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-re"]);
    command.args(["-f", "lavfi", "-i", &filter]);
    command.args(["-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoder; while it writes its first picture, others are drawn.
    struct Encoder {
        written: Vec<u8>,
        written_max: usize,
        meanwhile: Option<(broadcast::Sender<Bytes>, u8)>,
    }

    impl Write for Encoder {
        fn write(&mut self, picture: &[u8]) -> io::Result<usize> {
            if self.written.len() == self.written_max {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.written.push(picture[0]);
            if let Some((sender, count)) = self.meanwhile.take() {
                for number in 1..=count {
                    sender.send(vec![number].into()).unwrap();
                }
            }
            Ok(picture.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What an encoder is given of picture 0, and of `count` more that come while it writes that
    /// one. Four may wait.
    fn fed(count: u8, written_max: usize) -> Vec<u8> {
        let (sender, receiver) = broadcast::channel(4);
        sender.send(vec![0].into()).unwrap();
        let meanwhile = Some((sender, count));
        let mut encoder = Encoder { written: Vec::new(), written_max, meanwhile };
        Feed(receiver).write_to(&mut encoder);
        encoder.written
    }

    #[test]
    fn an_encoder_gets_every_picture_until_it_is_stopped() {
        assert_eq!(fed(4, 100), [0, 1, 2, 3, 4]);
        assert_eq!(fed(4, 2), [0, 1]);
    }

    #[test]
    fn an_encoder_that_lags_gets_as_many_pictures_as_were_drawn() {
        assert_eq!(fed(6, 100), [0, 0, 0, 3, 4, 5, 6]);
    }

    #[test]
    fn pictures_are_stamped_and_handed_on_whole() {
        let strip = StampStrip::of(WIDTH, HEIGHT).unwrap();
        let drawn = vec![99; strip.picture_len() * 2 + 1000];
        let (sender, mut receiver) = broadcast::channel(4);
        stamp_all(drawn.as_slice(), strip, &sender);
        drop(sender);
        for _ in 0..2 {
            let picture = receiver.blocking_recv().unwrap();
            assert_eq!((picture[0], picture[16], picture.len()), (235, 16, strip.picture_len()));
        }
        assert!(receiver.blocking_recv().is_err(), "half a picture is none");
    }
}
