// Another sample rate: output j is the band-limited input at position (j · STEP + offset) / PHASES. Twin of
// src/frame/resample.rs; a thread is one output of one session.
//
// Positions are whole numbers and longer than 32 bits, so the first of every 1,024 comes from the other side.
//
// Constants: TAPS of the filter, a multiple of 8; PHASES, and ROWS of the table, between which is interpolated if they are fewer; STEP_WHOLE and
// STEP_REST, the step over PHASES; FROM and TO, floats of a session's input and output.

/// [ROWS + 1][TAPS].
@group(0) @binding(1) var<storage, read> taps: array<f32>;
/// Of every 1,024th output: its first tap's place in the input, and its phase.
@group(0) @binding(2) var<storage, read> places: array<vec2u>;
@group(0) @binding(3) var<storage, read> from_samples: array<f32>;
@group(0) @binding(4) var<storage, read_write> to_samples: array<f32>;

const PLACES: u32 = 1024u;

/// The sum in eight parts, as there: it is what is left of each tap's rounding that fills bands without sound.
fn reach(row: u32, first: u32) -> f32 {
    var low = vec4f();
    var high = vec4f();
    for (var i = 0u; i < TAPS; i += 8u) {
        let tap = row * TAPS + i;
        let at = first + i;
        low += vec4f(taps[tap], taps[tap + 1u], taps[tap + 2u], taps[tap + 3u])
            * vec4f(from_samples[at], from_samples[at + 1u], from_samples[at + 2u], from_samples[at + 3u]);
        high += vec4f(taps[tap + 4u], taps[tap + 5u], taps[tap + 6u], taps[tap + 7u])
            * vec4f(from_samples[at + 4u], from_samples[at + 5u], from_samples[at + 6u], from_samples[at + 7u]);
    }
    return low.x + low.y + low.z + low.w + high.x + high.y + high.z + high.w;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let session = id.y;
    for (var j = id.x; j < run.time; j += 64u * groups.x) {
        let place = places[j / PLACES];
        let ahead = place.y + j % PLACES * STEP_REST;
        let first = session * FROM + place.x + j % PLACES * STEP_WHOLE + ahead / PHASES;
        let phase = ahead % PHASES;
        var value: f32;
        if ROWS == PHASES {
            value = reach(phase, first);
        } else {
            let scaled = phase * ROWS;
            let share = f32(scaled % PHASES) / f32(PHASES);
            value = (1.0 - share) * reach(scaled / PHASES, first) + share * reach(scaled / PHASES + 1u, first);
        }
        to_samples[session * TO + j] = value;
    }
}
