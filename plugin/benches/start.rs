//! How long one waits: for an instance of the plugin to be ready, and for the app's window to be drawn.
//!
//!     cargo bench -p statewave-plugin --bench start
//!
//! Ready: made, activated, and through its first block of 64 samples. The first instance reads, verifies and packs the
//! model; later ones of a process share it. Drawn: from the start of the program until the panel's ground is on the
//! screen, an X server in memory with a window manager (Debian's xvfb and openbox), which draws on the processor.

#[path = "../tests/host/clap_host.rs"]
#[allow(dead_code)]
mod clap_host;
#[path = "../tests/window/screen.rs"]
#[allow(dead_code)]
mod screen;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap_host::Host;
use screen::Screen;
use statewave_plugin::panel::theme::{Shade, Theme};

const RUNS: usize = 11;

/// Between two looks at the screen.
const LOOK: Duration = Duration::from_millis(5);

/// For the window manager to be there.
const SETTLED: Duration = Duration::from_secs(2);

/// Longest wait for a window.
const PATIENCE: Duration = Duration::from_secs(60);

/// A point of the window, which lies in the screen's corner, on nothing but the ground.
const GROUND: (usize, usize) = (3, 3);

fn ready() -> Duration {
    let began = Instant::now();
    let mut host = Host::activated(48_000.0, 64);
    host.run(&mut [vec![0.1; 64], vec![0.1; 64]], &[], || 64);
    began.elapsed()
}

/// A program that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Until the window of a fresh start is drawn; `None` if that does not happen.
fn drawn(screen: &Screen, home: &Path) -> Option<Duration> {
    let is_drawn = || {
        let (x, y) = GROUND;
        screen.picture().at(x, y) == Theme::of(Shade::Dark).ground
    };
    let gone = Instant::now();
    while is_drawn() && gone.elapsed() < PATIENCE {
        sleep(LOOK);
    }
    let began = Instant::now();
    let process = Command::new(env!("CARGO_BIN_EXE_statewave-app"))
        .env("DISPLAY", &screen.name)
        .env_remove("WAYLAND_DISPLAY")
        .env("WINIT_X11_SCALE_FACTOR", "1")
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .stderr(Stdio::null())
        .spawn()
        .expect("the app runs");
    let _running = Running(process);
    while began.elapsed() < PATIENCE {
        if is_drawn() {
            return Some(began.elapsed());
        }
        sleep(LOOK);
    }
    None
}

fn milliseconds(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
    format!(
        "{} | {}",
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1])
    )
}

fn main() {
    println!("| from | to | median, ms | longest, ms |\n|---|---|---|---|");
    // Each one is gone before the next is made, so that each reads the model.
    let alone = (0..RUNS).map(|_| ready()).collect();
    println!("| no instance | ready | {} |", milliseconds(alone));
    let _other = Host::activated(48_000.0, 64);
    let further = (0..RUNS).map(|_| ready()).collect();
    println!("| another instance | ready | {} |", milliseconds(further));
    let screen = Screen::new();
    let home = tempfile::tempdir().expect("a folder can be made");
    sleep(SETTLED);
    let times: Option<Vec<_>> = (0..RUNS).map(|_| drawn(&screen, home.path())).collect();
    let times = times.expect("the window is drawn");
    println!(
        "| the app's start | window drawn | {} |",
        milliseconds(times)
    );
}
