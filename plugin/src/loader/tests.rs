//! What is told of a processor that could not stand in for a GPU, from a stream's preparation to those who show it.
//!
//! The adapter is whatever is here, and the hub, the model and what it costs are the real ones. Only the device's round trip is given:
//! an adapter that works on the CPU would be too slow to play live, and nothing would have to stand in for it. Streams are such that
//! no processor is fast enough, or any is.

use std::sync::Arc;
use std::time::Duration;

use statewave::chain::ChainConfig;
use statewave::engine::gpu::round_trip::RoundTrip;
use statewave::engine::gpu::{Gpu, shared as hubs};
use statewave::engine::supervisor::Policy;
use statewave::latency::LatencyMode;
use statewave::model::Model;
use statewave::model::catalogue;
use statewave::model::file::ModelFile;
use statewave::model::streams::StreamModel;

use super::device::{Device, Stream};
use super::shared::lock;
use super::{EngineChoice, Fault, Loader};

/// The first adapter, by its name.
fn card() -> Option<EngineChoice> {
    let adapters = Gpu::adapters(false);
    let Some(first) = adapters.first() else {
        eprintln!("skipped: no GPU adapter is here");
        return None;
    };
    Some(EngineChoice::gpu(Some(first.name.clone())))
}

fn stream(channels: usize, block: usize) -> Stream {
    let config = ChainConfig {
        sample_rate: 48_000,
        channels,
        max_block: block,
    };
    Stream::live(config, LatencyMode::Live)
}

/// Two frames of sixteen channels and more within a sample, 21 us: multiplying the weights alone would take a core that does more
/// than 10^12 of them a second.
fn too_much() -> Stream {
    stream(16, 1)
}

/// A tenth of a second at a time, of one channel.
fn roomy() -> Stream {
    stream(1, 4_800)
}

/// The usual model, and another file of the same.
fn models() -> [Arc<Model>; 2] {
    let usual = catalogue::built_in().next().expect("one is compiled in");
    let bytes = usual.bytes().expect("it is in memory");
    let mut file = ModelFile::from_bytes(&bytes).expect("it is sound");
    file.spec_json["name"] = "another".into();
    [bytes.into_owned(), file.to_bytes()]
        .map(|bytes| Arc::new(Model::from_bytes(&bytes).expect("it is sound")))
}

/// Has `loader` think that `choice` was opened and measured with `model`, for `stream`: a trip of a millisecond.
fn opened(loader: &Loader, choice: &EngineChoice, model: &Arc<Model>, stream: &Stream) -> String {
    let wanted = choice.device().expect("it is a GPU's");
    let hub = hubs::hub(&wanted).expect("it can be opened");
    let trip = Duration::from_millis(1);
    let adapter = hub.adapter();
    let mut shared = lock(&loader.shared);
    shared.status.engine.choice = choice.clone();
    shared.device = Device::Ready {
        hub,
        sha256: model.sha256().into(),
        save_every: stream.stand_in(model).save_every,
        trip: RoundTrip {
            p50: trip,
            p99: trip,
            p999: trip,
            count: 400,
        },
        room: Duration::ZERO,
    };
    adapter
}

fn is_of(fault: &Fault, adapter: &str, name: &str) -> bool {
    let begins = format!(
        "this processor is too slow to stand in for {adapter} with the model {name}: where the GPU is late, "
    );
    fault.what.starts_with(&begins) && fault.remedy.contains("longer blocks")
}

