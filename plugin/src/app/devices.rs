//! Sound devices: which there are, and how one is opened.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{
    BufferSize, Device, DeviceId, HostId, SampleFormat, StreamConfig, SupportedBufferSize,
    SupportedStreamConfigRange,
};

use super::hosts;
use crate::fault::Fault;

/// Rates offered, Hz.
pub const RATES: [u32; 4] = [44_100, 48_000, 88_200, 96_000];

/// Buffers offered, frames.
pub const BUFFERS: [u32; 6] = [64, 128, 256, 512, 1024, 2048];

/// The buffer where none is chosen, since systems' own are up to seconds long, frames.
const USUAL_BUFFER: u32 = 512;

/// What PulseAudio is asked for at least, frames. Its server hands out in steps of its own, and cpal lets it keep one buffer
/// and no more of what was recorded: what comes beyond that is lost, as with 256 where somebody plays in steps of 480.
const fn least_of_pulseaudio(way: Way) -> u32 {
    match way {
        Way::In => 512,
        Way::Out => 256,
    }
}

/// In the place of an input: the instrument, played by MIDI.
pub const INSTRUMENT: &str = "statewave:instrument";

/// What it is called.
pub const INSTRUMENT_NAME: &str = "Instrument, by MIDI";

/// A device as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Stays the same from one start to the next.
    pub id: String,
    /// For people.
    pub name: String,
}

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices {
    /// Microphones and the like.
    pub inputs: Vec<Listed>,
    /// Loudspeakers and the like.
    pub outputs: Vec<Listed>,
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the device.
    In,
    /// To the device.
    Out,
}

/// A device with the way to open it.
pub struct Opened {
    /// It.
    pub device: Device,
    /// For people.
    pub name: String,
    /// Rate, channels, buffer.
    pub config: StreamConfig,
    /// Its samples.
    pub format: SampleFormat,
    /// It was asked for, rather than taken in place of one that is not there.
    pub wanted: bool,
}

impl Opened {
    /// Why its buffer is longer than the one asked for, if so.
    pub fn is_longer(&self, buffer: Option<u32>) -> Option<Fault> {
        let BufferSize::Fixed(frames) = self.config.buffer_size else {
            return None;
        };
        let wanted = buffer.filter(|&wanted| wanted < frames)?;
        Some(Fault {
            what: format!(
                "{} takes blocks of {frames} frames at least, not {wanted}",
                self.name
            ),
            remedy: "for shorter ones choose a device of JACK, or of the system itself".into(),
        })
    }

    /// It belongs to JACK's server.
    pub fn is_on_jack(&self) -> bool {
        self.device.id().is_ok_and(|id| id.host() == HostId::Jack)
    }
}

/// Why what comes from `input` must not be heard at `output`, if so: nobody has chosen to hear it there, or the input
/// hears it again.
pub fn must_not_be_heard(input: &Opened, output: &Opened) -> Option<Fault> {
    if !output.wanted {
        return Some(Fault {
            what: format!("{} only stands in, so it stays silent", output.name),
            remedy: "choose it as the output to hear it".into(),
        });
    }
    let is_loop = is_monitor(&input.device.id().ok()?, &output.device.id().ok()?);
    is_loop.then(|| Fault {
        what: format!(
            "the input {} hears the output {}, which stays silent lest it howls",
            input.name, output.name
        ),
        remedy: "choose another input or another output".into(),
    })
}

/// Whether `input` gives what is played to `output`: PulseAudio and PipeWire name it so.
fn is_monitor(input: &DeviceId, output: &DeviceId) -> bool {
    input.to_string() == format!("{output}.monitor")
}

/// Lists all devices. Takes up to a second on some systems.
pub fn list() -> Devices {
    let host = hosts::system();
    let listed = |device: Device| {
        Some(Listed {
            id: device.id().ok()?.to_string(),
            name: device.description().ok()?.name().to_owned(),
        })
    };
    let all = |found: Result<Vec<Device>, cpal::Error>| {
        told_apart(found.into_iter().flatten().filter_map(listed).collect())
    };
    let mut devices = Devices {
        inputs: all(host.input_devices().map(Iterator::collect)),
        outputs: all(host.output_devices().map(Iterator::collect)),
    };
    if hosts::has_jack() {
        devices.inputs.push(Listed::jack(Way::In));
        devices.outputs.push(Listed::jack(Way::Out));
    }
    devices
}

impl Listed {
    /// JACK's only device of that way, as cpal names it.
    fn jack(way: Way) -> Self {
        let (id, name) = match way {
            Way::In => ("jack:input", "JACK Input"),
            Way::Out => ("jack:output", "JACK Output"),
        };
        Self {
            id: id.into(),
            name: name.into(),
        }
    }

    fn is(&self, wanted: &str) -> bool {
        wanted == self.id || wanted.eq_ignore_ascii_case(&self.name)
    }
}

