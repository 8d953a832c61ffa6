//! Recordings: buffers, pipelines and the order of dispatches, made once and encoded anew for every submit.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor, BufferUsages,
    CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor, ComputePassTimestampWrites,
    ComputePipeline, ComputePipelineDescriptor, MapMode, PollError, PollType,
    ShaderModuleDescriptor, ShaderRuntimeChecks, ShaderSource, SubmissionIndex,
};

use super::device::Gpu;
use super::error::GpuError;
use super::shader::Source;

/// How long a wait stays awake: more than a frame takes on its way, and less than a whole recording's chunk.
const AWAKE: Duration = Duration::from_millis(8);

/// What a submit works on; the twin of `Run` in `shaders/shared/run.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Run {
    /// Rows of a stream.
    pub time: u32,
    /// Streams.
    pub batch: u32,
    /// Steps of a scan's chunk.
    pub chunk: u32,
    /// Chunks of a stream; none where there are no rows, as the scans look for a step in each.
    pub chunks: u32,
    /// Sessions that take part.
    pub sessions: u32,
    /// Sessions there is room for.
    pub most: u32,
}

impl Run {
    /// `batch` streams of `time` rows, the scan in chunks of `chunk` steps; each stream a session of its own.
    pub fn new(time: usize, batch: usize, chunk: usize) -> Run {
        Run {
            time: time as u32,
            batch: batch as u32,
            chunk: chunk as u32,
            chunks: time.div_ceil(chunk) as u32,
            sessions: batch as u32,
            most: batch as u32,
        }
    }

    /// The same for `each` streams of each of `sessions` sessions, where there is room for `most`.
    pub fn of_sessions(
        time: usize,
        each: usize,
        (sessions, most): (usize, usize),
        chunk: usize,
    ) -> Run {
        Run {
            sessions: sessions as u32,
            most: most as u32,
            ..Run::new(time, each * sessions, chunk)
        }
    }
}

/// Workgroups of a dispatch.
pub type Groups = [u32; 3];

/// A pipeline with its buffers bound.
#[derive(Debug)]
pub struct Dispatch {
    pipeline: ComputePipeline,
    bindings: BindGroup,
}

