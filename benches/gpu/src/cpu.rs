//! The same on this processor, one core, so that one can choose.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use statewave::chain::{self, Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::cost::frame_time;
use statewave::engine::cpu::CpuEngine;
use statewave::kernels::Path;
use statewave::model::Model;

use crate::report::Rows;
use crate::whole::{RATE, Size, in_turn};

/// Notes speed, and streams.
pub fn run(model: &Arc<Model>, short: bool, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    rows.section("This processor, one core");
    rows.add("kernels", Path::detect().name());
    let spec = model.spec();
    let config = ChainConfig {
        sample_rate: RATE,
        channels: 1,
        max_block: 4096,
    };
    let file = in_turn(Size::new(short).up_to(60), |audio| {
        let engine = Box::new(CpuEngine::new(model, 1));
        let mut chain = Chain::new(engine, spec.front_end, spec.sample_rate, config)?;
        chain::render(&mut chain, audio, &Controls::default(), |_| ());
        Ok(())
    })?;
    rows.add("file to file, mono, times real time", &format!("{file:.1}"));
    let (frame, hop) = (frame_time(model), spec.front_end.hop);
    let hop = Duration::from_secs_f64(hop as f64 / f64::from(spec.sample_rate));
    let times = hop.as_secs_f64() / frame.as_secs_f64();
    rows.add("engine alone, times real time", &format!("{times:.1}"));
    let micros = 1e6 * frame.as_secs_f64();
    rows.add(
        "work of a frame",
        &format!("{micros:.1} µs of {:.2} ms", 1e3 * hop.as_secs_f64()),
    );
    let spread = spec.front_end.spread as f64 / f64::from(spec.sample_rate);
    let held = (spread / frame.as_secs_f64()) as usize;
    rows.add("mono streams at 10 ms, all in step", &held.to_string());
    Ok(())
}
