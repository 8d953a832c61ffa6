// The selective scan of Mamba (Gu and Dao 2023, algorithm 2): h ← exp(Δ A) h + Δ x B, y = C h + D x, with Δ a channel and B
// and C a step. Twin of src/kernels/scan/s6.rs.
//
// A thread is a channel and holds its N states in registers: what the paper calls hardware-aware, h is never written but
// at the ends of a chunk. A workgroup is 64 channels of one chunk of one stream; B and C, which all of them read, come into
// workgroup memory 16 steps at a time. `reduce`, `carry` and `down` are those of scan_ssd.wgsl.
//
// Constants: CHANNELS, STATES; X_ROW, DELTA_ROW and BC_ROW, rows of x, Δ, and of B and C with BC_AT.
// States are [stream][channels/16][N][16].

/// A · log2 e as states are, then D.
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read> bc_rows: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> state: array<f32>;
/// [chunk][stream] of states.
@group(0) @binding(7) var<storage, read_write> carried: array<f32>;
/// ΣΔ, [chunk][stream][CHANNELS].
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

const STEPS: u32 = 16u;
/// States that a thread of `down` has.
const OWN: u32 = STATES / LANES;
const LINES: u32 = (CHANNELS + 15u) / 16u * 16u * STATES;

var<workgroup> bc: array<f32, STEPS * 2u * STATES>;

/// Brings in B and C of `count` rows.
fn bring(row: u32, count: u32, thread: u32) {
    workgroupBarrier();
    for (var i = thread; i < count * 2u * STATES; i += 64u) {
        bc[i] = bc_rows[BC_AT + (row + i / (2u * STATES)) * BC_ROW + i % (2u * STATES)];
    }
    workgroupBarrier();
}

fn line_of(channel: u32) -> u32 {
    return channel / 16u * STATES * 16u + channel % 16u;
}

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let channel = group.x * 64u + local.x;
    let safe = min(channel, CHANNELS - 1u);
    let first = group.z * run.time + group.y * run.chunk;
    var h: array<f32, STATES>;
    var decay: array<f32, STATES>;
    for (var n = 0u; n < STATES; n++) {
        decay[n] = a[line_of(safe) + n * 16u];
    }
    var sum = 0.0;
    for (var t = 0u; t < run.chunk; t += STEPS) {
        let count = min(STEPS, run.chunk - t);
        bring(first + t, count, local.x);
        for (var s = 0u; s < count; s++) {
            let row = first + t + s;
            let step = delta[row * DELTA_ROW + safe];
            let input = step * x[row * X_ROW + safe];
            sum += step;
            for (var n = 0u; n < STATES; n++) {
                h[n] = exp2(step * decay[n]) * h[n] + input * bc[s * 2u * STATES + n];
            }
        }
    }
    if channel < CHANNELS {
        let slot = group.y * run.batch + group.z;
        for (var n = 0u; n < STATES; n++) {
            carried[slot * LINES + line_of(channel) + n * 16u] = h[n];
        }
        sums[slot * CHANNELS + channel] = sum;
    }
}

@compute @workgroup_size(64)
fn carry(@builtin(global_invocation_id) id: vec3u) {
    let at = id.x;
    let channel = at / (STATES * 16u) * 16u + at % 16u;
    if at >= LINES || channel >= CHANNELS {
        return;
    }
    let stream = id.y;
    let own = slot_of(stream) * LINES;
    var h = state[own + at];
    for (var c = 0u; c < run.chunks; c++) {
        let slot = c * run.batch + stream;
        let last = carried[slot * LINES + at];
        carried[slot * LINES + at] = h;
        h = exp2(a[at] * sums[slot * CHANNELS + channel]) * h + last;
    }
}

@compute @workgroup_size(64)
fn down(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let channel = group.x * (64u / LANES) + local.x / LANES;
    // The states of this thread.
    let first_n = local.x % LANES * OWN;
    let mine = channel < CHANNELS;
    let speaks = mine && local.x % LANES == 0u;
    let safe = min(channel, CHANNELS - 1u);
    let start = group.y * run.chunk;
    let first = group.z * run.time + start;
    let steps = min(run.chunk, run.time - start);
    let slot = group.y * run.batch + group.z;
    let own = slot_of(group.z) * LINES;
    let skip = a[LINES + safe];
    var h: array<f32, OWN>;
    var decay: array<f32, OWN>;
    for (var n = 0u; n < OWN; n++) {
        let at = line_of(safe) + (first_n + n) * 16u;
        decay[n] = a[at];
        if run.chunks == 1u {
            h[n] = state[own + at];
        } else {
            h[n] = carried[slot * LINES + at];
        }
    }
    for (var t = 0u; t < steps; t += STEPS) {
        let count = min(STEPS, steps - t);
        bring(first + t, count, local.x);
        for (var s = 0u; s < count; s++) {
            let row = first + t + s;
            let step = delta[row * DELTA_ROW + safe];
            let value = x[row * X_ROW + safe];
            let input = step * value;
            var sum = 0.0;
            for (var n = 0u; n < OWN; n++) {
                h[n] = exp2(step * decay[n]) * h[n] + input * bc[s * 2u * STATES + first_n + n];
                sum += h[n] * bc[s * 2u * STATES + STATES + first_n + n];
            }
            let all = sum_of_lanes(sum);
            if speaks {
                y[row * CHANNELS + channel] = skip * value + all;
            }
        }
    }
    if mine && group.y + 1u == run.chunks {
        for (var n = 0u; n < OWN; n++) {
            state[own + line_of(channel) + (first_n + n) * 16u] = h[n];
        }
    }
}
