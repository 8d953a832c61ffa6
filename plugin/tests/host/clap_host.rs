//! A CLAP host that does what it is told: loads the plugin that is linked into this program, and nothing else.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl, PluginLatency};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamInfoBuffer,
    ParamRescanFlags, PluginParams,
};
use clack_extensions::state::PluginState;
use clack_host::events::EventFlags;
use clack_host::events::event_types::{ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};
use statewave_plugin::Statewave;

use nice_plug::prelude::ClapPlugin;

#[derive(Default)]
pub struct Shared {
    restarts: AtomicU32,
    callback: AtomicBool,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.callback.store(true, Ordering::Relaxed);
    }
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

/// A host with room for a window, which it leaves as it is.
impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}
    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Ok(())
    }
    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }
    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }
    fn closed(&self, _: bool) {}
}

#[derive(Default)]
pub struct Main {
    latency_changes: Cell<u32>,
}

impl MainThreadHandler<'_> for Main {}

impl HostLatencyImpl for Main {
    fn changed(&self) {
        self.latency_changes.set(self.latency_changes.get() + 1);
    }
}

impl HostParamsImplMainThread for Main {
    fn rescan(&self, _: ParamRescanFlags) {}
    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = Main;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Shared) {
        builder
            .register::<HostGui>()
            .register::<HostLatency>()
            .register::<HostParams>();
    }
}

/// An instance of the plugin.
pub struct Host {
    plugin: PluginInstance<Handlers>,
    audio: Option<StartedPluginAudioProcessor<Handlers>>,
    /// Whether the transport runs; `None` where there is none.
    pub transport: Option<bool>,
}

/// A parameter by its id as the plugin's source has it.
pub fn param(id: &str) -> ClapId {
    let hash = id.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    ClapId::new(hash & !(1 << 31))
}

/// A value at a sample of the next block: normalised where the parameter glides, else the index of the choice.
pub fn at(sample: u32, id: &str, value: f64) -> ParamValueEvent {
    ParamValueEvent::new(sample, param(id), Pckn::match_all(), value)
}

/// A saved state in which a field is another.
pub fn with_field(state: &[u8], name: &str, field: &str) -> Vec<u8> {
    let mut json: serde_json::Value = serde_json::from_slice(&state[8..]).expect("a state is JSON");
    json["fields"][name] = field.into();
    let json = serde_json::to_vec(&json).expect("it is JSON");
    [(json.len() as u64).to_le_bytes().as_slice(), &json].concat()
}

/// A value, its text, and the value that the text is read as.
pub struct Text {
    pub value: f64,
    pub text: String,
    pub back: Option<f64>,
}

/// Where a song stands, as far as is of use here.
fn transport(runs: bool) -> TransportEvent {
    let flags = match runs {
        true => TransportFlags::IS_PLAYING,
        false => TransportFlags::empty(),
    };
    TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_int(0),
        song_pos_seconds: SecondsTime::from_int(0),
        tempo: 120.0,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_int(0),
        loop_end_beats: BeatTime::from_int(0),
        loop_start_seconds: SecondsTime::from_int(0),
        loop_end_seconds: SecondsTime::from_int(0),
        bar_start: BeatTime::from_int(0),
        bar_number: 0,
        time_signature_numerator: 4,
        time_signature_denominator: 4,
    }
}

impl Host {
    pub fn new() -> Self {
        Self::of(Statewave::CLAP_ID)
    }

    /// An instance of the plugin of that id.
    pub fn of(id: &str) -> Self {
        // SAFETY: the entry is that of the plugin linked into this program, and lives as long as it.
        let entry = unsafe {
            PluginEntry::load_from_raw(&statewave_plugin::clap_entry, c"/plugins/Statewave.clap")
        };
        let entry = entry.expect("the plugin has an entry");
        let host = HostInfo::new("Test", "Statewave", "", "1").expect("no text has a zero in it");
        let id = std::ffi::CString::new(id).expect("it has no zero in it");
        let plugin = PluginInstance::new(
            |_| Shared::default(),
            |_| Main::default(),
            &entry,
            &id,
            &host,
        )
        .expect("an instance can be made");
        Self {
            plugin,
            audio: None,
            transport: None,
        }
    }

    /// One with the model of that name, and what else its state is to hold; not active yet.
    pub fn with_model(name: &str, fields: &[(&str, String)]) -> Self {
        let mut host = Self::new();
        let model = serde_json::json!({ "name": name }).to_string();
        let mut state = with_field(&host.save(), "model", &model);
        for (field, json) in fields {
            state = with_field(&state, field, json);
        }
        assert!(host.load(&state), "the state is taken");
        host
    }

    pub fn activated(rate: f64, max_block: u32) -> Self {
        let mut host = Self::new();
        host.activate(rate, max_block);
        host
    }

