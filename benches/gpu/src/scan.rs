//! The scan's speed beside what the device can do: a copy of memory, and a matrix product, in the same run.

use std::time::{Duration, Instant};

use statewave::engine::gpu::ops::{
    self, Around, Maps, Place, S6Scan, ScanBuffers, StatePart, Step, Strides,
};
use statewave::engine::gpu::record::{Run, encode};
use statewave::engine::gpu::{Gpu, GpuError};
use statewave::kernels::scan::S6;
use wgpu::Buffer;

use crate::kernel_common::Noise;
use crate::report::Rows;

/// N of the papers.
const STATES: usize = 16;

/// No buffer has more floats: a gigabyte.
const MOST_FLOATS: usize = 1 << 28;

/// Floats that are written at once.
const PIECE: usize = 1 << 22;

/// Runs last at least so long, and the best of three counts.
const LEAST: Duration = Duration::from_millis(100);
const ROUNDS: usize = 3;

/// Rounds of a submit: the device has begun while the next are recorded, as it has where PyTorch launches.
const SUBMITTED: usize = 20;

/// Notes copy, product, and scans, in chunks of `chunk` steps or of as many as the engine would take.
pub fn run(gpu: &Gpu, short: bool, chunk: Option<usize>, rows: &mut Rows) -> Result<(), GpuError> {
    rows.section("What the device can do");
    let copied = copy(gpu, if short { 1 << 22 } else { MOST_FLOATS })?;
    rows.add(
        "copy, read and written",
        &format!("{:.1} GB/s", copied / 1e9),
    );
    let by_shader = copy_by_shader(gpu, if short { 1 } else { 64 })?;
    rows.add(
        "copy by a shader (states.wgsl), read and written",
        &format!("{:.1} GB/s", by_shader / 1e9),
    );
    let product = product(gpu, if short { 512 } else { 4096 })?;
    rows.add(
        "proj.wgsl as a matrix product",
        &format!("{:.1} GFLOP/s", product / 1e9),
    );
    rows.section("The scan of Mamba, N = 16 (share of the copy, share of the product)");
    let (channels, lengths, batches): (&[usize], &[u32], &[usize]) = if short {
        (&[256], &[10, 12], &[1, 4])
    } else {
        (
            &[256, 512, 1024, 2048],
            &[10, 12, 14, 16, 18, 20],
            &[1, 8, 64],
        )
    };
    for &channels in channels {
        for time in lengths.iter().map(|power| 1usize << power) {
            for &batch in batches {
                if batch * time * channels > MOST_FLOATS {
                    continue;
                }
                let seconds = scan(gpu, channels, time, batch, chunk)?;
                let rate = bytes(channels, time, batch) / seconds;
                let flops = 6.0 * (channels * STATES * time * batch) as f64 / seconds;
                rows.add(
                    &format!("E {channels}, length {time}, batch {batch}"),
                    &format!(
                        "{:.3} ms, {:.3} GB/s ({:.1} %), {:.2} GFLOP/s ({:.0} %)",
                        1e3 * seconds,
                        rate / 1e9,
                        100.0 * rate / copied,
                        flops / 1e9,
                        100.0 * flops / product
                    ),
                );
            }
        }
    }
    Ok(())
}

/// What a scan cannot do without: x and Δ in, y out, a float each; B and C once a step.
fn bytes(channels: usize, time: usize, batch: usize) -> f64 {
    (4 * batch * time * (3 * channels + 2 * STATES)) as f64
}

/// Seconds of one round of `work`, the best of three runs of many.
fn seconds(gpu: &Gpu, work: &dyn Fn(&mut wgpu::CommandEncoder)) -> Result<f64, GpuError> {
    let time = |rounds: usize| {
        let began = Instant::now();
        let mut submitted = None;
        for at in (0..rounds).step_by(SUBMITTED) {
            let mut encoder = gpu.encoder();
            (at..rounds.min(at + SUBMITTED)).for_each(|_| work(&mut encoder));
            submitted = Some(gpu.submit(encoder));
        }
        submitted.map_or(Ok(()), |last| gpu.wait(last))?;
        Ok::<_, GpuError>(began.elapsed())
    };
    time(1)?;
    let one = time(1)?.max(Duration::from_nanos(1));
    let rounds = (LEAST.as_secs_f64() / one.as_secs_f64()).clamp(1.0, 200.0) as usize;
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min(time(rounds)?.as_secs_f64() / rounds as f64);
    }
    Ok(best)
}

