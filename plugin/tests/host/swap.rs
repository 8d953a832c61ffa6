//! Models are exchanged while they play: no click, no gap, nothing freed by the audio thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nice_assert_no_alloc::assert_no_alloc;
use statewave::chain::ChainConfig;
use statewave::engine::{Engine, Exchange};
use statewave::latency::LatencyMode;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};
use statewave_plugin::processor::{Part, Processor, Settings};

use crate::models::{folder, shorter, twin, usual};
use crate::signals::noisy;

const SWAPS: u64 = 1_000;

/// Gives every frame back as it came, and counts its kind.
struct Through {
    frame: Vec<f32>,
    freed: Arc<AtomicU64>,
}

impl Engine for Through {
    fn frame_len(&self) -> usize {
        self.frame.len() / 2
    }
    fn channels(&self) -> usize {
        2
    }
    fn submit(&mut self, _: u64, input: &[f32]) {
        self.frame.copy_from_slice(input);
    }
    fn work(&mut self, _: u32, _: u32) {}
    fn collect(&mut self, _: u64, output: &mut [f32]) -> Exchange {
        output.copy_from_slice(&self.frame);
        Exchange::Ready
    }
    fn reset(&mut self) {}
}

impl Drop for Through {
    fn drop(&mut self) {
        self.freed.fetch_add(1, Ordering::Relaxed);
    }
}

fn config() -> ChainConfig {
    ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 64,
    }
}

fn process(processor: &mut Processor, audio: &mut [Vec<f32>]) {
    let [left, right] = audio else {
        unreachable!("there are two channels")
    };
    assert_no_alloc(|| processor.process(&mut [left, right], &Settings::default()));
}

#[test]
fn a_thousand_swaps_under_load_leave_the_sound_as_it_is() {
    let model = usual();
    let frame_len = 2 * 2 * model.spec().front_end.bins();
    let (mut processor, mut ends) =
        Processor::new(&model, config(), LatencyMode::Live).expect("it can be made");
    let freed = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let loader = {
        let (freed, done) = (Arc::clone(&freed), Arc::clone(&done));
        std::thread::spawn(move || {
            let mut given = 0;
            let mut waiting = None;
            while !done.load(Ordering::Relaxed) {
                let engine = waiting.take().unwrap_or_else(|| {
                    Part::Engine(Box::new(Through {
                        frame: vec![0.0; frame_len],
                        freed: Arc::clone(&freed),
                    }))
                });
                match ends.new.offer(engine) {
                    Ok(()) => given += 1,
                    Err(engine) => waiting = Some(engine),
                }
                while ends.retired.take().is_some() {}
                std::thread::yield_now();
            }
            drop(waiting);
            (given, ends)
        })
    };
    // The real model leaves with the first swap; from then on the output is the input.
    let settle = 4_800;
    let input = noisy(2, 96_000, 16);
    let (mut at, mut heard, mut rounds) = (0, vec![Vec::new(), Vec::new()], 0);
    while freed.load(Ordering::Relaxed) < SWAPS {
        let mut block: Vec<Vec<f32>> = input
            .iter()
            .map(|channel| channel[at..at + 64].to_vec())
            .collect();
        process(&mut processor, &mut block);
        for (heard, block) in heard.iter_mut().zip(&block) {
            heard.extend_from_slice(block);
        }
        at = (at + 64) % (input[0].len() - 64);
        rounds += 1;
        assert!(
            rounds < 2_000_000,
            "only {} swaps",
            freed.load(Ordering::Relaxed)
        );
    }
    done.store(true, Ordering::Relaxed);
    let (given, _ends) = loader.join().expect("the loader ends");
    assert!(given >= SWAPS);
    let period = input[0].len() - 64;
    for (heard, input) in heard.iter().zip(&input) {
        for n in settle..heard.len() {
            let rest = heard[n] - input[(n - 480) % period];
            assert!(rest.abs() < 1e-5, "sample {n} is off by {rest}");
        }
    }
}

#[test]
fn the_loader_swaps_a_model_of_the_same_frames_and_asks_to_start_anew_for_others() {
    let folder = folder();
    let (same, other) = (twin(folder.path(), "same"), shorter(folder.path(), "other"));
    let loader = Loader::new();
    let stream = Stream::live(config(), LatencyMode::Live);
    let mut processor = loader.processor(&stream).expect("it can be made");
    let mut block = noisy(2, 64, 17);
    loader.choose(ModelChoice::file(same));
    for _ in 0..4_000 {
        process(&mut processor, &mut block);
        if loader.status().swaps == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = loader.status();
    assert_eq!((status.swaps, status.playing.as_str()), (1, "same"));
    assert!(!loader.restart_wanted());
    loader.choose(ModelChoice::file(other));
    for _ in 0..4_000 {
        if loader.restart_wanted() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(loader.restart_wanted());
    // What plays plays on until the processor is made anew, and then it is the other.
    process(&mut processor, &mut block);
    let processor = loader.processor(&stream).expect("it can be made");
    assert!(!loader.restart_wanted());
    assert_eq!(processor.latency().total(), 448);
}

#[test]
fn the_guard_sees_an_allocation() {
    // It aborts the process, so another one has to try.
    let this = std::env::current_exe().expect("a test knows where it is");
    let tried = std::process::Command::new(this)
        .args(["--ignored", "--exact", "swap::allocates_on_purpose"])
        .output()
        .expect("a test can start itself");
    assert!(!tried.status.success(), "an allocation went unseen");
}

#[test]
#[ignore = "run by the_guard_sees_an_allocation, to fail"]
fn allocates_on_purpose() {
    assert_no_alloc(|| drop(std::hint::black_box(vec![0_u8; 16])));
}
