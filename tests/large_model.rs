//! Promise: a model of other sizes than the shipped one's — hop, window, bands, layers, width — plays on every engine, with the
//! same sound.

mod kernel_common;

use std::sync::Arc;

use kernel_common::large::{HOP, model};
use kernel_common::{Noise, assert_db, wide};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::kernels::Path;
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;

const FRAMES: usize = 24;

fn frames(model: &Model, channels: usize) -> Vec<f32> {
    Noise(5).vec(channels * FRAMES * 2 * model.net().bins(), 5.0)
}

/// What the plainest path makes of frames, `[channels][FRAMES][bins]`, one at a time.
fn plain(model: &Model, frames: &[f32]) -> Vec<f32> {
    let len = 2 * model.net().bins();
    let mut out = vec![0.0; frames.len()];
    let streams = frames
        .chunks(FRAMES * len)
        .zip(out.chunks_mut(FRAMES * len));
    for (frames, out) in streams {
        let mut session = DenoiseSession::new(Arc::clone(model.net()), Path::Portable, 1);
        for (frame, out) in frames.chunks(len).zip(out.chunks_mut(len)) {
            session.run(frame, out);
        }
    }
    out
}

#[test]
fn it_plays_on_every_path_one_frame_at_a_time_and_many() {
    let model = model();
    let input = frames(&model, 1);
    let truth = wide(&plain(&model, &input));
    assert!(truth.iter().any(|v| v.abs() > 0.1), "it gives something");
    for path in Path::available() {
        for at_once in [1, FRAMES] {
            let mut session = DenoiseSession::new(Arc::clone(model.net()), path, at_once);
            let mut out = vec![0.0; input.len()];
            let len = at_once * 2 * model.net().bins();
            for (input, out) in input.chunks(len).zip(out.chunks_mut(len)) {
                session.run(input, out);
            }
            assert_db(&truth, &out, 100.0, "the large model", path);
        }
    }
}

#[test]
fn it_plays_in_a_chain_with_the_delay_of_its_frames() {
    let model = Arc::new(model());
    let spec = model.spec();
    for (rate, blocks) in [(48_000, 480), (44_100, 64)] {
        let config = ChainConfig {
            sample_rate: rate,
            channels: 1,
            max_block: blocks,
        };
        let engine = Box::new(CpuEngine::new(&model, 1));
        let mut chain = Chain::new(engine, spec.front_end, spec.sample_rate, config).unwrap();
        if rate == 48_000 {
            assert_eq!(chain.latency().total(), HOP + 192 + HOP / 2);
        }
        let mut sound = Noise(6).vec(rate as usize, 0.1);
        for block in sound.chunks_mut(blocks) {
            chain.process(&mut [block], &Controls::default());
        }
        assert!(sound.iter().all(|x| x.is_finite()) && sound.iter().any(|x| *x != 0.0));
        assert_eq!((chain.stats().late, chain.stats().lost), (0, 0));
    }
}

#[cfg(feature = "gpu")]
#[test]
fn it_plays_on_a_gpu_alone_and_through_a_hub() {
    use statewave::engine::gpu::denoiser::GpuDenoiser;
    use statewave::engine::gpu::hub::GpuHub;
    use statewave::engine::gpu::session::GpuEngine;
    use statewave::engine::gpu::{Choice, Gpu};
    use statewave::engine::{Engine, Exchange, Player};
    use statewave::kernels::oracle::snr_db;

    let gpu = match Gpu::open(&Choice::any()) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let model = Arc::new(model());
    let (channels, len) = (2, 2 * model.net().bins());
    let input = frames(&model, channels);
    let truth = plain(&model, &input);
    let mut denoiser = GpuDenoiser::new(Arc::clone(&gpu), model.net(), channels, FRAMES).unwrap();
    let mut out = vec![0.0; input.len()];
    denoiser.run(FRAMES, &input, &mut out).unwrap();
    let snr = snr_db(&wide(&truth), &out);
    eprintln!("alone: {snr:.1} dB");
    assert!(snr >= 90.0, "{snr:.1} dB");

    let hub = Arc::new(GpuHub::start(gpu, Choice::any()).unwrap());
    let mut engine = GpuEngine::new(&hub, &model, channels, 0, true).unwrap();
    let mut frame = vec![0.0; channels * len];
    let mut on_gpu = 0;
    for t in 0..FRAMES {
        let of = |all: &[f32]| -> Vec<f32> {
            let part = |c: usize| all[(c * FRAMES + t) * len..][..len].to_vec();
            (0..channels).flat_map(part).collect()
        };
        engine.submit(t as u64 + 1, &of(&input));
        assert_eq!(engine.collect(t as u64 + 1, &mut frame), Exchange::Ready);
        let snr = snr_db(&wide(&of(&truth)), &frame);
        assert!(snr >= 80.0, "frame {t}: {snr:.1} dB");
        on_gpu += usize::from(engine.report().player == Player::Gpu);
    }
    // It is waited for, so all but the first are its own.
    assert!(on_gpu >= FRAMES - 1, "{on_gpu}: {:?}", engine.stats());
}
