// What sessions remember, out of a buffer of it into their packed states (`gather`) and back (`scatter`), so that a state is one
// copy and not one for each band of each layer. A thread is a float of a session's part; in the order of `DenoiseSession::save`.
//
// Constants: LEN floats of a stream; EACH streams of a session, EACH_STEP floats apart, where two sessions are SLOT_STEP apart;
// AT, where the part begins in a packed state of STATE floats.

@group(0) @binding(1) var<storage, read_write> memory: array<f32>;
/// [session that takes part][STATE].
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;

/// Where a float of a session's part is in `memory`.
fn place(session: u32, i: u32) -> u32 {
    return i / LEN * EACH_STEP + slots[session] * SLOT_STEP + i % LEN;
}

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) id: vec3u) {
    if id.x < EACH * LEN && id.y < run.sessions {
        packed[id.y * STATE + AT + id.x] = memory[place(id.y, id.x)];
    }
}

@compute @workgroup_size(64)
fn scatter(@builtin(global_invocation_id) id: vec3u) {
    if id.x < EACH * LEN && id.y < run.sessions {
        memory[place(id.y, id.x)] = packed[id.y * STATE + AT + id.x];
    }
}
