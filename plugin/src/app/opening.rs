//! Opening streams: devices, the bridge between them, the processor behind it; and looking whether they live.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cpal::BufferSize;
use statewave::chain::ChainConfig;
use statewave::handoff::swap::{New, Retired, slot};
use statewave::latency::{Latency, LatencyMode};
use statewave::telemetry::{self, Reader};

use super::band::Band;
use super::bridge::{BridgeStatus, bridge};
use super::devices::{self, INSTRUMENT_NAME, Opened, Way};
use super::player::{SoundFile, feed};
use super::record::{Recorder, recorder};
use super::settings::Choice;
use super::streams::{self, Listener, MAX_BLOCK, Player, Pulse};
use super::trace::trace;
use super::values::Values;
use crate::fade::Fading;
use crate::fault::Fault;
use crate::loader::{Loader, Stream};
use crate::processor::Processor;

/// A stream that was not heard of for so long beyond [`STALLED_BLOCKS`] is gone: well within two seconds.
const STALLED: Duration = Duration::from_secs(1);
const STALLED_BLOCKS: u32 = 8;

/// A stream takes so long at most to begin: until then it asks for what its buffers hold, and maybe waits for a server that
/// is ahead with silence.
const BEGINNING: Duration = Duration::from_secs(5);

/// A block where the device chooses its length, frames.
const LONG_BLOCK: u32 = 4096;

/// What is to be opened.
pub struct Request<'a> {
    /// Devices.
    pub choice: &'a Choice,
    /// Played instead of the input.
    pub file: Option<&'a Path>,
    /// Told when callbacks came.
    pub trace: Option<&'a Path>,
    /// Plays, where the instrument is chosen as the input.
    pub band: &'a Band,
    /// Gives the models.
    pub loader: &'a Loader,
    /// Read by the audio thread.
    pub values: &'a Arc<Values>,
    /// The output is heard.
    pub heard: &'a Arc<AtomicBool>,
}

/// Streams as the window is told of them.
pub struct Running {
    /// Delays of the chain.
    pub latency: Latency,
    /// From the audio thread.
    pub reader: Reader,
    /// Name of the input, or of the file.
    pub input: String,
    /// Name of the output.
    pub output: String,
    /// Rates of both, Hz.
    pub rates: (u32, u32),
    /// What is between them.
    pub bridge: Arc<BridgeStatus>,
}

/// Streams and what belongs to them; they end when this is dropped.
pub struct Streams {
    _output: cpal::Stream,
    _input: Option<cpal::Stream>,
    pulses: Vec<Watched>,
    bridge: Arc<BridgeStatus>,
    /// Writes the output.
    pub recorder: Recorder,
    config: ChainConfig,
    block: usize,
    mode: LatencyMode,
    next: New<Box<Processor>>,
    retired: Retired<Box<Processor>>,
    /// Devices that stand in for others, as faults to tell.
    pub missing: Vec<Fault>,
    /// Why blocks are longer than was asked for.
    pub longer: Option<Fault>,
    /// Why the input must not be heard, whatever is chosen.
    pub hushed: Option<Fault>,
    /// JACK's server is at one end at least.
    pub on_jack: bool,
}

/// A stream's pulse, and when it was felt last.
struct Watched {
    pulse: Arc<Pulse>,
    beats: u64,
    since: Instant,
    stalled: Duration,
}

impl Watched {
    fn new(opened: &Opened) -> Self {
        let blocks =
            f64::from(STALLED_BLOCKS * block_of(opened)) / f64::from(opened.config.sample_rate);
        Self {
            pulse: Arc::new(Pulse::default()),
            beats: 0,
            since: Instant::now(),
            stalled: STALLED + Duration::from_secs_f64(blocks),
        }
    }

    fn is_lost(&mut self) -> bool {
        let beats = self.pulse.beats.load(Ordering::Relaxed);
        if beats != self.beats {
            (self.beats, self.since) = (beats, Instant::now());
        }
        let begins = beats < u64::from(STALLED_BLOCKS);
        let patience = if begins { BEGINNING } else { self.stalled };
        self.pulse.lost.load(Ordering::Relaxed) || self.since.elapsed() > patience
    }
}

