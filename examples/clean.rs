//! Cleans a WAV file in blocks of 64 samples, as a sound card would ask for them.
//!
//!     cargo run --release --example clean -- noisy.wav clean.wav
//!
//! Flows in: 16, 24 or 32 bits or floats, any rate and number of channels that a chain takes. Flows out: floats, as long as the
//! input and in time with it.

use std::error::Error;
use std::sync::Arc;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::model::Model;
use statewave::model::catalogue;

const BLOCK: usize = 64;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = &arguments[..] else {
        return Err("two files are needed: clean NOISY.wav CLEAN.wav".into());
    };
    let (mut sound, rate) = read(input)?;

    // A model is read once; any number of chains may play it.
    let found = catalogue::find(catalogue::DEFAULT).ok_or("the usual model is not compiled in")?;
    let model = Arc::new(Model::from_bytes(&found.bytes()?)?);
    let spec = model.spec();
    let config = ChainConfig {
        sample_rate: rate,
        channels: sound.len(),
        max_block: BLOCK,
    };
    let engine = Box::new(CpuEngine::new(&model, sound.len()));
    let mut chain = Chain::new(engine, spec.front_end, spec.sample_rate, config)?;

    // Everything is allocated now: what follows is what an audio thread does.
    let controls = Controls {
        amount_db: 24.0,
        ..Controls::default()
    };
    let latency = chain.latency().total();
    let len = sound[0].len();
    for channel in &mut sound {
        // The output comes later by the latency: silence behind the end brings out the rest.
        channel.resize(len + latency, 0.0);
    }
    for start in (0..len + latency).step_by(BLOCK) {
        let end = (start + BLOCK).min(len + latency);
        let mut block: Vec<&mut [f32]> = sound.iter_mut().map(|c| &mut c[start..end]).collect();
        chain.process(&mut block, &controls);
    }

    println!("{} frames, {}", chain.stats().frames, chain.latency());
    write(output, &sound, latency..latency + len, rate)
}

/// The channels of a file, and its rate in Hz.
fn read(path: &str) -> Result<(Vec<Vec<f32>>, u32)> {
    let mut reader = WavReader::open(path)?;
    let spec = reader.spec();
    let samples: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader
            .samples::<f32>()
            .collect::<std::result::Result<_, _>>()?,
        SampleFormat::Int => {
            let scale = 0.5f32.powi(i32::from(spec.bits_per_sample) - 1);
            let samples = reader.samples::<i32>();
            samples
                .map(|sample| sample.map(|sample| sample as f32 * scale))
                .collect::<std::result::Result<_, _>>()?
        }
    };
    let channels = usize::from(spec.channels);
    let channel = |first: usize| {
        samples
            .iter()
            .skip(first)
            .step_by(channels)
            .copied()
            .collect()
    };
    Ok(((0..channels).map(channel).collect(), spec.sample_rate))
}

/// Writes a stretch of all channels.
fn write(path: &str, sound: &[Vec<f32>], stretch: std::ops::Range<usize>, rate: u32) -> Result<()> {
    let spec = WavSpec {
        channels: sound.len() as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut writer = WavWriter::create(path, spec)?;
    for at in stretch {
        for channel in sound {
            writer.write_sample(channel[at])?;
        }
    }
    writer.finalize()?;
    Ok(())
}
