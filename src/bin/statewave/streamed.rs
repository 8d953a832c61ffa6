//! A file cleaned on a GPU while it is read and written: a thread each, and memory that does not grow with the file.

use std::io::{Seek, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use statewave::engine::gpu::whole::{Stages, Tape, Whole, WholeError};

use crate::audio::{Reader, WavOut};
use crate::failure::{Failure, Result};

/// Samples of a piece that is handed from thread to thread, and pieces that may wait.
const PIECE: usize = 1 << 16;
const WAITING: usize = 8;

/// Samples, a channel each.
type Piece = Vec<Vec<f32>>;

/// What came of a file.
pub struct Streamed {
    /// Where the time of the thread between the other two went.
    pub stages: Stages,
    /// What reading and writing took, on their threads.
    pub decode: Duration,
    pub encode: Duration,
    /// What was wrong with the input.
    pub notes: Vec<String>,
    /// Samples of the output over full scale.
    pub clipped: usize,
}

/// Cleans all of `input` by `whole` into `output`, which comes back with what it was written to. `read` and `written` see every
/// piece, each on its thread.
pub fn clean<W: Write + Seek + Send>(
    input: Reader,
    output: WavOut<W>,
    whole: &mut Whole,
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
        };
        let run = whole.run(&mut tape);
        // Whoever still waits for this thread finds it gone.
        drop(tape);
        let (reader, decode) = joined(reading);
        let written = joined(writing);
        let stages = match (run, &written) {
            (Err(Fault::WriterGone), Err(_)) => Stages::default(),
            (run, _) => run.map_err(Fault::failure)?,
        };
        let (output, encode) = written?;
        let (out, clipped) = output.finish()?;
        let notes = reader.notes();
        let streamed = Streamed {
            stages,
            decode,
            encode,
            notes,
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
    mut output: WavOut<W>,
    mut written: impl FnMut(&[Vec<f32>]),
    from: Receiver<Piece>,
    back: &Sender<Piece>,
) -> Result<(WavOut<W>, Duration)> {
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
struct Threads {
    pieces: Receiver<Result<Piece>>,
    /// What is being read, from a sample on.
    piece: Piece,
    at: usize,
    to_writer: SyncSender<Piece>,
    /// Pieces that have been written.
    used: Receiver<Piece>,
}

/// Why a recording is not whole.
enum Fault {
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

impl From<WholeError> for Fault {
    fn from(error: WholeError) -> Fault {
        Fault::Failure(error.into())
    }
}

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
            match self.pieces.recv() {
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
        self.to_writer.send(piece).map_err(|_| Fault::WriterGone)
    }
}
