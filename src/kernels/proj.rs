//! Dense layers: rows of activations by a packed weight matrix.
//!
//! The outputs are the lanes. Weights are packed once in panels of 16 outputs, `[M/16][K][16]`, and a block of a few
//! rows by a few panels stays in registers over all of K. Each output is one chain of fused multiply-adds over
//! k = 0..K, whatever the number of rows, so a row's result does not depend on the rows beside it.

use super::lane::Lane;
use super::simd::Aligned;

/// Outputs in a panel.
const PANEL: usize = 16;
/// Rows that stay in the first-level cache while all weights pass by.
const TILE: usize = 32;
/// Inputs between the weights in use and those that are fetched.
const AHEAD: usize = 16;

/// A weight matrix `[M, K]` and an optional bias `[M]`, packed for [`proj`].
#[derive(Debug, Clone)]
pub struct Packed {
    outputs: usize,
    inputs: usize,
    panels: Aligned,
    /// Padded to whole panels; zeros where there is no bias.
    bias: Aligned,
}

impl Packed {
    /// Packs `weight`, `[outputs, inputs]` row-major, as PyTorch's `Linear` keeps it.
    ///
    /// # Panics
    /// If a slice's length is not what the sizes say.
    pub fn new(weight: &[f32], outputs: usize, inputs: usize, bias: Option<&[f32]>) -> Packed {
        assert_eq!(
            weight.len(),
            outputs * inputs,
            "weight is not [outputs, inputs]"
        );
        let count = outputs.div_ceil(PANEL);
        let mut panels = Aligned::zeros(count * inputs * PANEL);
        for m in 0..outputs {
            for k in 0..inputs {
                panels[place(inputs, m, k)] = weight[m * inputs + k];
            }
        }
        let mut padded = Aligned::zeros(count * PANEL);
        if let Some(bias) = bias {
            assert_eq!(bias.len(), outputs, "bias is not [outputs]");
            padded[..outputs].copy_from_slice(bias);
        }
        Packed {
            outputs,
            inputs,
            panels,
            bias: padded,
        }
    }

    /// With outputs of 0 up to the next multiple of 8, so that every store is a whole vector.
    pub fn padded(mut self) -> Packed {
        self.outputs = self.outputs.next_multiple_of(8);
        self
    }

    /// M, the length of an output row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// K, the length of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// `W[m][k]`.
    ///
    /// # Panics
    /// If there is none.
    pub fn weight(&self, m: usize, k: usize) -> f32 {
        self.panels[place(self.inputs, m, k)]
    }

    /// The bias of output `m`.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn bias(&self, m: usize) -> f32 {
        self.bias[m]
    }

    /// Bytes of weight that one pass reads.
    pub fn bytes(&self) -> usize {
        4 * (self.panels.len() + self.bias.len())
    }
}

/// Where `W[m][k]` is among the panels.
fn place(inputs: usize, m: usize, k: usize) -> usize {
    (m / PANEL * inputs + k) * PANEL + m % PANEL
}

on_path! {
    /// `out[r] ← W·x[r] + bias` for each of `rows` rows; with `accumulate`, `out[r] ← out[r] + W·x[r] + bias`.
    ///
    /// Row r of the input is at `x[r · x_stride ..][..K]`, of the output at `out[r · out_stride ..][..M]`.
    ///
    /// # Panics
    /// If a row does not fit its slice or its stride.
    pub fn proj(
        w: &Packed, x: &[f32], x_stride: usize, out: &mut [f32], out_stride: usize, rows: usize, accumulate: bool,
    ) = proj_body
}

