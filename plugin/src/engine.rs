//! What is to run the models: the person's choice, and what there is to say about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statewave::chain::ChainStats;
use statewave::engine::gpu::Choice;
use statewave::engine::gpu::round_trip::{MOST_HANDOFF, RoundTrip};
use statewave::engine::{EngineReport, Player};

/// What runs models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "app", derive(clap::ValueEnum))]
pub enum EngineKind {
    /// The audio thread, everywhere the same.
    #[default]
    Cpu,
    /// A GPU, with the audio thread to stand in.
    Gpu,
}

/// What a project or the app remembers. No parameter: hosts must not automate it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineChoice {
    /// What runs models.
    pub kind: EngineKind,
    /// Part of the adapter's name; without one the best, and never one that works on the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
    /// Without a name: rather an adapter that saves power.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub low_power: bool,
    /// Threads that wait for the GPU stay awake.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub awake: bool,
    /// Milliseconds that frames may take beside what their measured trip asks for: latency for safety.
    #[serde(skip_serializing_if = "is_none")]
    pub room_ms: u16,
}

fn is_none(room_ms: &u16) -> bool {
    *room_ms == 0
}

impl EngineChoice {
    /// Choices of [`EngineChoice::room_ms`].
    pub const ROOMS_MS: [u16; 5] = [0, 5, 10, 20, 40];

    /// [`EngineChoice::room_ms`] as a time, as long as a chain waits at the most.
    pub fn room(&self) -> Duration {
        Duration::from_millis(self.room_ms.into()).min(MOST_HANDOFF)
    }

    /// The best GPU, or the one of that name.
    pub fn gpu(adapter: Option<String>) -> Self {
        Self {
            kind: EngineKind::Gpu,
            adapter,
            ..Self::default()
        }
    }

    /// What the device is opened by; `None` for the CPU.
    pub fn device(&self) -> Option<Choice> {
        (self.kind == EngineKind::Gpu).then(|| Choice {
            name: self.adapter.clone(),
            low_power: self.low_power,
            awake: self.awake,
            ..Choice::default()
        })
    }
}

/// A GPU that is ready to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuFacts {
    /// The adapter's name.
    pub adapter: String,
    /// A frame there and back, as measured with the model that plays.
    pub trip: RoundTrip,
}

/// What there is to say about the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineStatus {
    /// What was chosen.
    pub choice: EngineChoice,
    /// Names of the adapters to choose from; empty until they were looked for.
    pub adapters: Vec<String>,
    /// A device is being opened.
    pub opening: bool,
    /// A GPU was chosen, and what plays runs on this processor alone.
    pub only_here: bool,
    /// The GPU that was chosen, once it is ready.
    pub gpu: Option<GpuFacts>,
}

/// Who plays, in a word or two.
pub fn word(player: Player) -> &'static str {
    match player {
        Player::Cpu => "CPU",
        Player::HandingOver => "handing over",
        Player::Gpu => "GPU",
    }
}

/// Who plays, on what, how long a frame is on its way, and what was missed.
pub fn words(status: &EngineStatus, report: &EngineReport) -> String {
    let player = word(report.player);
    let Some(GpuFacts { adapter, trip }) = &status.gpu else {
        let why = if status.opening {
            ", a GPU is being opened"
        } else if status.only_here {
            "; the GPU runs denoisers alone, and this is none"
        } else {
            ""
        };
        return format!("engine: {player}{why}");
    };
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    format!(
        "engine: {player}; {adapter}, {:.2} ms there and back, {:.2} at the most; newest result {} frames old, {} at \
         the most; {} late, {} lost, taken over {} times",
        ms(trip.p50),
        ms(trip.p999),
        report.age,
        report.worst_age,
        report.late,
        report.lost,
        report.taken_over
    )
}

/// What came that was no audio, and what was done about it; `None` where all was.
pub fn not_audio(stats: &ChainStats) -> Option<String> {
    (stats.non_finite > 0 || stats.resets > 0).then(|| {
        format!(
            "{} samples were no audio; state begun anew {} times",
            stats.non_finite, stats.resets
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_told_with_its_trips_its_age_and_what_was_missed() {
        let [p50, p999] = [Duration::from_micros(1_040), Duration::from_micros(2_500)];
        let trip = RoundTrip {
            p50,
            p99: p999,
            p999,
            count: 400,
        };
        let status = EngineStatus {
            gpu: Some(GpuFacts {
                adapter: "a card".into(),
                trip,
            }),
            ..EngineStatus::default()
        };
        let report = EngineReport {
            player: Player::Gpu,
            late: 3,
            lost: 1,
            taken_over: 2,
            age: 1,
            worst_age: 7,
        };
        assert_eq!(
            words(&status, &report),
            "engine: GPU; a card, 1.04 ms there and back, 2.50 at the most; newest result 1 frames old, 7 at the most; 3 late, \
             1 lost, taken over 2 times"
        );
    }
}
