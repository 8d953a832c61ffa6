// What the denoiser sees of a spectrum: power-compressed real part, imaginary part and magnitude, laid out by bands; and
// their running level, by which the split divides. Twin of src/model/denoise/features.rs and src/kernels/compress.rs.
//
// Constants: BINS of a frame, USED bins that bands cover, PAST frames kept before the first, FRAMES of a session's buffer with
// them, COMPRESS, KEEP.

/// For each used bin: where its real part goes in a row of features, and the width of its band.
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
/// Spectra, [slot][FRAMES][BINS], the past first.
@group(0) @binding(2) var<storage, read_write> spectra: array<vec2f>;
/// [session · time][3 · USED].
@group(0) @binding(3) var<storage, read_write> features: array<f32>;
/// Mean magnitude of each frame, then 1 over its level.
@group(0) @binding(4) var<storage, read_write> gains: array<f32>;
/// (sum, weight) of each slot's level.
@group(0) @binding(5) var<storage, read_write> levels: array<vec2f>;

const POWER_FLOOR: f32 = 1e-12;
const LEVEL_FLOOR: f32 = 0.05;

var<workgroup> partial: array<f32, 64>;

/// A workgroup is one frame.
@compute @workgroup_size(64)
fn compress(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
    for (var row = group.x; row < run.time * run.batch; row += groups.x) {
        let frame = (slot_of(row / run.time) * FRAMES + PAST + row % run.time) * BINS;
        var sum = 0.0;
        for (var bin = local.x; bin < USED; bin += 64u) {
            let value = spectra[frame + bin];
            let log = log2(dot(value, value) + POWER_FLOOR);
            let magnitude = exp2(0.5 * COMPRESS * log);
            let scale = exp2(0.5 * (COMPRESS - 1.0) * log);
            let at = row * 3u * USED + places[bin].x;
            features[at] = scale * value.x;
            features[at + places[bin].y] = scale * value.y;
            features[at + 2u * places[bin].y] = magnitude;
            sum += magnitude;
        }
        partial[local.x] = sum;
        workgroupBarrier();
        if local.x == 0u {
            var all = 0.0;
            for (var i = 0u; i < 64u; i++) {
                all += partial[i];
            }
            gains[row] = all / f32(USED);
        }
        workgroupBarrier();
    }
}

var<workgroup> means: array<f32, 64>;

/// A workgroup is one session, and one thread of it goes through the frames in order: a multiplication and an addition each.
@compute @workgroup_size(64)
fn level(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let own = slot_of(group.x);
    var level = levels[own];
    for (var t = 0u; t < run.time; t += 64u) {
        let at = group.x * run.time + t + local.x;
        let there = t + local.x < run.time;
        if there {
            means[local.x] = gains[at];
        }
        workgroupBarrier();
        if local.x == 0u {
            for (var i = 0u; i < min(64u, run.time - t); i++) {
                level = KEEP * level + vec2f(means[i], 1.0);
                means[i] = 1.0 / max(level.x / level.y, LEVEL_FLOOR);
            }
        }
        workgroupBarrier();
        if there {
            gains[at] = means[local.x];
        }
    }
    if local.x == 0u {
        levels[own] = level;
    }
}

/// The last frames of this run become the past of the next. A thread is one bin of one session.
@compute @workgroup_size(64)
fn remember(@builtin(global_invocation_id) id: vec3u) {
    if id.x >= BINS {
        return;
    }
    let first = slot_of(id.y) * FRAMES;
    for (var i = 0u; i < PAST; i++) {
        spectra[(first + i) * BINS + id.x] = spectra[(first + run.time + i) * BINS + id.x];
    }
}
