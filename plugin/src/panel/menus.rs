//! Fields for the paths of files, and files dropped on the panel.

use std::path::PathBuf;

use egui::{Align2, Key, Rect, StrokeKind, TextEdit, Ui};

use super::Panel;
use super::dialog::Dialog;
use super::host::PanelHost;
use super::theme::{self, RADIUS, Theme};

/// What the fields for files keep between frames.
#[derive(Default)]
pub(super) struct Menus {
    /// The paths in the fields for a model's file and for an impulse response.
    file: String,
    cabinet: String,
    /// The system's dialog for either.
    pub(super) dialog: Dialog,
}

impl Menus {
    /// A field for the path of a model's file; gives it when it is to be opened.
    pub(super) fn model_file(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        path_field(ui, &mut self.file, "Path of a model file")
    }

    /// The same of an impulse response.
    pub(super) fn cabinet_file(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        path_field(ui, &mut self.cabinet, "Path of a WAV file")
    }
}

fn path_field(ui: &mut Ui, text: &mut String, hint: &str) -> Option<PathBuf> {
    let opened = ui.horizontal(|ui| {
        let field = TextEdit::singleline(text)
            .hint_text(hint)
            .desired_width(240.0);
        let field = ui.add(field);
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        entered || ui.button("Open").clicked()
    });
    // Quotes come along where a path was copied from a file manager.
    let path = text.trim().trim_matches(['"', '\'']);
    let path = (opened.inner && !path.is_empty()).then(|| PathBuf::from(path))?;
    ui.close();
    Some(path)
}

impl Panel {
    /// Plays a model or an impulse response that is dropped, and says so while a file is held over the panel.
    pub(super) fn drop_file(&mut self, ui: &Ui, host: &mut dyn PanelHost, area: Rect) {
        let (held, dropped) = ui.input(|i| {
            let dropped = i
                .raw
                .dropped_files
                .first()
                .map(|file| file.path().to_owned());
            (!i.raw.hovered_files.is_empty(), dropped)
        });
        if held {
            let painter = ui.painter();
            painter.rect_filled(area, 0, Theme::faded(self.theme.ground, 0.8));
            let edge = (2.0, self.theme.accent);
            painter.rect_stroke(area.shrink(8.0), RADIUS, edge, StrokeKind::Inside);
            let text = "Let go to play this model or impulse response";
            painter.text(
                area.center(),
                Align2::CENTER_CENTER,
                text,
                theme::large(),
                self.theme.text,
            );
        }
        if let Some(path) = dropped {
            let is_sound = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("wav"));
            self.editing.step(host, |host| match is_sound {
                true => host.load_cabinet(Some(&path)),
                false => host.load_file(&path),
            });
        }
    }
}
