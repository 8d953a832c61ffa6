//! Promise: what is shown of selection is the Δ that the layers have taken, on the way that nobody waits for, and nothing is
//! worked out while nobody looks.

mod effect_common;
mod kernel_common;

use std::sync::Arc;

use effect_common::{INNER, truth};
use kernel_common::{Noise, blocks, wide};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::continuation::{Continuation, Continue};
use statewave::engine::wave::WaveEngine;
use statewave::kernels::{Path, oracle};
use statewave::model::discretize::Sampling;
use statewave::model::effect::EffectModel;
use statewave::model::file::ModelFile;
use statewave::model::generate::{GenerateModel, GenerateStream, mu_law};
use statewave::model::layer::Layer;
use statewave::model::mamba::{MambaBlock, MambaConfig, Space};
use statewave::model::stack::{Stack, StackConfig};
use statewave::model::tensors::Tensors;
use statewave::state::StateControls;
use statewave::telemetry::{self, DELTA_BANDS, Deltas, SNAPSHOTS, Snapshot};

#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

/// Without the heap, where that is watched.
fn guarded(f: impl FnOnce()) {
    #[cfg(debug_assertions)]
    assert_no_alloc::assert_no_alloc(f);
    #[cfg(not(debug_assertions))]
    f();
}

/// What is shown of `chain` while it plays `input` in blocks of odd lengths.
fn shown(chain: &mut Chain, input: &[Vec<f32>], controls: &Controls) -> Vec<Snapshot> {
    let (writer, mut reader) = telemetry::pair();
    chain.set_telemetry(Some(writer));
    reader.watch(true);
    let mut audio = input.to_vec();
    let mut channels: Vec<&mut [f32]> = audio.iter_mut().map(|x| &mut x[..]).collect();
    let mut snapshots = Vec::with_capacity(input[0].len());
    let mut lengths = [1, 300, 7, 64, 33, 1500].into_iter().cycle();
    guarded(|| {
        let mut at = 0;
        while at < input[0].len() {
            let end = input[0].len().min(at + lengths.next().unwrap_or(1));
            match &mut channels[..] {
                [one] => chain.process(&mut [&mut one[at..end]], controls),
                [one, two] => chain.process(&mut [&mut one[at..end], &mut two[at..end]], controls),
                _ => panic!("one channel or two"),
            }
            at = end;
            while let Some(snapshot) = reader.read() {
                snapshots.push(snapshot);
            }
        }
    });
    snapshots
}

fn config(sample_rate: u32, channels: usize) -> ChainConfig {
    ChainConfig {
        sample_rate,
        channels,
        max_block: 300,
    }
}

/// Means over `rows` of `[time][channels]`, as they are shown.
fn mean(deltas: &[f64], channels: usize) -> [f64; DELTA_BANDS] {
    let rows = deltas.len() / channels;
    let of =
        |channel: usize| deltas.iter().skip(channel).step_by(channels).sum::<f64>() / rows as f64;
    std::array::from_fn(|band| {
        let first = band * channels / DELTA_BANDS;
        let end = ((band + 1) * channels / DELTA_BANDS).max(first + 1);
        (first..end).map(of).sum::<f64>() / (end - first) as f64
    })
}

fn assert_near(shown: &[f32], truth: &[f64], what: &str) {
    for (shown, truth) in shown.iter().zip(truth) {
        let off = (f64::from(*shown) / truth - 1.0).abs();
        assert!(off < 1e-4, "{what}: {shown} where {truth} was taken");
    }
}

