//! The word for who runs the model, in the footer: its tooltip says on what and how well, its menu has others to choose.

use egui::{
    Align2, Id, Popup, PopupCloseBehavior, Pos2, Rect, Response, Sense, Ui, WidgetInfo, vec2,
};
use statewave::engine::Player;

use super::Panel;
use super::host::PanelHost;
use super::theme;
use crate::engine::{EngineChoice, EngineKind, word, words};
use crate::widgets::focus_ring;

impl Panel {
    /// Draws who plays and what it costs this processor, with its right end at `right`; gives the place it takes.
    pub(super) fn engine(&mut self, ui: &Ui, host: &mut dyn PanelHost, right: Pos2) -> Rect {
        let report = self.scope.last.map(|last| last.engine).unwrap_or_default();
        let load = format!("{:.1} %", 100.0 * self.scope.load);
        let text = match report.player {
            Player::Cpu => format!("CPU {load}"),
            player => format!("{}, CPU {load}", word(player)),
        };
        let color = match report.player {
            Player::Cpu => self.theme.dim,
            Player::HandingOver | Player::Gpu => self.theme.accent,
        };
        let painter = ui.painter();
        let drawn = painter.text(right, Align2::RIGHT_CENTER, text, theme::body(), color);
        let place = drawn.expand2(vec2(6.0, 4.0));
        let said = words(host.engine(), &report);
        let response = ui.interact(place, Id::unique("engine"), Sense::click());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(egui::Role::Button, true, "Engine");
            info.current_text_value = Some(said.clone());
            info
        });
        focus_ring(ui, &response, place, &self.theme);
        if response.clicked() && host.engine().adapters.is_empty() {
            host.find_adapters();
        }
        menu(host, &response);
        response.on_hover_text(said);
        drawn
    }
}

/// The processor, the best GPU, each adapter by its name, and whether power is to be saved.
fn menu(host: &mut dyn PanelHost, button: &Response) {
    let status = host.engine();
    let now = &status.choice;
    let mut chosen: Option<EngineChoice> = None;
    Popup::menu(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            let mut row = |ui: &mut Ui, text: &str, choice: EngineChoice| {
                let same = choice.kind == now.kind
                    && (choice.kind == EngineKind::Cpu || choice.adapter == now.adapter);
                if ui.selectable_label(same, text).clicked() {
                    chosen = Some(choice);
                    ui.close();
                }
            };
            row(ui, "CPU", EngineChoice::default());
            let named = |name: Option<&String>| EngineChoice {
                awake: now.awake,
                room_ms: now.room_ms,
                ..EngineChoice::gpu(name.cloned())
            };
            let best = EngineChoice {
                low_power: now.low_power,
                ..named(None)
            };
            row(ui, "GPU", best);
            for name in &status.adapters {
                row(ui, name, named(Some(name)));
            }
            // A project may name an adapter that is not here.
            if let Some(name) = now
                .adapter
                .as_ref()
                .filter(|name| !status.adapters.contains(name))
            {
                row(ui, name, named(Some(name)));
            }
            ui.separator();
            let (mut low_power, mut awake) = (now.low_power, now.awake);
            if ui.checkbox(&mut low_power, "Save power").clicked() {
                chosen = Some(EngineChoice {
                    low_power,
                    ..named(None)
                });
            }
            let stay = ui.checkbox(&mut awake, "Stay awake");
            let said = "Waits for frames without sleeping: takes a core, for systems whose sleeps last too long";
            if stay.on_hover_text(said).clicked() {
                chosen = Some(EngineChoice {
                    awake,
                    kind: EngineKind::Gpu,
                    ..now.clone()
                });
            }
            let said = "More latency, for systems that stand still at times";
            ui.label("Room for late frames").on_hover_text(said);
            ui.horizontal(|ui| {
                for room_ms in EngineChoice::ROOMS_MS {
                    let text = format!("{room_ms} ms");
                    if ui.selectable_label(now.room_ms == room_ms, text).clicked() {
                        chosen = Some(EngineChoice {
                            room_ms,
                            kind: EngineKind::Gpu,
                            ..now.clone()
                        });
                    }
                }
            });
        });
    if let Some(choice) = chosen {
        host.choose_engine(choice);
    }
}
