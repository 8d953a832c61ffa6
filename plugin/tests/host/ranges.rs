//! The parameters of a plugin as a host lists them, and where they stand.

use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;

use crate::clap_host::Host;

/// A parameter's values.
pub struct Range {
    pub id: ClapId,
    pub name: String,
    pub least: f64,
    pub most: f64,
    /// Whether there is nothing between whole numbers.
    pub stepped: bool,
}

/// All parameters.
pub fn ranges(host: &mut Host) -> Vec<Range> {
    let plugin = host.handle();
    let params: PluginParams = plugin.get_extension().expect("it has parameters");
    let range = |index| {
        let mut buffer = ParamInfoBuffer::new();
        let info = params
            .get_info(&plugin, index, &mut buffer)
            .expect("it was counted");
        Range {
            id: info.id,
            name: String::from_utf8_lossy(info.name).into_owned(),
            least: info.min_value,
            most: info.max_value,
            stepped: info.flags.contains(ParamInfoFlags::IS_STEPPED),
        }
    };
    (0..params.count(&plugin)).map(range).collect()
}

/// Where one of them stands.
pub fn value(host: &mut Host, id: ClapId) -> f64 {
    let plugin = host.handle();
    let params: PluginParams = plugin.get_extension().expect("it has parameters");
    params.get_value(&plugin, id).expect("it was listed")
}
