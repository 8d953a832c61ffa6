//! Promise: a GPU that comes, goes, and comes back is not heard: the chain's output is that of a chain on the CPU alone, and
//! the audio thread neither allocates nor waits. Skipped, with the reason printed, where there is no adapter.
#![cfg(feature = "gpu")]

mod kernel_common;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use kernel_common::Noise;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::gpu::hub::GpuHub;
use statewave::engine::gpu::session::GpuEngine;
use statewave::engine::gpu::{Abilities, Choice, Gpu, shared};
use statewave::engine::{Engine, Player};
use statewave::latency::LatencyMode;
use statewave::model::Model;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);
const BLOCK: usize = 64;
const CONFIG: ChainConfig = ChainConfig {
    sample_rate: 48_000,
    channels: 2,
    max_block: BLOCK,
};

fn model() -> Arc<Model> {
    Arc::new(Model::open(MODEL).unwrap())
}

fn gpu() -> Option<Arc<Gpu>> {
    match Gpu::open(&Choice::any()) {
        Ok(gpu) => Some(Arc::new(gpu)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn chain(engine: Box<dyn Engine>, model: &Model, mode: LatencyMode) -> Chain {
    let spec = model.spec();
    Chain::with_mode(engine, spec.front_end, spec.sample_rate, CONFIG, mode).unwrap()
}

/// A chain on a hub beside one on the CPU, on the same sound.
struct Pair {
    model: Arc<Model>,
    gpu: Chain,
    cpu: Chain,
    /// Samples by which the hub's is later.
    later: usize,
    noise: Noise,
    heard: Vec<f32>,
    truth: Vec<f32>,
}

impl Pair {
    fn new(hub: &Arc<GpuHub>, handoff: usize, waits: bool, mode: LatencyMode) -> Pair {
        let model = model();
        let engine = GpuEngine::new(hub, &model, 2, handoff, waits).unwrap();
        let gpu = chain(Box::new(engine), &model, mode);
        let cpu = chain(Box::new(CpuEngine::new(&model, 2)), &model, mode);
        Pair {
            later: gpu.latency().total() - cpu.latency().total(),
            model,
            gpu,
            cpu,
            noise: Noise(3),
            heard: Vec::new(),
            truth: Vec::new(),
        }
    }

    /// Sends a block through both.
    fn block(&mut self) {
        let at = self.heard.len() as f32 / 48_000.0;
        let swell = 0.2 * (1.0 + (at * 19.0).sin());
        let left = self.noise.vec(BLOCK, swell);
        let right = self.noise.vec(BLOCK, swell);
        let (mut a, mut b) = ([left.clone(), right.clone()], [left, right]);
        let gpu = &mut self.gpu;
        assert_no_alloc(|| {
            let [left, right] = &mut a;
            gpu.process(&mut [left, right], &Controls::default());
        });
        let [left, right] = &mut b;
        self.cpu.process(&mut [left, right], &Controls::default());
        self.heard.extend_from_slice(&a[0]);
        self.truth.extend_from_slice(&b[0]);
    }

    fn player(&self) -> Player {
        self.gpu.engine_report().player
    }

    /// Plays until `player` plays; with a rest behind each block, so that other threads come to theirs.
    fn until(&mut self, player: Player, rest: Duration) {
        for _ in 0..60_000 {
            if self.player() == player {
                return;
            }
            self.block();
            std::thread::sleep(rest);
        }
        panic!("{player:?} does not come: {:?}", self.gpu.engine_report());
    }

    /// Largest difference to the uninterrupted stream.
    fn worst(&self) -> f32 {
        let heard = self.heard.iter().skip(self.later);
        let pairs = heard.zip(&self.truth);
        pairs.fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
    }
}

#[test]
fn a_device_destroyed_while_it_plays_is_not_heard_and_plays_again() {
    let Some(gpu) = gpu() else { return };
    let hub = Arc::new(GpuHub::start(Arc::clone(&gpu), Choice::any()).unwrap());
    let mut pair = Pair::new(&hub, 0, true, LatencyMode::Live);
    pair.until(Player::Gpu, Duration::ZERO);
    (0..300).for_each(|_| pair.block());
    assert_eq!(pair.player(), Player::Gpu);
    gpu.destroy();
    (0..100).for_each(|_| pair.block());
    let report = pair.gpu.engine_report();
    assert!(report.taken_over == 1 && report.lost > 0, "{report:?}");
    // In the background the device is opened again.
    pair.until(Player::Gpu, Duration::from_millis(2));
    (0..300).for_each(|_| pair.block());
    // Far below a click of -60 dBFS; and no frame was heard dry.
    let worst = pair.worst();
    eprintln!("worst sample {:.1} dBFS", 20.0 * worst.log10());
    assert!(worst < 1e-5, "a sample is off by {worst}");
    let stats = pair.gpu.stats();
    assert_eq!((stats.late, stats.lost), (0, 0));
}

#[test]
fn live_nothing_is_waited_for_and_the_sound_is_the_same_whoever_plays() {
    let Some(gpu) = gpu() else { return };
    let hub = Arc::new(GpuHub::start(gpu, Choice::any()).unwrap());
    // In step with nothing: the GPU is late as often as this machine makes it.
    for handoff in [0, 480] {
        let mut pair = Pair::new(&hub, handoff, false, LatencyMode::Live);
        assert_eq!(pair.later, handoff);
        for n in 0..3_000 {
            pair.block();
            if n % 5 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        eprintln!("{:?}", pair.gpu.engine_report());
        let worst = pair.worst();
        assert!(worst < 1e-5, "a sample is off by {worst}");
    }
    // Gains that are late are older ones, so another sound; but there is one.
    let mut pair = Pair::new(&hub, 480, false, LatencyMode::Zero);
    assert_eq!(pair.gpu.latency().total(), 0);
    (0..1_000).for_each(|_| pair.block());
    assert!(pair.heard.iter().all(|x| x.is_finite()));
}

#[test]
fn a_device_that_stands_still_holds_up_nobody() {
    let Some(gpu) = gpu() else { return };
    // In an order that a thread that waited would never come to the end of: the device goes on when this thread has played.
    let (done, came) = mpsc::channel();
    let test = std::thread::spawn(move || {
        let hub = Arc::new(GpuHub::start(gpu, Choice::any()).unwrap());
        let handoff = 4_800;
        let mut pair = Pair::new(&hub, handoff, false, LatencyMode::Live);
        let rest = Duration::from_millis(5);
        pair.until(Player::Gpu, rest);
        let before = pair.gpu.engine_report();
        let held = hub.hold();
        // Five seconds of sound, which is more than are in flight and than there is room for.
        (0..5 * 48_000 / BLOCK).for_each(|_| pair.block());
        let during = pair.gpu.engine_report();
        assert_eq!(during.taken_over, before.taken_over + 1, "{during:?}");
        assert_eq!(during.player, Player::Cpu);
        assert!(during.age > 8 && during.lost > before.lost, "{during:?}");
        drop(held);
        pair.until(Player::Gpu, rest);
        let worst = pair.worst();
        assert!(worst < 1e-5, "a sample is off by {worst}");
        done.send(()).unwrap();
    });
    // Only ever reached by a thread that waits, or one that has panicked.
    let end = came.recv_timeout(Duration::from_secs(1_200));
    assert!(end != Err(mpsc::RecvTimeoutError::Timeout), "it waits");
    if let Err(panic) = test.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_reset_begins_anew_whoever_plays_and_nothing_of_before_is_heard() {
    let Some(gpu) = gpu() else { return };
    let hub = Arc::new(GpuHub::start(gpu, Choice::any()).unwrap());
    // Waited for, so that it is the device that plays; and not, with frames on their way.
    for (handoff, waits) in [(0, true), (480, true), (4_800, false)] {
        let mut pair = Pair::new(&hub, handoff, waits, LatencyMode::Live);
        if waits {
            pair.until(Player::Gpu, Duration::ZERO);
        }
        for blocks in [301, 1, 7, 150] {
            (0..blocks).for_each(|_| pair.block());
            let worst = pair.worst();
            assert!(worst < 1e-5, "a sample is off by {worst}");
            let gpu = &mut pair.gpu;
            assert_no_alloc(|| gpu.reset());
            pair.cpu.reset();
            // What was before the reset is compared; behind it both begin with nothing.
            (pair.heard, pair.truth) = (Vec::new(), Vec::new());
        }
        (0..200).for_each(|_| pair.block());
        if waits {
            assert_eq!(pair.player(), Player::Gpu);
        }
        let worst = pair.worst();
        assert!(worst < 1e-5, "a sample is off by {worst}");
    }
}

#[test]
fn a_thousand_swaps_leave_a_device_that_plays() {
    let Some(gpu) = gpu() else { return };
    let hub = Arc::new(GpuHub::start(gpu, Choice::any()).unwrap());
    let mut pair = Pair::new(&hub, 0, true, LatencyMode::Live);
    for _ in 0..1_000 {
        let next = GpuEngine::new(&hub, &pair.model, 2, 0, true).unwrap();
        let retired = pair.gpu.swap_engine(Box::new(next));
        drop(retired.ok().expect("it fits"));
        // Less than a hop: most engines leave before they have had a frame to themselves.
        (0..2).for_each(|_| pair.block());
    }
    pair.until(Player::Gpu, Duration::ZERO);
    (0..50).for_each(|_| pair.block());
    assert_eq!(pair.player(), Player::Gpu);
    assert!(pair.heard.iter().all(|x| x.is_finite() && x.abs() < 2.0));
    assert_eq!(Arc::strong_count(&hub), 2, "who left has let go of the hub");
}

#[test]
fn one_hub_serves_all_of_a_process_and_goes_with_the_last() {
    if gpu().is_none() {
        return;
    }
    let one = shared::hub(&Choice::any()).unwrap();
    let name = Some(one.adapter());
    let same = Choice {
        name,
        ..Choice::default()
    };
    let two = std::thread::spawn(move || shared::hub(&same).unwrap())
        .join()
        .unwrap();
    assert!(Arc::ptr_eq(&one, &two));
    let (model, gone) = (model(), Arc::downgrade(&one));
    let mut engine = GpuEngine::new(&one, &model, 1, 0, true).unwrap();
    drop((one, two));
    // An engine keeps it.
    let frame = vec![1.0; engine.frame_len()];
    let mut out = frame.clone();
    for seq in 1..4 {
        engine.submit(seq, &frame);
        engine.collect(seq, &mut out);
    }
    assert_eq!(engine.report().player, Player::Gpu);
    drop(engine);
    assert!(gone.upgrade().is_none());
}

#[test]
fn a_hub_that_stays_awake_plays_the_same() {
    if gpu().is_none() {
        return;
    }
    let model = model();
    let played = |awake: bool| {
        let choice = Choice {
            awake,
            ..Choice::any()
        };
        let hub = shared::hub(&choice).unwrap();
        let mut engine = GpuEngine::new(&hub, &model, 1, 0, true).unwrap();
        let frames = Noise(8).vec(12 * engine.frame_len(), 0.1);
        let mut all = Vec::new();
        for (seq, frame) in (1..).zip(frames.chunks(engine.frame_len())) {
            let mut out = frame.to_vec();
            engine.submit(seq, frame);
            engine.collect(seq, &mut out);
            all.extend(out);
        }
        assert_eq!(engine.report().player, Player::Gpu);
        all
    };
    // The second finds the hub of the first, and changes it.
    let kept = shared::hub(&Choice::any()).unwrap();
    assert!(played(true) == played(false));
    drop(kept);
}

#[test]
fn broken_pipeline_caches_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Gpu::open_with(&Choice::any(), Abilities::ALL, Some(folder.path()));
    let Some(first) = open().ok() else {
        return eprintln!("skipped: no adapter");
    };
    let model = model();
    let ready = |gpu: Gpu| {
        use statewave::engine::gpu::denoiser::GpuDenoiser;
        let mut made = GpuDenoiser::new(Arc::new(gpu), model.net(), 1, 1).unwrap();
        made.warm_up().unwrap();
    };
    ready(first);
    let files = || -> Vec<_> {
        let found = std::fs::read_dir(folder.path()).unwrap();
        found.map(|entry| entry.unwrap().path()).collect()
    };
    let [file] = &files()[..] else {
        return eprintln!("skipped: the adapter has no cache: {:?}", files());
    };
    let whole = std::fs::read(file).unwrap();
    let head = whole.len().min(60);
    let hurt: [&[u8]; 4] = [
        b"",
        &whole[..head],
        b"rubbish that is no cache",
        &[0xff; 4096],
    ];
    for bytes in hurt {
        std::fs::write(file, bytes).unwrap();
        ready(open().unwrap());
        let anew = std::fs::read(file).unwrap();
        assert!(anew.len() > 60 && anew != bytes, "it is written anew");
    }
    // A whole one is taken.
    ready(open().unwrap());
    assert_eq!(files().len(), 1);
}
