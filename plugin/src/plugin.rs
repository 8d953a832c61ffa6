//! The plugin as hosts see it: parameters and blocks in, latency, tail and sound out.
//!
//! Flows in: what nice-plug passes on from the host. Flows out: the processor's sound. Everything that is not about hosts
//! is elsewhere.

use std::num::NonZeroU32;
use std::sync::Arc;

use nice_plug::prelude::*;
use parking_lot::RwLock;
use statewave::chain::ChainConfig;
use statewave::latency::Latency;
use statewave::telemetry::{self, Reader, Writer};

use crate::editor::{Effect, WindowMaker};
use crate::fade::part;
use crate::fault::Fault;
use crate::loader::{Loader, Stream};
use crate::notes::Held;
use crate::params::{ParamList, StatewaveParams, complete};
use crate::processor::Processor;
use crate::state::{RENAMED, migrate};
use crate::transport::Transport;
use crate::unheard::merge;

/// One instance in a host.
pub struct Statewave {
    params: Arc<StatewaveParams>,
    loader: Arc<Loader>,
    /// `None` until the first activation.
    processor: Option<Processor>,
    /// The audio thread's end of the telemetry, while no processor has it.
    writer: Option<Writer>,
    /// The panel's end, until the editor takes it.
    reader: Option<Reader>,
    /// The delays of the processor, for the panel. Written when it is made, never by the audio thread.
    latency: Arc<RwLock<Option<Latency>>>,
    /// Notes that are held.
    held: Held,
    transport: Transport,
    /// The host has been asked to start anew, and has not done it yet.
    restart_asked: bool,
}

impl Default for Statewave {
    fn default() -> Self {
        let loader = Arc::new(Loader::new());
        let (writer, reader) = telemetry::pair();
        Self {
            params: Arc::new(StatewaveParams::new(Arc::clone(&loader))),
            loader,
            processor: None,
            writer: Some(writer),
            reader: Some(reader),
            latency: Arc::default(),
            held: Held::default(),
            transport: Transport::default(),
            restart_asked: false,
        }
    }
}

impl Statewave {
    /// Makes the processor for what the host said.
    fn prepare(&mut self, stream: &Stream) -> Result<(), Fault> {
        let mut processor = self.loader.processor(stream)?;
        let writer = match &mut self.processor {
            Some(before) => before.set_telemetry(None),
            None => self.writer.take(),
        };
        processor.set_telemetry(writer);
        *self.latency.write() = Some(processor.latency());
        self.processor = Some(processor);
        Ok(())
    }
}

impl Plugin for Statewave {
    const NAME: &'static str = "Statewave";
    const VENDOR: &'static str = "Statewave";
    const URL: &'static str = env!("CARGO_PKG_REPOSITORY");
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
    // Notes alone: with controllers, the VST3 wrapper adds 2080 parameters.
    const MIDI_INPUT: MidiConfig = MidiConfig::Basic;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = WindowMaker<Effect>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.params) as Arc<dyn Params>
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let reader = self.reader.take()?;
        let (params, loader) = (Arc::clone(&self.params), Arc::clone(&self.loader));
        let latency = Arc::clone(&self.latency);
        Some(WindowMaker::of_effect(params, loader, latency, reader))
    }

    fn filter_state(state: &mut PluginState) {
        migrate(state, RENAMED);
        let list = ParamList::default();
        complete(state, &list);
        merge(state, &list);
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        buffers: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.restart_asked = false;
        let config = ChainConfig {
            sample_rate: buffers.sample_rate.round() as u32,
            channels: layout.main_output_channels.map_or(2, NonZeroU32::get) as usize,
            max_block: buffers.max_buffer_size.max(1) as usize,
        };
        let stream = Stream {
            offline: buffers.process_mode == ProcessMode::Offline,
            ..Stream::live(config, self.params.list.settings().mode)
        };
        match self.prepare(&stream) {
            Ok(()) => {
                let latency = self.processor.as_ref().map_or(0, |p| p.latency().total());
                context.set_latency_samples(latency as u32);
                true
            }
            Err(Fault { what, remedy }) => {
                nice_error!("{what}\n help: {remedy}");
                false
            }
        }
    }

    fn reset(&mut self) {
        self.held = Held::default();
        if let Some(processor) = &mut self.processor {
            processor.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let Some(processor) = &mut self.processor else {
            return ProcessStatus::Error("the host did not activate the plugin first");
        };
        self.params.unheard.block();
        // The latency may only change between two activations, so the host is asked for one, once.
        let settings = self.params.list.settings();
        let is_outdated = !processor.is_for(settings.mode) || self.loader.restart_wanted();
        if is_outdated && !self.restart_asked {
            self.restart_asked = true;
            context.request_restart();
        }
        let starts = self.transport.starts(context.transport().playing);
        if starts && settings.reset_on_start {
            processor.restart_state();
        }
        let audio = buffer.as_slice();
        let len = audio.first().map_or(0, |channel| channel.len());
        let mut begin = 0;
        loop {
            let event = context.next_event();
            let end = event
                .as_ref()
                .map_or(len, |event| (event.timing() as usize).clamp(begin, len));
            // A block is cut where a note lets it go on or ends that.
            let mut held = self.held;
            if let Some(event) = &event {
                held.hear(event);
            }
            if event.is_none() || held.any() != self.held.any() {
                let mut cut = settings;
                cut.controls.continuation.go_on |= self.held.any();
                let (mut part, count) = part(audio, begin..end);
                processor.process(&mut part[..count], &cut);
                begin = end;
            }
            self.held = held;
            if event.is_none() {
                break;
            }
        }
        match processor.tail() {
            Some(tail) => ProcessStatus::Tail(tail as u32),
            None => ProcessStatus::KeepAlive,
        }
    }
}

const fn layout(channels: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(channels),
        main_output_channels: NonZeroU32::new(channels),
        ..AudioIOLayout::const_default()
    }
}

impl ClapPlugin for Statewave {
    const CLAP_ID: &'static str = "org.statewave.statewave";
    const CLAP_DESCRIPTION: Option<&'static str> = Some(
        "Takes the noise out of voices, plays amplifiers and drives, and goes on by itself; live",
    );
    const CLAP_MANUAL_URL: Option<&'static str> = Some(Self::URL);
    const CLAP_SUPPORT_URL: Option<&'static str> = Some(Self::URL);
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Restoration,
        ClapFeature::Custom("statewave:noise-reduction"),
        ClapFeature::Stereo,
        ClapFeature::Mono,
    ];

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        self.params.list.remote_controls(context);
    }
}

impl Vst3Plugin for Statewave {
    const VST3_CLASS_ID: [u8; 16] = *b"StatewaveDenoise";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Restoration];
}
