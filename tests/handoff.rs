//! Promise: an engine on another device may take its time, as much as it has said: the ledger counts it, the output is
//! later by exactly that and otherwise the same, and frames that do not come back are heard dry, in their place.

mod common;

use std::collections::VecDeque;

use common::{FRONT_END, MODEL_RATE, Random, noise, run};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::{Engine, EngineReport, Exchange, Player};
use statewave::telemetry::pair;

/// Halves every frame, and has it ready `handoff` samples after the work: not a frame earlier.
struct Travelling {
    handoff: usize,
    /// (sequence, frame), the oldest first.
    away: VecDeque<(u64, Vec<f32>)>,
    lost: Option<u64>,
    late: u64,
    frame_len: usize,
}

impl Travelling {
    fn new(handoff: usize) -> Travelling {
        Travelling {
            handoff,
            away: VecDeque::new(),
            lost: None,
            late: 0,
            frame_len: 2 * FRONT_END.bins(),
        }
    }

    /// Frames that are in flight when one is collected, that one among them.
    fn in_flight(&self) -> usize {
        1 + (FRONT_END.spread + self.handoff - 1) / FRONT_END.hop
    }
}

impl Engine for Travelling {
    fn frame_len(&self) -> usize {
        self.frame_len
    }

    fn channels(&self) -> usize {
        1
    }

    fn handoff(&self) -> usize {
        self.handoff
    }

    fn submit(&mut self, sequence: u64, input: &[f32]) {
        self.away
            .push_back((sequence, input.iter().map(|x| 0.5 * x).collect()));
        assert!(
            self.away.len() <= self.in_flight(),
            "more frames than were said"
        );
    }

    fn work(&mut self, _: u32, _: u32) {}

    fn collect(&mut self, sequence: u64, output: &mut [f32]) -> Exchange {
        let (back, frame) = self.away.pop_front().expect("a frame was given");
        assert_eq!(back, sequence, "results are asked for in order");
        let (newest, _) = self.away.back().unwrap_or(&(sequence, Vec::new())).clone();
        assert_eq!(
            newest - sequence + 1,
            self.in_flight() as u64,
            "asked for too early"
        );
        if self.lost.is_some_and(|nth| sequence.is_multiple_of(nth)) {
            self.late += 1;
            return Exchange::Late;
        }
        output.copy_from_slice(&frame);
        Exchange::Ready
    }

    fn reset(&mut self) {
        self.away.clear();
    }

    fn report(&self) -> EngineReport {
        EngineReport {
            player: Player::HandingOver,
            late: self.late,
            lost: 7,
            taken_over: 11,
            age: self.away.len() as u64,
            worst_age: self.in_flight() as u64,
        }
    }
}

fn chain_of(engine: Travelling, sample_rate: u32) -> Chain {
    let config = ChainConfig {
        sample_rate,
        channels: 1,
        max_block: 2048,
    };
    Chain::new(Box::new(engine), FRONT_END, MODEL_RATE, config).unwrap()
}

const HANDOFFS: [usize; 8] = [0, 1, 64, 287, 288, 289, 500, 2_000];

#[test]
fn the_output_is_later_by_what_was_said_whatever_the_blocks() {
    let controls = Controls::default();
    for sample_rate in [48_000, 44_100, 96_000] {
        let sound = noise(1, 20_000, 3);
        let mut soonest = sound.clone();
        let mut chain = chain_of(Travelling::new(0), sample_rate);
        let without = chain.latency();
        run(&mut chain, &mut soonest, &controls, || 512);
        for handoff in HANDOFFS {
            let mut random = Random::new(handoff as u64 + 1);
            let mut chain = chain_of(Travelling::new(handoff), sample_rate);
            let latency = chain.latency();
            let more = latency.total() - without.total();
            let expected = handoff as f64 * f64::from(sample_rate) / f64::from(MODEL_RATE);
            assert!((more as f64 - expected).abs() <= 1.0, "{latency}");
            assert!(
                (latency.engine_samples as f64 - expected).abs() <= 1.0,
                "{latency}"
            );
            let mut later = sound.clone();
            run(&mut chain, &mut later, &controls, || 1 + random.below(900));
            assert_eq!(chain.stats().late, 0);
            // At the model's rate nothing but the delay differs; elsewhere the frames lie on other samples.
            let worst = later[0][more..]
                .iter()
                .zip(&soonest[0])
                .fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            let bound = if sample_rate == MODEL_RATE { 0.0 } else { 2e-4 };
            assert!(
                worst <= bound,
                "{sample_rate} Hz, handoff {handoff}: off by {worst}"
            );
        }
    }
}

