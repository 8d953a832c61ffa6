//! Recording the output to a WAV file: the audio thread fills a ring, a thread of its own writes.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::fault::Fault;

/// What the ring holds: a disk may be busy for so long, seconds.
const CAPACITY_SECONDS: usize = 4;

/// Between two visits of the writer to the ring.
const VISIT: Duration = Duration::from_millis(200);

/// The end at the audio thread.
pub struct Tape {
    ring: Producer<f32>,
    running: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
}

impl Tape {
    /// Takes the first `frames` of all planes if it is recording. Real-time safe.
    pub fn take(&mut self, planes: &[Vec<f32>], frames: usize) {
        if !self.running.load(Ordering::Relaxed) {
            return;
        }
        let channels = planes.len();
        match self.ring.write_chunk_uninit(frames * channels) {
            Ok(chunk) => {
                chunk.fill_from_iter(
                    (0..frames * channels).map(|k| planes[k % channels][k / channels]),
                );
            }
            Err(_) => {
                self.lost.fetch_add(frames as u64, Ordering::Relaxed);
            }
        }
    }
}

/// The thread that writes a file; gives the ring back, and how it went.
type Writing = JoinHandle<(Consumer<f32>, hound::Result<()>)>;

/// The end that writes.
pub struct Recorder {
    spec: WavSpec,
    running: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    /// Here while nothing is written.
    ring: Option<Consumer<f32>>,
    writing: Option<(PathBuf, Writing)>,
}

/// Makes both ends for a stream.
pub fn recorder(channels: usize, rate: u32) -> (Tape, Recorder) {
    let (producer, consumer) = RingBuffer::new(CAPACITY_SECONDS * rate as usize * channels);
    let running = Arc::new(AtomicBool::new(false));
    let lost = Arc::new(AtomicU64::new(0));
    let tape = Tape {
        ring: producer,
        running: Arc::clone(&running),
        lost: Arc::clone(&lost),
    };
    let spec = WavSpec {
        channels: channels as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let recorder = Recorder {
        spec,
        running,
        lost,
        ring: Some(consumer),
        writing: None,
    };
    (tape, recorder)
}

impl Recorder {
    /// The file that is written.
    pub fn path(&self) -> Option<&Path> {
        self.writing.as_ref().map(|(path, _)| path.as_path())
    }

    /// Starts a file; the one before is finished first.
    ///
    /// # Errors
    /// When the file cannot be made, or the one before could not be finished.
    pub fn start(&mut self, path: PathBuf) -> Result<(), Fault> {
        self.stop()?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| fault(&path, &e.to_string()))?;
        }
        let file = File::create_new(&path).map_err(|e| fault(&path, &e.to_string()))?;
        let writer = WavWriter::new(BufWriter::new(file), self.spec)
            .map_err(|e| fault(&path, &e.to_string()))?;
        let Some(mut ring) = self.ring.take() else {
            return Err(fault(&path, "the writer has stopped"));
        };
        while ring.pop().is_ok() {}
        self.lost.store(0, Ordering::Relaxed);
        self.running.store(true, Ordering::Relaxed);
        let running = Arc::clone(&self.running);
        let thread = std::thread::spawn(move || {
            let result = write(&mut ring, writer, &running);
            (ring, result)
        });
        self.writing = Some((path, thread));
        Ok(())
    }

    /// Finishes the file; gives its path if there was one.
    ///
    /// # Errors
    /// When it could not be written to its end, or the disk was too slow.
    pub fn stop(&mut self) -> Result<Option<PathBuf>, Fault> {
        let Some((path, thread)) = self.writing.take() else {
            return Ok(None);
        };
        self.running.store(false, Ordering::Relaxed);
        let Ok((ring, result)) = thread.join() else {
            return Err(fault(&path, "the writer has stopped"));
        };
        self.ring = Some(ring);
        result.map_err(|e| fault(&path, &e.to_string()))?;
        match self.lost.load(Ordering::Relaxed) {
            0 => Ok(Some(path)),
            lost => Err(fault(
                &path,
                &format!("the disk was too slow; {lost} frames are missing"),
            )),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // A file that is cut off by closing the app is finished all the same.
        let _ = self.stop();
    }
}

fn write(
    ring: &mut Consumer<f32>,
    mut writer: WavWriter<BufWriter<File>>,
    running: &AtomicBool,
) -> hound::Result<()> {
    loop {
        // Looked at before the ring is emptied, so that nothing written before the end stays in it.
        let last = !running.load(Ordering::Relaxed);
        while let Ok(sample) = ring.pop() {
            writer.write_sample(sample)?;
        }
        if last {
            return writer.finalize();
        }
        // The header tells the length so far, whatever ends the app.
        writer.flush()?;
        std::thread::sleep(VISIT);
    }
}

/// The first free name in the folder for recordings.
pub fn next_path(folder: &Path) -> PathBuf {
    (1..)
        .map(|n| folder.join(format!("statewave-{n:03}.wav")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| folder.join("statewave.wav"))
}

fn fault(path: &Path, why: &str) -> Fault {
    Fault {
        what: format!("recording to {}: {why}", path.display()),
        remedy: "record to a folder on a disk with room".into(),
    }
}
