//! The app as a person has it before them: a home of its own, a window on a screen, no sound device.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use egui::accesskit::{Node, Role};
use egui::{Color32, PointerButton, Pos2, Rect, vec2};
use statewave::model::catalogue::{self, DEFAULT, Found};
use statewave_plugin::app::settings::Settings;
use statewave_plugin::panel::host::{Fault, Listed};
use statewave_plugin::panel::layout::Layout;
use statewave_plugin::panel::theme::Theme;

use crate::common::headless::Headless;
use crate::hands::Hands;
use crate::screen::Screen;

/// Longest wait for anything. Settings are written every few seconds; the rest is for machines under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// Height of the app's own line beneath the panel, points.
const STRIP: f32 = 48.0;

/// From a click to the popup it opens, on machines under load: what is typed before is lost.
const POPUP: Duration = Duration::from_secs(1);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until `look` finds something, or fails with what was waited for.
fn wait<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_or(what, look, String::new)
}

/// The same, with more to say where it fails.
fn wait_or<T>(what: &str, mut look: impl FnMut() -> Option<T>, evidence: impl Fn() -> String) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "waited in vain for {what} {}",
            evidence()
        );
        sleep(LOOK);
    }
}

/// Whether two colours are the same but for what smoothing of edges does.
fn alike(a: Color32, b: Color32) -> bool {
    let pairs = a.to_array().into_iter().zip(b.to_array());
    pairs.into_iter().all(|(a, b)| a.abs_diff(b) <= 12)
}

/// A home folder that goes with the test.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder can be made"));
        std::fs::create_dir(home.models()).expect("a folder can be made");
        std::fs::write(home.file("no-sound.conf"), "").expect("a file can be written");
        home
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where the app looks for models.
    pub fn models(&self) -> PathBuf {
        self.file("models")
    }

    /// What the menu of models lists: those in the folder, those compiled in, and those that were opened.
    fn listed(&self, opened: &[Listed]) -> Vec<Listed> {
        let files = std::fs::read_dir(self.models()).expect("the folder is there");
        let files = files.map(|file| Found::file(file.expect("it is there").path()));
        let built_in = catalogue::built_in().chain(catalogue::effects());
        let found = files.chain(built_in).chain(catalogue::continuations());
        let mut all: Vec<_> = found
            .map(|found| listed(&found))
            .chain(opened.iter().cloned())
            .collect();
        all.sort_by_key(Listed::group);
        all
    }

    /// What the app wrote last.
    pub fn settings(&self) -> Settings {
        let path = self.file("config").join("statewave").join("app.json");
        Settings::load(Some(&path)).0
    }
}

fn listed(found: &Found) -> Listed {
    Listed {
        name: found.name.clone(),
        task: found.task().ok(),
    }
}

/// The app, and the hands at its screen.
pub struct App<'a> {
    home: &'a Home,
    process: Child,
    screen: Screen,
    hands: Hands,
    window: String,
    /// Upper left corner of the window's inside, on the screen.
    origin: (i32, i32),
    size: (i32, i32),
    /// The same panel without a screen.
    twin: Headless,
    /// Models that were opened by their path, whatever came of it: the menu lists them.
    opened: Vec<Listed>,
}