#[test]
fn a_frame_that_does_not_come_back_is_heard_dry_in_its_place() {
    for handoff in HANDOFFS {
        let mut engine = Travelling::new(handoff);
        engine.lost = Some(5);
        let mut chain = chain_of(engine, MODEL_RATE);
        let delay = chain.latency().total();
        let sound = noise(1, 32_000, 9);
        let mut out = sound.clone();
        run(&mut chain, &mut out, &Controls::default(), || 333);
        assert!(chain.stats().late > 10);
        // A hop's middle, between the fades, is of one frame alone.
        for frame in 2..60u64 {
            let gain = if frame.is_multiple_of(5) { 1.0 } else { 0.5 };
            let middle = (frame as usize - 1) * FRONT_END.hop - FRONT_END.overlap + 200;
            let (came, went) = (out[0][middle + delay], sound[0][middle]);
            assert!(
                (came - gain * went).abs() < 1e-5,
                "handoff {handoff}, frame {frame}: {came} of {went}"
            );
        }
    }
}

#[test]
fn whoever_watches_is_told_who_plays_what_was_missed_and_how_old_results_are() {
    for handoff in [64, 500] {
        let mut engine = Travelling::new(handoff);
        engine.lost = Some(3);
        let in_flight = engine.in_flight() as u64;
        let mut chain = chain_of(engine, MODEL_RATE);
        let (writer, mut reader) = pair();
        reader.watch(true);
        chain.set_telemetry(Some(writer));
        let mut late = 0;
        for _ in 0..40 {
            run(
                &mut chain,
                &mut noise(1, 700, 4),
                &Controls::default(),
                || 700,
            );
            while let Some(snapshot) = reader.read() {
                let told = snapshot.engine;
                let expected = EngineReport {
                    player: Player::HandingOver,
                    late: told.late,
                    lost: 7,
                    taken_over: 11,
                    // Told where a frame has come back: those in flight but that one.
                    age: in_flight - 1,
                    worst_age: in_flight,
                };
                assert_eq!(told, expected);
                assert!(told.late >= late);
                late = told.late;
            }
        }
        assert_eq!(late, chain.engine_report().late);
        assert!(late > 20, "{late}");
    }
}

#[test]
fn engines_of_another_handoff_are_handed_back() {
    let mut chain = chain_of(Travelling::new(64), MODEL_RATE);
    assert!(chain.swap_engine(Box::new(Travelling::new(0))).is_err());
    assert!(chain.swap_engine(Box::new(Travelling::new(64))).is_ok());
}

#[test]
fn a_swap_gives_the_new_engine_all_that_is_in_flight() {
    let controls = Controls::default();
    for handoff in HANDOFFS {
        let sound = noise(1, 12_000, 5);
        let (mut plain, mut swapped) = (sound.clone(), sound.clone());
        run(
            &mut chain_of(Travelling::new(handoff), MODEL_RATE),
            &mut plain,
            &controls,
            || 100,
        );
        let mut chain = chain_of(Travelling::new(handoff), MODEL_RATE);
        for (i, block) in swapped[0].chunks_mut(100).enumerate() {
            if i % 7 == 3 {
                let retired = chain.swap_engine(Box::new(Travelling::new(handoff)));
                assert!(retired.is_ok());
            }
            chain.process(&mut [block], &controls);
        }
        assert_eq!(plain, swapped, "handoff {handoff}");
    }
}
