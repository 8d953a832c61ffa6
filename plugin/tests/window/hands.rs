//! Pointer and keys, through xdotool.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Between two movements: the app is to see each of them in a frame of its own.
const PAUSE: Duration = Duration::from_millis(60);

/// The hands at one screen.
pub struct Hands {
    display: String,
}

impl Hands {
    pub fn new(display: &str) -> Self {
        Self {
            display: display.into(),
        }
    }

    /// What xdotool prints, if it finds what it looks for.
    pub fn ask(&self, words: &[&str]) -> Option<String> {
        let output = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.display)
            .output()
            .expect("xdotool runs");
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !said.is_empty()).then_some(said)
    }

    /// Does it, and gives the app a moment.
    pub fn act(&self, words: &[&str]) {
        let done = Command::new("xdotool")
            .args(words)
            .env("DISPLAY", &self.display)
            .status()
            .expect("xdotool runs");
        assert!(done.success(), "xdotool {}", words.join(" "));
        sleep(PAUSE);
    }

    pub fn point(&self, x: i32, y: i32) {
        self.act(&["mousemove", &x.to_string(), &y.to_string()]);
    }

    pub fn press(&self, button: &str) {
        self.act(&["mousedown", button]);
        self.act(&["mouseup", button]);
    }

    /// With the first button held, in steps, as a hand moves.
    pub fn drag(&self, from: (i32, i32), by: (i32, i32)) {
        const STEPS: i32 = 10;
        self.point(from.0, from.1);
        self.act(&["mousedown", "1"]);
        for step in 1..=STEPS {
            self.point(from.0 + by.0 * step / STEPS, from.1 + by.1 * step / STEPS);
        }
        self.act(&["mouseup", "1"]);
    }

    pub fn write(&self, text: &str) {
        self.act(&["type", "--delay", "20", text]);
    }

    pub fn key(&self, key: &str) {
        self.act(&["key", key]);
    }
}
