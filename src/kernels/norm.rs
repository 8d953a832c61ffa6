//! RMSNorm, plain and gated: `y = x / sqrt(mean(x²) + eps) · w`.

use super::lane::Lane;

/// Rows whose norms are worked out together.
const TILE: usize = 32;

on_path! {
    /// Normalises each of `rows` rows of `x`, `[rows][width]`, into `out` with the same layout; `weight` is `[width]`.
    ///
    /// # Panics
    /// If a slice is too short, or `width` is not a multiple of 8.
    pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32], rows: usize) = rms_norm_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn rms_norm_body<L: Lane>(
    x: &[f32],
    weight: &[f32],
    eps: f32,
    out: &mut [f32],
    rows: usize,
) {
    let width = weight.len();
    assert!(width.is_multiple_of(L::N), "width is not a multiple of 8");
    assert!(
        x.len() >= rows * width && out.len() >= rows * width,
        "rows do not fit"
    );
    // Two passes over a tile, for a row's scale comes at the end of a long chain that many rows can share the wait of.
    for first in (0..rows).step_by(TILE) {
        let mut scales = [0.0f32; TILE];
        let tile = first..rows.min(first + TILE);
        // SAFETY: the rows fit, as checked; the caller vouches for the instructions.
        unsafe {
            for (row, scale) in tile.clone().zip(&mut scales) {
                let x = x.as_ptr().add(row * width);
                let mut squares = L::splat(0.0);
                for i in (0..width).step_by(L::N) {
                    let v = L::load(x.add(i));
                    squares = v.fma(v, squares);
                }
                *scale = squares.sum();
            }
            for scale in &mut scales {
                *scale = inverse_rms(*scale, width, eps);
            }
            for (row, scale) in tile.zip(&scales) {
                let (x, out) = (
                    x.as_ptr().add(row * width),
                    out.as_mut_ptr().add(row * width),
                );
                let scale = L::splat(*scale);
                for i in (0..width).step_by(L::N) {
                    L::load(x.add(i))
                        .mul(scale)
                        .mul(L::load(weight.as_ptr().add(i)))
                        .store(out.add(i));
                }
            }
        }
    }
}

on_path! {
    /// Mamba-2's gated norm, in place: `y ← norm(y · gate) · w`, the mean taken over each of `groups` equal parts.
    ///
    /// `y` is `[rows][width]`; row r of the gate, silu(z), is at `gate[r · stride ..][..width]`; `weight` is `[width]`.
    ///
    /// # Panics
    /// If a slice is too short, or a group is not a multiple of 8 wide.
    pub fn gated_rms_norm(
        y: &mut [f32], gate: &[f32], stride: usize, weight: &[f32], groups: usize, eps: f32, rows: usize,
    ) = gated_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn gated_body<L: Lane>(
    y: &mut [f32],
    gate: &[f32],
    stride: usize,
    weight: &[f32],
    groups: usize,
    eps: f32,
    rows: usize,
) {
    if rows == 0 {
        return;
    }
    let width = weight.len();
    let part = width / groups;
    assert!(
        part * groups == width && part.is_multiple_of(L::N),
        "a group is not a multiple of 8 wide"
    );
    assert!(y.len() >= rows * width, "rows do not fit");
    assert!(
        stride >= width && gate.len() >= (rows - 1) * stride + width,
        "gate rows do not fit"
    );
    // Two passes, as above.
    for tile in (0..rows).step_by(TILE) {
        let tile = tile..rows.min(tile + TILE);
        for first in (0..width).step_by(part) {
            let mut scales = [0.0f32; TILE];
            // SAFETY: the rows fit, as checked; the caller vouches for the instructions.
            unsafe {
                for (row, scale) in tile.clone().zip(&mut scales) {
                    let y = y.as_mut_ptr().add(row * width + first);
                    let gate = gate.as_ptr().add(row * stride + first);
                    let mut squares = L::splat(0.0);
                    for i in (0..part).step_by(L::N) {
                        let v = L::load(y.add(i)).mul(L::load(gate.add(i)));
                        v.store(y.add(i));
                        squares = v.fma(v, squares);
                    }
                    *scale = squares.sum();
                }
                for scale in &mut scales {
                    *scale = inverse_rms(*scale, part, eps);
                }
                for (row, scale) in tile.clone().zip(&scales) {
                    let y = y.as_mut_ptr().add(row * width + first);
                    let weight = weight.as_ptr().add(first);
                    let scale = L::splat(*scale);
                    for i in (0..part).step_by(L::N) {
                        L::load(y.add(i))
                            .mul(scale)
                            .mul(L::load(weight.add(i)))
                            .store(y.add(i));
                    }
                }
            }
        }
    }
}

on_path! {
    /// Mamba's gate, in place: `y ← y · gate`. `y` is `[rows][width]`; row r of the gate, silu(z), is at
    /// `gate[r · stride ..]`.
    ///
    /// # Panics
    /// If a slice is too short, or `width` is not a multiple of 8.
    pub fn gate_rows(y: &mut [f32], gate: &[f32], stride: usize, width: usize, rows: usize) = gate_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn gate_body<L: Lane>(
    y: &mut [f32],
    gate: &[f32],
    stride: usize,
    width: usize,
    rows: usize,
) {
    if rows == 0 {
        return;
    }
    assert!(width.is_multiple_of(L::N), "width is not a multiple of 8");
    assert!(y.len() >= rows * width, "rows do not fit");
    assert!(
        stride >= width && gate.len() >= (rows - 1) * stride + width,
        "gate rows do not fit"
    );
    for row in 0..rows {
        for i in (0..width).step_by(L::N) {
            // SAFETY: the rows fit, as checked; the caller vouches for the instructions.
            unsafe {
                let y = y.as_mut_ptr().add(row * width + i);
                L::load(y)
                    .mul(L::load(gate.as_ptr().add(row * stride + i)))
                    .store(y);
            }
        }
    }
}

/// 1 / sqrt(mean + eps).
#[inline(always)]
fn inverse_rms(squares: f32, width: usize, eps: f32) -> f32 {
    1.0 / (squares / width as f32 + eps).sqrt()
}