    pub fn activate(&mut self, rate: f64, max_block: u32) {
        let config = PluginAudioConfiguration {
            sample_rate: rate,
            min_frames_count: 1,
            max_frames_count: max_block,
        };
        let stopped = self
            .plugin
            .activate(|_, _| (), config)
            .expect("it activates");
        self.audio = Some(stopped.start_processing().expect("it starts"));
    }

    /// From the next activation on, the host bounces.
    pub fn render_offline(&mut self) {
        use clack_extensions::render::{PluginRender, RenderMode};
        let plugin = self.plugin.plugin_handle();
        let render: PluginRender = plugin.get_extension().expect("it can be rendered");
        render
            .set(&plugin, RenderMode::Offline)
            .expect("it has no objection");
    }

    pub fn deactivate(&mut self) {
        if let Some(audio) = self.audio.take() {
            self.plugin.deactivate(audio.stop_processing());
        }
    }

    /// As a host that was asked to: everything stops and starts again.
    pub fn restart(&mut self, rate: f64, max_block: u32) {
        self.deactivate();
        self.main_thread();
        self.activate(rate, max_block);
        self.main_thread();
    }

    /// Runs what the plugin asked to be run on the main thread.
    pub fn main_thread(&mut self) {
        let asked = self
            .plugin
            .access_shared_handler(|shared| shared.callback.swap(false, Ordering::Relaxed));
        if asked {
            self.plugin.call_on_main_thread_callback();
        }
    }

    pub fn reset(&mut self) {
        self.audio.as_mut().expect("it runs").reset();
    }

    /// Sets parameters without audio, while it runs.
    pub fn set(&mut self, values: &[(&str, f64)]) {
        let events: Vec<_> = values.iter().map(|&(id, value)| at(0, id, value)).collect();
        let mut plugin = self.audio.as_mut().expect("it runs").plugin_handle();
        let params: PluginParams = plugin.get_extension().expect("it has parameters");
        let events = InputEvents::from_buffer(&events);
        params.flush_active(&mut plugin, &events, &mut OutputEvents::void());
    }

