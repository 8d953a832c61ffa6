// Causal depthwise convolution over time with SiLU behind it: y[t] = silu(b + Σ_j w[j] x[t − 3 + j]). Twin of
// src/kernels/conv.rs; a thread is one channel of one row.
//
// Constants: CHANNELS; X_ROW and X_AT, the input's rows; the output's are CHANNELS long.

/// [4][CHANNELS], then the bias.
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
/// The last three inputs of before, [batch][3][CHANNELS], the oldest first.
@group(0) @binding(3) var<storage, read> tails: array<f32>;
@group(0) @binding(4) var<storage, read_write> new_tails: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

/// The input at `t`, counted from three before the first row.
fn input(stream: u32, t: u32, c: u32) -> f32 {
    if t < 3u {
        return tails[(stream * 3u + t) * CHANNELS + c];
    }
    return x[X_AT + (stream * run.time + t - 3u) * X_ROW + c];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let c = id.x;
    if c >= CHANNELS {
        return;
    }
    for (var row = id.y; row < run.time * run.batch; row += groups.y) {
        let stream = row / run.time;
        let t = row % run.time;
        var sum = taps[4u * CHANNELS + c];
        for (var j = 0u; j < 4u; j++) {
            sum += taps[j * CHANNELS + c] * input(stream, t + j, c);
        }
        y[row * CHANNELS + c] = silu(sum);
        if t + 1u == run.time {
            for (var j = 0u; j < 3u; j++) {
                new_tails[(stream * 3u + j) * CHANNELS + c] = input(stream, run.time + j, c);
            }
        }
    }
}