impl Streams {
    /// Opens everything that is asked for.
    ///
    /// # Errors
    /// When there is no device, or one does not take what is asked, or the file is no sound.
    pub fn open(request: &Request) -> Result<(Self, Running), Fault> {
        let Choice { rate, buffer, .. } = *request.choice;
        let output = devices::open(request.choice.output.as_deref(), Way::Out, rate, buffer)?;
        let file = request.file.map(SoundFile::open).transpose()?;
        let plays = file.is_none() && request.choice.is_instrument();
        let input = match file {
            Some(_) => None,
            None if plays => None,
            None => Some(devices::open(
                request.choice.input.as_deref(),
                Way::In,
                rate,
                buffer,
            )?),
        };
        let output_rate = output.config.sample_rate;
        let from_device = input.as_ref().map(|input| input.config.sample_rate);
        let input_rate = file
            .as_ref()
            .map(|file| file.rate)
            .or(from_device)
            .unwrap_or(output_rate);
        let channels = input
            .as_ref()
            .map_or(2, |input| usize::from(input.config.channels.clamp(1, 2)));
        let (inlet, outlet) =
            bridge(channels, input_rate, output_rate, input.is_some()).map_err(|e| Fault {
                what: format!("from {input_rate} to {output_rate} Hz: {e}"),
                remedy: "choose another rate".into(),
            })?;
        let config = ChainConfig {
            sample_rate: output_rate,
            channels,
            max_block: MAX_BLOCK,
        };
        let block = block_of(&output) as usize;
        let mut processor = request.loader.processor(&stream(request, config, block))?;
        let (mut latency, mode) = (processor.latency(), request.values.settings().mode);
        let seat = plays.then(|| request.band.seat(output_rate)).transpose()?;
        if plays {
            // It is not in the way.
            latency = Latency {
                sample_rate: output_rate,
                framing_samples: 0,
                overlap_samples: 0,
                look_ahead_samples: 0,
                spread_samples: 0,
                resampling_samples: 0,
                engine_samples: 0,
            };
        }
        let (tape, recorder) = recorder(channels, output_rate);
        let (writer, reader) = telemetry::pair();
        processor.set_telemetry(Some(writer));
        let (next, slot, retired) = slot();
        let status = Arc::clone(outlet.status());
        let tracers = request
            .trace
            .map(|path| trace(path, (input_rate, output_rate)));
        let (heard_tracer, asked_tracer) = tracers.transpose()?.unzip();
        let began = Instant::now();
        let player = Player {
            outlet,
            seat,
            began,
            processor: Fading::new(Box::new(processor), channels),
            slot,
            values: Arc::clone(request.values),
            tracer: asked_tracer,
            tape,
            heard: Arc::clone(request.heard),
            fade: 0.0,
            planes: vec![vec![0.0; MAX_BLOCK]; channels],
        };
        let mut pulses = vec![Watched::new(&output)];
        let output_stream = streams::output(&output, player, Arc::clone(&pulses[0].pulse))?;
        let mut input_stream = None;
        if let Some(input) = &input {
            let watched = Watched::new(input);
            let listener = Listener {
                inlet,
                began,
                tracer: heard_tracer,
            };
            input_stream = Some(streams::input(input, listener, Arc::clone(&watched.pulse))?);
            pulses.push(watched);
        } else if let Some(file) = file {
            feed(file, inlet);
        }
        let running = Running {
            latency,
            reader,
            input: match (&input, request.file) {
                (Some(input), _) => input.name.clone(),
                (None, Some(file)) => file.display().to_string(),
                (None, None) => INSTRUMENT_NAME.into(),
            },
            output: output.name.clone(),
            rates: (input_rate, output_rate),
            bridge: Arc::clone(&status),
        };
        let stands_in = [
            missing(request.choice.output.as_deref(), Some(&output), "output"),
            missing(request.choice.input.as_deref(), input.as_ref(), "input"),
        ];
        let streams = Self {
            _output: output_stream,
            _input: input_stream,
            pulses,
            bridge: status,
            recorder,
            config,
            block,
            mode,
            next,
            retired,
            missing: stands_in.into_iter().flatten().collect(),
            longer: output.is_longer(buffer),
            hushed: input
                .as_ref()
                .and_then(|input| devices::must_not_be_heard(input, &output)),
            on_jack: output.is_on_jack() || input.is_some_and(|input| input.is_on_jack()),
        };
        Ok((streams, running))
    }

    /// Whether the latency mode is another, or a model or an engine waits that what runs cannot take.
    pub fn is_outdated(&self, request: &Request) -> bool {
        let is_other = request.values.settings().mode != self.mode;
        is_other && request.loader.has_modes() || request.loader.restart_wanted()
    }

    /// Another processor in the streams that run; gives the new delays.
    ///
    /// # Errors
    /// When the model cannot run at their rate.
    pub fn renew(&mut self, request: &Request) -> Result<Latency, Fault> {
        let stream = stream(request, self.config, self.block);
        let processor = request.loader.processor(&stream)?;
        let latency = processor.latency();
        self.next.offer(Box::new(processor)).map_err(|_| Fault {
            what: "the output has not taken the last change yet".into(),
            remedy: "choose the output again if it stays silent".into(),
        })?;
        self.mode = stream.mode;
        Ok(latency)
    }

    /// Frees what was replaced, and says whether a device is gone.
    pub fn is_lost(&mut self) -> bool {
        while self.retired.take().is_some() {}
        // All are looked at, so that each knows when it was felt last.
        self.pulses
            .iter_mut()
            .map(Watched::is_lost)
            .fold(false, |a, b| a | b)
    }

    /// The file has been played to its end.
    pub fn has_ended(&self) -> bool {
        self.bridge.ended.load(Ordering::Acquire)
            && self.bridge.held_us.load(Ordering::Relaxed) == 0
    }
}

/// Frames that come at once.
fn block_of(opened: &Opened) -> u32 {
    match opened.config.buffer_size {
        BufferSize::Fixed(frames) => frames,
        BufferSize::Default => LONG_BLOCK,
    }
}

/// What the processor is made for now.
fn stream(request: &Request, config: ChainConfig, block: usize) -> Stream {
    Stream {
        block,
        ..Stream::live(config, request.values.settings().mode)
    }
}

/// What to tell where a device stands in for the one that was asked for.
fn missing(wanted: Option<&str>, opened: Option<&Opened>, kind: &str) -> Option<Fault> {
    let opened = opened.filter(|opened| !opened.wanted)?;
    Some(Fault {
        what: format!("the {kind} {} is not there", wanted.unwrap_or_default()),
        remedy: format!("{} stands in until it comes back", opened.name),
    })
}
