//! Whole recordings: from file to file, and the engine alone.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use statewave::controls::Controls;
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::engine::gpu::{Gpu, whole};
use statewave::model::Model;

use crate::kernel_common::Noise;
use crate::report::Rows;

/// Rate of the recordings, Hz.
pub const RATE: u32 = 48_000;

/// Times a whole file is cleaned; the fastest counts.
const ROUNDS: usize = 3;

/// What cleans a recording, a channel each.
type Clean<'a> = &'a mut dyn FnMut(&mut [Vec<f32>]) -> Result<(), Box<dyn Error>>;

/// Seconds of the recordings.
pub fn seconds(short: bool) -> usize {
    if short { 10 } else { 600 }
}

/// Notes seconds of sound a second.
pub fn run(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    short: bool,
    rows: &mut Rows,
) -> Result<(), Box<dyn Error>> {
    rows.section("Whole recordings, times real time");
    let length = seconds(short);
    let file = file_to_file(length, &mut |audio| {
        whole::render(gpu, model, audio, RATE, &Controls::default(), |_| ())?;
        Ok(())
    })?;
    rows.add(
        &format!("GPU, file to file, mono, {length} s"),
        &format!("{file:.1}"),
    );
    for channels in [1, 8] {
        let alone = alone(gpu, model, channels)?;
        let name = format!("GPU, engine alone, {channels} at once");
        rows.add(&name, &format!("{alone:.1}"));
    }
    Ok(())
}

/// Seconds of sound a second, from a WAV file to another through `clean`.
pub fn file_to_file(length: usize, clean: Clean) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("from.wav"), folder.path().join("to.wav"));
    let mut noise = Noise(3);
    let sound = noise.vec(length * RATE as usize, 0.1);
    write(&from, &sound)?;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let samples: Result<Vec<f32>, _> = WavReader::open(&from)?.samples().collect();
        let mut audio = vec![samples?];
        clean(&mut audio)?;
        write(&to, &audio[0])?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    Ok(length as f64 / best)
}

fn write(path: &Path, sound: &[f32]) -> hound::Result<()> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut writer = WavWriter::create(path, spec)?;
    sound.iter().try_for_each(|x| writer.write_sample(*x))?;
    writer.finalize()
}

/// Seconds of sound a second of the model alone, `channels` recordings at once.
fn alone(gpu: &Arc<Gpu>, model: &Model, channels: usize) -> Result<f64, Box<dyn Error>> {
    let (net, spec) = (model.net(), model.spec());
    let time = whole::frames_at_once(channels);
    let mut denoiser = GpuDenoiser::new(Arc::clone(gpu), net, channels, time)?;
    let frames = Noise(4).vec(channels * time * 2 * net.bins(), 1.0);
    let mut out = vec![0.0; frames.len()];
    denoiser.run(time, &frames, &mut out)?;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        denoiser.run(time, &frames, &mut out)?;
        best = best.min(began.elapsed().as_secs_f64());
    }
    let sound = (channels * time * spec.front_end.hop) as f64 / f64::from(spec.sample_rate);
    Ok(sound / best)
}
