//! `shaders/proj.wgsl`: many linear maps in one dispatch, with the norms and gates of a Mamba block around them.

use std::mem::offset_of;

use wgpu::Buffer;

use super::Step;
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};

/// Rows and outputs of a workgroup's tile.
const TILE: usize = 64;

/// Where a map's first row and first output are, in floats.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Of the input.
    pub x: usize,
    /// Of the input, times the rows of a run.
    pub x_time: usize,
    /// Of the output.
    pub out: usize,
    /// Of the output, times the rows of a run.
    pub out_time: usize,
}

/// The twin of `Map` in the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Entry {
    x: u32,
    x_time: u32,
    weight: u32,
    bias: u32,
    out: u32,
    out_time: u32,
    k: u32,
    m: u32,
}

/// Bytes of a map in the shader's table.
pub const MAP_BYTES: u32 = size_of::<Entry>() as u32;

/// What a map in the shader's table is made of, and where, in bytes.
pub const MAP_LAYOUT: [(&str, u32); 8] = [
    ("x", offset_of!(Entry, x) as u32),
    ("x_time", offset_of!(Entry, x_time) as u32),
    ("weight", offset_of!(Entry, weight) as u32),
    ("bias", offset_of!(Entry, bias) as u32),
    ("out", offset_of!(Entry, out) as u32),
    ("out_time", offset_of!(Entry, out_time) as u32),
    ("k", offset_of!(Entry, k) as u32),
    ("m", offset_of!(Entry, m) as u32),
];

/// Weight matrices and biases, packed for the shader.
#[derive(Debug, Default)]
pub struct Maps {
    entries: Vec<Entry>,
    /// `[k][m rounded up to 4]` each.
    weights: Vec<f32>,
    biases: Vec<f32>,
    most_outputs: usize,
}

impl Maps {
    /// None yet.
    pub fn new() -> Maps {
        Maps::default()
    }

    /// With a map of `outputs` by `inputs`, its element (m, k) given by `weight` and its bias by `bias`.
    pub fn with(
        mut self,
        place: Place,
        (outputs, inputs): (usize, usize),
        weight: impl Fn(usize, usize) -> f32,
        bias: impl Fn(usize) -> f32,
    ) -> Maps {
        self.entries.push(Entry {
            x: place.x as u32,
            x_time: place.x_time as u32,
            weight: (self.weights.len() / 4) as u32,
            bias: self.biases.len() as u32,
            out: place.out as u32,
            out_time: place.out_time as u32,
            k: inputs as u32,
            m: outputs as u32,
        });
        for k in 0..inputs {
            self.weights.extend((0..outputs).map(|m| weight(m, k)));
            self.weights
                .resize(self.weights.len().next_multiple_of(4), 0.0);
        }
        self.biases.extend((0..outputs).map(bias));
        self.most_outputs = self.most_outputs.max(outputs);
        self
    }
}

/// Floats from one row, input or output to the next.
#[derive(Debug, Clone, Copy)]
pub struct Strides {
    /// From row to row of the input.
    pub x_row: usize,
    /// From input to input of a row.
    pub x_k: usize,
    /// The same, times the rows of a run, to be added.
    pub x_k_time: usize,
    /// From row to row of the output.
    pub out_row: usize,
    /// From output to output of a row.
    pub out_m: usize,
    /// The same, times the rows of a run, to be added.
    pub out_m_time: usize,
}

impl Strides {
    /// Rows whose inputs, and whose outputs, lie next to each other.
    pub fn rows(x_row: usize, out_row: usize) -> Strides {
        Strides {
            x_row,
            x_k: 1,
            x_k_time: 0,
            out_row,
            out_m: 1,
            out_m_time: 0,
        }
    }
}

/// What is done to an output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// SiLU.
    Silu,
    /// ln(1 + e^x).
    Softplus,
}

/// What a gate's values do; each names the first float, and the floats from row to row.
#[derive(Debug, Clone, Copy)]
pub enum Gate {
    /// x ← x · silu(gate), before the norm.
    Input {
        /// First float.
        at: usize,
        /// From row to row.
        row: usize,
    },
    /// out ← out · gate; the map's `out` is added to `at`.
    Output {
        /// First float.
        at: usize,
        /// From row to row.
        row: usize,
        /// From output to output, times the rows of a run.
        m_time: usize,
    },
    /// out ← out · gate\[row\], before the bias.
    Rows,
}

/// What stands around the maps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    /// Divide each row by its root mean square, this added to the mean. The norm's weights belong in the maps.
    pub norm_eps: Option<f32>,
    /// A gate.
    pub gate: Option<Gate>,
    /// On the outputs.
    pub activation: Activation,
    /// Add to what is there.
    pub accumulate: bool,
}

