//! FiLM (Perez et al. 2018): rows scaled and moved, channel by channel, by what a condition says. Both run in straight lines
//! from step to step, so that a knob which is turned is heard as a turn.

use super::lane::Lane;

/// Parts of a slot: scale, offset, and what each gains with every step.
pub const PARTS: usize = 4;

on_path! {
    /// `y[r] ← scale · y[r] + offset` for rows `[batch][time]`, `stride` apart and `width` long, with `scale += scale_step`
    /// and `offset += offset_step` behind every step; `slot` is `[PARTS][width]`, and goes on from where it is.
    ///
    /// # Panics
    /// If `width` is not a multiple of 8, or a slice is too short.
    pub fn film(slot: &mut [f32], y: &mut [f32], stride: usize, width: usize, batch: usize, time: usize) = body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn body<L: Lane>(
    slot: &mut [f32],
    y: &mut [f32],
    stride: usize,
    width: usize,
    batch: usize,
    time: usize,
) {
    assert!(
        width.is_multiple_of(L::N),
        "the width is not a multiple of 8"
    );
    assert!(slot.len() >= PARTS * width, "the slot is too short");
    let rows = batch * time;
    assert!(
        stride >= width && (rows == 0 || y.len() >= (rows - 1) * stride + width),
        "rows do not fit"
    );
    let (slot, y) = (slot.as_mut_ptr(), y.as_mut_ptr());
    for e in (0..width).step_by(L::N) {
        // SAFETY: vectors of whole lanes end at `width`, which fits every part and every row, as asserted; the caller
        // vouches for the instructions.
        unsafe {
            let part = |i: usize| slot.add(i * width + e);
            let (scale_step, offset_step) = (L::load(part(2)), L::load(part(3)));
            let start = (L::load(part(0)), L::load(part(1)));
            let mut end = start;
            for stream in 0..batch {
                let (mut scale, mut offset) = start;
                for t in 0..time {
                    let at = y.add((stream * time + t) * stride + e);
                    scale.fma(L::load(at), offset).store(at);
                    scale = scale.add(scale_step);
                    offset = offset.add(offset_step);
                }
                end = (scale, offset);
            }
            end.0.store(part(0));
            end.1.store(part(1));
        }
    }
}
