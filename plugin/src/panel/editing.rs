//! Undo, A and B, presets: what is done to all of a patch at once, and the buttons for it, for both plugins.

use egui::{Id, Key, KeyboardShortcut, Modifiers, Rect, Response, Ui};

use super::history::{Compare, History};
use super::host::Param;
use super::patch::Patch;
use super::preset_menu::{Chosen, PresetMenu};
use super::presets::{PresetError, Shelf, Side};
use super::theme::Theme;
use crate::widgets::button::{Button, Look};
use crate::widgets::gesture::Edit;
use crate::widgets::icon::Icon;

/// What a panel that is closed leaves to the next one: steps to undo, A and B, the preset.
#[derive(Debug)]
pub struct Memory<P = Param> {
    history: History<P>,
    compare: Compare,
    preset: Option<Chosen>,
}

impl<P> Default for Memory<P> {
    fn default() -> Self {
        Self {
            history: History::default(),
            compare: Compare::default(),
            preset: None,
        }
    }
}

/// See the module; `P` are the parameters of the patch.
pub(crate) struct Editing<P = Param> {
    history: History<P>,
    compare: Compare,
    presets: PresetMenu,
}

impl<P: Copy + PartialEq> Editing<P> {
    /// Nothing was done yet.
    pub(crate) fn new(side: Side) -> Self {
        Self {
            history: History::default(),
            compare: Compare::default(),
            presets: PresetMenu::new(side),
        }
    }

    /// Keeps the person's own presets there.
    pub(crate) fn set_shelf(&mut self, shelf: Shelf) {
        self.presets.set_shelf(shelf);
    }

    /// Goes on where another panel on the same values was closed.
    pub(crate) fn recall(&mut self, memory: Memory<P>) {
        self.history = memory.history;
        self.compare = memory.compare;
        self.presets.chosen = memory.preset;
    }

    /// What the next panel on the same values is to go on with.
    pub(crate) fn leave(&mut self) -> Memory<P> {
        self.history.pause();
        Memory {
            history: std::mem::take(&mut self.history),
            compare: std::mem::take(&mut self.compare),
            preset: self.presets.chosen.clone(),
        }
    }

    /// Passes an edit of a control on to the host, as part of one step of the history.
    pub(crate) fn edit<H>(&mut self, ui: &Ui, host: &mut H, param: P, edit: Edit)
    where
        H: Patch<Param = P> + ?Sized,
    {
        let typed = edit.typed.and_then(|text| host.parse(param, &text));
        let edit = typed.map_or(
            Edit {
                typed: None,
                ..edit
            },
            Edit::step,
        );
        if edit.began {
            self.history.begin(host);
            host.begin(param);
        }
        if let Some(value) = edit.value {
            host.set(param, value);
        }
        if edit.ended {
            host.end(param);
            self.history.end(host, Some(param), ui.input(|i| i.time));
        }
    }

    /// Does something to the host that is one step of the history.
    pub(crate) fn step<H>(&mut self, host: &mut H, what: impl FnOnce(&mut H))
    where
        H: Patch<Param = P> + ?Sized,
    {
        self.history.begin(host);
        what(host);
        self.history.end(host, None, 0.0);
    }

    /// Undo and redo by keys.
    pub(crate) fn shortcuts<H>(&mut self, ui: &Ui, host: &mut H)
    where
        H: Patch<Param = P> + ?Sized,
    {
        if ui.ctx().text_edit_focused() {
            return;
        }
        let again = Modifiers::COMMAND | Modifiers::SHIFT;
        let pressed = |modifiers, key| {
            ui.input_mut(|i| i.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        if pressed(again, Key::Z) || pressed(Modifiers::COMMAND, Key::Y) {
            self.history.redo(host);
        } else if pressed(Modifiers::COMMAND, Key::Z) {
            self.history.undo(host);
        }
    }

    /// A, B, and the one made like the other.
    pub(crate) fn comparison<H>(
        &mut self,
        ui: &Ui,
        host: &mut H,
        [a, b, copy]: [Rect; 3],
        theme: &Theme,
    ) where
        H: Patch<Param = P> + ?Sized,
    {
        let on_b = self.compare.on_b;
        let look = |on| if on { Look::On } else { Look::Raised };
        let press = |text, label, on, place| -> Response {
            Button::word(text, label)
                .look(look(on))
                .show(ui, Id::unique(label), place, theme)
        };
        let to_a = press("A", "Compare: A", !on_b, a).clicked() && on_b;
        let to_b = press("B", "Compare: B", on_b, b).clicked() && !on_b;
        if to_a || to_b {
            let compare = &mut self.compare;
            self.history.begin(host);
            compare.switch(host);
            self.history.end(host, None, 0.0);
        }
        let (text, label) = if on_b {
            ("B → A", "Make A like B")
        } else {
            ("A → B", "Make B like A")
        };
        let button = Button::word(text, label).look(Look::Plain);
        if button.show(ui, Id::unique("copy"), copy, theme).clicked() {
            self.compare.copy(host);
        }
    }

    /// Undo and redo.
    pub(crate) fn steps<H>(&mut self, ui: &Ui, host: &mut H, [undo, redo]: [Rect; 2], theme: &Theme)
    where
        H: Patch<Param = P> + ?Sized,
    {
        let button = Button::sign(Icon::Undo, "Undo").enabled(self.history.can_undo());
        if button.show(ui, Id::unique("undo"), undo, theme).clicked() {
            self.history.undo(host);
        }
        let button = Button::sign(Icon::Redo, "Redo").enabled(self.history.can_redo());
        if button.show(ui, Id::unique("redo"), redo, theme).clicked() {
            self.history.redo(host);
        }
    }

    /// The chooser of presets.
    pub(crate) fn presets<H>(&mut self, ui: &Ui, host: &mut H, rect: Rect, theme: &Theme)
    where
        H: Patch<Param = P> + ?Sized,
    {
        let button = self.presets.button(ui, host, rect, theme);
        match self.presets.menu(host, &button) {
            Some(Ok(chosen)) => self.choose(host, chosen),
            Some(Err(error)) => host.report(error.into()),
            None => {}
        }
    }

    /// The presets before and behind the one that is chosen.
    pub(crate) fn neighbours<H>(
        &mut self,
        ui: &Ui,
        host: &mut H,
        rect: Rect,
        back: bool,
        theme: &Theme,
    ) where
        H: Patch<Param = P> + ?Sized,
    {
        let (icon, label) = match back {
            true => (Icon::Previous, "Previous preset"),
            false => (Icon::Next, "Next preset"),
        };
        let button = Button::sign(icon, label);
        if !button.show(ui, Id::unique(label), rect, theme).clicked() {
            return;
        }
        let (chosen, error) = self.presets.neighbour(host.task(), back);
        if let Some(chosen) = chosen {
            self.choose(host, chosen);
        }
        if let Some(error) = error {
            host.report(PresetError::into(error));
        }
    }

    fn choose<H: Patch<Param = P> + ?Sized>(&mut self, host: &mut H, chosen: Chosen) {
        self.step(host, |host| chosen.preset().apply(host));
        self.presets.chosen = Some(chosen);
    }
}
