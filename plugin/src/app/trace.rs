//! When the callbacks came, written to a file: all that the bridge was told, so that it can be told it again.
//!
//! A line for each opening of the streams, `open,`, its number and the rates of input and output, Hz; then one for each
//! callback, `in,` or `out,`, the opening's number, the moment in seconds since then, and the frames: the last callbacks of
//! an opening are written after the next has begun. `tests/replay.rs` reads them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::devices::Way;
use crate::fault::Fault;

/// Callbacks for which there is room between two visits of the writer: thousands a second.
const CAPACITY: usize = 4096;

/// Between two visits of the writer to the rings.
const VISIT: Duration = Duration::from_millis(200);

/// Openings so far that were traced.
static OPENINGS: AtomicU32 = AtomicU32::new(0);

/// When a callback came, seconds, and how many frames it had.
struct Mark {
    now: f64,
    frames: usize,
}

/// The end in a callback.
pub struct Tracer(Producer<Mark>);

impl Tracer {
    /// Notes a callback. Real-time safe.
    pub fn note(&mut self, now: f64, frames: usize) {
        // What finds no room is left out rather than waited for.
        let _ = self.0.push(Mark { now, frames });
    }
}

/// Appends to `path` what the two tracers note, of the input and of the output, until both are gone.
///
/// # Errors
/// When the file cannot be written.
pub fn trace(path: &Path, rates: (u32, u32)) -> Result<(Tracer, Tracer), Fault> {
    let fault = |e: std::io::Error| Fault {
        what: format!("the trace {} cannot be written: {e}", path.display()),
        remedy: "give a file in a folder that can be written".into(),
    };
    let file = File::options().create(true).append(true).open(path);
    let mut file = BufWriter::new(file.map_err(fault)?);
    let opening = OPENINGS.fetch_add(1, Ordering::Relaxed);
    writeln!(file, "open,{opening},{},{}", rates.0, rates.1).map_err(fault)?;
    let (input, from_input) = RingBuffer::new(CAPACITY);
    let (output, from_output) = RingBuffer::new(CAPACITY);
    std::thread::spawn(move || drain(&mut file, opening, from_input, from_output));
    Ok((Tracer(input), Tracer(output)))
}

/// Writes until both rings are left, or the disk is full.
fn drain(
    file: &mut impl Write,
    opening: u32,
    mut input: Consumer<Mark>,
    mut output: Consumer<Mark>,
) {
    loop {
        let ended = input.is_abandoned() && output.is_abandoned();
        for (way, ring) in [(Way::In, &mut input), (Way::Out, &mut output)] {
            let way = if way == Way::In { "in" } else { "out" };
            while let Ok(Mark { now, frames }) = ring.pop() {
                if writeln!(file, "{way},{opening},{now:.6},{frames}").is_err() {
                    return;
                }
            }
        }
        if file.flush().is_err() || ended {
            return;
        }
        std::thread::sleep(VISIT);
    }
}
