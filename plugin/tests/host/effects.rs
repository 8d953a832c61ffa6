//! Effects and sound that goes on, beside the library; and models of all kinds that take turns while sound flows.

use std::time::Duration;

use nice_assert_no_alloc::assert_no_alloc;
use statewave::chain::ChainConfig;
use statewave::latency::LatencyMode;
use statewave::model::catalogue;
use statewave::model::spec::Task;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};
use statewave_plugin::processor::{Processor, Settings};

use crate::models::folder;
use crate::signals::noisy;

const BLOCK: usize = 64;

fn stream(sample_rate: u32, mode: LatencyMode) -> Stream {
    let config = ChainConfig {
        sample_rate,
        channels: 2,
        max_block: BLOCK,
    };
    Stream::live(config, mode)
}

/// A processor that plays noise without an end, a block at a time.
struct Playing {
    loader: Loader,
    processor: Processor,
    input: Vec<Vec<f32>>,
    at: usize,
    heard: Vec<f32>,
}

impl Playing {
    fn begin(model: &str, mode: LatencyMode) -> Self {
        let loader = Loader::new();
        loader.choose(ModelChoice::named(model));
        let processor = loader.processor(&stream(48_000, mode));
        Self {
            processor: processor.expect("it can be made"),
            loader,
            input: noisy(2, 96_000, 31),
            at: 0,
            heard: Vec::new(),
        }
    }

    fn block(&mut self, settings: &Settings) {
        let range = self.at..self.at + BLOCK;
        let [mut left, mut right] = [0, 1].map(|c| self.input[c][range.clone()].to_vec());
        let processor = &mut self.processor;
        assert_no_alloc(|| processor.process(&mut [&mut left, &mut right], settings));
        self.heard.extend(left);
        self.at = (self.at + BLOCK) % (self.input[0].len() - BLOCK);
    }

    /// Plays until the model of that name has taken over and the one before is gone.
    fn until(&mut self, model: &str, settings: &Settings) {
        let swaps = self.loader.status().swaps;
        self.loader.choose(ModelChoice::named(model));
        for _ in 0..20_000 {
            self.block(settings);
            let status = self.loader.status();
            if status.swaps > swaps {
                assert_eq!(status.playing, model);
                assert!(!self.loader.restart_wanted());
                return;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        panic!("{model} does not take over: {:?}", self.loader.status());
    }
}

#[test]
fn every_model_is_listed_by_what_it_is_for() {
    let listed = catalogue::of_streams();
    let tasks: Vec<_> = listed.iter().map(|(_, task)| *task).collect();
    let count = |task| tasks.iter().filter(|t| **t == Some(task)).count();
    assert!(count(Task::Denoise) >= 1 && count(Task::Effect) >= 3 && count(Task::Continue) >= 2);
    let order = [Task::Denoise, Task::Effect, Task::Continue];
    let places: Vec<_> = tasks
        .iter()
        .map(|task| order.iter().position(|o| Some(*o) == *task))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn models_of_the_same_delay_take_turns_under_load_without_a_step_or_a_gap() {
    let mut playing = Playing::begin(catalogue::DEFAULT, LatencyMode::Zero);
    let settings = Settings {
        mode: LatencyMode::Zero,
        ..Settings::default()
    };
    assert_eq!(playing.processor.latency().total(), 0);
    for _ in 0..400 {
        playing.block(&settings);
    }
    let models = ["tone-drive", "tone-opto", catalogue::DEFAULT, "tone-triode"];
    for model in models.into_iter().cycle().take(12) {
        playing.until(model, &settings);
    }
    assert!(playing.heard.iter().all(|x| x.is_finite()));
    // A gap would be silence; each is heard all the time.
    let quiet = playing.heard[12_000..]
        .chunks(4_800)
        .find(|piece| piece.iter().fold(0.0f32, |m, x| m.max(x.abs())) < 1e-4);
    assert!(quiet.is_none());
}

#[test]
fn what_is_heard_of_a_swap_is_the_one_then_the_other_and_both_between() {
    let settings = Settings::default();
    let mut playing = Playing::begin("tone-opto", LatencyMode::Live);
    let alone = |model: &str, blocks: usize| {
        let mut playing = Playing::begin(model, LatencyMode::Live);
        (0..blocks).for_each(|_| playing.block(&settings));
        playing.heard
    };
    for _ in 0..100 {
        playing.block(&settings);
    }
    playing.until("tone-triode", &settings);
    for _ in 0..100 {
        playing.block(&settings);
    }
    let blocks = playing.heard.len() / BLOCK;
    let before = alone("tone-opto", blocks);
    let same = |a: &f32, b: &f32| a.to_bits() == b.to_bits();
    let differs = |n: &usize| !same(&playing.heard[*n], &before[*n]);
    let from = (0..before.len()).find(differs).expect("the other is heard");
    assert!(from > 100 * BLOCK);
    // It differs from the first sample of the fade on, and the step there is no larger than elsewhere.
    let step = |n: usize| (playing.heard[n] - playing.heard[n - 1]).abs();
    let usual = (1..from).map(step).fold(0.0, f32::max);
    let fade = (from..from + 960).map(step).fold(0.0, f32::max);
    assert!(fade < 2.0 * usual, "a step of {fade}, {usual} is usual");
}

#[test]
fn another_delay_asks_for_a_new_start_and_plays_on_until_then() {
    let settings = Settings::default();
    let mut playing = Playing::begin(catalogue::DEFAULT, LatencyMode::Live);
    for (model, samples) in [("tone-drive", 0), ("continue-drums", 1)] {
        playing.loader.choose(ModelChoice::named(model));
        for _ in 0..4_000 {
            playing.block(&settings);
            if playing.loader.restart_wanted() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(playing.loader.restart_wanted(), "{model}");
        let stream = stream(48_000, LatencyMode::Live);
        playing.processor = playing.loader.processor(&stream).expect("it can be made");
        let latency = playing.processor.latency();
        assert_eq!(latency.total() > 0, samples > 0, "{model}");
        assert_eq!(latency.total(), latency.resampling_samples, "{model}");
    }
}

#[test]
fn a_capture_in_a_folder_of_ones_own_plays() {
    let folder = folder();
    let drive = catalogue::find("tone-drive").expect("it is compiled in");
    let path = folder.path().join("my-amp.safetensors");
    std::fs::write(&path, drive.bytes().expect("it is in memory")).expect("it can be written");
    let loader = Loader::new();
    loader.choose(ModelChoice::file(&path));
    let processor = loader.processor(&stream(96_000, LatencyMode::Live));
    assert_eq!(processor.expect("it can be made").latency().total(), 0);
    let status = loader.status();
    assert_eq!((status.playing.as_str(), status.fault), ("my-amp", None));
    let names: Vec<_> = loader
        .knobs()
        .read()
        .iter()
        .map(|k| k.name.clone())
        .collect();
    assert_eq!(names, ["drive", "tone"]);
}
