//! Where Matroska is written.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use bytes::Bytes;
use streamkeep_client::media::{Document, MatroskaFile};
use streamkeep_media::UnixMillis;

/// One Matroska file, and another when the tracks change: `name.mkv`, `name-2.mkv`, …
pub(super) struct Output {
    /// `-`: standard output.
    path: String,
    part: Option<Part>,
    parts: u32,
    /// Fragments and bytes written, over all parts.
    pub(super) fragments: u64,
    pub(super) bytes: u64,
}

struct Part {
    matroska: MatroskaFile,
    writer: Writer,
    scratch: Vec<u8>,
}

enum Writer {
    File(BufWriter<File>),
    Stdout(io::Stdout),
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

impl Output {
    pub(super) fn new(path: &str) -> Self {
        Self { path: path.to_owned(), part: None, parts: 0, fragments: 0, bytes: 0 }
    }

    /// A whole fragment.
    pub(super) fn fragment(
        &mut self,
        document: &Document,
        producer_timestamp: UnixMillis,
        length_ms: u64,
        blocks: &[Bytes],
    ) -> Result<(), Box<dyn Error>> {
        let part = self.part_for(document, producer_timestamp)?;
        part.matroska.cluster(producer_timestamp, length_ms, blocks, &mut part.scratch);
        let mut written = part.scratch.len();
        part.write_scratch()?;
        for block in blocks {
            part.writer.write_all(block)?;
            written += block.len();
        }
        self.fragments += 1;
        self.bytes += written as u64;
        Ok(())
    }

    /// The start of a fragment that is still coming.
    pub(super) fn open_fragment(
        &mut self,
        document: &Document,
        producer_timestamp: UnixMillis,
    ) -> Result<(), Box<dyn Error>> {
        let part = self.part_for(document, producer_timestamp)?;
        part.matroska.open_cluster(producer_timestamp, &mut part.scratch);
        let written = part.scratch.len();
        part.write_scratch()?;
        self.fragments += 1;
        self.bytes += written as u64;
        Ok(())
    }

    /// A block of it, written through: someone may be watching.
    pub(super) fn block(
        &mut self,
        block: &Bytes,
        relative_timestamp: i16,
    ) -> Result<(), Box<dyn Error>> {
        if let Some(part) = &mut self.part {
            part.matroska.block(block, relative_timestamp);
            part.writer.write_all(block)?;
            part.writer.flush()?;
            self.bytes += block.len() as u64;
        }
        Ok(())
    }

    /// Completes the file. Without a fragment there is none.
    pub(super) fn finish(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(mut part) = self.part.take() else { return Ok(()) };
        let patches = part.matroska.finish(&mut part.scratch);
        self.bytes += part.scratch.len() as u64;
        part.writer.write_all(&part.scratch)?;
        part.writer.flush()?;
        if let Writer::File(file) = &mut part.writer {
            for patch in patches {
                file.seek(SeekFrom::Start(patch.position))?;
                file.write_all(&patch.bytes)?;
            }
            file.flush()?;
        }
        Ok(())
    }

    fn part_for(
        &mut self,
        document: &Document,
        producer_timestamp: UnixMillis,
    ) -> Result<&mut Part, Box<dyn Error>> {
        let fits = self.part.as_ref().is_none_or(|part| part.matroska.takes(document));
        if !fits {
            if self.path == "-" {
                return Err("the tracks change here, which one Matroska stream cannot hold".into());
            }
            self.finish()?;
        }
        if self.part.is_none() {
            self.parts += 1;
            let path = part_path(&self.path, self.parts);
            if self.parts > 1 {
                eprintln!("the tracks change: going on in {path}");
            }
            let writer = match path.as_str() {
                "-" => Writer::Stdout(io::stdout()),
                path => Writer::File(BufWriter::new(
                    File::create(path).map_err(|error| format!("{path}: {error}"))?,
                )),
            };
            let mut scratch = Vec::new();
            let matroska = MatroskaFile::start(document, producer_timestamp, &mut scratch);
            let mut part = Part { matroska, writer, scratch };
            part.write_scratch()?;
            self.part = Some(part);
        }
        Ok(self.part.as_mut().expect("it was made above"))
    }
}

impl Part {
    fn write_scratch(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.scratch)?;
        self.scratch.clear();
        Ok(())
    }
}

fn part_path(path: &str, part: u32) -> String {
    if part == 1 {
        return path.to_owned();
    }
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => format!("{stem}-{part}.{extension}"),
        _ => format!("{path}-{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(part_path("a.mkv", 1), "a.mkv");
        assert_eq!(part_path("a.mkv", 2), "a-2.mkv");
        assert_eq!(part_path("./dir.x/a", 3), "./dir.x/a-3");
    }
}