#[test]
fn an_effect_shows_the_mean_of_what_its_selective_layer_took() {
    let input = vec![Noise(1).vec(20_000, 0.5), Noise(2).vec(20_000, 0.3)];
    let turned = Controls {
        knobs: [0.25, 0.95, 0.0, 0.0],
        ..Controls::default()
    };
    for (rate, scale) in [(48_000, 1.0), (44_100, 48.0 / 44.1), (96_000, 0.5)] {
        let model = effect_common::model();
        let mut chain = Chain::of_effect(&model, config(rate, 2)).unwrap();
        let every = (rate / SNAPSHOTS) as usize;
        let shown = shown(&mut chain, &input, &turned);
        assert_eq!(shown.len(), 20_000 / every);
        let [left, right] = [0, 1].map(|k| truth(&input[k], [0.25, 0.9], scale).deltas);
        for (k, shown) in shown.iter().enumerate() {
            let range = k * every * INNER..(k + 1) * every * INNER;
            // In steps of the trained rate, whatever the rate is.
            let both = [&left[range.clone()], &right[range]].concat();
            let both: Vec<f64> = both.iter().map(|delta| delta / scale).collect();
            assert_eq!((shown.delta.layers, shown.pace), (1, 1.0));
            assert_near(
                &shown.delta.values[0],
                &mean(&both, INNER),
                &format!("{k} at {rate} Hz"),
            );
            assert_eq!(shown.delta.values[1], [0.0; DELTA_BANDS]);
        }
    }
}

const GENERATE: &[u8] = include_bytes!("golden/generate.safetensors");

/// Δ of the one layer in the middle, `[time][E]`, of what the model takes `input` for: f64 from where it comes in.
fn middle(input: &[f32]) -> (Vec<f64>, usize) {
    let file = ModelFile::from_bytes(GENERATE).unwrap();
    let t = |name: &str| wide(&file.tensors[name].data);
    let tensors: Tensors = file.tensors.clone().into_iter().collect();
    let embedding = t("embedding.weight");
    let mut width = embedding.len() / mu_law::LEVELS;
    let mut rows: Vec<f64> = Vec::new();
    for x in input {
        rows.extend(&embedding[usize::from(mu_law::encode(*x)) * width..][..width]);
    }
    for tier in ["down.0", "down.1"] {
        let prefix = format!("{tier}.layers.0.");
        let block = MambaConfig {
            width,
            inner: width,
            states: 4,
            space: Space::S4d(Sampling::default()),
            gated: true,
            taps: 4,
            eps: 1e-5,
        };
        let block = MambaBlock::new(block, &tensors, &prefix).unwrap();
        let mut x: Vec<f32> = rows.iter().map(|x| *x as f32).collect();
        let time = x.len() / width;
        let mut state = vec![0.0; block.state_len(1)];
        let mut scratch = vec![0.0; block.scratch_len(1, time)];
        block.forward(Path::detect(), &mut x, 1, time, &mut state, &mut scratch);
        let (w, b) = (
            t(&format!("{tier}.pool.weight")),
            t(&format!("{tier}.pool.bias")),
        );
        rows = wide(&x)
            .chunks_exact(4 * width)
            .flat_map(|four| oracle::linear(&w, Some(&b), four))
            .collect();
        width = b.len();
    }
    let w = |name: &str| t(&format!("middle.layers.0.{name}"));
    let e = w("mixer.D").len();
    let u: Vec<f64> = rows
        .chunks_exact(width)
        .flat_map(|row| {
            let normed = oracle::rms_norm(row, &w("norm.weight"), 1e-5);
            oracle::linear(&w("mixer.in_proj.weight"), None, &normed)[..e].to_vec()
        })
        .collect();
    let u = oracle::conv(&u, &w("mixer.conv1d.weight"), &w("mixer.conv1d.bias"), 4);
    let deltas = u.chunks_exact(e).flat_map(|u| {
        let u: Vec<f64> = u.iter().map(|u| oracle::silu(*u)).collect();
        let gates = oracle::linear(&w("mixer.x_proj.weight"), None, &u);
        let raw = oracle::linear(
            &w("mixer.dt_proj.weight"),
            Some(&w("mixer.dt_proj.bias")),
            &gates[..2],
        );
        raw.into_iter().map(oracle::softplus)
    });
    (deltas.collect(), e)
}

