//! Promise: the shipped denoiser is one function. However it is cut, on whatever instructions, live or at once, the same
//! sound comes out; speech keeps its level, and nothing allocates on the way.
//!
//! Flows in: the shipped model and sample, and noise. Flows out: signal-to-error ratios and levels in dB.

mod common;
mod voice;

use std::sync::Arc;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use common::{Random, difference, level_db, noise, same_bits};
use statewave::chain::{Chain, ChainConfig, render};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::kernels::Path;
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;
use statewave::state::Memory;
use voice::{clean_voice, noisy_voice};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

fn model() -> Arc<Model> {
    let bytes = include_bytes!("../assets/models/denoise-live.safetensors");
    Arc::new(Model::from_bytes(bytes).expect("the shipped model is sound"))
}

fn chain(model: &Arc<Model>, path: Path, sample_rate: u32, channels: usize) -> Chain {
    let engine = Box::new(CpuEngine::with_path(model, channels, path));
    let config = ChainConfig {
        sample_rate,
        channels,
        max_block: 512,
    };
    Chain::new(
        engine,
        model.spec().front_end,
        model.spec().sample_rate,
        config,
    )
    .unwrap()
}

/// Output of a whole stream in blocks of `block` samples, delay and all.
fn live(chain: &mut Chain, input: &[f32], mut block: impl FnMut() -> usize) -> Vec<f32> {
    let mut output = input.to_vec();
    let mut at = 0;
    while at < output.len() {
        let end = (at + block()).min(output.len());
        chain.process(&mut [&mut output[at..end]], &Controls::default());
        at = end;
    }
    output
}

fn snr_db(truth: &[f32], got: &[f32]) -> f64 {
    level_db(truth) - level_db(&difference(got, truth, 0, 0))
}

#[test]
fn block_sizes_do_not_change_a_bit() {
    let (model, voice) = (model(), noisy_voice());
    let mut fixed = chain(&model, Path::detect(), 48_000, 1);
    let whole = live(&mut fixed, &voice, || 512);
    let mut random = Random::new(3);
    for trial in 0..3 {
        let mut other = chain(&model, Path::detect(), 48_000, 1);
        let output = live(&mut other, &voice[..48_000], || {
            [1, 64, random.below(1_500)][trial]
        });
        assert!(same_bits(&output, &whole[..48_000]), "trial {trial}");
    }
}

#[test]
fn instructions_do_not_change_the_sound() {
    let (model, voice) = (model(), noisy_voice());
    let truth = live(
        &mut chain(&model, Path::Portable, 48_000, 1),
        &voice,
        || 480,
    );
    for path in Path::available() {
        let output = live(&mut chain(&model, path, 48_000, 1), &voice, || 480);
        let db = snr_db(&truth, &output);
        assert!(db > 90.0, "{}: {db:.1} dB", path.name());
    }
}

/// One frame at a time, random blocks of frames, and the whole at once.
#[test]
fn streaming_equals_the_whole() {
    let model = model();
    let net = Arc::clone(model.net());
    let frames = 150;
    let len = 2 * net.bins();
    let input: Vec<f32> = noise(1, frames * len, 5).remove(0);
    let run = |max: usize, mut next: Box<dyn FnMut() -> usize>| {
        let mut session = DenoiseSession::new(Arc::clone(&net), Path::detect(), max);
        let mut output = vec![0.0; input.len()];
        let mut at = 0;
        while at < frames {
            let end = (at + next()).min(frames);
            session.run(
                &input[at * len..end * len],
                &mut output[at * len..end * len],
            );
            at = end;
        }
        output
    };
    let step = run(1, Box::new(|| 1));
    let whole = run(frames, Box::new(move || frames));
    let mut random = Random::new(9);
    let blocks = run(16, Box::new(move || 1 + random.below(16)));
    for (name, other) in [("whole", whole), ("blocks", blocks)] {
        let db = snr_db(&step, &other);
        assert!(db > 110.0, "{name}: {db:.1} dB");
    }
}

/// Whatever of a state is broken (by a GPU, by memory): one frame is heard as it came, and the stream goes on.
#[test]
fn a_state_that_is_no_number_costs_one_frame() {
    let (model, voice) = (model(), noisy_voice());
    let clean = live(
        &mut chain(&model, Path::detect(), 48_000, 1),
        &voice,
        || 480,
    );
    for path in Path::available() {
        let len = CpuEngine::with_path(&model, 1, path).state_len();
        // The level, the oldest bin that filters see, the first convolution tail, and states from there to the last.
        for (at, resets) in [(0, 0), (2, 1), (2 + 8 * 136, 1), (len / 2, 1), (len - 1, 1)] {
            let mut engine = CpuEngine::with_path(&model, 1, path);
            let mut state = vec![0.0; len];
            engine.save(&mut state);
            state[at] = f32::NAN;
            engine.restore(&state);
            let mut chain = chain(&model, path, 48_000, 1);
            drop(chain.swap_engine(Box::new(engine)));
            let output = live(&mut chain, &voice, || 480);
            assert!(output.iter().all(|x| x.is_finite()));
            let what = format!("{at} of {len} on {}", path.name());
            assert_eq!(chain.stats().resets, resets, "{what}");
            assert_eq!(chain.stats().non_finite, resets, "{what}");
            // A stream that began a frame later cleans as well.
            let (end, truth) = (&output[96_000..], &clean[96_000..]);
            assert!(snr_db(truth, end) > 15.0, "{what}: {}", snr_db(truth, end));
        }
    }
}

