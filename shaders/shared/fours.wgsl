// A thread's states four at a time, the last four filled up with what is no state, and what is carried from chunk to chunk. For the
// scans with real states, whose `state`, `carried` and `sums` these are.

/// Chunks whose states `carry_line` has under way at a time.
const AHEAD: u32 = 16u;

/// Which numbers of the `four`th four are states, and where each may be read.
fn are_states(four: u32) -> vec4<bool> {
    return (four * 4u + vec4u(0u, 1u, 2u, 3u)) < vec4u(STATES);
}

fn states_of(four: u32) -> vec4u {
    return min(four * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(STATES - 1u));
}

/// Where a four of a channel's states lies.
fn lines_of(channel: u32, four: u32) -> vec4u {
    return channel / 16u * STATES * 16u + channel % 16u + states_of(four) * 16u;
}

/// A four out of `carried`, whose states of this slot begin at `slot`; 0 where there is no state.
fn carried_four(slot: u32, channel: u32, four: u32) -> vec4f {
    let at = slot + lines_of(channel, four);
    return select(vec4f(), vec4f(carried[at.x], carried[at.y], carried[at.z], carried[at.w]), are_states(four));
}

/// The same out of `state`.
fn kept_four(slot: u32, channel: u32, four: u32) -> vec4f {
    let at = slot + lines_of(channel, four);
    return select(vec4f(), vec4f(state[at.x], state[at.y], state[at.z], state[at.w]), are_states(four));
}

/// Puts a four into `carried`.
fn carry_four(slot: u32, channel: u32, four: u32, h: vec4f) {
    let at = slot + lines_of(channel, four);
    let there = are_states(four);
    carried[at.x] = h.x;
    if there.y {
        carried[at.y] = h.y;
    }
    if there.z {
        carried[at.z] = h.z;
    }
    if there.w {
        carried[at.w] = h.w;
    }
}

/// The same into `state`.
fn keep_four(slot: u32, channel: u32, four: u32, h: vec4f) {
    let at = slot + lines_of(channel, four);
    let there = are_states(four);
    state[at.x] = h.x;
    if there.y {
        state[at.y] = h.y;
    }
    if there.z {
        state[at.z] = h.z;
    }
    if there.w {
        state[at.w] = h.w;
    }
}

/// Goes through a stream's chunks with the state that lies at `at`: each finds in `carried` what it begins with, and leaves what it
/// ended in from nothing. It decays by 2^(`rate` · ΣΔ), of which a chunk has `count`, this state's being the one of number `own`.
fn carry_line(stream: u32, at: u32, rate: f32, count: u32, own: u32) {
    var h = state[slot_of(stream) * LINES + at];
    for (var c = 0u; c < run.chunks; c += AHEAD) {
        var lasts: array<f32, AHEAD>;
        var decays: array<f32, AHEAD>;
        for (var k = 0u; k < AHEAD; k++) {
            let slot = min(c + k, run.chunks - 1u) * run.batch + stream;
            lasts[k] = carried[slot * LINES + at];
            decays[k] = exp2(rate * sums[slot * count + own]);
        }
        for (var k = 0u; k < AHEAD; k++) {
            if c + k < run.chunks {
                carried[((c + k) * run.batch + stream) * LINES + at] = h;
                h = decays[k] * h + lasts[k];
            }
        }
    }
}
