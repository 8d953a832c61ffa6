//! A model that is too much for the processor is told before it plays, where somebody listens.
//!
//! The model's work for a hop of sixteen channels is due within a sample (21 us), so what is told does not depend on how fast
//! the processor is: multiplying the weights alone would take a core that does more than 10^12 of them a second.

use statewave::chain::ChainConfig;
use statewave::latency::LatencyMode;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};

use crate::models::{dear, folder, settled, usual};

fn stream(channels: usize, offline: bool) -> Stream {
    let config = ChainConfig {
        sample_rate: 48_000,
        channels,
        max_block: 64,
    };
    Stream {
        offline,
        ..Stream::live(config, LatencyMode::Live)
    }
}

/// What is told of its cost when the model of a loader is made ready to play.
fn told(loader: &Loader, stream: &Stream) -> Option<Fault> {
    settled(loader);
    loader.processor(stream).expect("it can be made");
    loader.status().cost_fault
}

#[test]
fn a_model_that_is_too_much_is_told_live_and_not_in_a_bounce() {
    let folder = folder();
    let loader = Loader::new();
    loader.choose(ModelChoice::file(dear(folder.path(), "dear")));
    let stream = |offline| stream(16, offline);
    let fault = told(&loader, &stream(false)).expect("nothing is that fast");
    assert!(
        fault
            .what
            .starts_with("this processor is too slow for the model dear: "),
        "{}",
        fault.what
    );
    assert!(fault.remedy.contains("smaller model"), "{}", fault.remedy);
    // It is what people are shown, and it plays all the same.
    assert_eq!(loader.status().worst(), Some(&fault));
    assert_eq!(
        loader.status().sha256,
        loader.model().expect("it plays").sha256()
    );
    // Who waits is told nothing, and what was told is taken back.
    assert_eq!(told(&loader, &stream(true)), None);
    assert!(told(&loader, &stream(false)).is_some());
}

#[test]
fn a_model_that_comes_while_audio_runs_is_told_of_as_well() {
    let folder = folder();
    let loader = Loader::new();
    // A second of sound at a time holds the usual model wherever tests can be run.
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 1,
        max_block: 48_000,
    };
    let roomy = Stream::live(config, LatencyMode::Live);
    assert_eq!(told(&loader, &roomy), None);
    assert_eq!(loader.status().sha256, usual().sha256());
    let _processor = loader
        .processor(&stream(16, false))
        .expect("it can be made");
    loader.choose(ModelChoice::file(dear(folder.path(), "dear")));
    for _ in 0..12_000 {
        let status = loader.status();
        // Until it has been looked at, what there is to say is of the model before.
        if status
            .worst()
            .is_some_and(|fault| fault.what.contains("dear"))
        {
            assert_eq!(status.worst(), status.cost_fault.as_ref());
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it is not told: {:?}", loader.status());
}
