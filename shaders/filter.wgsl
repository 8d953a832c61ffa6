// The denoiser's complex filters: a few taps a bin over this frame and the ones before, times the bin's gate. Twin of
// src/kernels/filter.rs; a thread is one bin of one frame.
//
// Constants: BINS of a frame, USED bins that bands cover, PAST and FRAMES as in features.wgsl, ROW, floats of coefficients a
// frame; LIMIT, which coefficients are held within; TOP_AT, TOP_WIDTH, TOP_TAPS and TOP_GATED of the highest band, whose mean
// gain the bins above take.

/// Where a bin's filter is in a row of coefficients: those of its band, [taps][2][width] and then gates [width].
struct Place {
    at: u32,
    width: u32,
    taps: u32,
    gated: u32,
}

@group(0) @binding(1) var<storage, read> places: array<Place>;
@group(0) @binding(2) var<storage, read> spectra: array<vec2f>;
@group(0) @binding(3) var<storage, read> coefficients: array<f32>;
@group(0) @binding(4) var<storage, read_write> filtered: array<vec2f>;

fn held(at: u32, width: u32) -> vec2f {
    return clamp(vec2f(coefficients[at], coefficients[at + width]), vec2f(-LIMIT), vec2f(LIMIT));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let bin = id.x;
    if bin >= BINS {
        return;
    }
    for (var row = id.y; row < run.time * run.batch; row += groups.y) {
        let frame = slot_of(row / run.time) * FRAMES + PAST + row % run.time;
        if bin >= USED {
            var power = 0.0;
            for (var i = 0u; i < TOP_WIDTH; i++) {
                let at = row * ROW + TOP_AT + i;
                var first = held(at, TOP_WIDTH);
                if TOP_GATED {
                    first *= sigmoid(coefficients[at + 2u * TOP_TAPS * TOP_WIDTH]);
                }
                power += dot(first, first);
            }
            filtered[row * BINS + bin] = sqrt(power / f32(TOP_WIDTH) + 1e-12) * spectra[frame * BINS + bin];
            continue;
        }
        let place = places[bin];
        var sum = vec2f();
        for (var k = 0u; k < place.taps; k++) {
            let c = held(row * ROW + place.at + 2u * k * place.width, place.width);
            let x = spectra[(frame - k) * BINS + bin];
            sum += vec2f(c.x * x.x - c.y * x.y, c.x * x.y + c.y * x.x);
        }
        if place.gated == 1u {
            sum *= sigmoid(coefficients[row * ROW + place.at + 2u * place.taps * place.width]);
        }
        filtered[row * BINS + bin] = sum;
    }
}
