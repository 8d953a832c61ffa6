//! Buttons: a sign or a word on a rounded field.

use egui::accesskit::Role;
use egui::{Align2, Color32, Id, Painter, Rect, Response, Sense, Ui, WidgetInfo, vec2};

use super::focus_ring;
use super::icon::{self, Icon};
use crate::panel::theme::{RADIUS, Theme};

/// How a button stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Only when pointed at.
    Plain,
    /// A field behind it.
    Raised,
    /// In the accent: something is on.
    On,
    /// In the alarm colour: something runs that one should know of.
    Alarm,
}

/// What is on a button.
#[derive(Debug, Clone, Copy)]
pub enum Face<'a> {
    /// A sign; the label is its tooltip.
    Sign(Icon),
    /// A word, cut off where it does not fit.
    Word(&'a str),
    /// A word with the sign of a menu.
    Menu(&'a str),
}

/// A button.
#[derive(Debug, Clone, Copy)]
pub struct Button<'a> {
    /// What is on it.
    pub face: Face<'a>,
    /// What it does, for screen readers and tooltips.
    pub label: &'a str,
    /// Whether it can be pressed.
    pub enabled: bool,
    /// How it stands out.
    pub look: Look,
}

impl<'a> Button<'a> {
    /// A plain one with a sign.
    pub fn sign(icon: Icon, label: &'a str) -> Self {
        Self {
            face: Face::Sign(icon),
            label,
            enabled: true,
            look: Look::Plain,
        }
    }

    /// A raised one with a word.
    pub fn word(text: &'a str, label: &'a str) -> Self {
        Self {
            face: Face::Word(text),
            label,
            enabled: true,
            look: Look::Raised,
        }
    }

    /// A raised one that opens a menu.
    pub fn menu(text: &'a str, label: &'a str) -> Self {
        Self {
            face: Face::Menu(text),
            ..Self::word(text, label)
        }
    }

    /// A word that is on or off; the labels say what pressing it does while it is off, and while it is on.
    pub fn toggle(text: &'a str, labels: [&'a str; 2], on: bool) -> Self {
        let look = if on { Look::On } else { Look::Raised };
        Self::word(text, labels[usize::from(on)]).look(look)
    }

    /// The same, usable or not.
    pub fn enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    /// The same with another look.
    pub fn look(self, look: Look) -> Self {
        Self { look, ..self }
    }

    /// Draws it in `rect`.
    pub fn show(self, ui: &Ui, id: Id, rect: Rect, theme: &Theme) -> Response {
        let sense = if self.enabled {
            Sense::click()
        } else {
            Sense::hover()
        };
        let response = ui.interact(rect, id, sense);
        response.widget_info(|| match self.look {
            Look::On => WidgetInfo::selected(Role::Button, self.enabled, true, self.label),
            _ => WidgetInfo::labeled(Role::Button, self.enabled, self.label),
        });
        let hovered = response.hovered() && self.enabled;
        let fill = match self.look {
            Look::On => Some(theme.accent),
            Look::Alarm => Some(theme.alarm),
            Look::Raised if hovered => Some(theme.line),
            Look::Raised => Some(theme.raised),
            Look::Plain if hovered => Some(theme.raised),
            Look::Plain => None,
        };
        if let Some(fill) = fill {
            ui.painter().rect_filled(rect, RADIUS, fill);
        }
        let ink = match self.look {
            Look::On | Look::Alarm => theme.on_accent,
            _ if self.enabled => theme.text,
            _ => Theme::faded(theme.dim, 0.5),
        };
        let painter = ui.painter_at(rect);
        match self.face {
            Face::Sign(icon) => icon::paint(&painter, icon, rect.center(), ink),
            Face::Word(text) => word(&painter, rect, text, ink),
            Face::Menu(text) => {
                word(&painter, rect.with_max_x(rect.right() - 20.0), text, ink);
                let sign = rect.right_center() - vec2(13.0, 0.0);
                icon::paint(&painter, Icon::Down, sign, theme.dim);
            }
        }
        focus_ring(ui, &response, rect, theme);
        response.on_hover_text(self.label)
    }
}

/// A word in the middle of `rect`.
fn word(painter: &Painter, rect: Rect, text: &str, ink: Color32) {
    let galley = super::one_line(painter, text, rect.width() - 8.0, ink);
    let place = Align2::CENTER_CENTER.anchor_size(rect.center(), galley.size());
    painter.galley(place.min, galley, ink);
}
