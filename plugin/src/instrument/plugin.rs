//! The instrument as hosts see it: parameters, notes and blocks in, sound out.

use std::num::NonZeroU32;
use std::sync::Arc;

use nice_plug::prelude::*;
use statewave::instrument::{Event, Instrument};

use super::editor::Contents;
use super::events::{heard, told};
use super::params::InstrumentParams;
use super::shown::Shown;
use super::{VOICES, shipped};
use crate::editor::WindowMaker;
use crate::params::complete;
use crate::transport::Transport;
use crate::unheard::merge;

/// Events that are given to the instrument at once; more take several turns.
const EVENTS: usize = 256;

/// One instance in a host.
pub struct StatewaveInstrument {
    params: Arc<InstrumentParams>,
    shown: Arc<Shown>,
    /// `None` until the first activation.
    instrument: Option<Instrument>,
    events: Vec<Event>,
    transport: Transport,
}

impl Default for StatewaveInstrument {
    fn default() -> Self {
        Self {
            params: Arc::default(),
            shown: Arc::default(),
            instrument: None,
            events: Vec::with_capacity(EVENTS),
            transport: Transport::default(),
        }
    }
}

impl Plugin for StatewaveInstrument {
    const NAME: &'static str = "Statewave Instrument";
    const VENDOR: &'static str = "Statewave";
    const URL: &'static str = env!("CARGO_PKG_REPOSITORY");
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: None,
        main_output_channels: NonZeroU32::new(2),
        ..AudioIOLayout::const_default()
    }];
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = WindowMaker<Contents>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.params) as Arc<dyn Params>
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let (params, shown) = (Arc::clone(&self.params), Arc::clone(&self.shown));
        Some(WindowMaker::new(Contents::new(params, shown)))
    }

    fn filter_state(state: &mut PluginState) {
        let params = InstrumentParams::default();
        complete(state, &params);
        merge(state, &params);
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        buffers: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        match shipped() {
            Ok(model) => {
                let rate = buffers.sample_rate.round().clamp(8_000.0, 768_000.0) as u32;
                let mut instrument = Instrument::new(model, rate, VOICES);
                self.params.slots.settle(&mut instrument);
                self.instrument = Some(instrument);
                true
            }
            Err(fault) => {
                nice_error!("{fault}\n help: {}", fault.remedy());
                false
            }
        }
    }

    fn reset(&mut self) {
        if let Some(instrument) = &mut self.instrument {
            instrument.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let Some(instrument) = &mut self.instrument else {
            return ProcessStatus::Error("the host did not activate the plugin first");
        };
        self.params.unheard.block();
        let controls = self.params.controls();
        let starts = self.transport.starts(context.transport().playing);
        if starts && self.params.state.reset_on_start.value() {
            instrument.restart_state();
        }
        let [left, right] = buffer.as_slice() else {
            return ProcessStatus::Error("the instrument plays in stereo");
        };
        let events = &mut self.events;
        let mut begin = 0;
        let mut next = context.next_event();
        loop {
            events.clear();
            while let Some(event) = next.take_if(|_| events.len() < EVENTS) {
                let heard = heard(&event).map(|event| Event {
                    sample: event.sample.saturating_sub(begin),
                    ..event
                });
                events.extend(heard);
                next = context.next_event();
            }
            // What does not fit takes another turn, from its sample on.
            let end = next.as_ref().map_or(left.len(), |event| {
                (event.timing() as usize).clamp(begin, left.len())
            });
            instrument.process(
                &controls,
                events,
                &mut left[begin..end],
                &mut right[begin..end],
            );
            for ended in instrument.ended() {
                // A host that takes no events need not know.
                let _ = context.try_send_event(told(ended, begin));
            }
            begin = end;
            if next.is_none() {
                break;
            }
        }
        self.shown
            .write(instrument, controls.gain, [&left[..], &right[..]]);
        if instrument.sounding() > 0 {
            ProcessStatus::KeepAlive
        } else {
            ProcessStatus::Normal
        }
    }
}

impl ClapPlugin for StatewaveInstrument {
    const CLAP_ID: &'static str = "org.statewave.instrument";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("Sixteen instruments that a Mamba plays, and everything between them");
    const CLAP_MANUAL_URL: Option<&'static str> = Some(Self::URL);
    const CLAP_SUPPORT_URL: Option<&'static str> = Some(Self::URL);
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::Instrument,
        ClapFeature::Synthesizer,
        ClapFeature::Stereo,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.params.remote_controls(context);
    }
}

impl Vst3Plugin for StatewaveInstrument {
    const VST3_CLASS_ID: [u8; 16] = *b"StatewaveInstrum";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Synth];
}
