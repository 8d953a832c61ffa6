// How the threads of a scan share a channel's states where there are few steps: four neighbours have a quarter each. That they
// are neighbours in a subgroup as well is not promised; it is tried when a device is opened (lanes.wgsl).
const LANES: u32 = 4u;

fn sum_of_lanes(value: f32) -> f32 {
    let pair = value + subgroupShuffleXor(value, 1u);
    return pair + subgroupShuffleXor(pair, 2u);
}
