//! The plugins' windows on a screen: drawn into a window of the host's while sound flows, gone when they are closed.
//! `cargo xtask window` runs it.

use std::collections::HashSet;
use std::process::Command;
use std::time::{Duration, Instant};

use clack_extensions::gui::{GuiApiType, GuiConfiguration, PluginGui, Window};
use clack_host::events::event_types::NoteOnEvent;
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use nice_plug::prelude::ClapPlugin;
use statewave_plugin::{Statewave, StatewaveInstrument};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, ImageFormat, WindowClass};
use x11rb::rust_connection::RustConnection;

use crate::clap_host::Host;
use crate::screen::Screen;
use crate::signals::{noisy, same_bits};

/// Samples a block.
const BLOCK: usize = 512;

/// Longest wait for a window to be drawn or gone: machines under load draw without a graphics card.
const PATIENCE: Duration = Duration::from_secs(60);

/// Colours from which a picture is one of a panel: text alone has dozens of shades.
const COLOURS: usize = 24;

#[test]
#[ignore = "it needs Xvfb and openbox: cargo xtask window"]
fn both_plugins_draw_their_windows_three_times_while_sound_flows() {
    let screen = Screen::new();
    // What a program is told of its screen holds for all of it, so another one has to draw.
    let this = std::env::current_exe().expect("a test knows where it is");
    let shown = Command::new(this)
        .args(["--ignored", "--exact", "window_shown::draws_three_times"])
        .env("DISPLAY", &screen.name)
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("a test can start itself");
    let said = String::from_utf8_lossy(&shown.stdout);
    let faults = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success(), "{said}{faults}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by both_plugins_draw_their_windows_three_times_while_sound_flows"]
fn draws_three_times() {
    shown_three_times(Statewave::CLAP_ID, Stream::of_effect);
    shown_three_times(StatewaveInstrument::CLAP_ID, Stream::of_instrument);
}

/// The sound is that of a host that never opens a window, and the screen is as it was when the window is closed.
fn shown_three_times(id: &str, stream: fn(Host) -> Stream) {
    let started = || {
        let mut host = Host::of(id);
        host.activate(48_000.0, BLOCK as u32);
        stream(host)
    };
    let mut parent = Parent::new();
    let mut playing = started();
    assert_eq!(parent.colours(), 1, "{id}: nothing is drawn before");
    for time in 1..=3 {
        let gui = open(&mut playing.host, parent.window);
        playing.until(&format!("{id}: drawn, time {time}"), || {
            parent.colours() >= COLOURS
        });
        gui.destroy(&playing.host.handle());
        playing.until(&format!("{id}: gone, time {time}"), || {
            parent.is_empty() && parent.colours() == 1
        });
    }
    let mut alone = started();
    while alone.heard.len() < playing.heard.len() {
        alone.block();
    }
    assert!(same_bits(&[playing.heard], &[alone.heard]), "{id}");
}

/// In the host's window, as a host does.
fn open(host: &mut Host, parent: u32) -> PluginGui {
    let plugin = host.handle();
    let gui: PluginGui = plugin.get_extension().expect("it has a window");
    let embedded = GuiConfiguration {
        api_type: GuiApiType::X11,
        is_floating: false,
    };
    assert!(gui.is_api_supported(&plugin, embedded));
    gui.create(&plugin, embedded).expect("it can be made");
    let parent = Window::from_x11_handle(parent.into());
    // SAFETY: the parent is closed when the test ends, long after the plugin's window.
    unsafe { gui.set_parent(&plugin, parent) }.expect("it can be embedded");
    gui.show(&plugin).expect("it can be shown");
    gui
}

/// A host that plays on, at the pace of its sound.
struct Stream {
    host: Host,
    /// What comes in; empty for an instrument, which holds a note.
    input: Vec<f32>,
    heard: Vec<f32>,
}

impl Stream {
    fn of_effect(host: Host) -> Self {
        Self {
            host,
            input: noisy(1, 100 * BLOCK, 23).remove(0),
            heard: Vec::new(),
        }
    }

    fn of_instrument(host: Host) -> Self {
        Self {
            host,
            input: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn block(&mut self) {
        let at = self.heard.len();
        let (mut left, mut right) = (vec![0.0; BLOCK], vec![0.0; BLOCK]);
        if self.input.is_empty() {
            let mut events = EventBuffer::new();
            if at == 0 {
                events.push(&NoteOnEvent::new(
                    5,
                    Pckn::new(0u16, 0u16, 57u16, 1u32),
                    0.8,
                ));
            }
            self.host.play(&mut left, &mut right, &events);
        } else {
            let at = at % self.input.len();
            left.copy_from_slice(&self.input[at..at + BLOCK]);
            right.copy_from_slice(&left);
            self.host.process(&mut [&mut left, &mut right], &[]);
        }
        self.heard.extend_from_slice(&left);
    }

    fn until(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
            self.block();
            self.host.main_thread();
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A window of the host's own, in the screen's corner.
struct Parent {
    server: RustConnection,
    root: u32,
    window: u32,
}

/// Points, as the plugins' windows have at first.
const SIZE: (u16, u16) = (960, 600);

impl Parent {
    fn new() -> Self {
        let (server, screen) = x11rb::connect(None).expect("there is a screen");
        let screen = &server.setup().roots[screen];
        let (root, black) = (screen.root, screen.black_pixel);
        let window = server.generate_id().expect("there are ids left");
        // No window manager moves it or puts a frame around it.
        let looks = CreateWindowAux::new()
            .background_pixel(black)
            .override_redirect(1);
        let (width, height) = SIZE;
        server
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                root,
                0,
                0,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &looks,
            )
            .expect("the server listens");
        let shown = server.map_window(window).expect("the server listens");
        shown.check().expect("it is shown");
        Self {
            server,
            root,
            window,
        }
    }

    /// How many colours there are where the window is, on the screen.
    fn colours(&self) -> usize {
        let (width, height) = SIZE;
        let image = self
            .server
            .get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, !0)
            .expect("the server listens")
            .reply()
            .expect("it is on the screen");
        let pixels = image.data.chunks_exact(4);
        pixels
            .map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect::<HashSet<_>>()
            .len()
    }

    /// Whether no window is within it.
    fn is_empty(&mut self) -> bool {
        let tree = self.server.query_tree(self.window);
        let tree = tree.expect("the server listens").reply();
        tree.expect("it is there").children.is_empty()
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // Where the server has gone there is nothing left to close.
        let _ = self.server.destroy_window(self.window);
        let _ = self.server.flush();
    }
}
