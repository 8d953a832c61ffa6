//! What a hand, a wheel, a key or a screen reader does to a value from 0 to 1.
//!
//! Dragging changes it (with Ctrl or Shift ten times finer), a double click resets it, the wheel and the arrows step it,
//! a right click or Enter lets a person type it.

use egui::{Event, EventFilter, Id, Key, Popup, PopupCloseBehavior, Response, TextEdit, Ui};

/// Points of dragging from one end to the other.
const FULL_DRAG_POINTS: f32 = 220.0;

/// Dragging and stepping with Ctrl or Shift held.
const FINE: f32 = 0.1;

/// One arrow key or notch of the wheel.
const STEP: f32 = 0.02;

/// Page up and page down.
const PAGE: f32 = 0.1;

/// Points of scrolling that count as a notch.
const NOTCH_POINTS: f32 = 40.0;

/// What happened to a value in this frame. A gesture may begin, set and end at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// A gesture begins.
    pub began: bool,
    /// The new value.
    pub value: Option<f32>,
    /// The gesture ends.
    pub ended: bool,
    /// What was typed, for whoever knows the unit.
    pub typed: Option<String>,
}

impl Edit {
    /// A gesture of one step.
    pub fn step(value: f32) -> Self {
        Self {
            began: true,
            value: Some(value.clamp(0.0, 1.0)),
            ended: true,
            typed: None,
        }
    }
}

/// Reads the gestures on `response`, which senses clicks and drags. `text` is the value as it is shown.
pub fn read(ui: &Ui, response: &Response, value: f32, default: f32, text: &str) -> Edit {
    if response.double_clicked() {
        return Edit::step(default);
    }
    let typed = typing(ui, response, text);
    if typed.is_some() {
        return Edit {
            typed,
            ..Edit::default()
        };
    }
    let fine = ui.input(|i| i.modifiers.command || i.modifiers.ctrl || i.modifiers.shift);
    let scale = if fine { FINE } else { 1.0 };
    let dragged = drag(ui, response, value, scale);
    if dragged != Edit::default() {
        return dragged;
    }
    let steps = keys(ui, response, scale) + wheel(ui, response, scale);
    match ends(ui, response) {
        Some(end) => Edit::step(end),
        None if steps != 0.0 => Edit::step(value + steps),
        None => set_by_reader(ui, response.id).map_or_else(Edit::default, Edit::step),
    }
}

/// Says what the control is to a screen reader.
pub fn describe(ui: &Ui, response: &Response, label: &str, value: f32, text: &str) {
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::slider(ui.is_enabled(), f64::from(value), label);
        info.current_text_value = Some(text.to_owned());
        info
    });
    ui.ctx().accesskit_node_builder(response.id, |node| {
        use egui::accesskit::Action;
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(1.0);
        node.set_numeric_value_step(f64::from(STEP));
        node.set_value(text);
        node.add_action(Action::SetValue);
        node.add_action(Action::Increment);
        node.add_action(Action::Decrement);
    });
}

fn drag(ui: &Ui, response: &Response, value: f32, scale: f32) -> Edit {
    // The value moved is our own, since the host's may lag behind or be rounded.
    let moved: Id = response.id.with("moved");
    if response.drag_started_by(egui::PointerButton::Primary) {
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(moved, value));
    }
    if response.dragged_by(egui::PointerButton::Primary) {
        let by = response.drag_delta();
        let from = ui.data(|data| data.get_temp(moved)).unwrap_or(value);
        let to = (from + (by.x - by.y) / FULL_DRAG_POINTS * scale).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(moved, to));
        return Edit {
            began: response.drag_started(),
            value: Some(to),
            ..Edit::default()
        };
    }
    if response.clicked() {
        response.request_focus();
    }
    Edit {
        ended: response.drag_stopped_by(egui::PointerButton::Primary),
        ..Edit::default()
    }
}

