// How the threads of a scan share a channel's states, where the device has no subgroups or there are many steps: a thread has
// all of them.
const LANES: u32 = 1u;

fn sum_of_lanes(value: f32) -> f32 {
    return value;
}
