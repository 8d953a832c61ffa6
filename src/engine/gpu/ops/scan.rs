//! `shaders/scan_*.wgsl`: the recurrences, sequential for blocks and in chunks for files.

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::record::Run;
use crate::engine::gpu::shader::{Shader, Source};
use crate::kernels::scan::{S4d, S6, Ssd};

/// Steps of a chunk at least.
pub const CHUNK: usize = 32;

/// Threads with which a card has enough to do: with fewer, a scan is cut into chunks, each of which is run twice.
const ENOUGH: usize = 1 << 15;

/// Steps of a chunk of `time` steps of `batch` streams of `channels`: all of them where the streams alone are enough
/// threads, and never fewer than [`CHUNK`].
pub fn chunk_of(time: usize, batch: usize, channels: usize) -> usize {
    let chunks = ENOUGH
        .div_ceil((batch * channels).max(1))
        .min(time.div_ceil(CHUNK));
    time.div_ceil(chunks.max(1)).max(CHUNK)
}

/// Chunks that runs have at the most, of up to `time` steps and `batch` streams, taken over all of a run's streams.
pub fn most_chunks(time: usize, batch: usize, channels: usize) -> usize {
    let of_threads = ENOUGH / channels.max(1) + batch;
    (time.div_ceil(CHUNK) * batch).min(of_threads)
}

/// Threads of a workgroup.
const GROUP: usize = 64;

/// Threads of a channel, where a device has subgroups and steps are few.
const LANES: usize = 4;

/// What every scan reads and writes beside its rows.
#[derive(Debug, Clone, Copy)]
pub struct ScanBuffers<'a> {
    /// Runs have few steps: lanes share a channel's states, where the device can do that.
    pub few: bool,
    /// How much.
    pub run: &'a Buffer,
    /// For whom.
    pub slots: &'a Buffer,
    /// `[batch · time][channels]`.
    pub y: &'a Buffer,
    /// `[slot][state_len]`: where the streams are, before and after.
    pub state: &'a Buffer,
    /// `[chunks][batch][state_len]`; for runs of one chunk anything.
    pub carried: &'a Buffer,
    /// `[chunks][batch]` of ΣΔ: channels, or heads, each; for runs of one chunk anything.
    pub sums: &'a Buffer,
}

/// Rows of a Mamba-2 scan.
#[derive(Debug, Clone, Copy)]
pub struct SsdScan<'a> {
    /// x, B and C after the convolution, `x_row` apart.
    pub x: &'a Buffer,
    /// Floats from row to row.
    pub x_row: usize,
    /// Raw Δ.
    pub dt: &'a Buffer,
    /// Floats from row to row.
    pub dt_row: usize,
    /// The first head's place in a row.
    pub dt_at: usize,
}

/// The source of a Mamba-2 scan.
pub fn ssd_source(s: &Ssd, x_row: usize, dt_row: usize, dt_at: usize) -> Source {
    let (least, most) = s.limit();
    Source::new(Shader::ScanSsd)
        .size("CHANNELS", s.channels())
        .size("HEADS", s.heads())
        .size("HEAD_DIM", s.channels() / s.heads())
        .size("STATES", s.states())
        .size("GROUPS", s.groups())
        .size("X_ROW", x_row)
        .size("DT_ROW", dt_row)
        .size("DT_AT", dt_at)
        .number("DELTA_LEAST", least)
        .number("DELTA_MOST", most)
}

