//! Effects on the panel: the device's knobs, what leads to it, and the cabinet behind it.

use std::path::Path;

use egui::{Align2, Id, Popup, PopupCloseBehavior, Rect, Ui, pos2, vec2};

use super::Panel;
use super::controls::KNOB_HANDS;
use super::host::{PanelHost, Param};
use super::theme::{self, GRID};
use crate::widgets::button::Button;
use crate::widgets::gesture::Edit;
use crate::widgets::knob::Knob;
use crate::widgets::segments::{self, Segment};

/// Where a file can be had that is none.
const NO_FILE: &str = "Choose a file";

impl Panel {
    /// The knobs that the model has, large, side by side or in two rows.
    pub(super) fn device(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let count = host.knobs().len();
        if count == 0 {
            let text = "a device without knobs";
            let (at, color) = (rect.center(), self.theme.dim);
            ui.painter()
                .text(at, Align2::CENTER_CENTER, text, theme::body(), color);
            return;
        }
        let rows = if count > 2 { 2 } else { 1 };
        let columns = count.div_ceil(rows);
        let cell = vec2(
            (rect.width() - GRID * (columns - 1) as f32) / columns as f32,
            (rect.height() - GRID * (rows - 1) as f32) / rows as f32,
        );
        for (i, param) in Param::KNOBS.into_iter().take(count).enumerate() {
            let (row, column) = (i / columns, i % columns);
            let corner = vec2(column as f32, row as f32) * (cell + vec2(GRID, GRID));
            let place = Rect::from_min_size(rect.min + corner, cell);
            self.device_knob(ui, host, param, i, place);
        }
    }

    /// A knob of the device: its name, range and default are the model's.
    fn device_knob(
        &mut self,
        ui: &Ui,
        host: &mut dyn PanelHost,
        param: Param,
        index: usize,
        rect: Rect,
    ) {
        let Some(own) = host.knobs().get(index) else {
            return;
        };
        let share = host.value(param);
        let knob = Knob {
            label: &own.name.clone(),
            value: share,
            default: own.share(own.default),
            origin: 0.0,
            text: &format!("{:.2}", own.at(share)),
            big: true,
            live: host.value(Param::Bypass) < 0.5,
            hint: &format!("A knob of the device, as it was learnt\n{KNOB_HANDS}"),
        };
        let (_, edit) = knob.show(ui, Id::unique(param.key()), rect, &self.theme);
        self.editing.edit(ui, host, param, edit);
    }

    /// The impulse response: which, and whether it is heard.
    pub(super) fn cabinet(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let title = pos2(rect.left(), rect.top() + GRID);
        let dim = self.theme.dim;
        ui.painter()
            .text(title, Align2::LEFT_CENTER, "Cabinet", theme::body(), dim);
        let bar = Rect::from_min_max(pos2(rect.left(), rect.top() + 2.25 * GRID), rect.max);
        let name = host.cabinet().and_then(Path::file_name);
        let name = name.map(|name| name.to_string_lossy().into_owned());
        // What is not there cannot be switched.
        let share = if name.is_some() { 0.62 } else { 1.0 };
        let file = bar.with_max_x(bar.left() + share * bar.width());
        let heard = bar.with_min_x(file.right() + GRID);
        let text = name.as_deref().unwrap_or("no impulse response");
        let label = match &name {
            Some(name) => format!("Cabinet {name}"),
            None => "Cabinet: choose an impulse response".into(),
        };
        let button =
            Button::menu(text, &label).show(ui, Id::unique("cabinet file"), file, &self.theme);
        let mut chosen = None;
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                if ui.button(NO_FILE).clicked() {
                    self.menus
                        .dialog
                        .ask(ui.ctx(), "Impulse response", &["wav"]);
                    ui.close();
                }
                let typed = self.menus.cabinet_file(ui);
                chosen = typed.map(Some);
                if name.is_some() && ui.button("Leave it away").clicked() {
                    chosen = Some(None);
                    ui.close();
                }
                ui.weak("A WAV file that holds a click as a loudspeaker answers it");
            });
        if let Some(path) = self.menus.dialog.answer() {
            chosen = Some(Some(path));
        }
        if let Some(path) = chosen {
            self.editing
                .step(host, |host| host.load_cabinet(path.as_deref()));
        }
        if name.is_none() {
            return;
        }
        let segment = |text, hint| Segment {
            text,
            note: "",
            hint,
        };
        let positions = [
            segment("Off", "The device alone"),
            segment("On", "The device through the cabinet"),
        ];
        let now = usize::from(host.value(Param::Cabinet) >= 0.5);
        let id = Id::unique(Param::Cabinet.key());
        let picked = segments::show(ui, id, heard, "Cabinet", &positions, now, &self.theme);
        if let Some(position) = picked {
            self.editing
                .edit(ui, host, Param::Cabinet, Edit::step(position as f32));
        }
    }
}
