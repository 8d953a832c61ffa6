//! A window that cannot be opened takes nothing from the sound.

use crate::clap_host::Host;
use crate::signals::{noisy, same_bits};

#[test]
#[cfg(target_os = "linux")]
fn without_a_screen_there_is_no_window_and_the_sound_goes_on() {
    // What a program is told of its screen holds for all of it, so another one has to try.
    let this = std::env::current_exe().expect("a test knows where it is");
    let tried = std::process::Command::new(this)
        .args(["--ignored", "--exact", "no_screen::asks_for_a_window"])
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
        assert!(!host.opens_window(1), "there is no screen");
    }
    host.run(&mut after, &[], || 512);
    let parts = before.into_iter().zip(after);
    let heard: Vec<_> = parts
        .map(|(before, after)| [before, after].concat())
        .collect();
    assert!(same_bits(&heard, &expected));
}
