// Causal depthwise convolution over time with SiLU behind it: y[t] = silu(b + Σ_j w[j] x[t − 3 + j]). Twin of
// src/kernels/conv.rs.
//
// Constants: CHANNELS; X_ROW and X_AT, the input's rows; the output's are CHANNELS long.

/// [4][CHANNELS], then the bias.
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
/// The last three inputs of before, [slot][3][CHANNELS], the oldest first.
@group(0) @binding(3) var<storage, read_write> tails: array<f32>;
@group(0) @binding(4) var<storage, read_write> new_tails: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

/// The place of the first of three inputs of before.
fn tail_of(stream: u32, c: u32) -> u32 {
    return slot_of(stream) * 3u * CHANNELS + c;
}

/// Few rows: a thread is one channel of one stream, and goes through the rows.
@compute @workgroup_size(64)
fn step(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let c = id.x;
    if c >= CHANNELS {
        return;
    }
    let bias = taps[4u * CHANNELS + c];
    let w = vec4f(taps[c], taps[CHANNELS + c], taps[2u * CHANNELS + c], taps[3u * CHANNELS + c]);
    for (var stream = id.y; stream < run.batch; stream += groups.y) {
        let tail = tail_of(stream, c);
        var seen = vec4f(0.0, tails[tail], tails[tail + CHANNELS], tails[tail + 2u * CHANNELS]);
        for (var t = 0u; t < run.time; t++) {
            let row = stream * run.time + t;
            seen = vec4f(seen.yzw, x[X_AT + row * X_ROW + c]);
            y[row * CHANNELS + c] = silu(bias + dot(w, seen));
        }
        tails[tail] = seen.y;
        tails[tail + CHANNELS] = seen.z;
        tails[tail + 2u * CHANNELS] = seen.w;
    }
}

/// The input at `t`, counted from three before the first row.
fn input(stream: u32, t: u32, c: u32) -> f32 {
    if t < 3u {
        return tails[tail_of(stream, c) + t * CHANNELS];
    }
    return x[X_AT + (stream * run.time + t - 3u) * X_ROW + c];
}

/// Many rows: a thread is one channel of one row. The rows still need the tails, so the new ones wait beside them.
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
                new_tails[tail_of(stream, c) + j * CHANNELS] = input(stream, run.time + j, c);
            }
        }
    }
}

/// Behind `main`: the new tails take their place.
@compute @workgroup_size(64)
fn settle(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let c = id.x;
    if c >= CHANNELS {
        return;
    }
    for (var stream = id.y; stream < run.batch; stream += groups.y) {
        let tail = tail_of(stream, c);
        for (var j = 0u; j < 3u; j++) {
            tails[tail + j * CHANNELS] = new_tails[tail + j * CHANNELS];
        }
    }
}
