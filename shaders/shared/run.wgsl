// How much there is to do in this submit, and for whom. Rows are [stream][time]; streams are [band][session], or sessions
// alone.
struct Run {
    /// Rows of a stream.
    time: u32,
    /// Streams.
    batch: u32,
    /// Steps of a scan's chunk.
    chunk: u32,
    chunks: u32,
    /// Sessions that take part.
    sessions: u32,
    /// Sessions there is room for.
    most: u32,
}

@group(0) @binding(0) var<uniform> run: Run;
/// Where the session that takes part as the nth keeps what it remembers.
@group(0) @binding(15) var<storage, read> slots: array<u32>;

/// Where a stream keeps what it remembers.
fn slot_of(stream: u32) -> u32 {
    return stream / run.sessions * run.most + slots[stream % run.sessions];
}
