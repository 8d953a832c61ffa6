//! How fast time runs for the states of a stream: every Δ times a factor.
//!
//! A state obeys h' = A·h + B·x, and Δ is the time between two steps. Δ·s runs it s times as fast: every time constant is 1/s
//! of its own and every resonance lies at s times its own frequency, as if the stream came at another rate. Towards s = 0
//! Ā = e^{s·ΔA} becomes 1 and B̄, which every rule of discretisation has in proportion to s there, becomes 0: the state stays
//! what it is and takes nothing in. So a memory time and a freeze are one mechanism. At s = 1 the layers run as they do
//! without it, to the bit.

/// The largest factor: a quarter of the time constants.
pub const FASTEST: f32 = 4.0;

/// What [`Layer::set_pace`](super::layer::Layer::set_pace) has worked out for a layer, or for a stack the layers' one after
/// the other: the factor on Δ, and what the layer has made of it.
#[derive(Debug, Clone, Copy)]
pub struct Pace<'a>(&'a [f32]);

impl<'a> Pace<'a> {
    /// A layer's own pace, as it was trained.
    pub const OWN: Pace<'static> = Pace(&[]);

    /// What was worked out.
    pub fn new(values: &'a [f32]) -> Pace<'a> {
        Pace(values)
    }

    /// The factor on Δ.
    pub fn scale(self) -> f32 {
        self.0.first().copied().unwrap_or(1.0)
    }

    /// Whether nothing is to be scaled.
    pub fn is_own(self) -> bool {
        self.scale() == 1.0
    }

    /// What the layer has made of it.
    pub(super) fn table(self) -> &'a [f32] {
        self.0.get(1..).unwrap_or(&[])
    }

    /// The pace of the first of several layers, `len` floats, and of the others.
    pub(crate) fn split(self, len: usize) -> (Pace<'a>, Pace<'a>) {
        let (own, rest) = self.0.split_at(len.min(self.0.len()));
        (Pace(own), Pace(rest))
    }
}

/// Scales rows of Δ.
pub(super) fn scale_deltas(pace: Pace, deltas: &mut [f32]) {
    if !pace.is_own() {
        let scale = pace.scale();
        deltas.iter_mut().for_each(|delta| *delta *= scale);
    }
}
