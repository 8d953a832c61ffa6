// The scan of Mamba-2 (Dao and Gu 2024, "SSD"): h ← exp(Δ A) h + Δ x B, y = C h + D x. Twin of src/kernels/scan/ssd.rs.
//
// A thread is a channel and holds its N states in registers; a workgroup is 64 channels of one chunk of one stream. What
// all of them read, B, C, Δ and the decay of each head, is brought into workgroup memory 16 steps at a time.
//
// Whole files: `reduce` runs every chunk but the last from an empty state and keeps its last state and ΣΔ; `carry` goes
// from chunk to chunk, h ← exp(A ΣΔ) h + last; `down` runs each chunk from the state it was carried. Streams: `down`
// alone, with one chunk.
//
// Constants: CHANNELS, HEADS, HEAD_DIM, STATES, GROUPS; X_ROW, rows of x, B and C; DT_ROW and DT_AT, raw Δ; DELTA_LEAST
// and DELTA_MOST. States are [stream][channels/16][N][16], as everywhere.

/// [HEADS] each: A · log2 e, Δ's bias, D.
@group(0) @binding(1) var<storage, read> heads: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> dt: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> state: array<f32>;
/// [chunk][stream] of states.
@group(0) @binding(6) var<storage, read_write> carried: array<f32>;
/// ΣΔ, [chunk][stream][HEADS].
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;

const STEPS: u32 = 16u;
/// States that a thread of `down` has.
const OWN: u32 = STATES / LANES;
const LINES: u32 = (CHANNELS + 15u) / 16u * 16u * STATES;
const BC: u32 = 2u * GROUPS * STATES;

var<workgroup> bc: array<f32, STEPS * BC>;
/// Δ and decay, [step][head].
var<workgroup> gates: array<vec2f, STEPS * HEADS>;

/// Brings in B, C and the gates of `count` rows.
fn bring(row: u32, count: u32, thread: u32) {
    workgroupBarrier();
    for (var i = thread; i < count * BC; i += 64u) {
        bc[i] = x[(row + i / BC) * X_ROW + CHANNELS + i % BC];
    }
    for (var i = thread; i < count * HEADS; i += 64u) {
        let head = i % HEADS;
        let delta = softplus(dt[DT_AT + (row + i / HEADS) * DT_ROW + head] + heads[HEADS + head]);
        let held = clamp(delta, DELTA_LEAST, DELTA_MOST);
        gates[i] = vec2f(held, exp2(held * heads[head]));
    }
    workgroupBarrier();
}

fn line_of(channel: u32) -> u32 {
    return channel / 16u * STATES * 16u + channel % 16u;
}

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let channel = group.x * 64u + local.x;
    let head = min(channel, CHANNELS - 1u) / HEAD_DIM;
    let b_at = head / (HEADS / GROUPS) * STATES;
    let first = group.z * run.time + group.y * run.chunk;
    var h: array<f32, STATES>;
    var sum = 0.0;
    for (var t = 0u; t < run.chunk; t += STEPS) {
        let count = min(STEPS, run.chunk - t);
        bring(first + t, count, local.x);
        for (var s = 0u; s < count; s++) {
            let gate = gates[s * HEADS + head];
            sum += gate.x;
            let input = gate.x * x[(first + t + s) * X_ROW + min(channel, CHANNELS - 1u)];
            for (var n = 0u; n < STATES; n++) {
                h[n] = gate.y * h[n] + input * bc[s * BC + b_at + n];
            }
        }
    }
    if channel < CHANNELS {
        let slot = group.y * run.batch + group.z;
        for (var n = 0u; n < STATES; n++) {
            carried[slot * LINES + line_of(channel) + n * 16u] = h[n];
        }
        if channel % HEAD_DIM == 0u {
            sums[slot * HEADS + head] = sum;
        }
    }
}

@compute @workgroup_size(64)
fn carry(@builtin(global_invocation_id) id: vec3u) {
    let at = id.x;
    let channel = at / (STATES * 16u) * 16u + at % 16u;
    if at >= LINES || channel >= CHANNELS {
        return;
    }
    let head = channel / HEAD_DIM;
    let stream = id.y;
    let own = slot_of(stream) * LINES;
    var h = state[own + at];
    for (var c = 0u; c < run.chunks; c++) {
        let slot = c * run.batch + stream;
        let last = carried[slot * LINES + at];
        carried[slot * LINES + at] = h;
        h = exp2(heads[head] * sums[slot * HEADS + head]) * h + last;
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
    let head = safe / HEAD_DIM;
    let b_at = head / (HEADS / GROUPS) * STATES;
    let c_at = GROUPS * STATES + b_at;
    let start = group.y * run.chunk;
    let first = group.z * run.time + start;
    let steps = min(run.chunk, run.time - start);
    let slot = group.y * run.batch + group.z;
    let own = slot_of(group.z) * LINES;
    let skip = heads[2u * HEADS + head];
    var h: array<f32, OWN>;
    for (var n = 0u; n < OWN; n++) {
        let at = line_of(safe) + (first_n + n) * 16u;
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
            let gate = gates[s * HEADS + head];
            let value = x[row * X_ROW + safe];
            let input = gate.x * value;
            var sum = 0.0;
            for (var n = 0u; n < OWN; n++) {
                h[n] = gate.y * h[n] + input * bc[s * BC + b_at + first_n + n];
                sum += h[n] * bc[s * BC + c_at + first_n + n];
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