/// Bytes a second, read and written, of a copy of `floats`.
fn copy(gpu: &Gpu, floats: usize) -> Result<f64, GpuError> {
    let (from, to) = (gpu.zeros("from", floats), gpu.zeros("to", floats));
    let seconds = seconds(gpu, &|encoder| {
        encoder.copy_buffer_to_buffer(&from, 0, &to, 0, None);
    })?;
    Ok(8.0 * floats as f64 / seconds)
}

/// The same of a copy by a compute shader, of `sessions` states that are as long as a dispatch has threads.
fn copy_by_shader(gpu: &Gpu, sessions: usize) -> Result<f64, GpuError> {
    let len = 64 * ops::MOST_GROUPS;
    let part = StatePart {
        len,
        each: 1,
        each_step: len,
        slot_step: len,
        at: 0,
    };
    let floats = sessions * len;
    let (from, to) = (gpu.zeros("from", floats), gpu.zeros("to", floats));
    let run = Run::new(1, sessions, 1);
    let (run_buffer, slots) = (gpu.run(run), gpu.slots(sessions));
    let [gather, _] = ops::states(gpu, (part, len), (&run_buffer, &slots), (&from, &to));
    let seconds = seconds(gpu, &|encoder| encode(encoder, gather.for_run(run)))?;
    Ok(8.0 * floats as f64 / seconds)
}

/// FLOP/s of a product of square matrices.
fn product(gpu: &Gpu, size: usize) -> Result<f64, GpuError> {
    let run = Run::new(size, 1, size);
    let mut noise = Noise(1);
    let row = noise.vec(size, 1.0);
    let [run_buffer, x, out] = [
        gpu.run(run),
        gpu.holding("x", &noise.vec(size * size, 1.0)),
        gpu.zeros("out", size * size),
    ];
    let maps = Maps::new().with(
        Place::default(),
        (size, size),
        |m, k| row[(m + k) % size],
        |_| 0.0,
    );
    let (strides, around) = (Strides::rows(size, size), Around::default());
    let step = ops::proj(gpu, &maps, strides, around, &run_buffer, &x, None, &out);
    let seconds = seconds(gpu, &|encoder| encode(encoder, step.for_run(run)))?;
    Ok(2.0 * (size * size * size) as f64 / seconds)
}

/// Seconds of a scan.
fn scan(
    gpu: &Gpu,
    channels: usize,
    time: usize,
    batch: usize,
    chunk: Option<usize>,
) -> Result<f64, GpuError> {
    let mut noise = Noise(2);
    let s = S6::new(
        &noise.vec(channels * STATES, 1.0),
        &vec![1.0; channels],
        STATES,
    );
    let run = Run::new(
        time,
        batch,
        chunk.unwrap_or_else(|| ops::chunk_of(time, batch, channels)),
    );
    let (count, chunks) = (batch * time, run.chunks as usize);
    let lines = channels.next_multiple_of(16) * STATES;
    let zeros = |label: &str, floats: usize| -> Buffer { gpu.zeros(label, floats) };
    let [x, delta, bc, y] = [
        zeros("x", count * channels),
        zeros("delta", count * channels),
        zeros("bc", count * 2 * STATES),
        zeros("y", count * channels),
    ];
    let [state, carried, sums] = [
        zeros("h", batch * lines),
        zeros("carried", chunks * batch * lines),
        zeros("sums", chunks * batch * channels),
    ];
    // In pieces, each submitted: what is written waits in memory of this processor until then.
    let piece = vec![0.05f32; PIECE];
    for at in (0..count * channels).step_by(PIECE) {
        gpu.write(&delta, at, &piece[..PIECE.min(count * channels - at)]);
        gpu.wait(gpu.submit(gpu.encoder()))?;
    }
    let (run_buffer, slots) = (gpu.run(run), gpu.slots(batch));
    let rows = S6Scan {
        x: &x,
        x_row: channels,
        delta: &delta,
        delta_row: channels,
        bc: &bc,
        bc_row: 2 * STATES,
        bc_at: 0,
    };
    let buffers = ScanBuffers {
        few: false,
        run: &run_buffer,
        slots: &slots,
        y: &y,
        state: &state,
        carried: &carried,
        sums: &sums,
    };
    let steps: [Step; 3] = ops::s6(gpu, &s, rows, buffers);
    seconds(gpu, &|encoder| {
        encode(encoder, steps.iter().filter_map(|step| step.for_run(run)));
    })
}