/// The source for `strides` and `around`.
pub fn source(strides: Strides, around: Around) -> Source {
    let (gate_at, gate_row, gate_m_time) = match around.gate {
        Some(Gate::Input { at, row }) => (at, row, 0),
        Some(Gate::Output { at, row, m_time }) => (at, row, m_time),
        Some(Gate::Rows) | None => (0, 0, 0),
    };
    Source::new(Shader::Proj)
        .size("X_ROW", strides.x_row)
        .size("X_K", strides.x_k)
        .size("X_K_TIME", strides.x_k_time)
        .size("OUT_ROW", strides.out_row)
        .size("OUT_M", strides.out_m)
        .size("OUT_M_TIME", strides.out_m_time)
        .size("GATE_AT", gate_at)
        .size("GATE_ROW", gate_row)
        .size("GATE_M_TIME", gate_m_time)
        .switch("GATE_IN", matches!(around.gate, Some(Gate::Input { .. })))
        .switch("GATE_OUT", matches!(around.gate, Some(Gate::Output { .. })))
        .switch("ROW_SCALE", matches!(around.gate, Some(Gate::Rows)))
        .switch("NORM", around.norm_eps.is_some())
        .number("EPS", around.norm_eps.unwrap_or(0.0))
        .size(
            "ACTIVATION",
            match around.activation {
                Activation::None => 0,
                Activation::Silu => 1,
                Activation::Softplus => 2,
            },
        )
        .switch("ACCUMULATE", around.accumulate)
}

/// A step that takes rows of `x` through all `maps` into `out`; `gate` is read if `around` has one.
///
/// The rows of a run are its `time` times its `batch`; the shader's tiles count them up to 4 million.
#[allow(clippy::too_many_arguments)]
pub fn proj(
    gpu: &Gpu,
    maps: &Maps,
    strides: Strides,
    around: Around,
    run: &Buffer,
    x: &Buffer,
    gate: Option<&Buffer>,
    out: &Buffer,
) -> Step {
    let table = gpu.holding("proj.maps", &maps.entries);
    let weights = if gpu.half_weights() {
        let halves: Vec<u16> = maps.weights.iter().map(|w| half_bits(*w)).collect();
        gpu.holding("proj.weights", &halves)
    } else {
        gpu.holding("proj.weights", &maps.weights)
    };
    let biases = gpu.holding("proj.biases", &maps.biases);
    let dispatch = gpu.dispatch(
        &source(strides, around).richer(gpu.half_weights()),
        "main",
        &[
            (0, run),
            (1, &table),
            (2, &weights),
            (3, &biases),
            (4, x),
            (5, gate.unwrap_or(x)),
            (6, out),
        ],
    );
    let columns = maps.most_outputs.div_ceil(TILE) as u32;
    let count = maps.entries.len() as u32;
    Step::new(dispatch, move |run| {
        let rows = run.time as usize * run.batch as usize;
        [rows.div_ceil(TILE) as u32, columns, count]
    })
}

/// The IEEE half nearest to `value`, ties to even: 1 sign bit, 5 of exponent (bias 15), 10 of fraction.
fn half_bits(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    // Below the smallest normal half, the unit is 2^-24 throughout.
    let exponent = ((magnitude.to_bits() >> 23) as i32 - 127).max(-14);
    let units = (f64::from(magnitude) * 2f64.powi(10 - exponent)).round_ties_even();
    // A fraction that rounds up to the next power of two carries into the exponent by itself.
    let bits = (exponent + 14) as f64 * 1024.0 + units;
    sign | bits.min(f64::from(0x7c00)) as u16
}

#[cfg(test)]
mod tests {
    use super::half_bits;

    #[test]
    fn halves_are_the_nearest() {
        let value = |bits: u16| -> f64 {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            match exponent {
                0 => fraction * 2f64.powi(-24),
                _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
            }
        };
        for bits in 0..0x7c00u16 {
            let exact = value(bits);
            assert_eq!(half_bits(exact as f32), bits);
            assert_eq!(half_bits(-exact as f32), bits | 0x8000);
            if bits < 0x7bff {
                // Halfway to the next one goes to the even one.
                let middle = (exact + value(bits + 1)) / 2.0;
                assert_eq!(half_bits(middle as f32), bits + (bits & 1), "{middle}");
            }
        }
        assert_eq!(half_bits(1e6), 0x7c00);
        assert_eq!(half_bits(f32::NEG_INFINITY), 0xfc00);
        assert!(half_bits(f32::NAN) > 0x7c00);
    }
}
