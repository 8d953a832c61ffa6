//! What a device can do that kernels and buffers depend on.

use wgpu::{Features, Limits};

/// What the kernels may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Sums across the lanes of a subgroup.
    pub subgroups: bool,
    /// Half precision in shaders.
    pub half: bool,
    /// Times of passes, taken on the device.
    pub timestamps: bool,
    /// The most bytes of a buffer that a shader reaches.
    pub binding_bytes: u64,
}

impl Abilities {
    /// Everything that kernels have a use for.
    pub const ALL: Abilities = Abilities {
        subgroups: true,
        half: true,
        timestamps: true,
        binding_bytes: u64::MAX,
    };

    /// What every adapter can do.
    pub const NONE: Abilities = Abilities {
        subgroups: false,
        half: false,
        timestamps: false,
        binding_bytes: 128 << 20,
    };

    const FEATURES: [Features; 3] = [
        Features::SUBGROUP,
        Features::SHADER_F16,
        Features::TIMESTAMP_QUERY,
    ];

    pub(super) fn features(self) -> Features {
        let Abilities {
            subgroups,
            half,
            timestamps,
            ..
        } = self;
        let wanted = [subgroups, half, timestamps].into_iter();
        let pairs = wanted.zip(Self::FEATURES);
        pairs
            .filter_map(|(wanted, feature)| wanted.then_some(feature))
            .fold(Features::empty(), |all, one| all | one)
    }

    pub(super) fn of(features: Features, limits: &Limits) -> Abilities {
        let [subgroups, half, timestamps] = Self::FEATURES.map(|one| features.contains(one));
        Abilities {
            subgroups,
            half,
            timestamps,
            binding_bytes: limits
                .max_storage_buffer_binding_size
                .min(limits.max_buffer_size),
        }
    }
}
