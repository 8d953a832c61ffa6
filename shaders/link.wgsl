// One gain a bin for all channels, H = Σ Y·X* / Σ |X|² over them. Twin of `link` in src/frame/stereo.rs; a thread is one bin of
// one frame of all sessions, each of which is a channel.
//
// Constants: BINS, PAST and FRAMES as in features.wgsl.

/// What the model heard, [slot][FRAMES][BINS].
@group(0) @binding(1) var<storage, read> spectra: array<vec2f>;
/// What it made of it, [session · time][BINS].
@group(0) @binding(2) var<storage, read_write> filtered: array<vec2f>;

const ENERGY_FLOOR: f32 = 1e-20;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let bin = id.x;
    if bin >= BINS {
        return;
    }
    for (var t = id.y; t < run.time; t += groups.y) {
        var gain = vec2f();
        var energy = ENERGY_FLOOR;
        for (var session = 0u; session < run.batch; session++) {
            let x = spectra[(slot_of(session) * FRAMES + PAST + t) * BINS + bin];
            let y = filtered[(session * run.time + t) * BINS + bin];
            gain += vec2f(dot(y, x), y.y * x.x - y.x * x.y);
            energy += dot(x, x);
        }
        gain /= energy;
        for (var session = 0u; session < run.batch; session++) {
            let x = spectra[(slot_of(session) * FRAMES + PAST + t) * BINS + bin];
            let y = vec2f(gain.x * x.x - gain.y * x.y, gain.x * x.y + gain.y * x.x);
            filtered[(session * run.time + t) * BINS + bin] = y;
        }
    }
}
