//! Where the values of parameters come from: from the parameters themselves, or from whoever keeps them.

use nice_plug::prelude::Param;

use crate::panel::host;

/// Gives plain values. Real-time safe.
pub(super) trait Source {
    /// That of `param`, which the panel calls `which`.
    fn of<P: Param>(&self, param: &P, which: host::Param) -> P::Plain;
}

/// The parameters' own, with a host's modulation.
pub(super) struct Own;

impl Source for Own {
    fn of<P: Param>(&self, param: &P, _: host::Param) -> P::Plain {
        param.modulated_plain_value()
    }
}

/// Normalised ones that are kept elsewhere.
pub(super) struct Kept<F>(pub F);

impl<F: Fn(host::Param) -> f32> Source for Kept<F> {
    fn of<P: Param>(&self, param: &P, which: host::Param) -> P::Plain {
        param.preview_plain((self.0)(which))
    }
}
