//! A GPU in a host: chosen by the project, opened beside the sound, shared by all instances, and never needed.
//!
//! The adapter is whatever is here, such as one that works on the CPU; without any, the tests print why they are skipped.

use std::sync::Arc;
use std::time::Duration;

use nice_assert_no_alloc::assert_no_alloc;
use statewave::chain::ChainConfig;
use statewave::engine::Player;
use statewave::engine::gpu::Gpu;
use statewave::latency::LatencyMode;
use statewave_plugin::engine::{EngineChoice, GpuFacts};
use statewave_plugin::loader::{Loader, ModelChoice, Status, Stream};
use statewave_plugin::processor::{Processor, Settings};

use crate::clap_host::Host;
use crate::models::{folder, twin};
use crate::signals::noisy;

/// The first adapter, by its name.
fn card() -> Option<EngineChoice> {
    let adapters = Gpu::adapters(false);
    let Some(first) = adapters.first() else {
        eprintln!("skipped: no GPU adapter is here");
        return None;
    };
    Some(EngineChoice::gpu(Some(first.name.clone())))
}

/// Waits until the loader has come to an end with its device.
fn settled(loader: &Loader) -> Status {
    for _ in 0..12_000 {
        let status = loader.status();
        if !status.loading && !status.engine.opening {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the device does not come: {:?}", loader.status());
}

fn stream(offline: bool) -> Stream {
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 64,
    };
    Stream {
        offline,
        ..Stream::live(config, LatencyMode::Live)
    }
}

/// Replaces the audio by the output; whether the GPU played any of it. Other tests come and go on the same device, and while
/// it prepares for them the CPU plays.
fn play(processor: &mut Processor, audio: &mut [Vec<f32>]) -> bool {
    let [left, right] = audio else {
        unreachable!("there are two channels")
    };
    let mut on_gpu = false;
    for (left, right) in left.chunks_mut(64).zip(right.chunks_mut(64)) {
        assert_no_alloc(|| processor.process(&mut [left, right], &Settings::default()));
        on_gpu |= processor.engine().player == Player::Gpu;
    }
    on_gpu
}

/// Plays until the GPU has played.
fn play_on_gpu(processor: &mut Processor) {
    let input = noisy(2, 6_400, 34);
    assert!(
        (0..100).any(|_| play(processor, &mut input.clone())),
        "the GPU does not play: {:?}",
        processor.engine()
    );
}

/// Largest difference of two streams, one later than the other.
fn worst(heard: &[Vec<f32>], later: usize, truth: &[Vec<f32>]) -> f32 {
    let channels = heard.iter().zip(truth);
    let pairs = channels.flat_map(|(heard, truth)| heard[later..].iter().zip(truth));
    pairs.fold(0.0, |worst, (a, b)| worst.max((a - b).abs()))
}

fn on_cpu(input: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let loader = Loader::new();
    let mut processor = loader.processor(&stream(false)).expect("it can be made");
    let mut audio = input.to_vec();
    play(&mut processor, &mut audio);
    audio
}

#[test]
fn a_bounce_waits_for_the_device_and_equals_what_is_heard() {
    let Some(card) = card() else { return };
    let input = noisy(2, 48_000, 31);
    let live = on_cpu(&input);
    let loaders = [Loader::new(), Loader::new()];
    for loader in &loaders {
        loader.choose_engine(card.clone());
        // At once: the device is opened while the processor waits.
        let mut processor = loader.processor(&stream(true)).expect("it can be made");
        let status = loader.status();
        assert_eq!(status.engine_fault, None);
        let GpuFacts { adapter, trip } = status.engine.gpu.expect("it is ready");
        assert_eq!(Some(adapter), card.adapter);
        assert!(trip.p50 > Duration::ZERO && trip.p50 <= trip.p999);
        let mut audio = input.clone();
        assert!(play(&mut processor, &mut audio), "{:?}", processor.engine());
        let later = processor.latency().total() - 480;
        assert_eq!(later, processor.latency().engine_samples);
        let worst = worst(&audio, later, &live);
        assert!(worst < 1e-5, "a sample is off by {worst}");
    }
}

#[test]
fn live_the_device_is_taken_when_it_is_ready_and_given_back_when_it_is_not_wanted() {
    let Some(card) = card() else { return };
    let loader = Loader::new();
    let mut processor = loader.processor(&stream(false)).expect("it can be made");
    let mut audio = noisy(2, 6_400, 32);
    play(&mut processor, &mut audio);
    loader.choose_engine(card.clone());
    // The sound goes on meanwhile.
    while loader.status().engine.opening {
        play(&mut processor, &mut audio);
    }
    let status = settled(&loader);
    assert!(status.engine.gpu.is_some(), "{:?}", status.engine_fault);
    for _ in 0..20_000 {
        if loader.restart_wanted() || loader.status().engine_fault.is_some() {
            break;
        }
        play(&mut processor, &mut audio);
        std::thread::sleep(Duration::from_millis(1));
    }
    if let Some(fault) = loader.status().engine_fault {
        return eprintln!("skipped: {}", fault.what);
    }
    assert!(loader.restart_wanted(), "its delay is another");
    let input = noisy(2, 48_000, 33);
    let mut heard = input.clone();
    let mut processor = loader.processor(&stream(false)).expect("it can be made");
    assert!(!loader.restart_wanted());
    let later = processor.latency().engine_samples;
    assert_eq!(processor.latency().total(), 480 + later);
    play(&mut processor, &mut heard);
    let worst = worst(&heard, later, &on_cpu(&input));
    assert!(worst < 1e-5, "a sample is off by {worst}");
    // Room for late frames is delay, here at least as much as was asked for less a block.
    loader.choose_engine(EngineChoice {
        room_ms: 20,
        ..card
    });
    settled(&loader);
    let processor = loader.processor(&stream(false)).expect("it can be made");
    let roomy = processor.latency().engine_samples;
    match loader.status().engine_fault {
        None => assert!(roomy >= 20 * 48 - 64, "{roomy} samples, {later} before"),
        Some(fault) => assert_eq!(roomy, 0, "{}", fault.what),
    }
    // Back to the CPU, whose delay is another again.
    loader.choose_engine(EngineChoice::default());
    for _ in 0..30_000 {
        if loader.restart_wanted() || (roomy == 0 && loader.status().engine.gpu.is_none()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(loader.restart_wanted(), roomy > 0);
    let processor = loader.processor(&stream(false)).expect("it can be made");
    assert_eq!(processor.latency().total(), 480);
}

#[test]
fn a_model_is_exchanged_on_the_device() {
    let Some(card) = card() else { return };
    let folder = folder();
    let other = twin(folder.path(), "other");
    let loader = Loader::new();
    loader.choose_engine(card);
    let mut processor = loader.processor(&stream(true)).expect("it can be made");
    let mut audio = noisy(2, 6_400, 34);
    play_on_gpu(&mut processor);
    loader.choose(ModelChoice::file(other));
    for _ in 0..4_000 {
        play(&mut processor, &mut audio);
        if loader.status().swaps == 1 || loader.restart_wanted() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if loader.restart_wanted() {
        // It was measured to take longer than the first.
        processor = loader.processor(&stream(true)).expect("it can be made");
    }
    assert_eq!(loader.status().playing, "other");
    play_on_gpu(&mut processor);
}

#[test]
fn an_adapter_that_is_not_here_is_told_remembered_and_done_without() {
    let loader = Arc::new(Loader::new());
    let wanted = EngineChoice::gpu(Some("no such card".into()));
    loader.choose_engine(wanted.clone());
    let mut processor = loader.processor(&stream(true)).expect("it can be made");
    let status = settled(&loader);
    let fault = status.worst().expect("it is not here");
    assert!(fault.what.ends_with("the CPU plays"), "{}", fault.what);
    assert!(!fault.remedy.is_empty());
    assert_eq!(loader.engine_choice(), wanted);
    let mut audio = noisy(2, 6_400, 36);
    let truth = on_cpu(&audio);
    play(&mut processor, &mut audio);
    assert!(audio == truth);
    loader.choose_engine(EngineChoice::default());
    assert_eq!(settled(&loader).engine_fault, None);
}

/// Drivers are looked for once a process, so this one runs again where none is.
#[cfg(target_os = "linux")]
#[test]
fn without_any_adapter_the_cpu_plays_and_says_what_to_install() {
    const AGAIN: &str = "STATEWAVE_TEST_WITHOUT_ADAPTERS";
    if std::env::var_os(AGAIN).is_none() {
        let folder = folder();
        let nowhere = folder.path().join("no driver.json");
        let own = std::env::current_exe().expect("it runs");
        let name = "gpu::without_any_adapter_the_cpu_plays_and_says_what_to_install";
        let out = std::process::Command::new(own)
            .args(["--exact", name])
            .env(AGAIN, "1")
            .env("VK_DRIVER_FILES", &nowhere)
            .env("VK_ICD_FILENAMES", &nowhere)
            .output()
            .expect("it runs again");
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(
            out.status.success() && said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&out.stderr)
        );
        return;
    }
    assert_eq!(Gpu::adapters(false), []);
    let input = noisy(2, 6_400, 38);
    let truth = on_cpu(&input);
    let named = EngineChoice::gpu(Some("a card".into()));
    for choice in [EngineChoice::gpu(None), named] {
        for offline in [false, true] {
            let loader = Loader::new();
            loader.choose_engine(choice.clone());
            let mut processor = loader.processor(&stream(offline)).expect("it can be made");
            let status = settled(&loader);
            let fault = status.engine_fault.expect("there is none");
            assert!(fault.what.ends_with("the CPU plays"), "{}", fault.what);
            assert!(fault.remedy.contains("Vulkan"), "{}", fault.remedy);
            assert_eq!(status.engine.gpu, None);
            let mut audio = input.clone();
            assert!(!play(&mut processor, &mut audio));
            assert!(audio == truth);
        }
    }
}

#[test]
fn a_project_remembers_the_engine_and_plays_in_a_host() {
    let choice = card().unwrap_or(EngineChoice::gpu(Some("no such card".into())));
    let state = with_engine(&Host::new().save(), &choice);
    let mut host = Host::new();
    assert!(host.load(&state));
    // A bounce, and nothing is allocated in it: nice-plug would abort.
    host.render_offline();
    host.activate(48_000.0, 256);
    let mut audio = noisy(2, 9_600, 37);
    host.run(&mut audio, &[], || 256);
    assert!(audio.iter().flatten().all(|x| x.is_finite()));
    assert!(host.latency() >= 480);
    let saved = host.save();
    let json: serde_json::Value = serde_json::from_slice(&saved[8..]).expect("a state is JSON");
    let field = json["fields"]["engine"].as_str().expect("it is saved");
    let back: EngineChoice = serde_json::from_str(field).expect("it can be read");
    assert_eq!(back, choice);
}

/// A saved state with another engine.
fn with_engine(state: &[u8], choice: &EngineChoice) -> Vec<u8> {
    let mut json: serde_json::Value = serde_json::from_slice(&state[8..]).expect("a state is JSON");
    let field = serde_json::to_string(choice).expect("it is JSON");
    json["fields"]["engine"] = field.into();
    let json = serde_json::to_vec(&json).expect("it is JSON");
    [(json.len() as u64).to_le_bytes().as_slice(), &json].concat()
}
