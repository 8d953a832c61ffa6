//! Promise: the ends of the denoiser, from spectra to bands and from bands to filters, are the ones that the model file
//! describes, bin for bin, tap for tap, gate for gate.
//!
//! Flows in: a model of a split and a head alone, and noise. Flows out: signal-to-error ratios against f64.

mod kernel_common;

use std::sync::Arc;

use kernel_common::ends::{BINS, FRAMES, GROUPS, file, spectra};
use kernel_common::{Noise, assert_db};
use statewave::kernels::Path;
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;

#[test]
fn both_ends_are_those_of_the_file() {
    for gated in [false, true] {
        let mut noise = Noise(1);
        let file = file(gated, &mut noise);
        let model = Model::from_bytes(&file.to_bytes()).unwrap();
        let rows: usize = GROUPS
            .iter()
            .map(|(b, w, t)| b * w * (2 * t + usize::from(gated)))
            .sum();
        assert_eq!(model.net().macs(), 8 * (rows + 3 * 28));
        let (input, truth) = spectra(&file, gated, &mut noise);
        for path in Path::available() {
            for at_once in [1, 3, FRAMES] {
                let mut session = DenoiseSession::new(Arc::clone(model.net()), path, at_once);
                let mut output = vec![0.0; input.len()];
                let len = at_once * 2 * BINS;
                for (input, output) in input.chunks(len).zip(output.chunks_mut(len)) {
                    session.run(input, output);
                }
                assert_db(&truth, &output, 110.0, "split and head", path);
            }
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn both_ends_are_those_of_the_file_on_a_gpu() {
    use statewave::engine::gpu::{Choice, Gpu};

    let gpu = match Gpu::open(&Choice::any()) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    for gated in [false, true] {
        for (at_once, snr) in kernel_common::ends_gpu::ends(&gpu, gated) {
            assert!(snr >= 110.0, "{at_once} at once: {snr:.1} dB");
        }
    }
}