#[test]
fn a_gpu_that_this_processor_cannot_stand_in_for_is_told_of_before_it_plays() {
    let Some(card) = card() else { return };
    let [usual, other] = models();
    let loader = Loader::new();
    loader.model().expect("it is compiled in");
    let adapter = opened(&loader, &card, &usual, &too_much());
    let processor = loader.processor(&too_much()).expect("it can be made");
    let status = loader.status();
    let fault = status.cost_fault.clone().expect("nothing is that fast");
    assert!(is_of(&fault, &adapter, &status.playing), "{fault:?}");
    assert_eq!(status.worst(), Some(&fault), "it is what people are shown");
    // The GPU is to play it all the same.
    assert!(processor.latency().engine_samples > 0);
    assert_eq!(status.engine_fault, None);

    // A model that comes while sound runs is told of by its own name.
    opened(&loader, &card, &other, &too_much());
    {
        let mut shared = lock(&loader.shared);
        shared.play("another".into(), StreamModel::Denoise(other));
    }
    let _ = loader.commands.send(super::thread::Command::Engine);
    let told = |loader: &Loader| loader.status().cost_fault;
    for _ in 0..12_000 {
        if told(&loader).is_some_and(|fault| is_of(&fault, &adapter, "another")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let fault = told(&loader).expect("it is as dear");
    assert!(is_of(&fault, &adapter, "another"), "{fault:?}");
    drop(processor);
}

#[test]
fn one_that_it_can_stand_in_for_is_not_told_of_and_takes_back_what_was() {
    let Some(card) = card() else { return };
    let [usual, _] = models();
    let loader = Loader::new();
    loader.model().expect("it is compiled in");
    opened(&loader, &card, &usual, &too_much());
    drop(loader.processor(&too_much()).expect("it can be made"));
    assert!(loader.status().cost_fault.is_some());
    // Who waits is told nothing.
    let offline = Stream {
        offline: true,
        ..too_much()
    };
    let processor = loader.processor(&offline).expect("it can be made");
    assert!(processor.latency().engine_samples > 0);
    assert_eq!(loader.status().cost_fault, None);
    drop(processor);
    opened(&loader, &card, &usual, &roomy());
    let processor = loader.processor(&roomy()).expect("it can be made");
    assert!(processor.latency().engine_samples > 0, "on the GPU");
    assert_eq!(loader.status().cost_fault, None);
}

/// The app's streams come from the same [`Loader::processor`]; what is its own is how people are told, once for each fault.
#[cfg(feature = "app")]
#[test]
fn the_app_tells_once_what_it_cannot_stand_in_for() {
    use crate::app::values::Values;
    use crate::desk::Desk;

    let Some(card) = card() else { return };
    let [usual, _] = models();
    let loader = Arc::new(Loader::new());
    loader.model().expect("it is compiled in");
    let values = Arc::new(Values::new(&loader.knobs()));
    let mut desk = Desk::new(values, Arc::clone(&loader));
    let adapter = opened(&loader, &card, &usual, &too_much());
    assert_eq!(desk.refresh(), None);
    let processor = loader.processor(&too_much()).expect("it can be made");
    let fault = desk.refresh().expect("it is new");
    assert!(is_of(&fault, &adapter, desk_model(&desk)), "{fault:?}");
    assert_eq!(desk.refresh(), None, "it was told");
    drop(processor);

    fn desk_model<V: crate::desk::Values>(desk: &Desk<V>) -> &str {
        use crate::panel::host::PanelHost;
        desk.model()
    }
}

#[test]
fn a_device_is_measured_with_states_as_often_as_the_stream_will_have_them() {
    let Some(card) = card() else { return };
    let [usual, other] = models();
    let (often, rarely) = (too_much(), roomy());
    assert_eq!(
        often.stand_in(&usual).save_every,
        Policy::LEAST_SAVE_EVERY,
        "nothing is that fast"
    );
    assert_eq!(rarely.stand_in(&usual).save_every, Policy::SAVE_EVERY);
    let every = |device: &Device| match device {
        Device::Ready { save_every, .. } => *save_every,
        Device::None | Device::Opening => panic!("it is open"),
    };
    for (stream, expected, others) in [
        (Some(&often), Policy::LEAST_SAVE_EVERY, &rarely),
        (Some(&rarely), Policy::SAVE_EVERY, &often),
        (None, Policy::SAVE_EVERY, &often),
    ] {
        let device = Device::open(&card, &usual, stream).expect("it opens");
        assert_eq!(every(&device), expected);
        assert!(!device.is_coming(&usual, stream));
        // A stream that has them otherwise waits for a measure of its own, but for one that nobody hears.
        assert!(device.is_coming(&usual, Some(others)));
        let offline = Stream {
            offline: true,
            ..*others
        };
        assert!(!device.is_coming(&usual, Some(&offline)));
        assert!(device.is_coming(&other, stream));
        let made = device.engine(&usual, others, 0);
        assert_eq!((made.on, made.engine.handoff()), (None, 0));
    }
}