/// The steps of a Mamba-2 scan.
pub fn ssd(gpu: &Gpu, s: &Ssd, rows: SsdScan, buffers: ScanBuffers) -> [Step; 3] {
    let heads = 0..s.heads();
    let table: Vec<f32> = heads
        .clone()
        .map(|h| s.a(h))
        .chain(heads.clone().map(|h| s.dt_bias(h)))
        .chain(heads.map(|h| s.skip(h)))
        .collect();
    let table = gpu.holding("ssd.heads", &table);
    let ScanBuffers {
        few,
        run,
        slots,
        y,
        state,
        carried,
        sums,
    } = buffers;
    let lanes = lanes(gpu, s.states(), few);
    let source = ssd_source(s, rows.x_row, rows.dt_row, rows.dt_at).richer(lanes > 1);
    let (heads, x, dt) = ((1, &table), (2, rows.x), (3, rows.dt));
    steps(
        (s.channels(), lanes),
        s.state_len(),
        gpu.dispatch(
            &source,
            "reduce",
            &[(0, run), heads, x, dt, (6, carried), (7, sums)],
        ),
        gpu.dispatch(
            &source,
            "carry",
            &[
                (0, run),
                (15, slots),
                heads,
                (5, state),
                (6, carried),
                (7, sums),
            ],
        ),
        gpu.dispatch(
            &source,
            "down",
            &[
                (0, run),
                (15, slots),
                heads,
                x,
                dt,
                (4, y),
                (5, state),
                (6, carried),
            ],
        ),
    )
}

/// Rows of a Mamba scan.
#[derive(Debug, Clone, Copy)]
pub struct S6Scan<'a> {
    /// x after the convolution.
    pub x: &'a Buffer,
    /// Floats from row to row.
    pub x_row: usize,
    /// Δ, positive, a channel each.
    pub delta: &'a Buffer,
    /// Floats from row to row.
    pub delta_row: usize,
    /// B and then C, N each.
    pub bc: &'a Buffer,
    /// Floats from row to row.
    pub bc_row: usize,
    /// B's place in a row.
    pub bc_at: usize,
}

/// The source of a Mamba scan.
pub fn s6_source(s: &S6, x_row: usize, delta_row: usize, bc_row: usize, bc_at: usize) -> Source {
    Source::new(Shader::ScanS6)
        .size("CHANNELS", s.channels())
        .size("STATES", s.states())
        .size("X_ROW", x_row)
        .size("DELTA_ROW", delta_row)
        .size("BC_ROW", bc_row)
        .size("BC_AT", bc_at)
}

/// The steps of a Mamba scan.
pub fn s6(gpu: &Gpu, s: &S6, rows: S6Scan, buffers: ScanBuffers) -> [Step; 3] {
    let table = [s.decays(), s.skips()].concat();
    let table = gpu.holding("s6.a", &table);
    let ScanBuffers {
        few,
        run,
        slots,
        y,
        state,
        carried,
        sums,
    } = buffers;
    let lanes = lanes(gpu, s.states(), few);
    let source =
        s6_source(s, rows.x_row, rows.delta_row, rows.bc_row, rows.bc_at).richer(lanes > 1);
    let (a, x, delta, bc) = ((1, &table), (2, rows.x), (3, rows.delta), (4, rows.bc));
    steps(
        (s.channels(), lanes),
        s.state_len(),
        gpu.dispatch(
            &source,
            "reduce",
            &[(0, run), a, x, delta, bc, (7, carried), (8, sums)],
        ),
        gpu.dispatch(
            &source,
            "carry",
            &[
                (0, run),
                (15, slots),
                a,
                (6, state),
                (7, carried),
                (8, sums),
            ],
        ),
        gpu.dispatch(
            &source,
            "down",
            &[
                (0, run),
                (15, slots),
                a,
                x,
                delta,
                bc,
                (5, y),
                (6, state),
                (7, carried),
            ],
        ),
    )
}

/// Rows of an S4D recurrence.
#[derive(Debug, Clone, Copy)]
pub struct S4dScan<'a> {
    /// The input, `[batch · time][channels]`.
    pub u: &'a Buffer,
    /// Steps of a chunk: the decay of a whole one is made beforehand.
    pub chunk: usize,
}

/// The source of an S4D recurrence.
pub fn s4d_source(s: &S4d) -> Source {
    Source::new(Shader::ScanS4d)
        .size("CHANNELS", s.channels())
        .size("STATES", s.states())
}

