//! An S4D layer's state spaces as a recurrence and as a convolution by FFT: microseconds of a whole block, and who wins.
//!
//!     cargo bench -p statewave-benches --bench s4d
//!
//! The convolution is timed with its kernel made for the block, as one stream of any length needs it, and with a kernel
//! that was made before, as streams of one length share it. *picked* is what `faster_way` says for the second.

use statewave::kernels::scan::s4d;
use statewave::kernels::{Aligned, Path};
use statewave::model::discretize::Sampling;
use statewave::model::modes::Modes;
use statewave::model::s4d::{Way, faster_way};
use statewave::model::tensors::Tensors;
use statewave_benches::{Noise, best_us};

const CHANNELS: usize = 16;

fn modes(states: usize) -> Modes {
    let (mut noise, mut tensors) = (Noise(11), Tensors::new());
    let mut add = |name: &str, shape: Vec<usize>, centre: f32, scale: f32| {
        let values = noise
            .vec(shape.iter().product(), scale)
            .iter()
            .map(|v| v + centre)
            .collect();
        tensors.insert(format!("mixer.{name}"), shape, values);
    };
    add("log_dt", vec![CHANNELS], -5.0, 1.0);
    add("log_A_real", vec![CHANNELS, states], -0.7, 0.1);
    add("A_imag", vec![CHANNELS, states], 50.0, 50.0);
    add("C", vec![CHANNELS, states, 2], 0.0, 1.0);
    add("D", vec![CHANNELS], 1.0, 0.3);
    Modes::new(Sampling::default(), &tensors, "", CHANNELS, states).expect("sizes that fit")
}

fn main() {
    for path in Path::available() {
        println!(
            "\npath {}, {CHANNELS} channels, ns a step and channel",
            path.name()
        );
        println!(
            "\n| states | steps | recurrence | FFT, kernel made | FFT, kernel kept | faster, kernel made | faster, kernel kept | picked |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for states in [4, 16, 64, 256] {
            let modes = modes(states);
            let scan = modes.packed();
            for time in [64, 256, 1024, 4096, 16_384, 65_536] {
                let u = Noise(12).vec(time * CHANNELS, 1.0);
                let mut y = vec![0.0; u.len()];
                let mut h = Aligned::zeros(scan.state_len());
                let scale = 1e3 / (time * CHANNELS) as f64;
                let recurrence = scale * best_us(|| s4d(path, &scan, &u, &mut y, 1, time, &mut h));
                let mut kept = modes.convolution(time);
                let kept = scale * best_us(|| kept.run(&u, &mut y));
                let made = scale * best_us(|| modes.convolution(time).run(&u, &mut y));
                let faster = |fft: f64| {
                    if fft < recurrence {
                        "FFT"
                    } else {
                        "recurrence"
                    }
                };
                let picked = match faster_way(path, states, time) {
                    Way::Recurrence => "recurrence",
                    Way::Convolution => "FFT",
                };
                println!(
                    "| {states} | {time} | {recurrence:.2} | {made:.2} | {kept:.2} | {} | {} | {picked} |",
                    faster(made),
                    faster(kept)
                );
            }
        }
    }
}