/// What the register blocks share.
#[derive(Clone, Copy)]
struct Job<'a> {
    w: &'a Packed,
    x: *const f32,
    x_stride: usize,
    out: *mut f32,
    out_stride: usize,
    accumulate: bool,
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn proj_body<L: Lane>(
    w: &Packed,
    x: &[f32],
    x_stride: usize,
    out: &mut [f32],
    out_stride: usize,
    rows: usize,
    accumulate: bool,
) {
    if rows == 0 || w.outputs == 0 {
        return;
    }
    assert!(
        x_stride >= w.inputs && x.len() >= (rows - 1) * x_stride + w.inputs,
        "input rows do not fit"
    );
    assert!(
        out_stride >= w.outputs && out.len() >= (rows - 1) * out_stride + w.outputs,
        "output rows do not fit"
    );
    let job = Job {
        w,
        x: x.as_ptr(),
        x_stride,
        out: out.as_mut_ptr(),
        out_stride,
        accumulate,
    };
    let mut row = 0;
    // SAFETY: the rows fit, as checked above; the caller vouches for the instructions.
    unsafe {
        while row + 4 <= rows {
            let end = row + TILE.min(rows - row) / 4 * 4;
            // Eight sums or more hide the latency of FMAs; lanes of sixteen come with thirty-two registers for them.
            if L::N == 16 {
                columns::<L, 4, 4>(job, row, end);
            } else {
                columns::<L, 4, 2>(job, row, end);
            }
            row = end;
        }
        match rows - row {
            3 => columns::<L, 3, 2>(job, row, rows),
            2 => columns::<L, 2, 4>(job, row, rows),
            1 => lone_row::<L>(job, row),
            _ => {}
        }
    }
}

/// All outputs of the rows `row..end`, `R` rows by `P` vectors of outputs at a time. The weights of `P` vectors are
/// read once for all rows.
///
/// # Safety
/// The rows are in the job's slices, a multiple of `R`, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn columns<L: Lane, const R: usize, const P: usize>(job: Job, row: usize, end: usize) {
    let vectors = job.w.outputs.div_ceil(L::N);
    let mut v = 0;
    // SAFETY: `v` stays within the packed panels; the rest is the caller's promise.
    unsafe {
        while v + P <= vectors {
            down::<L, R, P>(job, row, end, v);
            v += P;
        }
        if P == 4 && R == 4 && v + 1 < vectors {
            // Thirty-two registers take the two or three that are left at once, by eight rows.
            if vectors - v == 3 {
                v = rest::<L, R, 3>(job, row, end, v);
            } else {
                v = rest::<L, R, 2>(job, row, end, v);
            }
        } else if P > 2 && v + 2 <= vectors {
            down::<L, R, 2>(job, row, end, v);
            v += 2;
        }
        while v < vectors {
            // A lone vector takes twice the rows, to have as many sums to wait for.
            let mut row = row;
            while R == 4 && row + 8 <= end {
                block::<L, 8, 1>(job, row, v);
                row += 8;
            }
            down::<L, R, 1>(job, row, end, v);
            v += 1;
        }
    }
}

/// `P` vectors of outputs from `v` on, eight rows at a time and `R` of what is left; the vector behind them.
///
/// # Safety
/// As of [`columns`].
#[inline(always)]
unsafe fn rest<L: Lane, const R: usize, const P: usize>(
    job: Job,
    row: usize,
    end: usize,
    v: usize,
) -> usize {
    let mut row = row;
    // SAFETY: as the caller vouches.
    unsafe {
        while row + 8 <= end {
            block::<L, 8, P>(job, row, v);
            row += 8;
        }
        down::<L, R, P>(job, row, end, v);
    }
    v + P
}

/// `P` vectors of outputs of the rows `row..end`, `R` rows at a time.
///
/// # Safety
/// As of [`columns`].
#[inline(always)]
unsafe fn down<L: Lane, const R: usize, const P: usize>(
    job: Job,
    row: usize,
    end: usize,
    v: usize,
) {
    let mut row = row;
    // SAFETY: as the caller vouches.
    unsafe {
        // Twelve sums, two weights and an input fill sixteen registers, and load least for a product.
        if R == 4 && P == 2 && L::N == 8 {
            for _ in 0..(end - row) / 12 * 2 {
                block::<L, 6, P>(job, row, v);
                row += 6;
            }
        }
        for row in (row..end).step_by(R) {
            block::<L, R, P>(job, row, v);
        }
    }
}

