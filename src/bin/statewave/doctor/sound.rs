//! The audio devices that cpal finds.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, Error, SupportedStreamConfig};

use super::{Report, clean};

/// The usual input and output, or a note for each that is not there.
pub fn check(report: &mut Report) {
    // ALSA writes what it does not find to the terminal; here it says so to a buffer that nobody reads.
    #[cfg(target_os = "linux")]
    let _quiet = alsa::Output::local_error_handler();
    let host = cpal::default_host();
    let input = usable(host.default_input_device(), Device::default_input_config);
    let output = usable(host.default_output_device(), Device::default_output_config);
    for (way, found) in [("input ", &input), ("output", &output)] {
        println!("audio {way}     {}", found.as_deref().unwrap_or("none"));
    }
    let missing = match (input, output) {
        (None, None) => "no audio device",
        (None, _) => "no audio input",
        (_, None) => "no audio output",
        _ => return,
    };
    let what = format!("{missing} was found; `statewave render` cleans files without one");
    report.note(&what, REMEDY);
}

/// What to do where no device answers.
const REMEDY: &str = if cfg!(target_os = "linux") {
    "plug one in, and check that `aplay -l` and `arecord -l` list it (on Debian: apt install alsa-utils); a user \
     outside the group audio may not see it; where PipeWire or PulseAudio runs: apt install pipewire-alsa or \
     libasound2-plugins"
} else {
    "plug one in, and choose it in the system's sound settings"
};

/// A device with its usual rate and channels. ALSA always names a usual device; that it answers shows that it is there.
fn usable(
    device: Option<Device>,
    config: impl Fn(&Device) -> Result<SupportedStreamConfig, Error>,
) -> Option<String> {
    let device = device?;
    let config = config(&device).ok()?;
    let name = device
        .description()
        .map_or_else(|_| "unnamed".to_string(), |d| d.name().to_string());
    Some(clean(&format!(
        "{name}: {} Hz, {} channels",
        config.sample_rate(),
        config.channels()
    )))
}
