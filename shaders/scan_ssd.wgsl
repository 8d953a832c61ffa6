// The scan of Mamba-2 (Dao and Gu 2024, "SSD"): h ← exp(Δ A) h + Δ x B, y = C h + D x. Twin of src/kernels/scan/ssd.rs.
//
// A thread is a channel and holds its N states in registers; a workgroup is 64 threads of one chunk of one stream. What a step
// takes is brought into workgroup memory 16 steps at a time: x of the group's channels, and what all of them read, B, C, Δ and
// the decay of each head. While those steps are run, the next 16 are on their way into registers.
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
const LINES: u32 = (CHANNELS + 15u) / 16u * 16u * STATES;
/// Fours of states, the last filled up with states that stay zero; those of B and C of a step.
const FOURS: u32 = (STATES + 3u) / 4u;
const BC: u32 = 2u * GROUPS * FOURS;
/// Fours that a thread of `down` has, and the channels of its workgroup.
const OWN: u32 = FOURS / LANES;
const WIDE: u32 = 64u / LANES;
/// Fours of B and C, and Δs, that a thread fetches for STEPS steps.
const FETCHED_BC: u32 = (STEPS * BC + 63u) / 64u;
const FETCHED_DT: u32 = (STEPS * HEADS + 63u) / 64u;

/// B and then C, [step][group][FOURS] each.
var<workgroup> bc: array<vec4f, STEPS * BC>;
/// Δ and decay, [step][head].
var<workgroup> gates: array<vec2f, STEPS * HEADS>;
/// x, [step][channel of the group].
var<workgroup> values: array<f32, STEPS * 64u>;

/// What a thread fetches for STEPS steps, on its way to workgroup memory.
struct Fetched {
    values: array<f32, STEPS>,
    bc: array<vec4f, FETCHED_BC>,
    dt: array<f32, FETCHED_DT>,
}

/// Fetches this thread's part of what `count` steps from `row` on take, for `wide` channels from `channel` on.
fn fetch(to: ptr<function, Fetched>, row: u32, count: u32, thread: u32, channel: u32, wide: u32) {
    for (var k = 0u; k < STEPS * wide / 64u; k++) {
        let i = thread + 64u * k;
        if i / wide < count {
            (*to).values[k] = x[(row + i / wide) * X_ROW + min(channel + i % wide, CHANNELS - 1u)];
        }
    }
    for (var k = 0u; k < FETCHED_BC; k++) {
        let i = thread + 64u * k;
        if i / BC < count {
            let at = (row + i / BC) * X_ROW + CHANNELS + i % BC / FOURS * STATES + states_of(i % FOURS);
            (*to).bc[k] = select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), are_states(i % FOURS));
        }
    }
    for (var k = 0u; k < FETCHED_DT; k++) {
        let i = thread + 64u * k;
        if i / HEADS < count {
            (*to).dt[k] = dt[DT_AT + (row + i / HEADS) * DT_ROW + i % HEADS];
        }
    }
}

