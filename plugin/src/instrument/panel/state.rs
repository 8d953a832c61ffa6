//! What is done to what the notes remember: stopped, slowed, kept in slots, put back.

use egui::{Id, Rect};
use nice_plug::prelude::{BoolParam, IntParam, Param as _};

use super::{Dial, InstrumentPanel, Sitting};
use crate::instrument::InstrumentParams;
use crate::panel::host::{Param, choice_index, choice_value};
use crate::panel::state::{RECALL, RESET_ON_START, places};
use crate::widgets::button::Button;
use crate::widgets::gesture::Edit;
use crate::widgets::segments::{self, Segment};
use crate::widgets::{slots, titled};

/// What the slots keep.
const KEPT: &str = "what the newest note remembers";

impl InstrumentPanel {
    /// The strip, with everything where the effect's panel has it.
    pub(super) fn state(&mut self, sitting: &Sitting, params: &InstrumentParams, rect: Rect) {
        self.card(sitting.ui, rect);
        let ([freeze, memory, keep, from, to, morph], [recall, reset]) = places(rect);
        let p = &params.state;
        let hint = "How far notes are kept from changing: all the way up they stay as they sound";
        self.dial(sitting, &p.freeze, small(Param::Freeze, hint), freeze);
        let hint = "How slowly notes go their way: a factor on the network's time constants";
        self.dial(sitting, &p.memory, small(Param::Memory, hint), memory);
        let bank = params.slots.bank();
        let filled = bank.as_ref().map(|bank| bank.filled());
        let wanted = slots::show(sitting.ui, keep, KEPT, filled, &self.theme);
        if let (Some(bank), Some(slot)) = (bank, wanted) {
            bank.want(slot);
        }
        self.slot(sitting, &p.from, Param::From, from);
        self.slot(sitting, &p.to, Param::To, to);
        let hint = "Where between the two slots notes begin, and are put back, while recall is on";
        self.dial(sitting, &p.morph, small(Param::Morph, hint), morph);
        self.toggle(sitting, &p.recall, Param::Recall.label(), RECALL, recall);
        let label = Param::ResetOnStart.label();
        self.toggle(sitting, &p.reset_on_start, label, RESET_ON_START, reset);
    }

    /// The choice of a slot.
    fn slot(&mut self, sitting: &Sitting, param: &IntParam, which: Param, rect: Rect) {
        let bar = titled(sitting.ui, rect, which.label(), &self.theme);
        let count = param.step_count().map_or(1, |steps| steps + 1);
        let texts: Vec<String> = (0..count)
            .map(|i| param.normalized_value_to_string(choice_value(i, count), true))
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
        let chosen = choice_index(self.value(sitting, param), count);
        let id = Id::unique(which.key());
        let chosen = segments::show(
            sitting.ui,
            id,
            bar,
            which.label(),
            &segments,
            chosen,
            &self.theme,
        );
        if let Some(i) = chosen {
            self.edit(sitting, param, Edit::step(choice_value(i, count)));
        }
    }

    /// A switch of two words: what pressing it does while it is off, and while it is on.
    pub(super) fn toggle(
        &mut self,
        sitting: &Sitting,
        param: &BoolParam,
        text: &str,
        labels: [&str; 2],
        rect: Rect,
    ) {
        let on = self.value(sitting, param) >= 0.5;
        let button = Button::toggle(text, labels, on);
        let id = Id::unique(text);
        if button.show(sitting.ui, id, rect, &self.theme).clicked() {
            let value = if on { 0.0 } else { 1.0 };
            self.edit(sitting, param, Edit::step(value));
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
