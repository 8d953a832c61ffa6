//! Promise: channels never drift apart, never touch each other, and no count or length of slices breaks the chain.
//!
//! Flows in: channels alike, channels apart, and too few or too many of them. Flows out: the same, in step.

mod common;

use common::{Fault, RATES, Random, TestEngine, chain_of, noise, run, same_bits};
use statewave::controls::Controls;

#[test]
fn left_like_right_in_is_left_like_right_out_even_after_misses() {
    for sample_rate in RATES {
        for fault in [Fault::Late, Fault::Lost, Fault::NotANumber] {
            let mut chain = chain_of(
                TestEngine::recalling(2).failing_every(4, fault),
                sample_rate,
                512,
            );
            let mut audio = vec![noise(1, 16_000, 6).remove(0); 2];
            let mut random = Random::new(5);
            run(&mut chain, &mut audio, &Controls::default(), || {
                random.below(900)
            });
            assert!(
                same_bits(&audio[0], &audio[1]),
                "{sample_rate} Hz, {fault:?}"
            );
        }
    }
}

#[test]
fn a_channel_sounds_the_same_alone_and_among_others() {
    for sample_rate in [44_100, 48_000] {
        let input = noise(6, 12_000, 8);
        let mut together = input.clone();
        run(
            &mut chain_of(TestEngine::recalling(6), sample_rate, 512),
            &mut together,
            &Controls::default(),
            || 512,
        );
        for (input, expected) in input.into_iter().zip(&together) {
            let mut alone = vec![input];
            run(
                &mut chain_of(TestEngine::recalling(1), sample_rate, 512),
                &mut alone,
                &Controls::default(),
                || 512,
            );
            assert!(same_bits(&alone[0], expected));
        }
    }
}

#[test]
fn missing_channels_are_silent_and_extra_ones_are_left_alone() {
    let mut expected = noise(2, 9_600, 2);
    expected[1].fill(0.0);
    let mut few = vec![expected[0].clone()];
    let mut many = vec![expected[0].clone(), expected[1].clone(), vec![0.25; 9_600]];
    for audio in [&mut expected, &mut few, &mut many] {
        run(
            &mut chain_of(TestEngine::recalling(2), 48_000, 512),
            audio,
            &Controls::default(),
            || 512,
        );
    }
    assert!(same_bits(&few[0], &expected[0]));
    assert!(same_bits(&many[0], &expected[0]) && same_bits(&many[1], &expected[1]));
    assert!(many[2].iter().all(|&x| x == 0.25));
}

#[test]
fn of_unequal_slices_the_common_length_is_processed() {
    let mut chain = chain_of(TestEngine::identity(2), 44_100, 512);
    let (mut long, mut short) = (vec![0.25; 700], vec![0.25; 300]);
    chain.process(&mut [&mut long, &mut short], &Controls::default());
    assert!(same_bits(&long[..300], &short));
    assert!(long[300..].iter().all(|&x| x == 0.25));
    chain.process(&mut [], &Controls::default());
    chain.process(&mut [&mut long, &mut []], &Controls::default());
    assert!(long[300..].iter().all(|&x| x == 0.25));
}