#[test]
fn left_equals_right_gives_the_same_bits() {
    let (model, voice) = (model(), noisy_voice());
    let mut stereo = chain(&model, Path::detect(), 48_000, 2);
    let mut channels = vec![voice[..48_000].to_vec(); 2];
    render(&mut stereo, &mut channels, &Controls::default(), |_| {});
    assert!(same_bits(&channels[0], &channels[1]));
    let mut mono = vec![voice[..48_000].to_vec()];
    render(
        &mut chain(&model, Path::detect(), 48_000, 1),
        &mut mono,
        &Controls::default(),
        |_| {},
    );
    assert!(same_bits(&mono[0], &channels[0]));
}

/// The sample begins with a second of noise alone, and goes on with the voice over it.
#[test]
fn noise_goes_and_the_voice_stays_at_any_level() {
    let (model, voice) = (model(), noisy_voice());
    for gain_db in [0.0f32, -40.0] {
        let gain = 10f32.powf(gain_db / 20.0);
        let input: Vec<f32> = voice.iter().map(|x| x * gain).collect();
        let mut output = vec![input.clone()];
        render(
            &mut chain(&model, Path::detect(), 48_000, 1),
            &mut output,
            &Controls::default(),
            |_| {},
        );
        let (alone, speech) = (9_600..43_200, 57_600..192_000);
        let noise_db = level_db(&output[0][alone.clone()]) - level_db(&input[alone]);
        let speech_db = level_db(&output[0][speech.clone()]) - level_db(&input[speech]);
        assert!(noise_db < -12.0, "noise by {noise_db:.1} dB");
        assert!(
            (-4.0..1.0).contains(&speech_db),
            "speech by {speech_db:.1} dB"
        );
    }
}

/// A voice without noise is as loud as it was, however soft, and no stretch of it is cut.
#[test]
fn soft_speech_keeps_its_level_as_loud_speech_does() {
    let model = model();
    let voice = clean_voice();
    // 100 ms that hold a voice, not a pause: within 25 dB of the loudest.
    let stretches: Vec<_> = (0..voice.len() / 4_800)
        .map(|k| 4_800 * k..4_800 * (k + 1))
        .collect();
    let loudest = stretches.iter().map(|s| level_db(&voice[s.clone()]));
    let loudest = loudest.fold(f64::MIN, f64::max);
    let gains = [-40.0, -20.0, -15.0].map(|rms_db| {
        let gain = 10f64.powf((rms_db - level_db(&voice)) / 20.0) as f32;
        let input: Vec<f32> = voice.iter().map(|x| x * gain).collect();
        let mut output = vec![input.clone()];
        render(
            &mut chain(&model, Path::detect(), 48_000, 1),
            &mut output,
            &Controls::default(),
            |_| {},
        );
        let change_db = level_db(&output[0]) - level_db(&input);
        assert!(
            change_db.abs() < 1.0,
            "{rms_db} dBFS changes by {change_db:.2} dB"
        );
        for s in &stretches {
            if level_db(&voice[s.clone()]) > loudest - 25.0 {
                let cut_db = level_db(&input[s.clone()]) - level_db(&output[0][s.clone()]);
                assert!(
                    cut_db < 1.0,
                    "{rms_db} dBFS at {s:?} falls by {cut_db:.2} dB"
                );
            }
        }
        change_db
    });
    for change_db in gains {
        assert!((change_db - gains[1]).abs() < 0.05, "{gains:?}");
    }
}

#[test]
fn every_rate_is_cleaned() {
    let model = model();
    for sample_rate in [8_000, 16_000, 44_100, 96_000, 192_000] {
        let input = noise(1, sample_rate as usize, 4).remove(0);
        let mut output = vec![input.clone()];
        render(
            &mut chain(&model, Path::detect(), sample_rate, 1),
            &mut output,
            &Controls::default(),
            |_| {},
        );
        let half = sample_rate as usize / 2;
        let removed_db = level_db(&input[half..]) - level_db(&output[0][half..]);
        assert!(
            removed_db > 6.0,
            "{sample_rate} Hz: {removed_db:.1} dB of noise removed"
        );
        assert!(level_db(&output[0]).is_finite());
    }
}

#[cfg(debug_assertions)]
#[test]
fn nothing_allocates_from_the_first_callback() {
    let (model, mut voice) = (model(), noisy_voice());
    let mut chain = chain(&model, Path::detect(), 44_100, 2);
    let mut other = voice.clone();
    let mut random = Random::new(1);
    assert_no_alloc(|| {
        let mut at = 0;
        while at < 44_100 {
            let end = at + random.below(700);
            chain.process(
                &mut [&mut voice[at..end], &mut other[at..end]],
                &Controls::default(),
            );
            at = end.max(at + 1);
        }
        chain.reset();
        chain.process(
            &mut [&mut voice[..512], &mut other[..512]],
            &Controls::default(),
        );
    });
}
