//! The system's dialog for files, in a window of its own; nobody waits for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// A dialog that may be open.
#[derive(Default)]
pub(super) struct Dialog {
    answer: Option<Receiver<PathBuf>>,
}

impl Dialog {
    /// Opens it for files of these endings; one that is open stays. Where the system has none, nothing happens: a path can
    /// always be typed.
    pub(super) fn ask(&mut self, ctx: &egui::Context, title: &str, endings: &[&str]) {
        if self.answer.is_some() {
            return;
        }
        // Made here, for some systems have it made by the thread that draws; waited for elsewhere.
        let chosen = rfd::AsyncFileDialog::new()
            .set_title(title)
            .add_filter(title, endings)
            .pick_file();
        let (told, answer) = channel();
        let ctx = ctx.clone();
        let waits = std::thread::Builder::new().name("statewave dialog".into());
        let begun = waits.spawn(move || {
            if let Some(file) = pollster::block_on(chosen) {
                let _ = told.send(file.path().to_owned());
            }
            ctx.request_repaint();
        });
        self.answer = begun.ok().map(|_| answer);
    }

    /// The file that was chosen, once.
    pub(super) fn answer(&mut self) -> Option<PathBuf> {
        let told = self.answer.as_ref()?.try_recv();
        if told != Err(TryRecvError::Empty) {
            self.answer = None;
        }
        told.ok()
    }
}
