// The recurrence of a diagonal S4 (Gu et al. 2022, "S4D"): h ← Ā h + u, y = Re Σ C̃ h + D u, with complex states that do not
// depend on the input. Twin of src/kernels/scan/s4d.rs.
//
// A thread is a channel and holds its N complex states in registers, with the next 16 inputs on their way; a workgroup is 64
// channels of one chunk of one stream. `reduce`, `carry` and `down` are those of scan_ssd.wgsl; a whole chunk's decay Ā^chunk is given.
//
// Constants: CHANNELS, STATES. States are [stream][channels/16][N][2][16], real parts and then imaginary parts.

/// [channels/16][N][6][16]: Ā, C̃ and Ā^chunk, each real and imaginary, and then D.
@group(0) @binding(1) var<storage, read> coefficients: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<f32>;
/// [chunk][stream] of states.
@group(0) @binding(5) var<storage, read_write> carried: array<f32>;

/// Steps whose inputs, and chunks whose states, are under way at a time.
const AHEAD: u32 = 16u;
const WHOLE: u32 = (CHANNELS + 15u) / 16u * 16u;
const LINES: u32 = WHOLE * STATES * 2u;

fn times(a: vec2f, b: vec2f) -> vec2f {
    return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

/// Where state `n` of a channel has its real part; the imaginary part is 16 behind.
fn state_of(channel: u32, n: u32) -> u32 {
    return (channel / 16u * STATES + n) * 32u + channel % 16u;
}

/// Coefficient `which` of state `n`: 0 Ā, 1 C̃, 2 Ā^chunk.
fn coefficient(channel: u32, n: u32, which: u32) -> vec2f {
    let at = ((channel / 16u * STATES + n) * 6u + 2u * which) * 16u + channel % 16u;
    return vec2f(coefficients[at], coefficients[at + 16u]);
}

/// Fetches a channel's inputs of `count` steps from `row` on.
fn fetch(to: ptr<function, array<f32, AHEAD>>, row: u32, count: u32, channel: u32) {
    for (var k = 0u; k < AHEAD; k++) {
        (*to)[k] = u[(row + min(k, count - 1u)) * CHANNELS + channel];
    }
}

@compute @workgroup_size(64)
fn reduce(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) groups: vec3u
) {
    for (var stream = group.z; stream < run.batch; stream += groups.z) {
        let channel = group.x * 64u + local.x;
        if channel >= CHANNELS {
            return;
        }
        let first = stream * run.time + group.y * run.chunk;
        var h: array<vec2f, STATES>;
        var decay: array<vec2f, STATES>;
        for (var n = 0u; n < STATES; n++) {
            decay[n] = coefficient(channel, n, 0u);
        }
        var next: array<f32, AHEAD>;
        fetch(&next, first, run.chunk, channel);
        for (var t = 0u; t < run.chunk; t += AHEAD) {
            let values = next;
            if t + AHEAD < run.chunk {
                fetch(&next, first + t + AHEAD, run.chunk - t - AHEAD, channel);
            }
            for (var k = 0u; k < AHEAD; k++) {
                if t + k < run.chunk {
                    for (var n = 0u; n < STATES; n++) {
                        h[n] = times(decay[n], h[n]) + vec2f(values[k], 0.0);
                    }
                }
            }
        }
        let slot = group.y * run.batch + stream;
        for (var n = 0u; n < STATES; n++) {
            carried[slot * LINES + state_of(channel, n)] = h[n].x;
            carried[slot * LINES + state_of(channel, n) + 16u] = h[n].y;
        }
    }
}

@compute @workgroup_size(64)
fn carry(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let channel = id.x % WHOLE;
    let n = id.x / WHOLE;
    if n >= STATES || channel >= CHANNELS {
        return;
    }
    for (var stream = id.y; stream < run.batch; stream += groups.y) {
        let own = slot_of(stream) * LINES;
        let at = state_of(channel, n);
        let decay = coefficient(channel, n, 2u);
        var h = vec2f(state[own + at], state[own + at + 16u]);
        for (var c = 0u; c < run.chunks; c += AHEAD) {
            var lasts: array<vec2f, AHEAD>;
            for (var k = 0u; k < AHEAD; k++) {
                let slot = (min(c + k, run.chunks - 1u) * run.batch + stream) * LINES + at;
                lasts[k] = vec2f(carried[slot], carried[slot + 16u]);
            }
            for (var k = 0u; k < AHEAD; k++) {
                if c + k < run.chunks {
                    let slot = ((c + k) * run.batch + stream) * LINES + at;
                    carried[slot] = h.x;
                    carried[slot + 16u] = h.y;
                    h = times(decay, h) + lasts[k];
                }
            }
        }
    }
}

@compute @workgroup_size(64)
fn down(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) groups: vec3u
) {
    for (var stream = group.z; stream < run.batch; stream += groups.z) {
        let channel = group.x * 64u + local.x;
        if channel >= CHANNELS {
            return;
        }
        let start = group.y * run.chunk;
        let first = stream * run.time + start;
        let steps = min(run.chunk, run.time - start);
        let slot = group.y * run.batch + stream;
        let own = slot_of(stream) * LINES;
        let skip = coefficients[WHOLE * STATES * 6u + channel];
        var h: array<vec2f, STATES>;
        var decay: array<vec2f, STATES>;
        var weight: array<vec2f, STATES>;
        for (var n = 0u; n < STATES; n++) {
            let at = state_of(channel, n);
            decay[n] = coefficient(channel, n, 0u);
            weight[n] = coefficient(channel, n, 1u);
            if run.chunks == 1u {
                h[n] = vec2f(state[own + at], state[own + at + 16u]);
            } else {
                h[n] = vec2f(carried[slot * LINES + at], carried[slot * LINES + at + 16u]);
            }
        }
        var next: array<f32, AHEAD>;
        fetch(&next, first, steps, channel);
        for (var t = 0u; t < steps; t += AHEAD) {
            let values = next;
            if t + AHEAD < steps {
                fetch(&next, first + t + AHEAD, steps - t - AHEAD, channel);
            }
            for (var k = 0u; k < AHEAD; k++) {
                if t + k < steps {
                    var sum = skip * values[k];
                    for (var n = 0u; n < STATES; n++) {
                        h[n] = times(decay[n], h[n]) + vec2f(values[k], 0.0);
                        sum += weight[n].x * h[n].x - weight[n].y * h[n].y;
                    }
                    y[(first + t + k) * CHANNELS + channel] = sum;
                }
            }
        }
        if group.y + 1u == run.chunks {
            for (var n = 0u; n < STATES; n++) {
                let at = own + state_of(channel, n);
                state[at] = h[n].x;
                state[at + 16u] = h[n].y;
            }
        }
    }
}
