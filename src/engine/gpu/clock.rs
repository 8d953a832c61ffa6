//! What passes take, by the device's own clock.

use wgpu::{
    Buffer, BufferDescriptor, BufferUsages, CommandEncoder, ComputePassTimestampWrites, QuerySet,
    QuerySetDescriptor, QueryType,
};

use super::{Gpu, GpuError};

/// Times of the `PASSES` passes of one submit.
#[derive(Debug)]
pub(super) struct Clock<const PASSES: usize> {
    queries: QuerySet,
    resolved: Buffer,
    staging: Buffer,
    /// Seconds of a tick.
    tick: f64,
}

impl<const PASSES: usize> Clock<PASSES> {
    /// Bytes of a beginning and an end each.
    const BYTES: u64 = 16 * PASSES as u64;

    /// None where the device does not tell times.
    pub(super) fn new(gpu: &Gpu) -> Option<Clock<PASSES>> {
        gpu.abilities().timestamps.then(|| Clock {
            queries: gpu.device.create_query_set(&QuerySetDescriptor {
                label: Some("times"),
                ty: QueryType::Timestamp,
                count: 2 * PASSES as u32,
            }),
            resolved: gpu.device.create_buffer(&BufferDescriptor {
                label: Some("times"),
                size: Self::BYTES,
                usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            staging: gpu.staging(4 * PASSES),
            tick: 1e-9 * f64::from(gpu.queue.get_timestamp_period()),
        })
    }

    /// What is to be written of the `pass`th pass.
    pub(super) fn pass(&self, pass: u32) -> ComputePassTimestampWrites<'_> {
        ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(2 * pass),
            end_of_pass_write_index: Some(2 * pass + 1),
        }
    }

    /// Behind all passes.
    pub(super) fn resolve(&self, encoder: &mut CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2 * PASSES as u32, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.staging, 0, Some(Self::BYTES));
    }

    /// Behind the submit of it.
    pub(super) fn ask(&self, gpu: &Gpu) {
        gpu.map(&self.staging, 4 * PASSES);
    }

    /// Seconds of each pass of a submit that has been waited for.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub(super) fn seconds(&self, gpu: &Gpu) -> Result<[f64; PASSES], GpuError> {
        let ticks =
            |half: &[f32]| u64::from(half[0].to_bits()) | u64::from(half[1].to_bits()) << 32;
        gpu.mapped(&self.staging, 4 * PASSES, |words| {
            std::array::from_fn(|pass| {
                let (begun, ended) = words[4 * pass..4 * pass + 4].split_at(2);
                self.tick * ticks(ended).saturating_sub(ticks(begun)) as f64
            })
        })
    }
}