/// All outputs of one row, in as few and as equal blocks of up to 12 vectors as there can be: a short block waits for
/// its own sums.
///
/// # Safety
/// The row is in the job's slices, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn lone_row<L: Lane>(job: Job, row: usize) {
    let vectors = job.w.outputs.div_ceil(L::N);
    let mut v = 0;
    while v < vectors {
        let blocks = (vectors - v).div_ceil(12);
        let count = (vectors - v).div_ceil(blocks);
        macro_rules! of_count {
            ($($p:literal)*) => {
                match count {
                    // SAFETY: `v + count` stays within the packed panels; the rest is the caller's promise.
                    $($p => unsafe { block::<L, 1, $p>(job, row, v) },)*
                    _ => unreachable!("blocks have 1 to 12 vectors"),
                }
            };
        }
        of_count!(1 2 3 4 5 6 7 8 9 10 11 12);
        v += count;
    }
}

/// Rows `row..row + R` by output vectors `v..v + P`.
///
/// # Safety
/// The rows are in the job's slices, the vectors in the packed panels, and the processor has the instructions of `L`.
#[allow(
    clippy::needless_range_loop,
    reason = "a block is rows by columns, and its indices say so"
)]
#[inline(always)]
unsafe fn block<L: Lane, const R: usize, const P: usize>(job: Job, row: usize, v: usize) {
    let Job {
        w,
        x,
        x_stride,
        out,
        out_stride,
        accumulate,
    } = job;
    // SAFETY: a vector of outputs lies in one panel, for 16 is a multiple of every lane count; the packed slices hold
    // whole panels; rows and strides are the caller's promise.
    unsafe {
        let panels = w.panels.as_ptr();
        let column: [*const f32; P] = std::array::from_fn(|p| {
            let m = (v + p) * L::N;
            panels.add(m / PANEL * w.inputs * PANEL + m % PANEL)
        });
        let bias = w.bias.as_ptr().add(v * L::N);
        let mut acc = [[L::splat(0.0); P]; R];
        for row in &mut acc {
            for (p, a) in row.iter_mut().enumerate() {
                *a = L::load(bias.add(p * L::N));
            }
        }
        let input = x.add(row * x_stride);
        macro_rules! step {
            ($k:expr) => {
                // One row reads all weights once, and waits for them more than for its sums.
                for p in 0..P {
                    if R == 1 && p % (PANEL / L::N) == 0 {
                        L::prefetch(column[p].wrapping_add(($k + AHEAD) * PANEL));
                    }
                }
                let mut weights = [L::splat(0.0); P];
                for p in 0..P {
                    weights[p] = L::load(column[p].add($k * PANEL));
                }
                for r in 0..R {
                    let u = L::splat(*input.add(r * x_stride + $k));
                    for p in 0..P {
                        acc[r][p] = u.fma(weights[p], acc[r][p]);
                    }
                }
            };
        }
        // Four steps a round: few enough rounds for the processor to foresee the last.
        let mut k = 0;
        while k + 4 <= w.inputs {
            step!(k);
            step!(k + 1);
            step!(k + 2);
            step!(k + 3);
            k += 4;
        }
        while k < w.inputs {
            step!(k);
            k += 1;
        }
        let to = out.add(row * out_stride + v * L::N);
        let left = w.outputs - v * L::N;
        // Decided once a block, so that the common case is stores alone.
        if left < P * L::N {
            for (r, sums) in acc.iter().enumerate() {
                for (p, sum) in sums.iter().enumerate() {
                    let (to, count) = (to.add(r * out_stride + p * L::N), left - p * L::N);
                    let count = count.min(L::N);
                    let sum = if accumulate {
                        L::load_first(to, count).add(*sum)
                    } else {
                        *sum
                    };
                    sum.store_first(to, count);
                }
            }
        } else {
            for (r, sums) in acc.iter().enumerate() {
                for (p, sum) in sums.iter().enumerate() {
                    let to = to.add(r * out_stride + p * L::N);
                    let sum = if accumulate {
                        L::load(to).add(*sum)
                    } else {
                        *sum
                    };
                    sum.store(to);
                }
            }
        }
    }
}
