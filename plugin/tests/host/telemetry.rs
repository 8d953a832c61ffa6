//! What the panel is shown, and that it costs nothing when nobody looks.

use statewave::chain::ChainConfig;
use statewave::latency::LatencyMode;
use statewave::telemetry::{self, BANDS, SILENCE_DB};
use statewave_plugin::processor::{Processor, Settings};

use crate::models::usual;
use crate::signals::noisy;

#[test]
fn a_snapshot_a_frame_while_somebody_watches() {
    for mode in [LatencyMode::Zero, LatencyMode::Live] {
        let model = usual();
        let (writer, mut reader) = telemetry::pair();
        let config = ChainConfig {
            sample_rate: 48_000,
            channels: 2,
            max_block: 480,
        };
        let (mut processor, _ends) = Processor::new(&model, config, mode).expect("it can be made");
        processor.set_telemetry(Some(writer));
        let mut run = |samples: usize| {
            let mut audio = noisy(2, samples, 18);
            for at in (0..samples).step_by(480) {
                let to = samples.min(at + 480);
                let mut block: Vec<&mut [f32]> = audio.iter_mut().map(|c| &mut c[at..to]).collect();
                processor.process(&mut block, &Settings::default());
            }
        };
        run(4_800);
        assert!(reader.read().is_none(), "nobody watches");
        reader.watch(true);
        run(9_600);
        let snapshots: Vec<_> = std::iter::from_fn(|| reader.read()).collect();
        assert!(
            (29..=30).contains(&snapshots.len()),
            "{} of 30 frames",
            snapshots.len()
        );
        for pair in snapshots.windows(2) {
            assert_eq!(pair[1].frame, pair[0].frame + 1);
        }
        let last = snapshots.last().expect("there are some");
        assert!(last.input_peak[0] > 0.01 && last.input_peak[1] > 0.01);
        assert!(last.output_peak[0] > 0.0);
        assert!(last.load > 0.0, "time passes");
        assert!(
            last.delta
                .values
                .iter()
                .flatten()
                .all(|d| d.is_finite() && *d >= 0.0)
        );
        assert!(
            last.delta.values[0].iter().any(|&d| d > 0.0),
            "the first layer has a step"
        );
        let loud = |levels: &[f32; BANDS]| levels.iter().filter(|&&db| db > SILENCE_DB).count();
        assert!(loud(&last.input_db) > 90, "noise is everywhere");
        assert!(
            last.input_db
                .iter()
                .zip(&last.output_db)
                .any(|(i, o)| o < i)
        );
        // One that nobody reads fills up and stays as it is.
        run(96_000);
        assert_eq!(std::iter::from_fn(|| reader.read()).count(), 64);
        reader.watch(false);
        run(4_800);
        assert!(reader.read().is_none());
    }
}