/// The steps of an S4D recurrence.
pub fn s4d(gpu: &Gpu, s: &S4d, rows: S4dScan, buffers: ScanBuffers) -> [Step; 3] {
    let table = gpu.holding("s4d.coefficients", &s.with_chunk_decays(rows.chunk));
    let source = s4d_source(s);
    let ScanBuffers {
        run,
        slots,
        y,
        state,
        carried,
        ..
    } = buffers;
    let (k, u) = ((1, &table), (2, rows.u));
    steps(
        (s.channels(), 1),
        s.state_len() / 2,
        gpu.dispatch(&source, "reduce", &[(0, run), k, u, (5, carried)]),
        gpu.dispatch(
            &source,
            "carry",
            &[(0, run), (15, slots), k, (4, state), (5, carried)],
        ),
        gpu.dispatch(
            &source,
            "down",
            &[
                (0, run),
                (15, slots),
                k,
                u,
                (3, y),
                (4, state),
                (5, carried),
            ],
        ),
    )
}

/// Threads that share a channel.
fn lanes(gpu: &Gpu, states: usize, few: bool) -> usize {
    // A lane has states in fours.
    let can = gpu.abilities().subgroups && states.is_multiple_of(4 * LANES);
    if few && can { LANES } else { 1 }
}

/// Reduce, carry, down; the first two only where there are several chunks. `carried` threads carry a stream's states.
fn steps(
    (channels, lanes): (usize, usize),
    carried: usize,
    reduce: super::Dispatch,
    carry: super::Dispatch,
    down: super::Dispatch,
) -> [Step; 3] {
    let columns = channels.div_ceil(GROUP) as u32;
    let of_lanes = (channels * lanes).div_ceil(GROUP) as u32;
    let lines = carried.div_ceil(GROUP) as u32;
    // A workgroup goes on to another stream where there are more.
    let streams = |run: Run| run.batch.min(MOST_GROUPS as u32);
    [
        Step::new(reduce, move |run: Run| {
            [columns, run.chunks.saturating_sub(1), streams(run)]
        }),
        Step::new(carry, move |run: Run| {
            [lines, if run.chunks > 1 { streams(run) } else { 0 }, 1]
        }),
        Step::new(down, move |run: Run| [of_lanes, run.chunks, streams(run)]),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::gpu::ops::MOST_GROUPS;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_run_has_more_chunks_than_buffers_were_made_for(
            most_time in 1usize..6_000, most_batch in 1usize..300, channels in 1usize..3_000,
            runs in proptest::collection::vec((1usize..6_000, 1usize..300), 64),
        ) {
            let room = most_chunks(most_time, most_batch, channels);
            let smaller = runs.into_iter().map(|(time, batch)| (time.min(most_time), batch.min(most_batch)));
            for (time, batch) in smaller.chain([(most_time, most_batch), (most_time, 1), (1, most_batch)]) {
                let chunk = chunk_of(time, batch, channels);
                let run = Run::new(time, batch, chunk);
                prop_assert!(chunk >= CHUNK);
                prop_assert!(run.chunks as usize * batch <= room, "{run:?}, room for {room}");
                prop_assert!(run.chunks as usize <= MOST_GROUPS);
                // All of the time is in chunks, and none of them is empty.
                prop_assert!((run.chunks as usize - 1) * chunk < time && time <= run.chunks as usize * chunk);
            }
        }
    }

    #[test]
    fn a_run_of_no_steps_has_no_chunk_to_look_for_one_in() {
        let run = Run::new(0, 3, chunk_of(0, 3, 64));
        assert_eq!((run.time, run.chunks), (0, 0));
    }

    /// Every time and batch up to some, for sizes at which the rounding turns.
    #[test]
    fn the_room_holds_for_every_smaller_run() {
        for channels in [1, 63, 64, 1_000, 2_048, 4_096, 32_767, 32_768, 32_769] {
            let (most_time, most_batch) = (700, 40);
            let room = most_chunks(most_time, most_batch, channels);
            for time in 1..=most_time {
                for batch in 1..=most_batch {
                    let run = Run::new(time, batch, chunk_of(time, batch, channels));
                    let chunks = run.chunks as usize * batch;
                    assert!(
                        chunks <= room,
                        "{channels} channels, {run:?}: {chunks} of {room}"
                    );
                }
            }
        }
    }
}
