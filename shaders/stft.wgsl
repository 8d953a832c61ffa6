// The short-time Fourier transform with a long analysis window and a short synthesis window, there and back. Twin of
// src/frame/stft.rs, src/kernels/real_fft.rs and src/frame/overlap_add.rs.
//
// A workgroup is a frame, and its points never leave workgroup memory: WINDOW real samples are HALF complex points, even samples
// the real parts, which go through the stages of a Stockham transform of mixed radix (RADICES multiply up to HALF). With P the
// product of the radices before a stage of radix R, and A_P[q, p] = Σ_n x[q + HALF/P · n] e^(−2πi·p·n/P):
//
//     A_PR[q, p] = Σ_{i<R} e^(−2πi·p·i/(PR)) · A_P[q + HALF/(PR) · i, p mod P]
//
// so a thread makes an output of R inputs, and after the last stage the bins lie in order.
//
// Constants: HALF, HOP, OVERLAP, STAGES, RADICES; SAMPLES, floats of a session's input; PAST and FRAMES of spectra as in
// features.wgsl; JOINED, floats of a session's output, which begins behind KEPT of before.

/// [session][SAMPLES]: all that the windows of the frames cover, the oldest first.
@group(0) @binding(1) var<storage, read> samples: array<f32>;
/// The analysis window, [2 · HALF], and then what is not zero of the synthesis window over 2 · HALF, [HOP + OVERLAP].
@group(0) @binding(2) var<storage, read> windows: array<f32>;
/// e^(−2πi·k/(2 · HALF)).
@group(0) @binding(3) var<storage, read> roots: array<vec2f>;
/// [slot][FRAMES][BINS].
@group(0) @binding(4) var<storage, read_write> spectra: array<vec2f>;
/// [session · time][BINS].
@group(0) @binding(5) var<storage, read> filtered: array<vec2f>;
/// What a frame gives, [session · time][HOP + OVERLAP].
@group(0) @binding(6) var<storage, read_write> segments: array<f32>;
/// The end of the frame before the first, [session][OVERLAP].
@group(0) @binding(7) var<storage, read> falls: array<f32>;
/// [session][JOINED].
@group(0) @binding(8) var<storage, read_write> joined: array<f32>;

const WINDOW: u32 = 2u * HALF;
const BINS: u32 = HALF + 1u;
const SEGMENT: u32 = HOP + OVERLAP;
const THREADS: u32 = 128u;

/// What a stage takes and what it gives, in turn.
var<workgroup> points: array<vec2f, 2u * HALF>;

/// Transforms the points from 0 on, with `sense` 1 there and −1 back, not scaled; says from where on the result is.
fn transform(thread: u32, sense: f32) -> u32 {
    var radices = RADICES;
    var base = 0u;
    var done = 1u;
    for (var stage = 0u; stage < STAGES; stage++) {
        let radix = radices[stage];
        let all = done * radix;
        let apart = HALF / all;
        let to = HALF - base;
        workgroupBarrier();
        for (var o = thread; o < HALF; o += THREADS) {
            let p = o % all;
            let first = base + o / all * done + p % done;
            let turn = 2u * p * apart;
            var at = 0u;
            var sum = vec2f();
            for (var i = 0u; i < radix; i++) {
                let x = points[first + i * apart * done];
                let root = vec2f(roots[at].x, sense * roots[at].y);
                sum += vec2f(root.x * x.x - root.y * x.y, root.x * x.y + root.y * x.x);
                at += turn;
                if at >= WINDOW {
                    at -= WINDOW;
                }
            }
            points[to + o] = sum;
        }
        base = to;
        done = all;
    }
    workgroupBarrier();
    return base;
}

/// Samples to spectra: X[k] = (Z[k] + Z')/2 − i·w·(Z[k] − Z')/2 with Z' = conj(Z[HALF − k]) and w = e^(−2πi·k/WINDOW).
@compute @workgroup_size(THREADS)
fn analyse(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
    for (var row = group.x; row < run.time * run.batch; row += groups.x) {
        let session = row / run.time;
        let t = row % run.time;
        let first = session * SAMPLES + t * HOP;
        workgroupBarrier();
        for (var i = local.x; i < HALF; i += THREADS) {
            let at = first + 2u * i;
            points[i] = vec2f(windows[2u * i] * samples[at], windows[2u * i + 1u] * samples[at + 1u]);
        }
        let z = transform(local.x, 1.0);
        let frame = (slot_of(session) * FRAMES + PAST + t) * BINS;
        for (var k = local.x; k < BINS; k += THREADS) {
            let a = points[z + k % HALF];
            let b = points[z + (HALF - k) % HALF];
            let odd = vec2f(a.y + b.y, b.x - a.x);
            let w = roots[k];
            spectra[frame + k] = 0.5 * vec2f(
                a.x + b.x + w.x * odd.x - w.y * odd.y,
                a.y - b.y + w.x * odd.y + w.y * odd.x,
            );
        }
    }
}

/// Spectra to windowed segments: Z[k] = (X[k] + X') + i·conj(w)·(X[k] − X'). A real signal has no phase in the first and the last
/// bin, so what they have of an imaginary part is ignored.
@compute @workgroup_size(THREADS)
fn synthesise(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
    for (var row = group.x; row < run.time * run.batch; row += groups.x) {
        workgroupBarrier();
        for (var k = local.x; k < HALF; k += THREADS) {
            var a = filtered[row * BINS + k];
            var b = filtered[row * BINS + HALF - k];
            if k == 0u {
                a.y = 0.0;
                b.y = 0.0;
            }
            let odd = vec2f(a.x - b.x, a.y + b.y);
            let w = roots[k];
            points[k] = vec2f(
                a.x + b.x - w.x * odd.y + w.y * odd.x,
                a.y - b.y + w.x * odd.x + w.y * odd.y,
            );
        }
        let x = transform(local.x, -1.0);
        for (var i = local.x; i < SEGMENT; i += THREADS) {
            let n = WINDOW - SEGMENT + i;
            segments[row * SEGMENT + i] = windows[WINDOW + i] * points[x + n / 2u][n % 2u];
        }
    }
}

/// Segments to samples: each rises while the one before falls. A thread is one sample of one session.
@compute @workgroup_size(64)
fn join(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let session = id.y;
    for (var n = id.x; n < run.time * HOP; n += 64u * groups.x) {
        let row = session * run.time + n / HOP;
        let i = n % HOP;
        var sum = segments[row * SEGMENT + i];
        if i < OVERLAP {
            if n < HOP {
                sum += falls[session * OVERLAP + i];
            } else {
                sum += segments[(row - 1u) * SEGMENT + HOP + i];
            }
        }
        joined[session * JOINED + KEPT + n] = sum;
    }
}
