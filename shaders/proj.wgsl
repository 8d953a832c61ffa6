// Rows of activations by weight matrices, many maps in one dispatch: out[r] = W x[r] + bias, with what stands around a
// projection in a Mamba block done on the way in and out. Twin of src/kernels/{proj,banded,mix,norm}.rs.
//
// A workgroup of 16 x 16 makes a tile of 64 rows by 64 outputs, a thread 4 x 4 of it in registers. Each step brings 16
// inputs of 64 rows and the weights of 64 outputs into workgroup memory, once; every value is then used 64 times.
//
// Constants:
//   X_ROW, X_K, X_K_TIME      floats from row to row, and from input to input (the latter plus X_K_TIME · rows)
//   OUT_ROW, OUT_M, OUT_M_TIME  the same of the output
//   GATE_ROW, GATE_AT, GATE_M_TIME  where `gate` has what goes with a row and an output
//   NORM (EPS)                divide each row by its root mean square; the norm's weights are folded into W
//   GATE_IN                   x ← x · silu(gate), before the norm
//   GATE_OUT                  out ← out · gate
//   ROW_SCALE                 out ← out · gate[row], before the bias
//   ACTIVATION                0 none, 1 silu, 2 softplus
//   ACCUMULATE                add to what is there

struct Map {
    /// Where the first row starts, plus `x_time` · rows.
    x: u32,
    x_time: u32,
    /// Weights, [k][m rounded up to 4], in vectors of 4.
    weight: u32,
    /// In floats.
    bias: u32,
    out: u32,
    out_time: u32,
    k: u32,
    m: u32,
}

@group(0) @binding(1) var<storage, read> maps: array<Map>;
@group(0) @binding(2) var<storage, read> weights: array<Weight>;
@group(0) @binding(3) var<storage, read> biases: array<f32>;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read> gate: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

const STEP: u32 = 16u;
/// One vector more than a row of 16, so that a column's writes meet different banks.
const PITCH: u32 = 17u;

var<workgroup> xs: array<vec4f, STEP * PITCH>;
var<workgroup> ws: array<vec4f, STEP * PITCH>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let map = maps[group.z];
    let rows = run.time * run.batch;
    let first_row = group.x * 64u;
    let first_m = group.y * 64u;
    if first_m >= map.m {
        return;
    }
    let k_step = X_K + X_K_TIME * rows;
    let x_at = map.x + map.x_time * rows;
    let m_vectors = (map.m + 3u) / 4u;

    // What this thread brings in: rows 4·ly.. at input lx, and outputs 4·lx.. at input ly.
    let row = first_row + 4u * local.y;
    let vector = first_m / 4u + local.x;

    var sums: array<vec4f, 4>;
    var squares = vec4f();
    for (var k0 = 0u; k0 < map.k; k0 += STEP) {
        var brought = vec4f();
        let k = k0 + local.x;
        if k < map.k {
            for (var i = 0u; i < 4u; i++) {
                if row + i < rows {
                    var value = x[x_at + (row + i) * X_ROW + k * k_step];
                    if GATE_IN {
                        value *= silu(gate[GATE_AT + (row + i) * GATE_ROW + k]);
                    }
                    brought[i] = value;
                }
            }
        }
        squares += brought * brought;
        var weight = vec4f();
        if k0 + local.y < map.k && vector < m_vectors {
            weight = vec4f(weights[map.weight + (k0 + local.y) * m_vectors + vector]);
        }
        workgroupBarrier();
        xs[local.x * PITCH + local.y] = brought;
        ws[local.y * PITCH + local.x] = weight;
        workgroupBarrier();
        for (var s = 0u; s < STEP; s++) {
            let a = xs[s * PITCH + local.y];
            let b = ws[s * PITCH + local.x];
            sums[0] += a.x * b;
            sums[1] += a.y * b;
            sums[2] += a.z * b;
            sums[3] += a.w * b;
        }
    }

    var scale = vec4f(1.0);
    if NORM {
        workgroupBarrier();
        xs[local.x * PITCH + local.y] = squares;
        workgroupBarrier();
        var all = vec4f();
        for (var s = 0u; s < STEP; s++) {
            all += xs[s * PITCH + local.y];
        }
        scale = inverseSqrt(all / f32(map.k) + EPS);
    }

    let out_at = map.out + map.out_time * rows;
    let m_step = OUT_M + OUT_M_TIME * rows;
    for (var i = 0u; i < 4u; i++) {
        let r = row + i;
        if r >= rows {
            break;
        }
        var row_scale = scale[i];
        if ROW_SCALE {
            row_scale *= gate[r];
        }
        for (var j = 0u; j < 4u; j++) {
            let m = 4u * vector + j;
            if m >= map.m {
                break;
            }
            var value = sums[i][j] * row_scale + biases[map.bias + m];
            if ACTIVATION == 1u {
                value = silu(value);
            }
            if ACTIVATION == 2u {
                value = softplus(value);
            }
            let at = out_at + r * OUT_ROW + m * m_step;
            if GATE_OUT {
                value *= gate[GATE_AT + map.out + r * GATE_ROW + m * GATE_M_TIME * rows];
            }
            if ACCUMULATE {
                value += out[at];
            }
            out[at] = value;
        }
    }
}
