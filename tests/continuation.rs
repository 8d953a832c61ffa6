//! Promise: a stream that continues plays the input bit for bit until it is told to go on, goes on the same way from the
//! same seed however the samples are cut into blocks, and finds its way back by itself.

mod kernel_common;

use std::sync::Arc;

use kernel_common::Noise;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::continuation::{Continuation, Continue, Sampling};
use statewave::kernels::Path;
use statewave::model::file::ModelFile;
use statewave::model::generate::GenerateModel;

const GOLDEN: &[u8] = include_bytes!("golden/generate.safetensors");

/// A small model with random weights.
fn random() -> Arc<GenerateModel> {
    Arc::new(GenerateModel::from_bytes(GOLDEN).unwrap())
}

/// One that gives every token but those of `tokens` no probability.
fn only(tokens: &[usize]) -> Arc<GenerateModel> {
    let mut file = ModelFile::from_bytes(GOLDEN).unwrap();
    let head = file.tensors.get_mut("lm_head.weight").unwrap();
    head.data.fill(0.0);
    let bias = file.tensors.get_mut("lm_head.bias").unwrap();
    bias.data.fill(-60.0);
    tokens.iter().for_each(|&token| bias.data[token] = 0.0);
    Arc::new(GenerateModel::from_bytes(&file.to_bytes()).unwrap())
}

fn input(samples: usize) -> Vec<f32> {
    Noise(2).vec(samples, 0.5)
}

/// A second of input, then two of going on, in blocks whose lengths `block` says.
fn run(stream: &mut Continuation, seed: u64, mut block: impl FnMut() -> usize) -> Vec<f32> {
    let rate = stream.latency().sample_rate as usize;
    let mut audio = input(3 * rate);
    let mut at = 0;
    while at < audio.len() {
        // The switch lies at a sample, and hosts cut blocks there.
        let end = if at < rate { rate } else { audio.len() };
        let next = (at + block()).min(end);
        let controls = Continue {
            go_on: at >= rate,
            seed,
            ..Continue::default()
        };
        stream.process(&mut [&mut audio[at..next]], &controls);
        at = next;
    }
    audio
}

#[test]
fn the_same_seed_makes_the_same_sound_in_any_blocks_and_another_one_another() {
    for rate in [16_000, 44_100, 48_000] {
        let mut stream = Continuation::new(random(), rate, 1, 300);
        let truth = run(&mut stream, 5, || 4096);
        stream.reset();
        let mut random_lengths = Noise(9);
        let cut = run(&mut stream, 5, || {
            (1.0 + 200.0 * (1.0 + random_lengths.next())) as usize
        });
        assert!(truth == cut, "at {rate} Hz");
        let mut other = Continuation::new(random(), rate, 1, 64);
        assert!(truth != run(&mut other, 6, || 512), "at {rate} Hz");
        assert_eq!(
            truth,
            run(&mut Continuation::new(random(), rate, 1, 64), 5, || 512)
        );
    }
}

#[test]
fn every_path_repeats_itself() {
    for path in Path::available() {
        let made = || {
            run(
                &mut Continuation::on(path, random(), 48_000, 1, 512),
                5,
                || 512,
            )
        };
        assert_eq!(made(), made(), "on {}", path.name());
    }
}

#[test]
fn the_input_passes_bit_for_bit_until_it_goes_on_and_after() {
    let rate = 48_000;
    let mut stream = Continuation::new(random(), rate, 2, 512);
    let delay = stream.latency().total();
    assert_eq!(delay, stream.latency().resampling_samples);
    let (left, right) = (input(3 * 48_000), Noise(7).vec(3 * 48_000, 0.3));
    let (mut a, mut b) = (left.clone(), right.clone());
    for block in 0..300 {
        let range = block * 480..(block + 1) * 480;
        let controls = Continue {
            go_on: (100..200).contains(&block),
            ..Continue::default()
        };
        stream.process(&mut [&mut a[range.clone()], &mut b[range]], &controls);
    }
    let (second, fade) = (48_000, 960);
    for (got, truth) in [(&a, &left), (&b, &right)] {
        assert!(got[delay..second + delay] == truth[..second], "before");
        let after = 2 * second + delay + fade;
        let rest = &truth[after - delay..truth.len() - delay];
        assert!(&got[after..] == rest, "after");
        let on = second + delay + fade..2 * second + delay;
        assert!(got[on.clone()] != truth[on.start - delay..on.end - delay]);
    }
    // What the model makes is the same on all channels.
    let on = second + delay + fade..2 * second + delay;
    assert!(a[on.clone()] == b[on], "not the same on both channels");
}

#[test]
fn half_a_mix_is_half_of_both() {
    let play = |mix: f32| {
        let mut stream = Continuation::new(random(), 16_000, 1, 512);
        let mut audio = input(16_000);
        let controls = Continue {
            go_on: true,
            mix,
            ..Continue::default()
        };
        stream.process(&mut [&mut audio], &controls);
        audio[8_000..].to_vec()
    };
    let (dry, half, wet) = (play(0.0), play(0.5), play(1.0));
    for ((dry, half), wet) in dry.iter().zip(half).zip(wet) {
        assert!((half - 0.5 * (dry + wet)).abs() < 1e-6);
    }
}

