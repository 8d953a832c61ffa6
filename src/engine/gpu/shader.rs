//! Shaders: WGSL from `shaders/`, with the sizes of a layer as constants, so that loops have ends that the driver knows.

use std::fmt::Write as _;

/// A shader's source without its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shader {
    /// `shaders/proj.wgsl`.
    Proj,
    /// `shaders/conv.wgsl`.
    Conv,
    /// `shaders/scan_ssd.wgsl`.
    ScanSsd,
    /// `shaders/scan_s6.wgsl`.
    ScanS6,
    /// `shaders/scan_s4d.wgsl`.
    ScanS4d,
    /// `shaders/features.wgsl`.
    Features,
    /// `shaders/filter.wgsl`.
    Filter,
    /// `shaders/lanes.wgsl`.
    Lanes,
    /// `shaders/stft.wgsl`.
    Stft,
    /// `shaders/resample.wgsl`.
    Resample,
    /// `shaders/link.wgsl`.
    Link,
    /// `shaders/deltas.wgsl`.
    Deltas,
}

impl Shader {
    /// The file's name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Shader::Proj => "proj",
            Shader::Conv => "conv",
            Shader::ScanSsd => "scan_ssd",
            Shader::ScanS6 => "scan_s6",
            Shader::ScanS4d => "scan_s4d",
            Shader::Features => "features",
            Shader::Filter => "filter",
            Shader::Lanes => "lanes",
            Shader::Stft => "stft",
            Shader::Resample => "resample",
            Shader::Link => "link",
            Shader::Deltas => "deltas",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Shader::Proj => include_str!("../../../shaders/proj.wgsl"),
            Shader::Conv => include_str!("../../../shaders/conv.wgsl"),
            Shader::ScanSsd => include_str!("../../../shaders/scan_ssd.wgsl"),
            Shader::ScanS6 => include_str!("../../../shaders/scan_s6.wgsl"),
            Shader::ScanS4d => include_str!("../../../shaders/scan_s4d.wgsl"),
            Shader::Features => include_str!("../../../shaders/features.wgsl"),
            Shader::Filter => include_str!("../../../shaders/filter.wgsl"),
            Shader::Lanes => include_str!("../../../shaders/lanes.wgsl"),
            Shader::Stft => include_str!("../../../shaders/stft.wgsl"),
            Shader::Resample => include_str!("../../../shaders/resample.wgsl"),
            Shader::Link => include_str!("../../../shaders/link.wgsl"),
            Shader::Deltas => include_str!("../../../shaders/deltas.wgsl"),
        }
    }
}

/// A module's whole text is built of the shared parts, constants, and the shader's own.
const SHARED: [&str; 2] = [
    include_str!("../../../shaders/shared/run.wgsl"),
    include_str!("../../../shaders/shared/math.wgsl"),
];

/// What the scans with real states share.
const FOURS: &str = include_str!("../../../shaders/shared/fours.wgsl");

/// What a shader is written with where the device can do more: (can, cannot).
const LANES: [&str; 2] = [
    include_str!("../../../shaders/shared/lanes_four.wgsl"),
    include_str!("../../../shaders/shared/lanes_one.wgsl"),
];
const WEIGHTS: [&str; 2] = [
    include_str!("../../../shaders/shared/weights_half.wgsl"),
    include_str!("../../../shaders/shared/weights_full.wgsl"),
];

/// The value of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A size, as `u32`.
    Size(usize),
    /// At least one of them, as an array of `u32`.
    Sizes(Vec<usize>),
    /// A number, as `f32`; infinities become the largest finite numbers.
    Number(f32),
    /// A switch.
    Switch(bool),
}

/// A shader and its constants: what a pipeline is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    shader: Shader,
    /// The variant for devices that can do more: scans over lanes of a subgroup, weights in half precision.
    richer: bool,
    constants: Vec<(&'static str, Value)>,
}

impl Source {
    /// `shader` without constants yet.
    pub fn new(shader: Shader) -> Source {
        Source {
            shader,
            richer: false,
            constants: Vec::new(),
        }
    }

    /// In the variant that takes more of a device: subgroups for scans, half precision for projections. Others have none.
    pub fn richer(self, richer: bool) -> Source {
        Source { richer, ..self }
    }

    /// With a size.
    pub fn size(self, name: &'static str, value: usize) -> Source {
        self.with(name, Value::Size(value))
    }

    /// With sizes, at least one.
    pub fn sizes(self, name: &'static str, values: Vec<usize>) -> Source {
        self.with(name, Value::Sizes(values))
    }

    /// With a number.
    pub fn number(self, name: &'static str, value: f32) -> Source {
        self.with(name, Value::Number(value))
    }

    /// With a switch.
    pub fn switch(self, name: &'static str, value: bool) -> Source {
        self.with(name, Value::Switch(value))
    }

    fn with(mut self, name: &'static str, value: Value) -> Source {
        self.constants.push((name, value));
        self
    }

    /// Which shader it is.
    pub fn shader(&self) -> Shader {
        self.shader
    }

    /// The module's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let variants = match self.shader {
            Shader::ScanSsd | Shader::ScanS6 => Some(LANES),
            Shader::Proj => Some(WEIGHTS),
            _ => None,
        };
        if self.shader == Shader::Proj && self.richer {
            text.push_str("enable f16;\n");
        }
        for (name, value) in &self.constants {
            let written = match value {
                Value::Size(v) => writeln!(text, "const {name}: u32 = {v}u;"),
                Value::Sizes(v) => {
                    let (count, values) = (v.len(), v.iter().map(|v| format!("{v}u")));
                    let values = values.collect::<Vec<_>>().join(", ");
                    writeln!(text, "const {name} = array<u32, {count}>({values});")
                }
                Value::Number(v) => {
                    let v = v.clamp(f32::MIN, f32::MAX);
                    writeln!(text, "const {name}: f32 = {v:e}f;")
                }
                Value::Switch(v) => writeln!(text, "const {name}: bool = {v};"),
            };
            written.expect("a string takes all that is written");
        }
        for part in SHARED {
            text.push_str(part);
        }
        if let Some([richer, plain]) = variants {
            text.push_str(if self.richer { richer } else { plain });
        }
        if matches!(self.shader, Shader::ScanSsd | Shader::ScanS6) {
            text.push_str(FOURS);
        }
        text.push_str(self.shader.text());
        text
    }
}