impl<'a> App<'a> {
    /// Opens it and waits until it is drawn. Without a sound device it says so; that is dismissed.
    pub fn open(home: &'a Home) -> Self {
        let screen = Screen::new();
        let hands = Hands::new(&screen.name);
        // A window that comes while the manager begins may be left unmapped.
        wait("the window manager", || hands.ask(&["get_num_desktops"]));
        let nowhere = home.file("nowhere");
        let words = home.file("words");
        let told = File::create(&words).expect("a file can be made");
        let mut process = Command::new(env!("CARGO_BIN_EXE_statewave-app"))
            .env("DISPLAY", &screen.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("WINIT_X11_SCALE_FACTOR", "1")
            .env("HOME", home.file(""))
            .env("XDG_CONFIG_HOME", home.file("config"))
            .env("XDG_DATA_HOME", home.file("data"))
            .env("STATEWAVE_MODELS", home.models())
            .env("ALSA_CONFIG_PATH", home.file("no-sound.conf"))
            .env("PULSE_SERVER", format!("unix:{}", nowhere.display()))
            .env("JACK_DEFAULT_SERVER", "statewave-nowhere")
            .env("JACK_NO_START_SERVER", "1")
            .stderr(told)
            .spawn()
            .expect("the app runs");
        let said = || std::fs::read_to_string(&words);
        let look = || {
            let ended = process.try_wait().expect("it can be waited for");
            assert!(ended.is_none(), "the app ended, {ended:?}: {:?}", said());
            hands.ask(&["search", "--onlyvisible", "--name", "^Statewave$"])
        };
        let window = wait_or("the window", look, || {
            let windows = hands.ask(&["search", "--name", ""]);
            let display = &screen.name;
            format!(
                "on {display}; windows: {windows:?}; the app says: {:?}",
                said()
            )
        });
        let mut app = Self {
            home,
            process,
            screen,
            hands,
            window,
            origin: (0, 0),
            size: (0, 0),
            twin: Headless::usual(),
            opened: Vec::new(),
        };
        app.measure();
        app.hands.act(&["windowfocus", &app.window]);
        app.wait("word of the missing sound device", App::shows_fault);
        app.dismiss();
        app
    }

    /// Closes the window as its own button would, and waits for the app to end well.
    pub fn close(mut self) {
        self.hands.key("alt+F4");
        let status = wait("the end of the app", || {
            self.process.try_wait().expect("it can be waited for")
        });
        assert!(status.success(), "{status}");
    }

    /// Where the window is, and a twin of its size.
    fn measure(&mut self) {
        let geometry = wait("the window's place", || {
            self.hands
                .ask(&["getwindowgeometry", "--shell", &self.window])
        });
        let number = |name: &str| -> i32 {
            let mut values = geometry.lines().filter_map(|line| line.strip_prefix(name));
            let value = values.next().and_then(|value| value.strip_prefix('='));
            value
                .and_then(|value| value.parse().ok())
                .expect("a number")
        };
        self.origin = (number("X"), number("Y"));
        self.size = (number("WIDTH"), number("HEIGHT"));
        let panel = vec2(self.size.0 as f32, self.size.1 as f32 - STRIP);
        let mut twin = Headless::new(panel, self.home.settings().panel);
        twin.host.fault = self.twin.host.fault.take();
        twin.host.models = self.home.listed(&self.opened);
        twin.host.model = DEFAULT.into();
        twin.frame(vec![]);
        self.twin = twin;
    }

    pub fn size(&self) -> (i32, i32) {
        self.size
    }

    /// Makes the window larger or smaller.
    pub fn resize(&mut self, width: i32, height: i32) {
        let (w, h) = (width.to_string(), height.to_string());
        self.hands.act(&["windowsize", &self.window, &w, &h]);
        wait("the new size", || {
            self.measure();
            (self.size == (width, height)).then_some(())
        });
    }

    /// A point of the panel, on the screen.
    fn on_screen(&self, at: Pos2) -> (i32, i32) {
        (self.origin.0 + at.x as i32, self.origin.1 + at.y as i32)
    }

    /// Points at the control of that name.
    fn point(&mut self, label: &str) -> (i32, i32) {
        self.twin.frame(vec![]);
        let place = self.on_screen(self.twin.find(label));
        self.hands.point(place.0, place.1);
        place
    }

    pub fn click(&mut self, label: &str) {
        self.point(label);
        self.hands.press("1");
    }

    pub fn double_click(&mut self, label: &str) {
        self.point(label);
        self.hands
            .act(&["click", "--repeat", "2", "--delay", "90", "1"]);
    }

    pub fn wheel_down(&mut self, label: &str, notches: u32) {
        self.point(label);
        for _ in 0..notches {
            self.hands.act(&["click", "5"]);
        }
    }

    pub fn drag(&mut self, label: &str, right: i32, down: i32) {
        let from = self.point(label);
        self.hands.drag(from, (right, down));
    }

    /// A right click, the text, Enter.
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.point(label);
        self.hands.press("3");
        sleep(POPUP);
        self.hands.write(text);
        self.hands.key("Return");
    }

    pub fn key(&mut self, key: &str) {
        self.hands.key(key);
    }

