//! What the plugin costs a host: instances in one thread, block by block, as on a host's one core.
//!
//!     cargo bench -p statewave-plugin --bench instances
//!
//! Every run is the same sound from the same start, so each callback has the same work in all of them. The mean is the
//! median run's. The worst callback is the dearest of all after each has been given its least time over the runs, for
//! what is above that is other programs.
//!
//! Together: all instances began at the same sample, so that their hops end in the same callback. Apart: each began a
//! share of a hop after the one before, as where a person adds them one by one.

use std::time::Instant;

use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_host::prelude::*;
use nice_plug::prelude::ClapPlugin;
use statewave_plugin::Statewave;

const RATE: usize = 48_000;
/// Samples of sound a run.
const RUN: usize = 4 * RATE;
const RUNS: usize = 11;
const BLOCKS: [usize; 3] = [64, 128, 512];
const INSTANCES: [usize; 2] = [1, 8];
/// Samples from frame to frame of the shipped model.
const HOP: usize = 320;

/// A host that grants nothing.
struct Quiet;

impl SharedHandler<'_> for Quiet {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Quiet;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

/// An instance that runs, and what a host keeps for it.
struct Instance {
    plugin: PluginInstance<Handlers>,
    audio: Option<StartedPluginAudioProcessor<Handlers>>,
    ports: [AudioPorts; 2],
    input: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
}

impl Instance {
    fn new(channels: usize, block: usize) -> Self {
        // SAFETY: the entry is that of the plugin linked into this program, and lives as long as it.
        let entry = unsafe {
            PluginEntry::load_from_raw(&statewave_plugin::clap_entry, c"/plugins/Statewave.clap")
        };
        let entry = entry.expect("the plugin has an entry");
        let host = HostInfo::new("Bench", "Statewave", "", "1").expect("no text has a zero in it");
        let id = std::ffi::CString::new(Statewave::CLAP_ID).expect("it has no zero in it");
        let mut plugin = PluginInstance::new(|_| Quiet, |_| (), &entry, &id, &host)
            .expect("an instance can be made");
        select_layout(&mut plugin, channels);
        let config = PluginAudioConfiguration {
            sample_rate: RATE as f64,
            min_frames_count: 1,
            max_frames_count: block as u32,
        };
        let audio = plugin.activate(|_, _| (), config).expect("it activates");
        let buffers = || vec![vec![0.0; block]; channels];
        Self {
            plugin,
            audio: Some(audio.start_processing().expect("it starts")),
            ports: [(); 2].map(|()| AudioPorts::with_capacity(channels, 1)),
            input: buffers(),
            output: buffers(),
        }
    }

    fn reset(&mut self) {
        self.audio.as_mut().expect("it runs").reset();
    }

    fn process(&mut self, sound: &[f32]) {
        let [inputs, outputs] = &mut self.ports;
        for channel in &mut self.input {
            channel[..sound.len()].copy_from_slice(sound);
        }
        let input = inputs.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                self.input
                    .iter_mut()
                    .map(|channel| InputChannel::variable(&mut channel[..sound.len()])),
            ),
        }]);
        let mut output = outputs.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(
                self.output
                    .iter_mut()
                    .map(|channel| &mut channel[..sound.len()]),
            ),
        }]);
        self.audio
            .as_mut()
            .expect("it runs")
            .process(
                &input,
                &mut output,
                &InputEvents::empty(),
                &mut OutputEvents::void(),
                None,
                None,
            )
            .expect("it processes");
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(audio) = self.audio.take() {
            self.plugin.deactivate(audio.stop_processing());
        }
    }
}

fn select_layout(plugin: &mut PluginInstance<Handlers>, channels: usize) {
    let plugin = plugin.plugin_handle();
    let configs: PluginAudioPortsConfig = plugin.get_extension().expect("it has layouts");
    let wanted = (0..configs.count(&plugin)).find_map(|index| {
        let mut buffer = AudioPortsConfigBuffer::new();
        let config = configs.get(&plugin, index, &mut buffer)?;
        let main = config.main_input.as_ref()?;
        (main.channel_count as usize == channels).then_some(config.id)
    });
    configs
        .select(&plugin, wanted.expect("there is such a layout"))
        .expect("it can be selected");
}

/// Noise that swells and fades like syllables.
fn sound() -> Vec<f32> {
    let mut seed = 1_u32;
    (0..RUN)
        .map(|n| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (seed >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let swell = (std::f32::consts::TAU * 4.0 * n as f32 / RATE as f32).sin();
            noise * (0.11 + 0.1 * swell)
        })
        .collect()
}

/// Seconds a second of sound in the median run, and the worst callback's share of its deadline.
fn cost(count: usize, channels: usize, block: usize, apart: bool, sound: &[f32]) -> (f64, f64) {
    let mut instances: Vec<_> = (0..count).map(|_| Instance::new(channels, block)).collect();
    let mut least = vec![f64::MAX; sound.len() / block];
    let mut means: Vec<f64> = (0..RUNS)
        .map(|_| {
            for (i, instance) in instances.iter_mut().enumerate() {
                instance.reset();
                let before = vec![0.0; if apart { i * HOP / count } else { 0 }];
                before
                    .chunks(block)
                    .for_each(|silence| instance.process(silence));
            }
            let mut whole = 0.0;
            for (sound, least) in sound.chunks_exact(block).zip(&mut least) {
                let start = Instant::now();
                for instance in &mut instances {
                    instance.process(sound);
                }
                let seconds = start.elapsed().as_secs_f64();
                whole += seconds;
                *least = least.min(seconds);
            }
            whole * RATE as f64 / (least.len() * block) as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let worst = least.iter().copied().fold(0.0, f64::max);
    (means[RUNS / 2], worst * RATE as f64 / block as f64)
}

fn main() {
    let sound = sound();
    println!(
        "| instances, 48 kHz | block | mean, % of a core | worst callback, % of its deadline | apart |\n|---|---|---|---|---|"
    );
    for (channels, layout) in [(1, "mono"), (2, "stereo")] {
        for count in INSTANCES {
            for block in BLOCKS {
                let (mean, together) = cost(count, channels, block, false, &sound);
                let (_, apart) = cost(count, channels, block, true, &sound);
                println!(
                    "| {count} {layout} | {block} | {:.2} | {:.1} | {:.1} |",
                    100.0 * mean,
                    100.0 * together,
                    100.0 * apart
                );
            }
        }
    }
}