    /// Replaces `audio` by the plugin's output, as one block.
    pub fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        events: &[ParamValueEvent],
    ) -> ProcessStatus {
        self.process_with(audio, &InputEvents::from_buffer(&events))
    }

    /// The same with events of any kind.
    pub fn process_with(
        &mut self,
        audio: &mut [&mut [f32]],
        events: &InputEvents,
    ) -> ProcessStatus {
        let channels = audio.len();
        let mut input: Vec<Vec<f32>> = audio.iter().map(|channel| channel.to_vec()).collect();
        let mut inputs = AudioPorts::with_capacity(channels, 1);
        let mut outputs = AudioPorts::with_capacity(channels, 1);
        let inputs = inputs.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                input
                    .iter_mut()
                    .map(|channel| InputChannel::variable(channel.as_mut_slice())),
            ),
        }]);
        let mut outputs = outputs.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(
                audio.iter_mut().map(|channel| &mut **channel),
            ),
        }]);
        let transport = self.transport.map(transport);
        let audio = self.audio.as_mut().expect("it runs");
        audio
            .process(
                &inputs,
                &mut outputs,
                events,
                &mut OutputEvents::void(),
                None,
                transport.as_ref(),
            )
            .expect("it processes")
    }

    /// A block of an instrument, stereo: it has no input.
    pub fn play(&mut self, left: &mut [f32], right: &mut [f32], events: &EventBuffer) {
        self.play_and_hear(left, right, events, &mut OutputEvents::void());
    }

    /// The same; the plugin's own events go to `heard`.
    pub fn play_and_hear(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        events: &EventBuffer,
        heard: &mut OutputEvents,
    ) {
        let mut outputs = AudioPorts::with_capacity(2, 1);
        let mut outputs = outputs.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only([left, right].into_iter()),
        }]);
        let transport = self.transport.map(transport);
        let audio = self.audio.as_mut().expect("it runs");
        audio
            .process(
                &InputAudioBuffers::empty(),
                &mut outputs,
                &events.as_input(),
                heard,
                None,
                transport.as_ref(),
            )
            .expect("it processes");
    }

    /// Sends all of `audio` through in blocks of the lengths given; `events` lie on the whole's samples, in order.
    pub fn run(
        &mut self,
        audio: &mut [Vec<f32>],
        events: &[(usize, &str, f64)],
        mut block_len: impl FnMut() -> usize,
    ) {
        let len = audio[0].len();
        let mut from = 0;
        while from < len {
            let to = len.min(from + block_len());
            let within = events
                .iter()
                .filter(|(sample, ..)| (from..to).contains(sample));
            let events: Vec<_> = within
                .map(|&(sample, id, value)| at((sample - from) as u32, id, value))
                .collect();
            let mut block: Vec<&mut [f32]> = audio
                .iter_mut()
                .map(|channel| &mut channel[from..to])
                .collect();
            self.process(&mut block, &events);
            from = to;
        }
    }

    pub fn latency(&mut self) -> usize {
        let plugin = self.plugin.plugin_handle();
        let latency: PluginLatency = plugin.get_extension().expect("it has a latency");
        latency.get(&plugin) as usize
    }

    pub fn tail(&mut self) -> usize {
        use clack_extensions::tail::PluginTail;
        let plugin = self.audio.as_mut().expect("it runs").plugin_handle();
        let tail: PluginTail = plugin.get_extension().expect("it has a tail");
        tail.get(&plugin).to_raw() as usize
    }

    /// Restarts asked for so far.
    pub fn restarts(&self) -> u32 {
        self.plugin
            .access_shared_handler(|shared| shared.restarts.load(Ordering::Relaxed))
    }

    /// Times the plugin has said that its latency is another.
    pub fn latency_changes(&self) -> u32 {
        self.plugin
            .access_handler(|main| main.latency_changes.get())
    }

    pub fn save(&mut self) -> Vec<u8> {
        let plugin = self.plugin.plugin_handle();
        let state: PluginState = plugin.get_extension().expect("it has a state");
        let mut saved = Vec::new();
        state.save(&plugin, &mut saved).expect("it saves");
        saved
    }

    /// Whether the plugin took the state.
    pub fn load(&mut self, saved: &[u8]) -> bool {
        let plugin = self.plugin.plugin_handle();
        let state: PluginState = plugin.get_extension().expect("it has a state");
        let loaded = state.load(&plugin, &mut &*saved).is_ok();
        self.main_thread();
        loaded
    }

    pub fn value(&mut self, id: &str) -> f64 {
        let (plugin, params) = self.params();
        params
            .get_value(&plugin, param(id))
            .expect("there is such a parameter")
    }

    /// The name of every parameter, and the texts of its smallest, its default and its largest value.
    pub fn texts(&mut self) -> Vec<(String, Vec<Text>)> {
        let (plugin, params) = self.params();
        (0..params.count(&plugin))
            .map(|index| {
                let mut buffer = ParamInfoBuffer::new();
                let info = params
                    .get_info(&plugin, index, &mut buffer)
                    .expect("it was counted");
                let values = [info.min_value, info.default_value, info.max_value];
                let texts = values.map(|value| {
                    let mut text = [0; 64];
                    let text = params
                        .value_to_text(&plugin, info.id, value, &mut text)
                        .expect("it has a text");
                    let text = String::from_utf8_lossy(text).into_owned();
                    let c_text =
                        std::ffi::CString::new(text.clone()).expect("it has no zero in it");
                    let back = params.text_to_value(&plugin, info.id, &c_text);
                    Text { value, text, back }
                });
                (
                    String::from_utf8_lossy(info.name).into_owned(),
                    texts.into(),
                )
            })
            .collect()
    }

    fn params(&mut self) -> (PluginMainThreadHandle<'_>, PluginParams) {
        let plugin = self.plugin.plugin_handle();
        let params = plugin.get_extension().expect("it has parameters");
        (plugin, params)
    }

    /// Chooses the layout of that many channels; the plugin must not be active.
    pub fn select_layout(&mut self, channels: u32) {
        let plugin = self.plugin.plugin_handle();
        let configs: PluginAudioPortsConfig = plugin.get_extension().expect("it has layouts");
        let wanted = (0..configs.count(&plugin)).find_map(|index| {
            let mut buffer = AudioPortsConfigBuffer::new();
            let config = configs.get(&plugin, index, &mut buffer)?;
            let main = config.main_input.as_ref()?;
            (main.channel_count == channels).then_some(config.id)
        });
        configs
            .select(&plugin, wanted.expect("there is such a layout"))
            .expect("it can be selected");
    }

    /// The plugin, to be asked what only one test asks.
    pub fn handle(&mut self) -> PluginMainThreadHandle<'_> {
        self.plugin.plugin_handle()
    }

    /// Pages of a control surface, each with the parameters it has.
    pub fn remote_pages(&mut self) -> Vec<Vec<ClapId>> {
        use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
        let plugin = self.plugin.plugin_handle();
        let pages: PluginRemoteControls = plugin.get_extension().expect("it has pages");
        (0..pages.count(&plugin))
            .map(|index| {
                let mut buffer = RemoteControlsPageBuffer::new();
                let page = pages
                    .get(&plugin, index, &mut buffer)
                    .expect("it was counted");
                page.param_ids.iter().copied().flatten().collect()
            })
            .collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.deactivate();
    }
}
