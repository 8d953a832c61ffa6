//! Colours, type and measures of the panel: one accent, two sizes of type, a grid of 8 points.

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Visuals,
};
use serde::{Deserialize, Serialize};

/// The unit of the grid, points.
pub const GRID: f32 = 8.0;

/// Radius of cards and buttons, points.
pub const RADIUS: u8 = 6;

/// Dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shade {
    /// For stages and studios.
    #[default]
    Dark,
    /// For daylight.
    Light,
}

/// The colours of a shade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theme {
    /// Which shade they are of.
    pub shade: Shade,
    /// Behind everything.
    pub ground: Color32,
    /// Cards on the ground.
    pub card: Color32,
    /// Buttons and tracks on cards.
    pub raised: Color32,
    /// Hairlines.
    pub line: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second.
    pub dim: Color32,
    /// The one colour: what the person set, and what is kept.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// What is taken away, in pictures.
    pub removed: Color32,
    /// Faults and clipping.
    pub alarm: Color32,
}

impl Theme {
    /// The theme of a shade.
    pub const fn of(shade: Shade) -> Self {
        match shade {
            Shade::Dark => Self {
                shade,
                ground: Color32::from_rgb(0x0f, 0x11, 0x13),
                card: Color32::from_rgb(0x18, 0x1b, 0x1f),
                raised: Color32::from_rgb(0x26, 0x2b, 0x31),
                line: Color32::from_rgb(0x2a, 0x2f, 0x36),
                text: Color32::from_rgb(0xec, 0xef, 0xf2),
                dim: Color32::from_rgb(0x9a, 0xa4, 0xae),
                accent: Color32::from_rgb(0x58, 0xd6, 0xc2),
                on_accent: Color32::from_rgb(0x06, 0x1f, 0x1b),
                removed: Color32::from_rgb(0x6b, 0x74, 0x7e),
                alarm: Color32::from_rgb(0xff, 0x6b, 0x5e),
            },
            Shade::Light => Self {
                shade,
                ground: Color32::from_rgb(0xea, 0xed, 0xf0),
                card: Color32::from_rgb(0xfb, 0xfc, 0xfd),
                raised: Color32::from_rgb(0xd8, 0xde, 0xe4),
                line: Color32::from_rgb(0xc6, 0xce, 0xd6),
                text: Color32::from_rgb(0x14, 0x18, 0x1c),
                dim: Color32::from_rgb(0x55, 0x5f, 0x69),
                accent: Color32::from_rgb(0x00, 0x7d, 0x70),
                on_accent: Color32::from_rgb(0xff, 0xff, 0xff),
                removed: Color32::from_rgb(0x7f, 0x8a, 0x95),
                alarm: Color32::from_rgb(0xc4, 0x2b, 0x1c),
            },
        }
    }

    /// A colour let through in part, 0 to 1.
    pub fn faded(color: Color32, opacity: f32) -> Color32 {
        color.gamma_multiply(opacity)
    }

    /// Gives egui's own widgets (menus, text fields, tooltips) the theme.
    pub fn apply(&self, ctx: &egui::Context) {
        let (mut visuals, kind) = match self.shade {
            Shade::Dark => (Visuals::dark(), egui::Theme::Dark),
            Shade::Light => (Visuals::light(), egui::Theme::Light),
        };
        visuals.panel_fill = self.ground;
        visuals.window_fill = self.card;
        visuals.window_stroke = Stroke::new(1.0, self.line);
        visuals.extreme_bg_color = self.ground;
        visuals.override_text_color = Some(self.text);
        visuals.weak_text_color = Some(self.dim);
        visuals.selection.bg_fill = Self::faded(self.accent, 0.35);
        visuals.selection.stroke = Stroke::new(1.0, self.accent);
        visuals.menu_corner_radius = CornerRadius::same(RADIUS);
        let widgets = &mut visuals.widgets;
        for state in [
            &mut widgets.inactive,
            &mut widgets.hovered,
            &mut widgets.active,
            &mut widgets.open,
        ] {
            state.corner_radius = CornerRadius::same(RADIUS);
            state.weak_bg_fill = self.raised;
            state.bg_fill = self.raised;
            state.bg_stroke = Stroke::NONE;
            state.fg_stroke = Stroke::new(1.0, self.text);
            state.expansion = 0.0;
        }
        widgets.hovered.weak_bg_fill = self.line;
        widgets.hovered.bg_stroke = Stroke::new(1.0, self.dim);
        widgets.active.bg_stroke = Stroke::new(1.0, self.accent);
        ctx.set_theme(kind);
        ctx.set_visuals_of(kind, visuals);
        ctx.style_mut_of(kind, |style| {
            for font in style.text_styles.values_mut() {
                *font = body();
            }
            style.spacing.item_spacing = egui::vec2(GRID, GRID / 2.0);
            style.spacing.button_padding = egui::vec2(GRID, GRID / 2.0);
            style.spacing.menu_margin = Margin::same(GRID as i8);
        });
    }
}

/// The small size: labels, values, menus.
pub fn body() -> FontId {
    FontId::proportional(13.0)
}

/// The large size: the numbers that are looked for.
pub fn large() -> FontId {
    FontId::proportional(22.0)
}

/// Loads the panel's font; once a context.
pub fn install_fonts(ctx: &egui::Context) {
    const NAME: &str = "Inter";
    const BYTES: &[u8] = include_bytes!("../../../assets/fonts/Inter-Medium-subset.otf");
    let mut fonts = FontDefinitions::default();
    fonts
        .font_data
        .insert(NAME.into(), FontData::from_static(BYTES).into());
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts
            .families
            .entry(family)
            .or_default()
            .insert(0, NAME.into());
    }
    ctx.set_fonts(fonts);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ratio of the relative luminances of two colours, as WCAG 2.2 defines it.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        let luminance = |c: Color32| {
            0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b()) + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    #[test]
    fn what_is_read_stands_out_from_what_is_behind_it() {
        for shade in [Shade::Dark, Shade::Light] {
            let theme = Theme::of(shade);
            for behind in [theme.ground, theme.card, theme.raised] {
                assert!(contrast(theme.text, behind) >= 7.0, "{shade:?} text");
                assert!(contrast(theme.dim, behind) >= 4.5, "{shade:?} dim");
            }
            for behind in [theme.accent, theme.alarm] {
                assert!(contrast(theme.on_accent, behind) >= 4.5, "{shade:?} on it");
            }
            assert!(contrast(theme.alarm, theme.card) >= 4.5, "{shade:?} alarm");
            // Shapes need less than letters.
            for behind in [theme.card, theme.raised] {
                assert!(contrast(theme.accent, behind) >= 3.0, "{shade:?} accent");
            }
            assert!(contrast(theme.removed, theme.card) >= 3.0, "{shade:?} gone");
        }
    }
}
