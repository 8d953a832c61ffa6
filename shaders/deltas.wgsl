// Δ of a layer over time behind the last frame, mean over heads, for whoever watches. Twin of `Mamba2Block::deltas`; a thread is a
// stream.
//
// Constants: HEADS; DT_ROW and DT_AT, raw Δ; DELTA_LEAST and DELTA_MOST; LAYERS that are shown, and LAYER, which of them this is.

/// [HEADS].
@group(0) @binding(1) var<storage, read> biases: array<f32>;
@group(0) @binding(2) var<storage, read> dt: array<f32>;
/// [session that takes part][LAYERS][band].
@group(0) @binding(3) var<storage, read_write> deltas: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let stream = id.x;
    if stream >= run.batch {
        return;
    }
    let last = DT_AT + (stream * run.time + run.time - 1u) * DT_ROW;
    var sum = 0.0;
    for (var head = 0u; head < HEADS; head++) {
        sum += clamp(softplus(dt[last + head] + biases[head]), DELTA_LEAST, DELTA_MOST);
    }
    let bands = run.batch / run.sessions;
    let session = stream % run.sessions;
    deltas[(session * LAYERS + LAYER) * bands + stream / run.sessions] = sum / f32(HEADS);
}