#[test]
fn the_middle_of_a_generative_model_tells_what_it_took() {
    let model = Arc::new(GenerateModel::from_bytes(GENERATE).unwrap());
    let period = model.period();
    let mut stream = GenerateStream::new(model);
    stream.observe(true);
    let input = Noise(3).vec(4_000, 0.5);
    let (truth, channels) = middle(&input);
    let mut heard = 0;
    for piece in input.chunks(105) {
        guarded(|| piece.iter().for_each(|x| stream.hear(mu_law::encode(*x))));
        // A row is taken with the last of its samples.
        let rows = heard / period..(heard + piece.len()) / period;
        heard += piece.len();
        let taken = &truth[rows.start * channels..rows.end * channels];
        let shown = stream.deltas();
        assert_eq!(shown.layers, 1);
        let what = format!("up to {heard}");
        assert_near(&shown.values[0], &mean(taken, channels), &what);
    }
}

#[test]
fn a_chain_shows_what_a_continuation_took() {
    let model = Arc::new(GenerateModel::from_bytes(GENERATE).unwrap());
    let mut alone = Continuation::new(Arc::clone(&model), 48_000, 1, 300);
    let mut chain = Chain::of_continuation(model, config(48_000, 1)).unwrap();
    for go_on in [false, true] {
        let continuation = Continue {
            go_on,
            ..Continue::default()
        };
        let controls = Controls {
            continuation,
            ..Controls::default()
        };
        let input = Noise(3).vec(9_600, 0.5);
        let shown = shown(&mut chain, std::slice::from_ref(&input), &controls);
        alone.observe(true);
        let every = (48_000 / SNAPSHOTS) as usize;
        assert_eq!(shown.len(), input.len() / every);
        for (shown, piece) in shown.iter().zip(input.chunks(every)) {
            alone.process(&mut [&mut piece.to_vec()], &continuation);
            assert_eq!((shown.delta, shown.pace), (alone.deltas(), 1.0));
            assert_eq!((shown.delta.layers, shown.goes_on), (1, go_on));
            assert!(shown.delta.values[0].iter().all(|delta| *delta > 0.0));
        }
    }
}

#[test]
fn memory_time_and_freeze_are_in_it() {
    // Without the input's part in it, Δ is what its bias says.
    let mut file = ModelFile::from_bytes(GENERATE).unwrap();
    let name = "middle.layers.0.mixer.dt_proj";
    file.tensors
        .get_mut(&format!("{name}.weight"))
        .unwrap()
        .data
        .fill(0.0);
    let bias = wide(&file.tensors[&format!("{name}.bias")].data);
    let generate = Arc::new(GenerateModel::from_bytes(&file.to_bytes()).unwrap());
    let mut file = effect_common::file();
    let name = "layers.1.mixer.dt_proj";
    file.tensors
        .get_mut(&format!("{name}.weight"))
        .unwrap()
        .data
        .fill(0.0);
    let other = wide(&file.tensors[&format!("{name}.bias")].data);
    let effect = EffectModel::from_bytes(&file.to_bytes()).unwrap();
    for (memory, freeze) in [(1.0, 0.0), (4.0, 0.0), (1.0, 1.0)] {
        let controls = Controls {
            state: StateControls {
                memory,
                freeze,
                ..StateControls::default()
            },
            continuation: Continue {
                go_on: true,
                ..Continue::default()
            },
            ..Controls::default()
        };
        let pace = (1.0 - freeze) / memory;
        let chains = [
            Chain::of_continuation(Arc::clone(&generate), config(48_000, 1)).unwrap(),
            Chain::of_effect(&effect, config(48_000, 1)).unwrap(),
        ];
        for (mut chain, bias) in chains.into_iter().zip([&bias, &other]) {
            let last = *shown(&mut chain, &[Noise(4).vec(9_600, 0.5)], &controls)
                .last()
                .unwrap();
            assert_eq!((last.delta.layers, last.pace), (1, pace));
            let taken: Vec<f64> = bias
                .iter()
                .map(|b| oracle::softplus(*b) * f64::from(pace))
                .collect();
            if pace == 0.0 {
                assert_eq!(last.delta.values[0], [0.0; DELTA_BANDS]);
            } else {
                assert_near(
                    &last.delta.values[0],
                    &mean(&taken, bias.len()),
                    "at another pace",
                );
            }
        }
    }
}

