// How much there is to do in this submit. Rows are [stream][time].
struct Run {
    /// Rows of a stream.
    time: u32,
    /// Streams.
    batch: u32,
    /// Steps of a scan's chunk.
    chunk: u32,
    chunks: u32,
}

@group(0) @binding(0) var<uniform> run: Run;
