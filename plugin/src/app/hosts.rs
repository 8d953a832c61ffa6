//! The sound systems that devices belong to: the machine's own, and JACK beside it where its server answers.
//!
//! JACK's library is loaded while the app runs, so a machine without it only lacks JACK's two devices. Devices of other
//! systems, such as ALSA's beneath a sound server, are not listed, but found by their ids.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cpal::traits::HostTrait;
use cpal::{Device, DeviceId, Host, HostId};
use parking_lot::Mutex;

/// What cpal calls PulseAudio.
pub const PULSEAUDIO: &str = "PulseAudio";

/// That JACK is there counts for so long: asking makes clients, which patchbays show for a moment.
const KNOWN: Duration = Duration::from_secs(30);

/// The way to the sound server, while it answers. Each way that is made stays with the server until the app ends, and it
/// takes 64 of them.
static SERVER: Mutex<Option<Arc<Host>>> = Mutex::new(None);

/// When JACK answered last, if it did when it was asked last.
static ANSWERED: Mutex<Option<Instant>> = Mutex::new(None);

/// The device of an id, whatever system it belongs to.
pub fn device(id: &DeviceId) -> Option<Device> {
    match id.host() {
        HostId::Jack => jack()?.device_by_id(id),
        other => {
            let system = system();
            if system.id() == other {
                return system.device_by_id(id);
            }
            cpal::host_from_id(other).ok()?.device_by_id(id)
        }
    }
}

/// The machine's own: its sound server, or what is beneath where there is none.
pub fn system() -> Arc<Host> {
    let mut server = SERVER.lock();
    let answers = |host: &&Arc<Host>| host.output_devices().is_ok();
    if let Some(host) = server.as_ref().filter(answers) {
        return Arc::clone(host);
    }
    let host = Arc::new(cpal::default_host());
    *server = (host.id().name() == PULSEAUDIO).then(|| Arc::clone(&host));
    host
}

/// JACK, where its server answers.
pub fn jack() -> Option<Host> {
    let host = cpal::host_from_id(HostId::Jack).ok();
    // Its devices are made by asking the server: without one there are none.
    let host = host.filter(|host| host.devices().is_ok_and(|mut all| all.next().is_some()));
    *ANSWERED.lock() = host.as_ref().map(|_| Instant::now());
    host
}

/// A stream of JACK's runs, so its server need not be asked. Asking takes it a cycle, which is heard.
pub fn jack_runs() {
    *ANSWERED.lock() = Some(Instant::now());
}

/// Whether JACK's server answers, or did of late.
pub fn has_jack() -> bool {
    let of_late = ANSWERED.lock().is_some_and(|then| then.elapsed() < KNOWN);
    of_late || jack().is_some()
}