/// Minutes of going on behind a second of input; the restarts, and each second's mean square.
fn goes_on(model: Arc<GenerateModel>, seconds: usize) -> (Continuation, Vec<f32>) {
    let mut stream = Continuation::new(model, 16_000, 1, 512);
    let mut audio = input(16_000);
    stream.process(&mut [&mut audio], &Continue::default());
    let on = Continue {
        go_on: true,
        ..Continue::default()
    };
    let mut powers = Vec::new();
    for _ in 0..seconds {
        let mut audio = vec![0.0; 16_000];
        stream.process(&mut [&mut audio], &on);
        assert!(audio.iter().all(|x| x.abs() <= 1.1), "beyond full scale");
        powers.push(audio.iter().map(|x| x * x).sum::<f32>() / 16_000.0);
    }
    (stream, powers)
}

#[test]
fn a_model_that_knows_its_level_stays_within_twice_the_peak_it_heard() {
    let mut file = ModelFile::from_bytes(GOLDEN).unwrap();
    file.spec_json["level_db"] = (-25.0).into();
    let model = Arc::new(GenerateModel::from_bytes(&file.to_bytes()).unwrap());
    // A tenth of a second is enough to know how loud it was; of nothing there is nothing to be within.
    for (heard, level, most) in [(1_600, 0.02, 0.04), (32_000, 0.1, 0.2), (1_600, 0.0, 1.0)] {
        let mut stream = Continuation::new(Arc::clone(&model), 16_000, 1, 512);
        stream.process(&mut [&mut Noise(3).vec(heard, level)], &Continue::default());
        let on = Continue {
            go_on: true,
            ..Continue::default()
        };
        let mut audio = vec![0.0; 48_000];
        stream.process(&mut [&mut audio], &on);
        let peak = audio.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        // A net with random weights is as loud as it may be.
        assert!(
            (0.9 * most..=most).contains(&peak),
            "{peak} behind {heard} samples of {level}"
        );
    }
}

#[test]
fn what_goes_astray_is_taken_back_and_counted() {
    let (stream, powers) = goes_on(only(&[128]), 9);
    assert_eq!(stream.restarts().silent, 4);
    assert!(powers.iter().skip(1).all(|&p| p < 1e-5));
    let (stream, _) = goes_on(only(&[0, 255]), 5);
    assert!(stream.restarts().blown_up >= 8, "{:?}", stream.restarts());
    let (stream, _) = goes_on(only(&[180]), 9);
    assert!(
        (3..=4).contains(&stream.restarts().stuck),
        "{:?}",
        stream.restarts()
    );
    // A net whose state leaves the numbers.
    let mut file = ModelFile::from_bytes(GOLDEN).unwrap();
    for weight in &mut file
        .tensors
        .get_mut("middle.layers.0.mixer.out_proj.weight")
        .unwrap()
        .data
    {
        *weight *= 1e38;
    }
    let (stream, _) = goes_on(
        Arc::new(GenerateModel::from_bytes(&file.to_bytes()).unwrap()),
        3,
    );
    assert!(stream.restarts().blown_up > 0, "{:?}", stream.restarts());
}

#[test]
fn hostile_input_and_controls_do_no_harm() {
    let mut stream = Continuation::new(random(), 44_100, 1, 128);
    for block in 0..200 {
        let mut audio = input(441);
        audio[block % 441] = [f32::NAN, f32::INFINITY, -1e30, 1e-42][block % 4];
        let wild = [f32::NAN, f32::INFINITY, -3.0, 1e-40][block / 4 % 4];
        let mut controls = Continue {
            go_on: block % 7 > 2,
            sampling: Sampling {
                temperature: wild,
                top_p: wild,
            },
            mix: wild,
            fade_seconds: wild,
            ..Continue::default()
        };
        (controls.density.share, controls.density.weight) = (wild, wild);
        stream.process(&mut [&mut audio], &controls);
        assert!(
            audio.iter().all(|x| x.is_finite() && x.abs() < 2.0),
            "block {block}"
        );
    }
}

#[test]
fn one_can_hear_none_of_the_cuts() {
    // Of a constant, a restart and a switch leave no jump larger than the fades allow.
    let mut stream = Continuation::new(only(&[180]), 48_000, 1, 512);
    let mut audio = vec![0.0; 48_000 * 6];
    let on = Continue {
        go_on: true,
        ..Continue::default()
    };
    let (first, rest) = audio.split_at_mut(4_800);
    stream.process(&mut [first], &Continue::default());
    stream.process(&mut [rest], &on);
    assert!(stream.restarts().total() > 0);
    let jump = audio
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    assert!(jump < 0.01, "a jump of {jump}");
}

#[test]
fn a_chain_goes_on_as_the_engine_does_and_tells_of_it() {
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 480,
    };
    let mut chain = Chain::of_continuation(random(), config).unwrap();
    let mut alone = Continuation::new(random(), 48_000, 2, 480);
    assert_eq!(chain.latency(), alone.latency());
    let (writer, mut reader) = statewave::telemetry::pair();
    chain.set_telemetry(Some(writer));
    reader.watch(true);
    let sound = input(24_000);
    for (k, piece) in sound.chunks(401).enumerate() {
        let continuation = Continue {
            go_on: k > 20,
            seed: 5,
            ..Continue::default()
        };
        let controls = Controls {
            continuation,
            // Of no use here, so it must do nothing.
            amount_db: 6.0,
            ..Controls::default()
        };
        let (mut left, mut right) = (piece.to_vec(), piece.to_vec());
        chain.process(&mut [&mut left, &mut right], &controls);
        let (mut expected, mut other) = (piece.to_vec(), piece.to_vec());
        alone.process(&mut [&mut expected, &mut other], &continuation);
        assert!(left == expected && right == other, "block {k}");
        assert_eq!(chain.goes_on(), k > 20);
        while let Some(snapshot) = reader.read() {
            assert_eq!(snapshot.goes_on, k > 20, "block {k}");
        }
    }
    assert_eq!(chain.stats().restarts, alone.restarts().total());
}
