//! The kernels of `shaders/` with their weights: each makes the steps of a recording.

mod conv;
mod deltas;
mod link;
mod proj;
mod resample;
mod scan;
mod states;
mod stft;

pub use conv::{Conv, ConvBuffers, conv, source as conv_source};
pub use deltas::{deltas, deltas_source};
pub use link::{link, link_source};
pub use proj::{
    Activation, Around, Gate, MAP_BYTES, MAP_LAYOUT, Maps, Place, Strides, proj,
    source as proj_source,
};
pub use resample::{PLACES, Resample, resample, resample_source};
pub use scan::{
    CHUNK, S4dScan, S6Scan, ScanBuffers, SsdScan, chunk_of, most_chunks, s4d, s4d_source, s6,
    s6_source, ssd, ssd_source,
};
pub use states::{StatePart, states, states_source};
pub use stft::{Stft, StftBuffers, stft, stft_bytes, stft_source};

use super::record::{Dispatch, Groups, Run};

/// Most workgroups that a dispatch may have in one direction.
pub const MOST_GROUPS: usize = 65_535;

/// Which workgroups a step has for a run.
type Shape = Box<dyn Fn(Run) -> Groups + Send + Sync>;

/// A dispatch of a recording, and how many workgroups it has.
pub struct Step {
    dispatch: Dispatch,
    shape: Shape,
}

impl Step {
    /// `dispatch` with as many workgroups as `shape` says.
    pub fn new(dispatch: Dispatch, shape: impl Fn(Run) -> Groups + Send + Sync + 'static) -> Step {
        Step {
            dispatch,
            shape: Box::new(shape),
        }
    }

    /// What to encode for `run`, if there is anything to do.
    pub fn for_run(&self, run: Run) -> Option<(&Dispatch, Groups)> {
        let groups = (self.shape)(run);
        (!groups.contains(&0)).then_some((&self.dispatch, groups))
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.dispatch.fmt(f)
    }
}
