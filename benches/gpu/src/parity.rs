//! Every shader beside the f64 oracle: the worst of several seeds, over sizes that fill no tile.

use std::sync::Arc;

use statewave::engine::gpu::Gpu;

use crate::gpu_cases::{self as cases, Found};
use crate::kernel_common::ends_gpu;
use crate::report::Rows;

const SEEDS: [u64; 4] = [1, 2, 3, 4];

/// Signal to error of the worst.
fn worst(case: &dyn Fn(u64) -> Found) -> String {
    let all = SEEDS.iter().flat_map(|seed| case(*seed));
    let worst = all.map(|(_, snr)| snr).fold(f64::INFINITY, f64::min);
    format!("{worst:.1} dB")
}

/// Notes signal to error of each; `half` is the device with weights in half precision, if it has that.
pub fn run(gpu: &Arc<Gpu>, half: Option<&Arc<Gpu>>, rows: &mut Rows) {
    rows.section("Parity to the f64 oracle, worst of four seeds");
    let mut add = |name: &str, case: &dyn Fn(u64) -> Found| rows.add(name, &worst(case));
    let all_around = (130, 83, 131, true, true, true, 1);
    add("proj.wgsl", &|seed| cases::proj(gpu, all_around, seed));
    add("proj.wgsl, a map a channel", &|seed| {
        cases::mix(gpu, (37, 19, 32), seed)
    });
    add("conv.wgsl, few rows", &|seed| {
        cases::conv(gpu, (3, 9, 11, 4), seed)
    });
    add("conv.wgsl, many rows", &|seed| {
        cases::conv(gpu, (3, 35, 11, 4), seed)
    });
    for (how, chunk) in [("one chunk", 190), ("in chunks", 64)] {
        add(&format!("scan_ssd.wgsl, {how}"), &|seed| {
            cases::ssd(gpu, (3, 190, chunk, 4, 2, 16), seed)
        });
        add(&format!("scan_s6.wgsl, {how}"), &|seed| {
            cases::s6(gpu, (3, 190, chunk, 17, 16), seed)
        });
        add(&format!("scan_s4d.wgsl, {how}"), &|seed| {
            cases::s4d(gpu, (3, 190, chunk, 17, 16), seed)
        });
    }
    add("stft.wgsl, there and back", &|seed| {
        cases::stft(gpu, (2, 3, 640, 320, 128), seed)
    });
    add(
        "features.wgsl and filter.wgsl, with split and head",
        &|_| {
            let snrs = ends_gpu::ends(gpu, true).into_iter();
            snrs.map(|(_, snr)| ("ends", snr)).collect()
        },
    );
    let Some(half) = half else {
        rows.add("weights in half precision", "the device has none");
        return;
    };
    let mut add = |name: &str, case: &dyn Fn(u64) -> Found| {
        rows.add(&format!("{name}, weights in half precision"), &worst(case));
    };
    add("proj.wgsl", &|seed| cases::proj(half, all_around, seed));
    add("proj.wgsl, a map a channel", &|seed| {
        cases::mix(half, (37, 19, 32), seed)
    });
    add(
        "features.wgsl and filter.wgsl, with split and head",
        &|_| {
            let snrs = ends_gpu::ends(half, true).into_iter();
            snrs.map(|(_, snr)| ("ends", snr)).collect()
        },
    );
}