impl Gpu {
    /// A buffer of `floats` zeros that shaders read and write, and that can be copied from and to.
    pub fn zeros(&self, label: &str, floats: usize) -> Buffer {
        self.device.create_buffer(&BufferDescriptor {
            label: Some(label),
            size: (floats.max(4) * 4) as u64,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// A buffer that holds `values`.
    pub fn holding<T: bytemuck::NoUninit>(&self, label: &str, values: &[T]) -> Buffer {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let buffer = self.zeros(label, bytes.len().div_ceil(4));
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    /// Slots of `count` sessions that all take part, in order.
    pub fn slots(&self, count: usize) -> Buffer {
        let slots: Vec<u32> = (0..count as u32).collect();
        self.holding("slots", &slots)
    }

    /// A uniform that holds `run`.
    pub fn run(&self, run: Run) -> Buffer {
        let buffer = self.device.create_buffer(&BufferDescriptor {
            label: Some("run"),
            size: size_of::<Run>() as u64,
            usage: BufferUsages::UNIFORM | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.write(&buffer, 0, &[run]);
        buffer
    }

    /// Replaces values of a buffer, from float `at` on, before the next submit.
    pub fn write<T: bytemuck::NoUninit>(&self, buffer: &Buffer, at: usize, values: &[T]) {
        self.queue
            .write_buffer(buffer, 4 * at as u64, bytemuck::cast_slice(values));
    }

    /// Compiles entry point `entry` of `source`, unless it has been, and binds to it `buffers`, `(binding, buffer)`: all
    /// that the entry uses, and no other. Slow; before anything runs.
    pub fn dispatch(&self, source: &Source, entry: &str, buffers: &[(u32, &Buffer)]) -> Dispatch {
        let label = format!("{}.{entry}", source.shader().name());
        let pipeline = self.pipeline(source, entry, &label);
        let entries: Vec<_> = buffers
            .iter()
            .map(|(binding, buffer)| BindGroupEntry {
                binding: *binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bindings = self.device.create_bind_group(&BindGroupDescriptor {
            label: Some(&label),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Dispatch { pipeline, bindings }
    }

    /// Pipelines compiled so far.
    pub(super) fn compiled(&self) -> usize {
        let known = self.pipelines.lock();
        known.unwrap_or_else(PoisonError::into_inner).len()
    }

    fn pipeline(&self, source: &Source, entry: &str, label: &str) -> ComputePipeline {
        let text = source.text();
        // A map is whole between two calls, whatever happened to another thread.
        let mut known = self
            .pipelines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .entry((text, entry.into()))
            .or_insert_with_key(|(text, entry)| {
                let described = ShaderModuleDescriptor {
                    label: Some(label),
                    source: ShaderSource::Wgsl(text.into()),
                };
                // SAFETY: the text is one of `shaders/` with the sizes that its buffers are made for: every loop has an end,
                // every divisor is a size above 0, and no index leaves its array. With the checks a loop has a second counter
                // and every index a bound, so that it is not unrolled and a scan's states are not in registers.
                let module = unsafe {
                    self.device
                        .create_shader_module_trusted(described, ShaderRuntimeChecks::unchecked())
                };
                self.device
                    .create_compute_pipeline(&ComputePipelineDescriptor {
                        label: Some(label),
                        layout: None,
                        module: &module,
                        entry_point: Some(entry),
                        compilation_options: Default::default(),
                        cache: self.cache.as_ref().map(|disk| &disk.cache),
                    })
            })
            .clone()
    }

    /// An encoder for one submit.
    pub fn encoder(&self) -> CommandEncoder {
        self.device
            .create_command_encoder(&CommandEncoderDescriptor::default())
    }

    /// Submits what was encoded.
    pub fn submit(&self, encoder: CommandEncoder) -> SubmissionIndex {
        self.submits.fetch_add(1, Ordering::Relaxed);
        self.queue.submit([encoder.finish()])
    }

    /// Waits for a submit. Never on an audio thread.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn wait(&self, submitted: SubmissionIndex) -> Result<(), GpuError> {
        let poll = |timeout: Option<Duration>| {
            self.device.poll(PollType::Wait {
                submission_index: Some(submitted.clone()),
                timeout,
            })
        };
        let since = Instant::now();
        while self.awake() && since.elapsed() < AWAKE {
            match poll(Some(Duration::ZERO)) {
                Err(PollError::Timeout) => std::hint::spin_loop(),
                _ => break,
            }
        }
        match poll(None) {
            Ok(_) if !self.is_lost() => Ok(()),
            _ => Err(self.gone()),
        }
    }

    /// A buffer of `floats` that this processor can read.
    pub fn staging(&self, floats: usize) -> Buffer {
        self.device.create_buffer(&BufferDescriptor {
            label: Some("staging"),
            size: (floats.max(4) * 4) as u64,
            usage: BufferUsages::MAP_READ | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Asks for the first `floats` of a staging buffer, to be had with [`Self::mapped`] when the submit that fills them is done.
    pub(super) fn map(&self, staging: &Buffer, floats: usize) {
        staging.map_async(MapMode::Read, ..4 * floats as u64, |_| ());
    }

    /// Shows `look` the first `floats` of a staging buffer that were asked for, behind a wait for the submit that filled them;
    /// then it can be filled again.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub(super) fn mapped<T>(
        &self,
        staging: &Buffer,
        floats: usize,
        look: impl FnOnce(&[f32]) -> T,
    ) -> Result<T, GpuError> {
        let looked = match staging.get_mapped_range(..4 * floats as u64) {
            Ok(view) => Ok(look(bytemuck::cast_slice(&view))),
            Err(_) => Err(self.gone()),
        };
        staging.unmap();
        looked
    }

    /// Submits what was encoded, waits, and reads from the start of each staging buffer as many floats as go into the slice
    /// beside it. Never on an audio thread.
    ///
    /// # Errors
    /// [`GpuError::Lost`]; slices are not touched then.
    pub fn submit_and_read(
        &self,
        encoder: CommandEncoder,
        reads: &mut [(&Buffer, &mut [f32])],
    ) -> Result<(), GpuError> {
        let submitted = self.submit(encoder);
        let mut wanted: Vec<_> = reads
            .iter_mut()
            .filter(|(_, out)| !out.is_empty())
            .collect();
        for (staging, out) in &wanted {
            self.map(staging, out.len());
        }
        let mut waited = self.wait(submitted);
        for (staging, out) in &mut wanted {
            match waited {
                Ok(()) => {
                    waited = self.mapped(staging, out.len(), |values| out.copy_from_slice(values))
                }
                Err(_) => staging.unmap(),
            }
        }
        waited
    }

    /// Reads `out.len()` floats of `buffer` from float `at` on. Waits.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn read(&self, buffer: &Buffer, at: usize, out: &mut [f32]) -> Result<(), GpuError> {
        let staging = self.staging(out.len());
        let mut encoder = self.encoder();
        let bytes = 4 * out.len() as u64;
        encoder.copy_buffer_to_buffer(buffer, 4 * at as u64, &staging, 0, Some(bytes));
        self.submit_and_read(encoder, &mut [(&staging, out)])
    }
}

/// Encodes dispatches, each after the other, in one pass.
pub fn encode<'a>(
    encoder: &mut CommandEncoder,
    steps: impl IntoIterator<Item = (&'a Dispatch, Groups)>,
) {
    encode_timed(encoder, None, steps);
}

/// The same, with the times of its beginning and end written where `times` says.
pub(super) fn encode_timed<'a>(
    encoder: &mut CommandEncoder,
    times: Option<ComputePassTimestampWrites>,
    steps: impl IntoIterator<Item = (&'a Dispatch, Groups)>,
) {
    let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor {
        label: None,
        timestamp_writes: times,
    });
    for (dispatch, [x, y, z]) in steps {
        pass.set_pipeline(&dispatch.pipeline);
        pass.set_bind_group(0, &dispatch.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}