fn keys(ui: &Ui, response: &Response, scale: f32) -> f32 {
    use egui::accesskit::Action;
    let mut steps = ui.input(|i| {
        i.num_accesskit_action_requests(response.id, Action::Increment) as f32
            - i.num_accesskit_action_requests(response.id, Action::Decrement) as f32
    }) * STEP;
    if response.has_focus() {
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        ui.input(|i| {
            let presses = |key| i.num_presses(key) as f32;
            let up = presses(Key::ArrowUp) + presses(Key::ArrowRight);
            let down = presses(Key::ArrowDown) + presses(Key::ArrowLeft);
            steps += (up - down) * STEP * scale;
            steps += (presses(Key::PageUp) - presses(Key::PageDown)) * PAGE * scale;
        });
    }
    steps
}

/// Home and End.
fn ends(ui: &Ui, response: &Response) -> Option<f32> {
    if !response.has_focus() {
        return None;
    }
    ui.input(
        |i| match (i.key_pressed(Key::Home), i.key_pressed(Key::End)) {
            (true, _) => Some(0.0),
            (_, true) => Some(1.0),
            _ => None,
        },
    )
}

fn wheel(ui: &Ui, response: &Response, scale: f32) -> f32 {
    if !response.hovered() {
        return 0.0;
    }
    let points = ui.input(|i| {
        i.events
            .iter()
            .map(|event| match event {
                Event::MouseWheel { unit, delta, .. } => match unit {
                    egui::MouseWheelUnit::Point => delta.y / NOTCH_POINTS,
                    egui::MouseWheelUnit::Line => delta.y,
                    egui::MouseWheelUnit::Page => delta.y * PAGE / STEP,
                },
                _ => 0.0,
            })
            .sum::<f32>()
    });
    points * STEP * scale
}

fn set_by_reader(ui: &Ui, id: Id) -> Option<f32> {
    use egui::accesskit::{Action, ActionData};
    ui.input(|i| {
        i.accesskit_action_requests(id, Action::SetValue)
            .filter_map(|request| match request.data {
                Some(ActionData::NumericValue(value)) => Some(value as f32),
                _ => None,
            })
            .last()
    })
}

/// The field in which a value is typed: opens on a right click or Enter, gives the text on Enter, forgets it on Escape.
fn typing(ui: &Ui, response: &Response, text: &str) -> Option<String> {
    let (popup, field) = (response.id.with("popup"), response.id.with("field"));
    let asked = response.secondary_clicked()
        || (response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter)));
    // In the frame of the click itself the popup would take that click for one beside it, and close.
    let opens = ui
        .data_mut(|data| data.remove_temp::<bool>(popup))
        .is_some();
    if asked && !Popup::is_id_open(ui.ctx(), popup) {
        ui.data_mut(|data| data.insert_temp(popup, true));
        ui.ctx().request_repaint();
    }
    if opens {
        ui.data_mut(|data| data.insert_temp(field, text.to_owned()));
        Popup::open_id(ui.ctx(), popup);
    }
    if !Popup::is_id_open(ui.ctx(), popup) {
        return None;
    }
    let mut typed = ui
        .data(|data| data.get_temp::<String>(field))
        .unwrap_or_default();
    let mut entered = false;
    Popup::from_response(response)
        .id(popup)
        .open_memory(None)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            let mut output = TextEdit::singleline(&mut typed)
                .id(field)
                .desired_width(96.0)
                .show(ui);
            if opens {
                output.response.request_focus();
                let all = egui::text::CCursorRange::select_all(&output.galley);
                output.state.cursor.set_char_range(Some(all));
                output.state.store(ui.ctx(), field);
            }
            if output.response.lost_focus() && !opens {
                entered = ui.input(|i| i.key_pressed(Key::Enter));
                ui.close();
            }
        });
    ui.data_mut(|data| data.insert_temp(field, typed.clone()));
    if entered || !Popup::is_id_open(ui.ctx(), popup) {
        response.request_focus();
    }
    entered.then_some(typed)
}
