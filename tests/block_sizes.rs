//! Promise: how the host cuts the stream into blocks cannot be heard, not even in the last bit.
//!
//! Flows in: one signal, cut in many ways. Flows out: the same samples each time.

mod common;

use common::{Log, RATES, Random, TestEngine, chain_of, noise, run, same_bits};
use statewave::chain;
use statewave::controls::Controls;
use statewave::tape::Tape;

const MAX_BLOCK: usize = 1024;

fn output(
    sample_rate: u32,
    controls: &Controls,
    block_len: impl FnMut() -> usize,
) -> Vec<Vec<f32>> {
    let mut chain = chain_of(TestEngine::recalling(2), sample_rate, MAX_BLOCK);
    let mut audio = noise(2, 12_000, 7);
    // Something to be replaced, so that the moment of the engine's reset is compared as well.
    for at in [1, 900, 5_000, 5_001, 8_123] {
        audio[1][at] = f32::NAN;
    }
    run(&mut chain, &mut audio, controls, block_len);
    audio
}

#[test]
fn fixed_blocks_from_1_to_4096_give_the_same_bits() {
    let controls = Controls {
        amount_db: 14.0,
        mix: 0.8,
        ..Controls::default()
    };
    for sample_rate in RATES {
        let expected = output(sample_rate, &controls, || MAX_BLOCK);
        for block in [
            1, 2, 3, 16, 31, 32, 33, 64, 100, 128, 256, 320, 480, 512, 1000, 2048, 4096,
        ] {
            let found = output(sample_rate, &controls, || block);
            for channel in 0..2 {
                assert!(
                    same_bits(&expected[channel], &found[channel]),
                    "{sample_rate} Hz, blocks of {block}"
                );
            }
        }
    }
}

#[test]
fn random_blocks_from_none_to_twice_the_longest_announced_give_the_same_bits() {
    for sample_rate in RATES {
        let expected = output(sample_rate, &Controls::default(), || MAX_BLOCK);
        for seed in 1..=8 {
            let mut random = Random::new(seed);
            let found = output(sample_rate, &Controls::default(), || {
                random.below(2 * MAX_BLOCK + 1)
            });
            for channel in 0..2 {
                assert!(
                    same_bits(&expected[channel], &found[channel]),
                    "{sample_rate} Hz, seed {seed}"
                );
            }
        }
    }
}

#[test]
fn fades_between_settings_do_not_depend_on_blocks() {
    let settings = [
        Controls {
            mix: 0.2,
            ..Controls::default()
        },
        Controls {
            bypass: true,
            ..Controls::default()
        },
        Controls {
            output_gain_db: -6.0,
            ..Controls::default()
        },
    ];
    let output = |block: usize| {
        let mut chain = chain_of(TestEngine::recalling(1), 48_000, MAX_BLOCK);
        let mut audio = noise(1, 9_000, 3);
        for (part, controls) in audio[0].chunks_mut(3_000).zip(&settings) {
            part.chunks_mut(block)
                .for_each(|block| chain.process(&mut [block], controls));
        }
        audio.remove(0)
    };
    let expected = output(3_000);
    for block in [1, 7, 64, 480, 1_024] {
        assert!(same_bits(&expected, &output(block)), "blocks of {block}");
    }
}

#[test]
fn the_engine_is_asked_in_order_and_for_no_more_than_the_samples_that_passed() {
    for sample_rate in [44_100, 48_000, 96_000] {
        for (block, most) in [(1, 3), (8, 10), (16, 18), (64, 32), (4_096, 32)] {
            let engine = TestEngine::identity(1);
            let log = engine.log.clone();
            let mut chain = chain_of(engine, sample_rate, MAX_BLOCK);
            run(
                &mut chain,
                &mut noise(1, 48_000, 1),
                &Controls::default(),
                || block,
            );
            let frames = Log::read(&log.submitted);
            assert!(frames >= 48_000 * 48_000 / u64::from(sample_rate) / 320 - 2);
            assert_eq!(
                Log::read(&log.disorder),
                0,
                "{sample_rate} Hz, blocks of {block}"
            );
            assert!(
                Log::read(&log.unfinished) == 0,
                "{sample_rate} Hz, blocks of {block}"
            );
            let share = Log::read(&log.largest_share);
            assert!(
                share <= most,
                "{share} samples of work in a block of {block} at {sample_rate} Hz"
            );
            if sample_rate == 48_000 {
                let per_frame = 32_u64.div_ceil(block as u64);
                let calls = Log::read(&log.work_calls);
                // A block that straddles the start of the work adds a call.
                assert!(
                    calls <= frames * (per_frame + 1),
                    "{calls} calls for {frames} frames of {per_frame}"
                );
                assert!(block != 1 || share == 1);
            }
        }
    }
}

/// A recording that comes in pieces of any length, and what came of it.
struct Pieces {
    left: Vec<Vec<f32>>,
    random: Random,
    out: Vec<Vec<f32>>,
}

impl Tape for Pieces {
    type Error = ();

    fn read(&mut self, channels: &mut [Vec<f32>], most: usize) -> Result<usize, ()> {
        let len = (1 + self.random.below(3_000))
            .min(most)
            .min(self.left[0].len());
        for (to, from) in channels.iter_mut().zip(&mut self.left) {
            to.extend(from.drain(..len));
        }
        Ok(len)
    }

    fn write(&mut self, channels: &mut [Vec<f32>]) -> Result<(), ()> {
        for (to, from) in self.out.iter_mut().zip(channels) {
            // Vectors that are taken are the tape's.
            to.extend(std::mem::take(from));
        }
        Ok(())
    }
}

#[test]
fn recordings_in_pieces_come_out_in_time_with_the_same_bits_as_whole_ones() {
    let controls = Controls::default();
    for sample_rate in RATES {
        for (len, seed) in [(0, 1), (1, 2), (100, 3), (12_000, 4)] {
            let audio = noise(2, len, 7);
            let mut chain = chain_of(TestEngine::recalling(2), sample_rate, MAX_BLOCK);
            let delay = chain.latency().total();
            let mut whole = audio.clone();
            chain::render(&mut chain, &mut whole, &controls, |_| ());
            let mut tape = Pieces {
                left: audio.clone(),
                random: Random::new(seed),
                out: vec![Vec::new(); 2],
            };
            chain::run(&mut chain, &controls, &mut tape).unwrap();
            // What the chain gives block by block, with silence behind the end, less its delay.
            let mut live = audio;
            live.iter_mut()
                .for_each(|channel| channel.resize(len + delay, 0.0));
            chain.reset();
            run(&mut chain, &mut live, &controls, || 480);
            for channel in 0..2 {
                let live = &live[channel][delay..];
                assert!(
                    same_bits(&whole[channel], live),
                    "{sample_rate} Hz, {len} samples"
                );
                assert!(
                    same_bits(&tape.out[channel], live),
                    "{sample_rate} Hz, {len} samples"
                );
            }
        }
    }
}
