// Whether threads that follow each other in a workgroup are neighbours in a subgroup: each looks at its own.

/// Whom each thread sees one and two lanes away.
@group(0) @binding(1) var<storage, read_write> seen: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local: vec3u) {
    seen[local.x] = vec2u(subgroupShuffleXor(local.x, 1u), subgroupShuffleXor(local.x, 2u));
}