/// Adds the id to names that several have.
fn told_apart(mut list: Vec<Listed>) -> Vec<Listed> {
    let names: Vec<String> = list.iter().map(|device| device.name.clone()).collect();
    for device in &mut list {
        if names.iter().filter(|name| **name == device.name).count() > 1 {
            device.name = format!("{} ({})", device.name, device.id);
        }
    }
    list
}

/// Whether a device of that id or name is there.
pub fn is_there(wanted: &str, way: Way) -> bool {
    if way == Way::In && wanted == INSTRUMENT {
        return true;
    }
    if Listed::jack(way).is(wanted) {
        return hosts::has_jack();
    }
    find(wanted, way).is_some()
}

fn find(wanted: &str, way: Way) -> Option<Device> {
    let jack = Listed::jack(way);
    let id = if jack.is(wanted) { &jack.id } else { wanted };
    if let Some(device) = id.parse().ok().and_then(|id| hosts::device(&id)) {
        return Some(device);
    }
    let host = hosts::system();
    let named = |device: &Device| {
        device
            .description()
            .is_ok_and(|about| about.name().eq_ignore_ascii_case(wanted))
    };
    match way {
        Way::In => host.input_devices().ok()?.find(named),
        Way::Out => host.output_devices().ok()?.find(named),
    }
}

/// The device asked for by id or name, or the system's own; in the rate and the buffer asked for as far as it has them.
///
/// # Errors
/// When there is no device at all, or it cannot be asked.
pub fn open(
    wanted: Option<&str>,
    way: Way,
    rate: Option<u32>,
    buffer: Option<u32>,
) -> Result<Opened, Fault> {
    let host = hosts::system();
    let found = wanted.and_then(|wanted| find(wanted, way));
    let is_wanted = found.is_some() || wanted.is_none();
    let device = found.or_else(|| match way {
        Way::In => host.default_input_device(),
        Way::Out => host.default_output_device(),
    });
    let kind = if way == Way::In { "input" } else { "output" };
    let device = device.ok_or_else(|| Fault {
        what: format!("there is no {kind} device"),
        remedy: "connect one, or start the sound server".into(),
    })?;
    let name = device
        .description()
        .map_or_else(|_| kind.to_owned(), |about| about.name().to_owned());
    let fault = |e: cpal::Error| Fault {
        what: format!("the {kind} {name} cannot be used: {e}"),
        remedy: "choose another, or close the program that uses it".into(),
    };
    let (default, ranges): (_, Vec<SupportedStreamConfigRange>) = match way {
        Way::In => (
            device.default_input_config().map_err(fault)?,
            device.supported_input_configs().map_err(fault)?.collect(),
        ),
        Way::Out => (
            device.default_output_config().map_err(fault)?,
            device.supported_output_configs().map_err(fault)?.collect(),
        ),
    };
    let rate = rate.unwrap_or(default.sample_rate());
    let best = ranges
        .into_iter()
        .filter_map(|range| Some((suitability(&range)?, range.try_with_sample_rate(rate)?)))
        .max_by_key(|(suitability, _)| *suitability)
        .map_or(default, |(_, config)| config);
    let is_pulseaudio = device
        .id()
        .is_ok_and(|id| id.host().name() == hosts::PULSEAUDIO);
    let least = if is_pulseaudio {
        least_of_pulseaudio(way)
    } else {
        0
    };
    let buffer_size = match (buffer, best.buffer_size()) {
        (_, &SupportedBufferSize::Range { min, max }) => {
            let wanted = buffer.unwrap_or(USUAL_BUFFER).max(least);
            BufferSize::Fixed(wanted.clamp(min, max))
        }
        (Some(frames), SupportedBufferSize::Unknown) => BufferSize::Fixed(frames),
        (None, SupportedBufferSize::Unknown) => BufferSize::Default,
    };
    Ok(Opened {
        config: StreamConfig {
            channels: best.channels(),
            sample_rate: best.sample_rate(),
            buffer_size,
        },
        format: best.sample_format(),
        device,
        name,
        wanted: is_wanted,
    })
}

/// Two channels of floats are best; `None` for samples we cannot read.
fn suitability(range: &SupportedStreamConfigRange) -> Option<(bool, u8, i32)> {
    let format = match range.sample_format() {
        SampleFormat::F32 => 3,
        SampleFormat::I32 => 2,
        SampleFormat::I16 => 1,
        _ => return None,
    };
    Some((range.channels() == 2, format, -i32::from(range.channels())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_of_an_output_hears_it() {
        let id = |name| DeviceId::new(HostId::Jack, name);
        assert!(is_monitor(&id("clean.monitor"), &id("clean")));
        assert!(!is_monitor(&id("voice.monitor"), &id("clean")));
        assert!(!is_monitor(&id("clean"), &id("clean")));
    }
}
