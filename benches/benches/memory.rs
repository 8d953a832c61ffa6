//! The memory that a selective scan touches, with its states written out and without, and the time of both.
//!
//!     cargo bench -p statewave-benches --bench memory
//!
//! | way | what lies in memory |
//! |---|---|
//! | fused | what comes in and what goes out; the states of sixteen channels stay in registers (the kernel that ships) |
//! | h written out | the state of every step as well, written by one pass and read by the next |
//! | all written out | Ā and B̄·x of every step too, as a line of array operations for each equation does it |
//!
//! One channel group at a time would hide the difference in the caches, so all ways go through time first, as streams do.

use statewave::kernels::scan::{S6, S6Rows, s6};
use statewave::kernels::{Aligned, Path, gate};
use statewave_benches::{Noise, in_turns};

/// E of a Mamba block of width 64, and its states.
const CHANNELS: usize = 128;
const STATES: usize = 16;
const LINE: usize = 16;

struct Scan {
    time: usize,
    kernel: S6,
    /// A·log2 e as `[E/16][N][16]`, as the state lies.
    a: Vec<f32>,
    d: Vec<f32>,
    delta: Vec<f32>,
    x: Vec<f32>,
    bc: Vec<f32>,
    y: Vec<f32>,
    path: Path,
}

impl Scan {
    fn new(path: Path, time: usize) -> Scan {
        let mut noise = Noise(7);
        let a_log: Vec<f32> = noise.vec(CHANNELS * STATES, 1.0);
        let d = noise.vec(CHANNELS, 1.0);
        let kernel = S6::new(&a_log, &d, STATES);
        Scan {
            time,
            a: kernel.decays().to_vec(),
            kernel,
            d,
            delta: noise
                .vec(time * CHANNELS, 0.05)
                .iter()
                .map(|v| v.abs())
                .collect(),
            x: noise.vec(time * CHANNELS, 1.0),
            bc: noise.vec(time * 2 * STATES, 1.0),
            y: vec![0.0; time * CHANNELS],
            path,
        }
    }

    fn rows(&self, from: usize) -> S6Rows<'_> {
        S6Rows {
            delta: &self.delta[from * CHANNELS..],
            x: &self.x[from * CHANNELS..],
            x_stride: CHANNELS,
            bc: &self.bc[from * 2 * STATES..],
            bc_stride: 2 * STATES,
        }
    }

    fn fused(&mut self) {
        let mut h = Aligned::zeros(self.kernel.state_len());
        let mut y = std::mem::take(&mut self.y);
        s6(
            self.path,
            &self.kernel,
            self.rows(0),
            &mut y,
            1,
            self.time,
            &mut h,
        );
        self.y = y;
    }

    /// The recurrence as the kernel does it, a step at a time, with every state kept; then y from the states kept.
    fn h_written(&mut self, states: &mut [f32]) {
        let len = self.kernel.state_len();
        let mut h = Aligned::zeros(len);
        let mut y = std::mem::take(&mut self.y);
        for (t, kept) in states.chunks_exact_mut(len).enumerate() {
            let y = &mut y[t * CHANNELS..][..CHANNELS];
            s6(self.path, &self.kernel, self.rows(t), y, 1, 1, &mut h);
            kept.copy_from_slice(&h);
        }
        self.y = y;
        self.read_out(states);
    }

    /// Ā, B̄·x and h as arrays over all steps, each by a pass of its own.
    fn all_written(&mut self, decays: &mut [f32], inputs: &mut [f32], states: &mut [f32]) {
        let len = self.kernel.state_len();
        for (t, (decays, inputs)) in decays
            .chunks_exact_mut(len)
            .zip(inputs.chunks_exact_mut(len))
            .enumerate()
        {
            for (line, (decays, inputs)) in decays
                .chunks_exact_mut(LINE)
                .zip(inputs.chunks_exact_mut(LINE))
                .enumerate()
            {
                let (e, b) = (
                    line / STATES * LINE,
                    self.bc[t * 2 * STATES + line % STATES],
                );
                let delta = &self.delta[t * CHANNELS + e..][..LINE];
                let x = &self.x[t * CHANNELS + e..][..LINE];
                let a = &self.a[line * LINE..][..LINE];
                for i in 0..LINE {
                    decays[i] = delta[i] * a[i];
                    inputs[i] = delta[i] * b * x[i];
                }
            }
        }
        gate::exp2(self.path, decays);
        let mut before = vec![0.0; len];
        for ((kept, decays), inputs) in states
            .chunks_exact_mut(len)
            .zip(decays.chunks_exact(len))
            .zip(inputs.chunks_exact(len))
        {
            for i in 0..len {
                kept[i] = decays[i] * before[i] + inputs[i];
            }
            before.copy_from_slice(kept);
        }
        self.read_out(states);
    }

    /// y = C·h + D·x of every step.
    fn read_out(&mut self, states: &[f32]) {
        let len = self.kernel.state_len();
        for (t, kept) in states.chunks_exact(len).enumerate() {
            let c = &self.bc[t * 2 * STATES + STATES..][..STATES];
            for (group, kept) in kept.chunks_exact(STATES * LINE).enumerate() {
                let at = t * CHANNELS + group * LINE;
                let (d, x) = (&self.d[group * LINE..][..LINE], &self.x[at..][..LINE]);
                let mut sum: [f32; LINE] = std::array::from_fn(|i| d[i] * x[i]);
                for (h, c) in kept.chunks_exact(LINE).zip(c) {
                    for (sum, h) in sum.iter_mut().zip(h) {
                        *sum += h * c;
                    }
                }
                self.y[at..at + LINE].copy_from_slice(&sum);
            }
        }
    }
}

