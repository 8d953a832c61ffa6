//! A screen in memory with a window manager, and its pixels.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use egui::Color32;

/// Pixels of the screen.
const SIZE: (usize, usize) = (1440, 1000);

/// Windows lie in the corner, without a frame, and are closed by a key.
const MANAGEMENT: &str = r#"<openbox_config xmlns="http://openbox.org/3.4/rc">
<keyboard><keybind key="A-F4"><action name="Close"/></keybind></keyboard>
<applications><application class="*">
<decor>no</decor><focus>yes</focus><position force="yes"><x>0</x><y>0</y></position>
</application></applications>
</openbox_config>"#;

/// An X server that ends with this, and the window manager on it.
pub struct Screen {
    server: Child,
    manager: Child,
    /// As `$DISPLAY` has it.
    pub name: String,
    folder: tempfile::TempDir,
}

impl Screen {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        // Without -noreset it begins anew whenever its last client leaves, such as the first look at an empty screen, and
        // turns away who comes in that moment.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-dpi", "96"])
            .arg("-noreset")
            .args(["-screen", "0", &format!("{}x{}x24", SIZE.0, SIZE.1)])
            .arg("-fbdir")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb runs");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("it is piped"))
            .read_line(&mut number)
            .expect("Xvfb says which display it is");
        let name = format!(":{}", number.trim());
        let rules = folder.path().join("rc.xml");
        std::fs::write(&rules, MANAGEMENT).expect("a file can be written");
        let manager = Command::new("openbox")
            .args(["--sm-disable", "--config-file"])
            .arg(&rules)
            .env("DISPLAY", &name)
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openbox runs");
        Self {
            server,
            manager,
            name,
            folder,
        }
    }

    /// The screen as it is now.
    pub fn picture(&self) -> Picture {
        let file: PathBuf = self.folder.path().join("Xvfb_screen0");
        Picture {
            dump: std::fs::read(file).expect("Xvfb keeps its screen in a file"),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.server] {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A dump as `xwd` makes them: a header of big-endian words, a table of colours, rows of pixels.
pub struct Picture {
    dump: Vec<u8>,
}

impl Picture {
    fn word(&self, index: usize) -> usize {
        let bytes = self.dump[4 * index..4 * index + 4].try_into();
        u32::from_be_bytes(bytes.expect("four bytes")) as usize
    }

    /// The colour of a pixel.
    pub fn at(&self, x: usize, y: usize) -> Color32 {
        let (header, bits, stride, colors) =
            (self.word(0), self.word(11), self.word(12), self.word(19));
        assert_eq!((bits, self.word(7)), (32, 0), "32 bits, blue first");
        assert!(
            x < self.word(4) && y < self.word(5),
            "{x}, {y} is off the screen"
        );
        let pixel = header + 12 * colors + y * stride + 4 * x;
        let [blue, green, red] = [0, 1, 2].map(|k| self.dump[pixel + k]);
        Color32::from_rgb(red, green, blue)
    }
}
