//! Which adapters there are, and which of them a choice means.

use wgpu::{Adapter, Backends, DeviceType, Instance, InstanceDescriptor};

use super::device::{Choice, ready};
use super::error::GpuError;

/// All adapters, the best first.
pub(super) fn enumerate(low_power: bool) -> Vec<Adapter> {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let mut adapters = ready(instance.enumerate_adapters(Backends::PRIMARY));
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type, low_power));
    adapters
}

/// The adapter that `choice` names.
///
/// # Errors
/// [`GpuError::NoAdapter`], [`GpuError::NotFound`] or [`GpuError::OnlySoftware`].
pub(super) fn find(choice: &Choice) -> Result<Adapter, GpuError> {
    let mut adapters = enumerate(choice.low_power);
    let known = adapters.iter().map(Adapter::get_info);
    let known: Vec<_> = known.map(|info| (info.name, info.device_type)).collect();
    Ok(adapters.swap_remove(meant(choice, &known)?))
}

/// How far down the list adapters of a kind stand.
fn rank(kind: DeviceType, low_power: bool) -> u8 {
    match kind {
        DeviceType::DiscreteGpu => 1 + u8::from(low_power),
        DeviceType::IntegratedGpu => 2 - u8::from(low_power),
        DeviceType::VirtualGpu => 3,
        DeviceType::Other => 4,
        DeviceType::Cpu => 5,
    }
}

/// The place of the adapter that is meant, of names and kinds with the best first.
fn meant(choice: &Choice, adapters: &[(String, DeviceType)]) -> Result<usize, GpuError> {
    let Some((best, kind)) = adapters.first() else {
        return Err(GpuError::NoAdapter);
    };
    let Some(wanted) = &choice.name else {
        // Only where there is no other does one that works on the CPU come first.
        return match kind {
            DeviceType::Cpu if !choice.software => Err(GpuError::OnlySoftware {
                adapter: best.clone(),
            }),
            _ => Ok(0),
        };
    };
    let lower = wanted.to_lowercase();
    let named = |(name, _): &(String, DeviceType)| name.to_lowercase().contains(&lower);
    adapters
        .iter()
        .position(named)
        .ok_or_else(|| GpuError::NotFound {
            wanted: wanted.clone(),
            found: {
                let names: Vec<&str> = adapters.iter().map(|(name, _)| name.as_str()).collect();
                names.join(", ")
            },
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of what is meant, where there are `kinds`.
    fn of(kinds: &[(&str, DeviceType)], choice: &Choice) -> Result<String, GpuError> {
        let mut adapters: Vec<_> = kinds.iter().map(|(n, k)| (n.to_string(), *k)).collect();
        adapters.sort_by_key(|(_, kind)| rank(*kind, choice.low_power));
        meant(choice, &adapters).map(|at| adapters[at].0.clone())
    }

    const ALL: [(&str, DeviceType); 5] = [
        ("llvmpipe", DeviceType::Cpu),
        ("Iris", DeviceType::IntegratedGpu),
        ("Virtio", DeviceType::VirtualGpu),
        ("GeForce", DeviceType::DiscreteGpu),
        ("Thing", DeviceType::Other),
    ];

    fn saving(low_power: bool) -> Choice {
        Choice {
            low_power,
            ..Choice::default()
        }
    }

    fn named(name: &str) -> Choice {
        Choice {
            name: Some(name.into()),
            ..Choice::default()
        }
    }

    #[test]
    fn the_fastest_kind_is_taken_or_the_one_that_saves_power() {
        let [fast, slow] = [false, true].map(|low_power| of(&ALL, &saving(low_power)));
        assert_eq!((fast, slow), (Ok("GeForce".into()), Ok("Iris".into())));
        // Where there is one of them, it is it; behind them stand others, and one that works on the CPU is the last.
        for low_power in [false, true] {
            let without = |gone: &[&str]| {
                let left = ALL.iter().filter(|(name, _)| !gone.contains(name));
                of(&left.copied().collect::<Vec<_>>(), &saving(low_power))
            };
            assert_eq!(without(&["Iris"]), Ok("GeForce".into()));
            assert_eq!(without(&["GeForce"]), Ok("Iris".into()));
            assert_eq!(without(&["GeForce", "Iris"]), Ok("Virtio".into()));
            assert_eq!(without(&["GeForce", "Iris", "Virtio"]), Ok("Thing".into()));
        }
    }

    #[test]
    fn one_that_works_on_the_cpu_is_only_taken_by_who_says_so() {
        let only = &ALL[..1];
        let adapter = "llvmpipe".to_string();
        assert_eq!(
            of(only, &Choice::default()),
            Err(GpuError::OnlySoftware {
                adapter: adapter.clone()
            })
        );
        assert_eq!(of(only, &Choice::any()), Ok(adapter.clone()));
        assert_eq!(of(only, &named("LLVM")), Ok(adapter.clone()));
        assert_eq!(of(&ALL, &Choice::any()), Ok("GeForce".into()));
        assert_eq!(of(&ALL, &named("pipe")), Ok(adapter));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        assert_eq!(of(&[], &Choice::any()), Err(GpuError::NoAdapter));
        assert_eq!(of(&[], &named("Iris")), Err(GpuError::NoAdapter));
        let told = of(&ALL[..2], &named("Radeon")).unwrap_err().to_string();
        assert!(
            told.ends_with("`Radeon`; there are: Iris, llvmpipe"),
            "{told}"
        );
    }
}