    /// Gives the path of a model's file in the menu of models.
    pub fn open_model(&mut self, path: &Path) {
        let label = format!("Model {}", self.twin.host.model);
        self.click(&label);
        let menu = self.twin.find(&label);
        self.twin.click(menu, PointerButton::Primary);
        self.twin.frame(vec![]);
        let nodes = self.twin.nodes();
        let field = nodes.values().find(|node| node.role() == Role::TextInput);
        let bounds = field.and_then(Node::bounds).expect("a field for a path");
        let middle = Pos2::new(
            (bounds.x0 + bounds.x1) as f32 / 2.0,
            (bounds.y0 + bounds.y1) as f32 / 2.0,
        );
        let place = self.on_screen(middle);
        sleep(POPUP);
        self.hands.point(place.0, place.1);
        self.hands.press("1");
        self.hands.key("ctrl+a");
        self.hands.write(&path.display().to_string());
        self.hands.key("Return");
        self.opened.push(listed(&Found::file(path)));
        // The menu is closed; a twin without it.
        self.measure();
    }

    /// Puts the fault away that is shown.
    pub fn dismiss(&mut self) {
        self.twin.host.fault = Some(Fault {
            what: "any".into(),
            remedy: "any".into(),
        });
        self.twin.frame(vec![]);
        self.click("Dismiss");
        self.twin.host.fault = None;
        self.wait("the end of the fault", |app| !app.shows_fault());
    }

    /// Waits for the settings to be written that way.
    pub fn until(&self, what: &str, right: impl Fn(&Settings) -> bool) {
        let settings = self.comes(PATIENCE, right);
        if let Err(settings) = settings {
            panic!("waited in vain for {what}: the app has {settings:#?}");
        }
    }

    /// The same, doing it again now and then: two clicks are only one double click if the app is not busy between them.
    pub fn insist(
        &mut self,
        what: &str,
        mut act: impl FnMut(&mut Self),
        right: impl Fn(&Settings) -> bool,
    ) {
        for _ in 0..5 {
            act(self);
            if self.comes(PATIENCE / 5, &right).is_ok() {
                return;
            }
        }
        panic!("did in vain: {what}");
    }

    /// Whether the settings become right in time; what they are if not.
    fn comes(
        &self,
        patience: Duration,
        right: impl Fn(&Settings) -> bool,
    ) -> Result<(), Box<Settings>> {
        let began = Instant::now();
        loop {
            let settings = self.home.settings();
            if right(&settings) {
                return Ok(());
            }
            if began.elapsed() > patience {
                return Err(Box::new(settings));
            }
            sleep(LOOK);
        }
    }

    /// Waits for the screen to look that way.
    pub fn wait(&self, what: &str, right: impl Fn(&Self) -> bool) {
        wait(what, || right(self).then_some(()));
    }

    /// A point on nothing but the ground.
    pub fn corner(&self) -> Pos2 {
        Pos2::new(3.0, 3.0)
    }

    /// Whether a point of the panel has that colour.
    pub fn shows(&self, color: Color32, at: Pos2) -> bool {
        let (x, y) = self.on_screen(at);
        alike(self.screen.picture().at(x as usize, y as usize), color)
    }

    /// Whether there is a line for a fault, with something bright (what is wrong) above something dim (what helps).
    pub fn shows_fault(&self) -> bool {
        let area = Rect::from_min_size(Pos2::ZERO, self.twin.size);
        let line = Layout::of(area, true).fault.expect("a place for a fault");
        let theme = Theme::of(self.home.settings().panel.shade);
        let picture = self.screen.picture();
        let has = |rect: Rect, color: Color32| {
            let (left, top) = self.on_screen(rect.min);
            let (right, bottom) = self.on_screen(rect.max);
            (top..bottom)
                .any(|y| (left..right).any(|x| alike(picture.at(x as usize, y as usize), color)))
        };
        let stripe = line.with_max_x(line.left() + 4.0);
        let words = line
            .with_min_x(line.left() + 8.0)
            .with_max_x(line.right() - 48.0);
        let (above, beneath) = words.split_top_bottom_at_fraction(0.5);
        has(stripe, theme.alarm) && has(above, theme.text) && has(beneath, theme.dim)
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