#[test]
fn a_model_that_selects_nothing_says_so() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/models/tasks/rc-tanh.safetensors"
    );
    let mut chain = Chain::of_effect(&EffectModel::open(file).unwrap(), config(48_000, 1)).unwrap();
    for snapshot in shown(
        &mut chain,
        &[Noise(5).vec(4_800, 0.5)],
        &Controls::default(),
    ) {
        assert_eq!(snapshot.delta, Deltas::default());
    }
}

#[test]
fn nothing_is_worked_out_while_nobody_looks() {
    let mut engine = WaveEngine::new(&effect_common::model(), 48_000, 1, 512).unwrap();
    let mut play = |observed: bool| {
        engine.observe(observed);
        let mut audio = Noise(6).vec(512, 0.5);
        guarded(|| engine.process(&mut [&mut audio]));
        engine.deltas()
    };
    let unseen = Deltas {
        layers: 1,
        ..Deltas::default()
    };
    assert_eq!(play(false), unseen);
    assert!(play(true).values[0].iter().all(|delta| *delta > 0.0));
    assert_eq!(play(false), unseen);
}

#[test]
fn blocks_of_every_kind_tell_what_they_took() {
    // Without the input's part in it, again: Mamba, Mamba-2, S4D, three ablations of Mamba, the selective block.
    let mut tensors = blocks::tensors(7);
    for layer in [0, 3, 6] {
        let name = format!("layers.{layer}.mixer.dt_proj.weight");
        tensors.insert(name, vec![40, 2], vec![0.0; 80]);
    }
    let (name, heads) = ("layers.1.mixer.in_proj.weight", 4);
    let shape = tensors.shape(name).unwrap().to_vec();
    let mut values = tensors.get(name, &shape).unwrap().to_vec();
    let from_input = values.len() - heads * blocks::WIDTH;
    values[from_input..].fill(0.0);
    tensors.insert(name, shape, values);
    let config = StackConfig {
        groups: 2,
        ..StackConfig::default()
    };
    let stack = Stack::new(config, &tensors).unwrap();
    let biases = [
        Some(("mixer.dt_proj.bias", 40)),
        Some(("mixer.dt_bias", heads)),
        None,
        Some(("none", 40)),
        None,
        None,
        Some(("mixer.dt_proj.bias", 40)),
    ];
    let (batch, time) = (2, 3);
    for (layer, (block, bias)) in stack.blocks().iter().zip(biases).enumerate() {
        let mut x = Noise(8).vec(batch * time * blocks::WIDTH, 1.0);
        let mut state = vec![0.0; block.state_len(batch)];
        let mut scratch = vec![0.0; block.scratch_len(batch, time)];
        block.forward(
            Path::detect(),
            &mut x,
            batch,
            time,
            &mut state,
            &mut scratch,
        );
        let rows = block.deltas(batch, time, &scratch);
        let Some((name, channels)) = bias else {
            assert_eq!(
                (block.selective(), rows.iter().count()),
                (0, 0),
                "layer {layer}"
            );
            continue;
        };
        assert_eq!(
            (block.selective(), rows.iter().count()),
            (channels, batch * time),
            "layer {layer}"
        );
        let bias = tensors
            .optional(&format!("layers.{layer}.{name}"), &[channels])
            .unwrap();
        let taken: Vec<f64> = (0..channels)
            .map(|c| oracle::softplus(bias.map_or(0.0, |b| b[c].into())))
            .collect();
        for row in rows.iter() {
            assert_near(row, &taken, &format!("layer {layer}"));
        }
    }
}