/// Puts what was fetched where all threads see it.
fn bring(fetched: ptr<function, Fetched>, thread: u32, wide: u32) {
    workgroupBarrier();
    for (var k = 0u; k < STEPS * wide / 64u; k++) {
        values[thread + 64u * k] = (*fetched).values[k];
    }
    for (var k = 0u; k < FETCHED_BC; k++) {
        let i = thread + 64u * k;
        if i < STEPS * BC {
            bc[i] = (*fetched).bc[k];
        }
    }
    for (var k = 0u; k < FETCHED_DT; k++) {
        let i = thread + 64u * k;
        if i < STEPS * HEADS {
            let head = i % HEADS;
            let held = clamp(softplus((*fetched).dt[k] + heads[HEADS + head]), DELTA_LEAST, DELTA_MOST);
            gates[i] = vec2f(held, exp2(held * heads[head]));
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(64)
fn reduce(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) groups: vec3u
) {
    for (var stream = group.z; stream < run.batch; stream += groups.z) {
        let channel = group.x * 64u + local.x;
        let head = min(channel, CHANNELS - 1u) / HEAD_DIM;
        let b_at = head / (HEADS / GROUPS) * FOURS;
        let first = stream * run.time + group.y * run.chunk;
        var h: array<vec4f, FOURS>;
        var sum = 0.0;
        var fetched: Fetched;
        fetch(&fetched, first, min(STEPS, run.chunk), local.x, group.x * 64u, 64u);
        for (var t = 0u; t < run.chunk; t += STEPS) {
            let count = min(STEPS, run.chunk - t);
            bring(&fetched, local.x, 64u);
            if t + STEPS < run.chunk {
                fetch(&fetched, first + t + STEPS, min(STEPS, run.chunk - t - STEPS), local.x, group.x * 64u, 64u);
            }
            for (var s = 0u; s < count; s++) {
                let gate = gates[s * HEADS + head];
                sum += gate.x;
                let input = gate.x * values[s * 64u + local.x];
                for (var n = 0u; n < FOURS; n++) {
                    h[n] = gate.y * h[n] + input * bc[s * BC + b_at + n];
                }
            }
        }
        if channel < CHANNELS {
            let slot = group.y * run.batch + stream;
            for (var n = 0u; n < FOURS; n++) {
                carry_four(slot * LINES, channel, n, h[n]);
            }
            if channel % HEAD_DIM == 0u {
                sums[slot * HEADS + head] = sum;
            }
        }
    }
}

@compute @workgroup_size(64)
fn carry(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let at = id.x;
    let channel = at / (STATES * 16u) * 16u + at % 16u;
    if at >= LINES || channel >= CHANNELS {
        return;
    }
    let head = channel / HEAD_DIM;
    for (var stream = id.y; stream < run.batch; stream += groups.y) {
        carry_line(stream, at, heads[head], HEADS, head);
    }
}

@compute @workgroup_size(64)
fn down(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) groups: vec3u
) {
    for (var stream = group.z; stream < run.batch; stream += groups.z) {
        let column = local.x / LANES;
        let channel = group.x * WIDE + column;
        // The states of this thread, as fours.
        let first_four = local.x % LANES * OWN;
        let mine = channel < CHANNELS;
        let speaks = mine && local.x % LANES == 0u;
        let safe = min(channel, CHANNELS - 1u);
        let head = safe / HEAD_DIM;
        let b_at = head / (HEADS / GROUPS) * FOURS + first_four;
        let c_at = GROUPS * FOURS + b_at;
        let start = group.y * run.chunk;
        let first = stream * run.time + start;
        let steps = min(run.chunk, run.time - start);
        let slot = group.y * run.batch + stream;
        let own = slot_of(stream) * LINES;
        let skip = heads[2u * HEADS + head];
        var h: array<vec4f, OWN>;
        for (var n = 0u; n < OWN; n++) {
            if run.chunks == 1u {
                h[n] = kept_four(own, safe, first_four + n);
            } else {
                h[n] = carried_four(slot * LINES, safe, first_four + n);
            }
        }
        var fetched: Fetched;
        fetch(&fetched, first, min(STEPS, steps), local.x, group.x * WIDE, WIDE);
        for (var t = 0u; t < steps; t += STEPS) {
            let count = min(STEPS, steps - t);
            bring(&fetched, local.x, WIDE);
            if t + STEPS < steps {
                fetch(&fetched, first + t + STEPS, min(STEPS, steps - t - STEPS), local.x, group.x * WIDE, WIDE);
            }
            for (var s = 0u; s < count; s++) {
                let gate = gates[s * HEADS + head];
                let value = values[s * WIDE + column];
                let input = gate.x * value;
                var sum = vec4f();
                for (var n = 0u; n < OWN; n++) {
                    h[n] = gate.y * h[n] + input * bc[s * BC + b_at + n];
                    sum += h[n] * bc[s * BC + c_at + n];
                }
                let all = sum_of_lanes(sum.x + sum.y + sum.z + sum.w);
                if speaks {
                    y[(first + t + s) * CHANNELS + channel] = skip * value + all;
                }
            }
        }
        if mine && group.y + 1u == run.chunks {
            for (var n = 0u; n < OWN; n++) {
                keep_four(own, channel, first_four + n, h[n]);
            }
        }
    }
}
