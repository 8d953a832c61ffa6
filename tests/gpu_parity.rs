//! Every shader against the f64 oracle, on the adapter that is here; where there is none, each test says so and passes.
#![cfg(feature = "gpu")]

mod gpu_cases;
mod kernel_common;

use gpu_cases as cases;
use proptest::prelude::*;
use statewave::engine::gpu::ops::MOST_GROUPS;
use statewave::engine::gpu::{Choice, Gpu};
use std::sync::OnceLock;

/// The adapter, opened once; `None` where there is none.
fn gpu() -> Option<&'static Gpu> {
    static GPU: OnceLock<Option<Gpu>> = OnceLock::new();
    GPU.get_or_init(|| match Gpu::open(&Choice::any()) {
        Ok(gpu) => {
            eprintln!("on {}, {:?}", gpu.name(), gpu.abilities());
            Some(gpu)
        }
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    })
    .as_ref()
}

/// Every figure of a case is 110 dB or better.
fn hold(case: impl Fn(&Gpu) -> cases::Found) {
    let Some(gpu) = gpu() else { return };
    for (what, snr) in case(gpu) {
        assert!(snr >= 110.0, "{what}: {snr:.1} dB, less than 110");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn proj_is_a_matrix_product(
        time in 1usize..150, k in 1usize..90, m in 1usize..150, seed: u64,
        norm: bool, gated: bool, accumulate: bool, activation in 0usize..3,
    ) {
        hold(|gpu| cases::proj(gpu, (time, k, m, norm, gated, accumulate, activation), seed));
    }

    #[test]
    fn maps_mix_bands_a_channel_each_under_a_gate(
        time in 1usize..40, channels in 1usize..20, f in 1usize..40, seed: u64,
    ) {
        hold(|gpu| cases::mix(gpu, (time, channels, f), seed));
    }

    #[test]
    fn stft_is_the_discrete_fourier_transform_there_and_back(
        channels in 1usize..3, time in 1usize..5, half in 2usize..200, hop in 1usize..200, overlap in 0usize..100, seed: u64,
    ) {
        let hop = hop.min(half);
        hold(|gpu| cases::stft(gpu, (channels, time, half, hop, overlap.min(hop)), seed));
    }

    #[test]
    fn conv_goes_on_from_its_tail(
        // Up to 16 rows a thread goes through them, beyond there is a thread a row.
        batch in 1usize..4, time in 1usize..36, c8 in 1usize..12, taps in 1usize..5, seed: u64,
    ) {
        hold(|gpu| cases::conv(gpu, (batch, time, c8, taps), seed));
    }

    #[test]
    fn ssd_runs_in_one_chunk_and_in_many(
        batch in 1usize..4, time in 1usize..200, chunk in 1usize..70, heads in 1usize..7, p8 in 1usize..5,
        states in 1usize..17, seed: u64,
    ) {
        hold(|gpu| cases::ssd(gpu, (batch, time, chunk, heads, p8, states), seed));
    }

    #[test]
    fn s6_runs_in_one_chunk_and_in_many(
        batch in 1usize..4, time in 1usize..200, chunk in 1usize..70, e8 in 1usize..18, states in 1usize..17, seed: u64,
    ) {
        hold(|gpu| cases::s6(gpu, (batch, time, chunk, e8, states), seed));
    }

    #[test]
    fn s4d_runs_in_one_chunk_and_in_many(
        batch in 1usize..4, time in 1usize..200, chunk in 1usize..70, e8 in 1usize..18, states in 1usize..17, seed: u64,
    ) {
        hold(|gpu| cases::s4d(gpu, (batch, time, chunk, e8, states), seed));
    }
}

/// (batch, time, chunk) where something does not come out even: no step, one step, in one chunk and in one longer than it; a last chunk of
/// one step, one short of full, and full; chunks of less than is fetched at a time, of as much, and of one more; more chunks than
/// are carried at a time, of one step or more, as many, and one more.
const UNEVEN: [(usize, usize, usize); 15] = [
    (2, 0, 32),
    (1, 1, 1),
    (3, 1, 40),
    (2, 33, 32),
    (3, 63, 32),
    (2, 64, 32),
    (3, 50, 15),
    (2, 48, 16),
    (1, 51, 17),
    (2, 101, 33),
    (3, 19, 1),
    (2, 16, 1),
    (3, 17, 1),
    (1, 197, 7),
    (2, 32 * 37 + 5, 32),
];

#[test]
fn scans_come_out_even_where_nothing_else_does() {
    for (at, (batch, time, chunk)) in UNEVEN.into_iter().enumerate() {
        // No number of states a multiple of four but 16, which lanes can share; channels within 64, on it, and beyond.
        for (e8, states) in [(1, 3), (8, 16), (9, 5), (17, 16)] {
            for seed in [2 * at as u64, 2 * at as u64 + 1] {
                hold(|gpu| cases::s6(gpu, (batch, time, chunk, e8, states), seed));
                hold(|gpu| cases::s4d(gpu, (batch, time, chunk, e8, states), seed));
            }
        }
        // One group, two of two heads, three of two, and three of one.
        for (heads, p8, states) in [(1, 1, 3), (4, 2, 16), (6, 3, 5), (3, 3, 16)] {
            for seed in [2 * at as u64, 2 * at as u64 + 1] {
                hold(|gpu| cases::ssd(gpu, (batch, time, chunk, heads, p8, states), seed));
            }
        }
    }
}

/// More streams than a dispatch has workgroups: some workgroups run two.
#[test]
fn scans_run_more_streams_than_there_are_workgroups() {
    const STREAMS: usize = MOST_GROUPS + 2;
    for chunk in [2, 1] {
        hold(|gpu| cases::ssd(gpu, (STREAMS, 2, chunk, 1, 1, 2), 1));
        hold(|gpu| cases::s6(gpu, (STREAMS, 2, chunk, 1, 2), 1));
        hold(|gpu| cases::s4d(gpu, (STREAMS, 2, chunk, 1, 2), 1));
    }
}
