// A thread's states four at a time, the last four filled up with what is no state. For the scans with real states, whose
// `state` and `carried` these are.

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
