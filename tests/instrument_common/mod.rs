//! What the tests of the instrument share: the shipped model, events, and what a spectrum says.
#![allow(dead_code)]

pub mod player;

use std::sync::Arc;

use realfft::RealFftPlanner;
use statewave::instrument::{Event, Happening, Instrument, InstrumentControls, Which};
use statewave::model::catalogue;
use statewave::model::instrument::InstrumentModel;
use statewave::state::StateControls;

pub fn model() -> Arc<InstrumentModel> {
    let found = catalogue::instruments()
        .next()
        .expect("an instrument is shipped");
    let bytes = found.bytes().expect("it is compiled in");
    Arc::new(InstrumentModel::from_bytes(&bytes).expect("it is whole"))
}

pub fn on(sample: usize, key: u8, velocity: f32) -> Event {
    let what = Happening::On {
        id: None,
        channel: 0,
        key,
        velocity,
    };
    Event { sample, what }
}

pub fn off(sample: usize, key: u8) -> Event {
    let which = Which {
        key: Some(key),
        ..Which::default()
    };
    Event {
        sample,
        what: Happening::Off(which),
    }
}

/// The instrument of that name alone.
pub fn of(model: &InstrumentModel, name: &str) -> InstrumentControls {
    let place = model.instrument(name).expect("the model has it");
    InstrumentControls {
        a: place,
        b: place,
        width: 0.0,
        ..InstrumentControls::default()
    }
}

/// The same with this done to what notes remember.
pub fn held(usual: &InstrumentControls, state: StateControls) -> InstrumentControls {
    InstrumentControls { state, ..*usual }
}

/// `len` samples of events that count from the start of the sound, in blocks of lengths given in turn.
pub fn played(
    instrument: &mut Instrument,
    controls: &InstrumentControls,
    events: &[Event],
    len: usize,
    blocks: &[usize],
) -> (Vec<f32>, Vec<f32>) {
    let (mut left, mut right) = (vec![9.0; len], vec![9.0; len]);
    let (mut at, mut blocks) = (0, blocks.iter().cycle());
    while at < len {
        let stop = len.min(at + blocks.next().expect("there is a length"));
        let mine: Vec<Event> = events
            .iter()
            .filter(|event| (at..stop).contains(&event.sample))
            .map(|event| Event {
                sample: event.sample - at,
                ..*event
            })
            .collect();
        instrument.process(controls, &mine, &mut left[at..stop], &mut right[at..stop]);
        at = stop;
    }
    (left, right)
}

pub fn left(
    model: &Arc<InstrumentModel>,
    rate: u32,
    name: &str,
    events: &[Event],
    len: usize,
) -> Vec<f32> {
    let mut instrument = Instrument::new(Arc::clone(model), rate, 16);
    played(&mut instrument, &of(model, name), events, len, &[512]).0
}

pub fn rms(x: &[f32]) -> f32 {
    (x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32).sqrt()
}

/// Points of a spectrum.
const SIZE: usize = 1 << 18;

/// Magnitudes under a Blackman window, padded to [`SIZE`].
pub fn spectrum(x: &[f32]) -> Vec<f32> {
    let turn = |i: usize| std::f64::consts::TAU * i as f64 / x.len() as f64;
    let window = |i: usize| 0.42 - 0.5 * turn(i).cos() + 0.08 * (2.0 * turn(i)).cos();
    let mut padded: Vec<f32> = x
        .iter()
        .enumerate()
        .map(|(i, x)| x * window(i) as f32)
        .collect();
    padded.resize(SIZE, 0.0);
    let fft = RealFftPlanner::new().plan_fft_forward(SIZE);
    let mut bins = fft.make_output_vec();
    fft.process(&mut padded, &mut bins)
        .expect("the buffers are the plan's");
    bins.iter().map(|bin| bin.norm()).collect()
}

/// The highest peak between two frequencies: Hz and magnitude.
pub fn peak(x: &[f32], rate: u32, from: f64, to: f64) -> (f64, f32) {
    let spectrum = spectrum(x);
    let hz = |bin: usize| bin as f64 * f64::from(rate) / SIZE as f64;
    let bins = (0..spectrum.len()).filter(|bin| (from..to).contains(&hz(*bin)));
    let highest = bins.max_by(|a, b| spectrum[*a].total_cmp(&spectrum[*b]));
    let bin = highest.expect("there are bins");
    (hz(bin), spectrum[bin])
}

pub fn peak_hz(x: &[f32], rate: u32, from: f64, to: f64) -> f64 {
    peak(x, rate, from, to).0
}

pub fn peak_level(x: &[f32], rate: u32, from: f64, to: f64) -> f32 {
    peak(x, rate, from, to).1
}
