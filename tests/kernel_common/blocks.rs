//! Random blocks of every kind.

use super::Noise;
use statewave::model::tensors::Tensors;

/// D.
pub const WIDTH: usize = 24;

/// A stack of one block of each kind, and the Mamba block's ablations: Mamba, Mamba-2, S4D, three ablations, and the selective
/// block.
pub fn tensors(seed: u64) -> Tensors {
    let mut noise = Noise(seed);
    let mut tensors = Tensors::new();
    let mut add = |layer: usize, name: &str, shape: &[usize], centre: f32, scale: f32| {
        let values = noise
            .vec(shape.iter().product(), scale)
            .iter()
            .map(|v| v + centre)
            .collect();
        tensors.insert(format!("layers.{layer}.{name}"), shape.to_vec(), values);
    };
    let (e, n) = (40, 6);
    add(0, "norm.weight", &[WIDTH], 1.0, 0.3);
    add(0, "mixer.in_proj.weight", &[2 * e, WIDTH], 0.0, 0.4);
    add(0, "mixer.conv1d.weight", &[e, 1, 4], 0.0, 0.7);
    add(0, "mixer.conv1d.bias", &[e], 0.0, 0.3);
    add(0, "mixer.x_proj.weight", &[2 + 2 * n, e], 0.0, 0.3);
    add(0, "mixer.dt_proj.weight", &[e, 2], 0.0, 0.5);
    add(0, "mixer.dt_proj.bias", &[e], -3.0, 2.0);
    add(0, "mixer.A_log", &[e, n], 0.5, 1.0);
    add(0, "mixer.D", &[e], 1.0, 0.3);
    add(0, "mixer.out_proj.weight", &[WIDTH, e], 0.0, 0.3);
    let (h, p, g, n) = (4, 8, 2, 6);
    let (e, conv) = (h * p, h * p + 2 * g * n);
    add(1, "norm.weight", &[WIDTH], 1.0, 0.3);
    add(1, "mixer.in_proj.weight", &[e + conv + h, WIDTH], 0.0, 0.4);
    add(1, "mixer.conv1d.weight", &[conv, 1, 3], 0.0, 0.7);
    add(1, "mixer.dt_bias", &[h], -3.0, 2.0);
    add(1, "mixer.A_log", &[h], 0.5, 1.0);
    add(1, "mixer.D", &[h], 1.0, 0.3);
    add(1, "mixer.norm.weight", &[e], 1.0, 0.3);
    add(1, "mixer.out_proj.weight", &[WIDTH, e], 0.0, 0.3);
    let n = 8;
    add(2, "norm.weight", &[WIDTH], 1.0, 0.3);
    add(2, "mixer.log_dt", &[WIDTH], -4.0, 1.5);
    add(2, "mixer.log_A_real", &[WIDTH, n], -0.7, 0.1);
    add(2, "mixer.A_imag", &[WIDTH, n], 12.0, 12.0);
    add(2, "mixer.C", &[WIDTH, n, 2], 0.0, 1.0);
    add(2, "mixer.D", &[WIDTH], 1.0, 0.3);
    add(2, "mixer.out_proj.weight", &[WIDTH, WIDTH], 0.0, 0.3);
    // The Mamba block's ablations: S6 without a gate, S4D with one and without.
    let (e, n) = (40, 6);
    for (layer, selective, rows) in [(3, true, e), (4, false, 2 * e), (5, false, e)] {
        add(layer, "norm.weight", &[WIDTH], 1.0, 0.3);
        add(layer, "mixer.in_proj.weight", &[rows, WIDTH], 0.0, 0.4);
        add(layer, "mixer.conv1d.weight", &[e, 1, 4], 0.0, 0.7);
        add(layer, "mixer.D", &[e], 1.0, 0.3);
        add(layer, "mixer.out_proj.weight", &[WIDTH, e], 0.0, 0.3);
        if selective {
            add(layer, "mixer.x_proj.weight", &[2 + 2 * n, e], 0.0, 0.3);
            add(layer, "mixer.dt_proj.weight", &[e, 2], 0.0, 0.5);
            add(layer, "mixer.A_log", &[e, n], 0.5, 1.0);
        } else {
            add(layer, "mixer.log_dt", &[e], -4.0, 1.5);
            add(layer, "mixer.log_A_real", &[e, n], -0.7, 0.1);
            add(layer, "mixer.A_imag", &[e, n], 12.0, 12.0);
            add(layer, "mixer.C", &[e, n, 2], 0.0, 0.5);
        }
    }
    let (e, n) = (40, 6);
    add(6, "mixer.in_proj.weight", &[2 * e, WIDTH], 0.0, 0.3);
    add(6, "mixer.in_proj.bias", &[2 * e], 0.0, 0.3);
    add(6, "mixer.x_proj.weight", &[2 + 2 * n, e], 0.0, 0.3);
    add(6, "mixer.dt_proj.weight", &[e, 2], 0.0, 0.5);
    add(6, "mixer.dt_proj.bias", &[e], -3.0, 2.0);
    add(6, "mixer.A_log", &[e, n], 0.5, 1.0);
    add(6, "mixer.D", &[e], 1.0, 0.3);
    add(6, "mixer.out_proj.weight", &[WIDTH, e], 0.0, 0.1);
    add(6, "mixer.out_proj.bias", &[WIDTH], 0.0, 0.1);
    tensors.insert("norm_f.weight", vec![WIDTH], vec![1.0; WIDTH]);
    tensors
}
