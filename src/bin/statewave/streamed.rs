//! A file cleaned while it is read and written: a thread each, and memory that does not grow with the file.

use std::io::{Seek, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

#[cfg(feature = "gpu")]
use statewave::engine::gpu::whole::WholeError;
use statewave::tape::Tape;

use crate::audio::{FileOut, Reader};
use crate::failure::{Failure, Result};

/// Samples of a piece that is handed from thread to thread, and pieces that may wait.
const PIECE: usize = 1 << 16;
const WAITING: usize = 8;

/// Samples, a channel each.
pub type Piece = Vec<Vec<f32>>;

/// What came of a file.
pub struct Streamed {
    /// What reading, cleaning and writing took, each on its thread.
    pub decode: Duration,
    pub engine: Duration,
    pub encode: Duration,
    /// What was wrong with the input.
    pub notes: Vec<String>,
    /// Samples of the output over full scale.
    pub clipped: usize,
}

/// Cleans all of `input` by `run` into `output`, which comes back with what it was written to. `read` and `written` see every
/// piece, each on its thread.
pub fn clean<W: Write + Seek + Send>(
    input: Reader,
    output: FileOut<W>,
    run: impl FnOnce(&mut Threads) -> std::result::Result<(), Fault>,
    read: impl FnMut(&[Vec<f32>]) + Send,
    written: impl FnMut(&[Vec<f32>]) + Send,
) -> Result<(Streamed, W)> {
    let (from_reader, pieces) = sync_channel(WAITING);
    let (to_writer, from_tape) = sync_channel(WAITING);
    let (back, used) = channel();
    let channels = input.channels();
    thread::scope(|scope| {
        let reading = scope.spawn(move || reading(input, read, &from_reader));
        let writing = scope.spawn(move || writing(output, written, from_tape, &back));
        let mut tape = Threads {
            pieces,
            piece: vec![Vec::new(); channels],
            at: 0,
            to_writer,
            used,
            waited: Duration::ZERO,
        };
        let begun = Instant::now();
        let ran = run(&mut tape);
        let engine = begun.elapsed().saturating_sub(tape.waited);
        // Whoever still waits for this thread finds it gone.
        drop(tape);
        let (reader, decode) = joined(reading);
        // Where the output was given up, the writer says why.
        let (output, encode) = match (ran, joined(writing)) {
            (Ok(()), Ok(written)) => written,
            (Ok(()) | Err(Fault::WriterGone), Err(failure)) => return Err(failure),
            (Err(fault), _) => return Err(fault.failure()),
        };
        let (out, clipped) = output.finish()?;
        let streamed = Streamed {
            decode,
            engine,
            encode,
            notes: reader.notes(),
            clipped,
        };
        Ok((streamed, out))
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Reads until the end, or until nobody listens.
fn reading(
    mut input: Reader,
    mut read: impl FnMut(&[Vec<f32>]),
    to: &SyncSender<Result<Piece>>,
) -> (Reader, Duration) {
    let mut busy = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let mut piece = vec![Vec::with_capacity(PIECE + PIECE / 8); input.channels()];
        let mut more = Ok(true);
        while matches!(more, Ok(true)) && piece[0].len() < PIECE {
            more = input.next(&mut piece);
        }
        read(&piece);
        busy += begun.elapsed();
        let sent = piece[0].is_empty() || to.send(Ok(piece)).is_ok();
        match more {
            Ok(true) if sent => {}
            Err(failure) => {
                // If nobody listens, somebody else has failed.
                let _ = to.send(Err(failure));
                return (input, busy);
            }
            Ok(_) => return (input, busy),
        }
    }
}

/// Writes until nothing more comes, and gives back what it came in.
fn writing<W: Write + Seek>(
    mut output: FileOut<W>,
    mut written: impl FnMut(&[Vec<f32>]),
    from: Receiver<Piece>,
    back: &Sender<Piece>,
) -> Result<(FileOut<W>, Duration)> {
    let mut busy = Duration::ZERO;
    for piece in from {
        let begun = Instant::now();
        output.write(&piece)?;
        written(&piece);
        busy += begun.elapsed();
        // At the end nobody wants it.
        let _ = back.send(piece);
    }
    Ok((output, busy))
}

/// The two other threads, as a recording.
pub struct Threads {
    pieces: Receiver<Result<Piece>>,
    /// What is being read, from a sample on.
    piece: Piece,
    at: usize,
    to_writer: SyncSender<Piece>,
    /// Pieces that have been written.
    used: Receiver<Piece>,
    /// For the two.
    waited: Duration,
}

/// Why a recording is not whole.
pub enum Fault {
    Failure(Failure),
    /// The writer says why.
    WriterGone,
}

impl Fault {
    fn failure(self) -> Failure {
        match self {
            Fault::Failure(failure) => failure,
            Fault::WriterGone => Failure::new(
                "the output was given up",
                "this is a fault of Statewave; please report it with the file",
            ),
        }
    }
}

#[cfg(feature = "gpu")]
impl From<WholeError> for Fault {
    fn from(error: WholeError) -> Fault {
        Fault::Failure(error.into())
    }
}

#[cfg(feature = "gpu")]
impl From<WholeError> for Failure {
    fn from(error: WholeError) -> Failure {
        let help = match &error {
            WholeError::Gpu(_) => "clean it with --engine cpu",
            WholeError::Chain(_) => "convert the recording to another rate first",
        };
        Failure::new(error.to_string(), help)
    }
}

impl Tape for Threads {
    type Error = Fault;

    fn read(
        &mut self,
        channels: &mut [Vec<f32>],
        most: usize,
    ) -> std::result::Result<usize, Fault> {
        if self.at == self.piece[0].len() {
            let begun = Instant::now();
            let next = self.pieces.recv();
            self.waited += begun.elapsed();
            match next {
                Ok(piece) => self.piece = piece.map_err(Fault::Failure)?,
                Err(_) => return Ok(0),
            }
            self.at = 0;
        }
        let end = self.piece[0].len().min(self.at + most);
        for (to, from) in channels.iter_mut().zip(&self.piece) {
            to.extend_from_slice(&from[self.at..end]);
        }
        Ok(end - std::mem::replace(&mut self.at, end))
    }

    fn write(&mut self, channels: &mut [Vec<f32>]) -> std::result::Result<(), Fault> {
        let used = self.used.try_recv().unwrap_or_default();
        let mut used = used.into_iter();
        let take =
            |channel: &mut Vec<f32>| std::mem::replace(channel, used.next().unwrap_or_default());
        let piece = channels.iter_mut().map(take).collect();
        let begun = Instant::now();
        let sent = self.to_writer.send(piece);
        self.waited += begun.elapsed();
        sent.map_err(|_| Fault::WriterGone)
    }
}
