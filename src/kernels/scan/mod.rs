//! The recurrences: S6 (Mamba), SSD (Mamba-2) and S4D.
//!
//! All three keep their states as `[E/16][N][16]`: the channels are the lanes on every path, so a stream may change its
//! path, or move to another machine, and keep its state. A channel count that is not a multiple of 16 leaves half a line
//! unused. Silence never turns into subnormal numbers: in S4D a state smaller than 1e-20 becomes exactly 0 at each step,
//! and in S6 and SSD every input is raised by 1e-18. A NaN in their states stays until the stream is reset.
//!
//! The sequential form serves streams, one step or a block at a time. [`chunked`] serves whole files on many cores:
//! reduce each chunk to its last state, carry the states along, then run each chunk from the state it was carried.

pub mod chunked;
mod s4d;
mod s4d_paced;
mod s6;
mod ssd;

pub use s4d::{S4d, s4d};
pub use s4d_paced::s4d_paced;
pub use s6::{S6, S6Rows, s6};
pub use ssd::{Ssd, ssd, ssd_gates};

use super::simd::Aligned;

/// Added to every input of a state of S6 and SSD (−360 dB), so that a state which decays, never by more than 2^-64 a step,
/// does not become a subnormal number. Flushing each state would cost these scans a sixth and a third of their time.
const FLOOR: f32 = 1e-18;

/// Channels in a line of state.
const LINE: usize = 16;

/// Floats of `[E/16][N][16]`.
fn lines_len(channels: usize, states: usize) -> usize {
    channels.next_multiple_of(LINE) * states
}

/// Packs `[channels][states]` row-major as `[E/16][N][16]`.
fn pack_lines(rows: impl Fn(usize, usize) -> f32, channels: usize, states: usize) -> Aligned {
    let mut packed = Aligned::zeros(lines_len(channels, states));
    for e in 0..channels {
        for n in 0..states {
            packed[(e / LINE * states + n) * LINE + e % LINE] = rows(e, n);
        }
    }
    packed
}

/// The length that `count` rows of `width` need, `stride` apart.
fn rows_len(count: usize, stride: usize, width: usize) -> usize {
    assert!(stride >= width, "rows overlap");
    if count == 0 {
        0
    } else {
        (count - 1) * stride + width
    }
}