/// Signal to difference, dB.
fn agreement(truth: &[f32], other: &[f32]) -> f64 {
    let (mut signal, mut difference) = (0.0f64, 0.0f64);
    for (a, b) in truth.iter().zip(other) {
        signal += f64::from(*a).powi(2);
        difference += (f64::from(*a) - f64::from(*b)).powi(2);
    }
    10.0 * (signal / difference).log10()
}

fn main() {
    let path = Path::detect();
    println!(
        "S6, {CHANNELS} channels of {STATES} states, path {}",
        path.name()
    );
    println!(
        "\n| steps | way | MB touched | ms | ns a step | GB/s | agrees to |\n|---|---|---|---|---|---|---|"
    );
    for time in [64, 256, 1024, 4096, 16_384] {
        let mut scan = Scan::new(path, time);
        let len = scan.kernel.state_len();
        let (mut decays, mut inputs) = (vec![0.0f32; time * len], vec![0.0f32; time * len]);
        let mut states = vec![0.0f32; time * len];
        scan.fused();
        let truth = scan.y.clone();
        scan.h_written(&mut states);
        let written = agreement(&truth, &scan.y);
        scan.all_written(&mut decays, &mut inputs, &mut states);
        let all = agreement(&truth, &scan.y);

        let ends = 4 * time * (3 * CHANNELS + 2 * STATES);
        let state = 4 * time * len;
        // h once written and once read; Ā by two passes, one of which reads and writes; B̄·x written and read.
        let bytes = [
            ends + 4 * len,
            ends + 2 * state,
            ends + 2 * state + 4 * state + 2 * state,
        ];
        let scan = std::cell::RefCell::new(scan);
        let states = std::cell::RefCell::new(states);
        let seconds = in_turns(
            if time > 10_000 { 5 } else { 20 },
            &mut [
                Box::new(|| scan.borrow_mut().fused()),
                Box::new(|| scan.borrow_mut().h_written(&mut states.borrow_mut())),
                Box::new(|| {
                    scan.borrow_mut().all_written(
                        &mut decays,
                        &mut inputs,
                        &mut states.borrow_mut(),
                    )
                }),
            ],
        );
        let ways = ["fused", "h written out", "all written out"];
        for (((way, bytes), seconds), agrees) in
            ways.iter()
                .zip(bytes)
                .zip(seconds)
                .zip([f64::INFINITY, written, all])
        {
            println!(
                "| {time} | {way} | {:.1} | {:.3} | {:.0} | {:.1} | {agrees:.0} dB |",
                bytes as f64 / 1e6,
                1e3 * seconds,
                1e9 * seconds / time as f64,
                bytes as f64 / seconds / 1e9,
            );
        }
    }
}
