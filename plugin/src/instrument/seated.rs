//! The instrument with somebody at it: its parameters and who takes what is done to them, as undo, A and B and presets see it.

use std::borrow::Cow;
use std::sync::Arc;

use nice_plug::prelude::Param;
use statewave::model::instrument::InstrumentModel;
use statewave::model::spec::Task;

use super::InstrumentParams;
use super::handle::Handle;
use super::hands::Hands;
use super::shipped;
use crate::awaited::Awaited;
use crate::fault::Fault;
use crate::panel::patch::Patch;
use crate::panel::presets::Side;

/// Where a parameter is among [`InstrumentParams::handles`].
pub type Place = usize;

/// What goes on from one look at the instrument to the next.
#[derive(Debug, Default)]
pub struct Doing {
    awaited: Awaited<Place>,
    /// What is wrong, until it is dismissed.
    fault: Option<Fault>,
}

impl Doing {
    /// What is wrong with what was done, until it is dismissed.
    pub fn fault(&self) -> Option<Fault> {
        self.fault.clone()
    }
}

/// See the module. Without hands, nothing that is done comes of it.
pub struct Seated<'a> {
    /// What is played.
    pub params: &'a InstrumentParams,
    all: Vec<(String, Handle<'a>)>,
    model: Option<Arc<InstrumentModel>>,
    hands: Option<&'a dyn Hands>,
    doing: &'a mut Doing,
}

impl<'a> Seated<'a> {
    /// At `params`, through `hands`.
    pub fn new(
        params: &'a InstrumentParams,
        hands: Option<&'a dyn Hands>,
        doing: &'a mut Doing,
    ) -> Self {
        Self {
            params,
            all: params.handles(),
            model: shipped().ok(),
            hands,
            doing,
        }
    }

    /// The place of one of the parameters.
    pub fn place(&self, param: &impl Param) -> Option<Place> {
        let pointer = param.as_ptr();
        let is_it = |(_, handle): &(String, Handle<'_>)| handle.pointer() == pointer;
        self.all.iter().position(is_it)
    }

    /// The parameter there.
    pub fn handle(&self, place: Place) -> Handle<'a> {
        self.all[place].1
    }

    /// What is wrong: with what was done here, or else with a project's slots.
    pub fn fault(&self) -> Option<Fault> {
        let own = self.doing.fault();
        own.or_else(|| self.params.slots.fault())
    }

    /// The person has read it.
    pub fn dismiss(&mut self) {
        if self.doing.fault.take().is_none() {
            self.params.slots.dismiss();
        }
    }

    /// Ends the gestures that go on: nobody will be here to do it.
    pub fn rise(&mut self) {
        for place in self.doing.awaited.held() {
            self.end(place);
        }
        self.doing.awaited = Awaited::default();
    }
}

impl Patch for Seated<'_> {
    type Param = Place;

    const SIDE: Side = Side::Instrument;

    fn params(&self) -> Vec<Place> {
        (0..self.all.len()).collect()
    }

    fn key(&self, place: Place) -> Cow<'_, str> {
        (&*self.all[place].0).into()
    }

    /// MPE is a matter of the keyboard that is there, and not of the sound.
    fn is_kept(&self, place: Place) -> bool {
        let pointer = self.handle(place).pointer();
        pointer != self.params.mpe.as_ptr() && !self.params.state.played().contains(&pointer)
    }

    /// The value now, or soon.
    fn value(&self, place: Place) -> f32 {
        let handle = self.handle(place);
        let unheard = self.params.unheard.get(handle.pointer());
        unheard.unwrap_or_else(|| self.doing.awaited.value(place, handle.value()))
    }

    fn begin(&mut self, place: Place) {
        let Some(hands) = self.hands else { return };
        self.doing.awaited.begin(place, self.value(place));
        self.handle(place).begin(hands);
    }

    fn set(&mut self, place: Place, value: f32) {
        let Some(hands) = self.hands else { return };
        let handle = self.handle(place);
        let value = handle.snapped(value);
        self.doing.awaited.set(place, value);
        // SAFETY: the notes are a field of the parameters.
        unsafe {
            let unheard = &self.params.unheard;
            unheard.note(self.params, handle.pointer(), value);
        }
        handle.set(hands, value);
    }

    fn end(&mut self, place: Place) {
        let Some(hands) = self.hands else { return };
        self.doing.awaited.end(place);
        self.handle(place).end(hands);
    }

    fn default_value(&self, place: Place) -> f32 {
        self.handle(place).default_value()
    }

    fn text(&self, place: Place, value: f32) -> String {
        self.handle(place).text(value)
    }

    fn parse(&self, place: Place, text: &str) -> Option<f32> {
        self.handle(place).parse(text)
    }

    fn plain(&self, place: Place, value: f32) -> f32 {
        self.handle(place).plain(value)
    }

    fn normalised(&self, place: Place, plain: f32) -> f32 {
        self.handle(place).normalised(plain)
    }

    fn task(&self) -> Task {
        Task::Generate
    }

    fn model(&self) -> &str {
        let model = self.model.as_ref();
        model.map_or("", |model| &model.spec().name)
    }

    fn model_sha256(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.sha256())
    }

    /// There is one, which is compiled in.
    fn recall_model(&mut self, name: &str, _: &str) {
        self.report(Fault {
            what: format!("the instruments are not those that the preset was made with, {name}"),
            remedy: "it plays those that are here; save it again to keep it so".into(),
        });
    }

    fn report(&mut self, fault: Fault) {
        self.doing.fault = Some(fault);
    }
}
