// The selective scan of Mamba (Gu and Dao 2023, algorithm 2): h ← exp(Δ A) h + Δ x B, y = C h + D x, with Δ a channel and B
// and C a step. Twin of src/kernels/scan/s6.rs.
//
// A thread is a channel and holds its N states in registers: what the paper calls hardware-aware, h is never written but
// at the ends of a chunk. A workgroup is 64 threads of one chunk of one stream. What a step takes comes into workgroup memory
// 16 steps at a time: Δ and x of the group's channels, and B and C, which all of them read. While those steps are run, the
// next 16 are on their way into registers. `reduce`, `carry` and `down` are those of scan_ssd.wgsl.
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
const LINES: u32 = (CHANNELS + 15u) / 16u * 16u * STATES;
/// Fours of states, the last filled up with states that stay zero.
const FOURS: u32 = (STATES + 3u) / 4u;
/// Those that a thread of `down` has, and the channels of its workgroup.
const OWN: u32 = FOURS / LANES;
const WIDE: u32 = 64u / LANES;

/// B and then C, [step][FOURS] each.
var<workgroup> bc: array<vec4f, STEPS * 2u * FOURS>;
/// Δ and x, [step][channel of the group].
var<workgroup> inputs: array<vec2f, STEPS * 64u>;

/// Fours of B and C that a thread fetches for STEPS steps.
const FETCHED: u32 = (STEPS * 2u * FOURS + 63u) / 64u;

/// What a thread fetches for STEPS steps, on its way to workgroup memory.
struct Fetched {
    inputs: array<vec2f, STEPS>,
    bc: array<vec4f, FETCHED>,
}

/// Fetches this thread's part of what `count` steps from `row` on take, for `wide` channels from `channel` on.
fn fetch(to: ptr<function, Fetched>, row: u32, count: u32, thread: u32, channel: u32, wide: u32) {
    for (var k = 0u; k < STEPS * wide / 64u; k++) {
        let i = thread + 64u * k;
        if i / wide < count {
            let at = row + i / wide;
            let column = min(channel + i % wide, CHANNELS - 1u);
            (*to).inputs[k] = vec2f(delta[at * DELTA_ROW + column], x[at * X_ROW + column]);
        }
    }
    for (var k = 0u; k < FETCHED; k++) {
        let i = thread + 64u * k;
        if i / (2u * FOURS) < count {
            let at = BC_AT + (row + i / (2u * FOURS)) * BC_ROW + i / FOURS % 2u * STATES + states_of(i % FOURS);
            let four = vec4f(bc_rows[at.x], bc_rows[at.y], bc_rows[at.z], bc_rows[at.w]);
            (*to).bc[k] = select(vec4f(), four, are_states(i % FOURS));
        }
    }
}

/// Puts what was fetched where all threads see it.
fn bring(fetched: ptr<function, Fetched>, thread: u32, wide: u32) {
    workgroupBarrier();
    for (var k = 0u; k < STEPS * wide / 64u; k++) {
        inputs[thread + 64u * k] = (*fetched).inputs[k];
    }
    for (var k = 0u; k < FETCHED; k++) {
        let i = thread + 64u * k;
        if i < STEPS * 2u * FOURS {
            bc[i] = (*fetched).bc[k];
        }
    }
    workgroupBarrier();
}

/// A · log2 e of a four, 0 where there is no state.
fn decay_of(channel: u32, four: u32) -> vec4f {
    let at = lines_of(channel, four);
    return select(vec4f(), vec4f(a[at.x], a[at.y], a[at.z], a[at.w]), are_states(four));
}

@compute @workgroup_size(64)
fn reduce(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) groups: vec3u
) {
    for (var stream = group.z; stream < run.batch; stream += groups.z) {
        let channel = group.x * 64u + local.x;
        let safe = min(channel, CHANNELS - 1u);
        let first = stream * run.time + group.y * run.chunk;
        var h: array<vec4f, FOURS>;
        var decay: array<vec4f, FOURS>;
        for (var n = 0u; n < FOURS; n++) {
            decay[n] = decay_of(safe, n);
        }
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
                let step = inputs[s * 64u + local.x];
                let input = step.x * step.y;
                sum += step.x;
                for (var n = 0u; n < FOURS; n++) {
                    h[n] = exp2(step.x * decay[n]) * h[n] + input * bc[s * 2u * FOURS + n];
                }
            }
        }
        if channel < CHANNELS {
            let slot = group.y * run.batch + stream;
            for (var n = 0u; n < FOURS; n++) {
                carry_four(slot * LINES, channel, n, h[n]);
            }
            sums[slot * CHANNELS + channel] = sum;
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
    for (var stream = id.y; stream < run.batch; stream += groups.y) {
        carry_line(stream, at, a[at], CHANNELS, channel);
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
        let start = group.y * run.chunk;
        let first = stream * run.time + start;
        let steps = min(run.chunk, run.time - start);
        let slot = group.y * run.batch + stream;
        let own = slot_of(stream) * LINES;
        let skip = a[LINES + safe];
        var h: array<vec4f, OWN>;
        var decay: array<vec4f, OWN>;
        for (var n = 0u; n < OWN; n++) {
            decay[n] = decay_of(safe, first_four + n);
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
                let step = inputs[s * WIDE + column];
                let input = step.x * step.y;
                let of_step = s * 2u * FOURS + first_four;
                var sum = vec4f();
                for (var n = 0u; n < OWN; n++) {
                    h[n] = exp2(step.x * decay[n]) * h[n] + input * bc[of_step + n];
                    sum += h[n] * bc[of_step + FOURS + n];
                }
                let all = sum_of_lanes(sum.x + sum.y + sum.z + sum.w);
                if speaks {
                    y[(first + t + s) * CHANNELS + channel] = skip * step.y + all;
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
