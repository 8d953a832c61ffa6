//! The plugin's window, without a screen: a project remembers its size, and that it cannot be opened takes nothing from
//! the sound.

use clack_extensions::gui::{GuiApiType, GuiConfiguration, PluginGui, Window};

use crate::clap_host::Host;
use crate::clap_host::with_field;
use crate::signals::{noisy, same_bits};

/// Width and height that the window will have when it is opened.
fn size(host: &mut Host) -> (u32, u32) {
    let plugin = host.handle();
    let gui: PluginGui = plugin.get_extension().expect("it has a window");
    let size = gui.get_size(&plugin).expect("it has a size");
    (size.width, size.height)
}

/// Whether it can be opened in a window of a host on X11; it is closed again.
fn opens(host: &mut Host, parent: u32) -> bool {
    let plugin = host.handle();
    let gui: PluginGui = plugin.get_extension().expect("it has a window");
    let embedded = GuiConfiguration {
        api_type: GuiApiType::X11,
        is_floating: false,
    };
    if gui.create(&plugin, embedded).is_err() {
        return false;
    }
    let parent = Window::from_x11_handle(parent.into());
    // SAFETY: the id of a window is a number that the X server looks up; one that is not there is refused.
    let embedded = unsafe { gui.set_parent(&plugin, parent) };
    let opens = embedded.is_ok() && gui.show(&plugin).is_ok();
    gui.destroy(&plugin);
    opens
}

#[test]
fn a_project_remembers_the_size_of_its_window_within_reason() {
    let mut host = Host::new();
    assert_eq!(size(&mut host), (960, 600));
    let state = host.save();
    for (saved, shown) in [
        ((1200.0, 760.0), (1200, 760)),
        ((10.0, 1e9), (640, 2160)),
        ((f32::MAX, -1.0), (3840, 420)),
    ] {
        let json = serde_json::json!({ "width": saved.0, "height": saved.1 });
        assert!(host.load(&with_field(&state, "window", &json.to_string())));
        assert_eq!(size(&mut host), shown, "{saved:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_screen_there_is_no_window_and_the_sound_goes_on() {
    // What a program is told of its screen holds for all of it, so another one has to try.
    let this = std::env::current_exe().expect("a test knows where it is");
    let tried = std::process::Command::new(this)
        .args(["--ignored", "--exact", "window::asks_for_a_window"])
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("a test can start itself");
    let said = String::from_utf8_lossy(&tried.stdout);
    assert!(tried.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by without_a_screen_there_is_no_window_and_the_sound_goes_on"]
fn asks_for_a_window() {
    let input = noisy(2, 24_000, 21);
    let mut expected = input.clone();
    Host::activated(48_000.0, 512).run(&mut expected, &[], || 512);
    let (mut before, mut after) = (input.clone(), input);
    before
        .iter_mut()
        .for_each(|channel| channel.truncate(12_288));
    after
        .iter_mut()
        .for_each(|channel| drop(channel.drain(..12_288)));
    let mut host = Host::activated(48_000.0, 512);
    host.run(&mut before, &[], || 512);
    // Again and again, as a person would.
    for _ in 0..3 {
        assert!(!opens(&mut host, 1), "there is no screen");
    }
    host.run(&mut after, &[], || 512);
    let parts = before.into_iter().zip(after);
    let heard: Vec<_> = parts
        .map(|(before, after)| [before, after].concat())
        .collect();
    assert!(same_bits(&heard, &expected));
}
