//! What is done to what the notes remember: stopped, slowed, kept in slots, put back.

use egui::{Id, Rect, Ui};
use nice_plug::prelude::{BoolParam, IntParam};

use super::{Dial, InstrumentPanel};
use crate::instrument::seated::Seated;
use crate::panel::host::{Param, choice_index, choice_value};
use crate::panel::patch::Patch as _;
use crate::panel::state::{RECALL, RESET_ON_START, places};
use crate::widgets::button::Button;
use crate::widgets::gesture::Edit;
use crate::widgets::segments::{self, Segment};
use crate::widgets::{slots, titled};

/// What the slots keep.
const KEPT: &str = "what the newest note remembers";

impl InstrumentPanel {
    /// The strip, with everything where the effect's panel has it.
    pub(super) fn state(&mut self, ui: &Ui, seated: &mut Seated, rect: Rect) {
        self.card(ui, rect);
        let ([freeze, memory, keep, from, to, morph], [recall, reset]) = places(rect);
        let p = &seated.params.state;
        let hint = "How far notes are kept from changing: all the way up they stay as they sound";
        self.dial(ui, seated, &p.freeze, small(Param::Freeze, hint), freeze);
        let hint = "How slowly notes go their way: a factor on the network's time constants";
        self.dial(ui, seated, &p.memory, small(Param::Memory, hint), memory);
        let bank = seated.params.slots.bank();
        let filled = bank.as_ref().map(|bank| bank.filled());
        let wanted = slots::show(ui, keep, KEPT, filled, &self.theme);
        if let (Some(bank), Some(slot)) = (bank, wanted) {
            bank.want(slot);
        }
        self.slot(ui, seated, &p.from, Param::From, from);
        self.slot(ui, seated, &p.to, Param::To, to);
        let hint = "Where between the two slots notes begin, and are put back, while recall is on";
        self.dial(ui, seated, &p.morph, small(Param::Morph, hint), morph);
        let label = Param::Recall.label();
        self.toggle(ui, seated, &p.recall, label, RECALL, recall);
        let label = Param::ResetOnStart.label();
        self.toggle(ui, seated, &p.reset_on_start, label, RESET_ON_START, reset);
    }

    /// The choice of a slot.
    fn slot(&mut self, ui: &Ui, seated: &mut Seated, param: &IntParam, which: Param, rect: Rect) {
        let Some(place) = seated.place(param) else {
            return;
        };
        let bar = titled(ui, rect, which.label(), &self.theme);
        let count = seated.handle(place).choices();
        let texts: Vec<String> = (0..count)
            .map(|i| seated.text(place, choice_value(i, count)))
            .collect();
        let hint = match which {
            Param::From => "The slot at the lower end of the morph",
            _ => "The slot at the upper end of the morph",
        };
        let segments: Vec<Segment> = texts
            .iter()
            .map(|text| Segment {
                text,
                note: "",
                hint,
            })
            .collect();
        let chosen = choice_index(seated.value(place), count);
        let (id, label) = (Id::unique(which.key()), which.label());
        if let Some(i) = segments::show(ui, id, bar, label, &segments, chosen, &self.theme) {
            let edit = Edit::step(choice_value(i, count));
            self.editing.edit(ui, seated, place, edit);
        }
    }

    /// A switch of two words: what pressing it does while it is off, and while it is on.
    pub(super) fn toggle(
        &mut self,
        ui: &Ui,
        seated: &mut Seated,
        param: &BoolParam,
        text: &str,
        labels: [&str; 2],
        rect: Rect,
    ) {
        let Some(place) = seated.place(param) else {
            return;
        };
        let on = seated.value(place) >= 0.5;
        let button = Button::toggle(text, labels, on);
        if button
            .show(ui, Id::unique(text), rect, &self.theme)
            .clicked()
        {
            let value = if on { 0.0 } else { 1.0 };
            self.editing.edit(ui, seated, place, Edit::step(value));
        }
    }
}

/// A knob called as on the effect's panel.
fn small(param: Param, hint: &str) -> Dial<'_> {
    Dial {
        id: param.key(),
        label: param.label(),
        big: false,
        hint,
    }
}
