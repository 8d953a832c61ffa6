//! Every value has a text, and the text gives the value back.

use statewave_plugin::panel::host::Param;
use statewave_plugin::params::ParamList;

#[test]
fn what_is_shown_can_be_typed() {
    let list = ParamList::default();
    for param in Param::ALL {
        for k in 0..=1000 {
            let value = k as f32 / 1000.0;
            let shown = list.text(param, value);
            let back = list
                .parse(param, &shown)
                .unwrap_or_else(|| panic!("{param:?}: {shown}"));
            assert_eq!(list.text(param, back), shown, "{param:?}");
        }
    }
}

#[test]
fn plain_values_come_back() {
    let list = ParamList::default();
    for param in Param::ALL {
        let steps = list.choices(param);
        let values = if steps > 0 { steps } else { 1000 };
        for k in 0..values {
            let value = k as f32 / (values - 1) as f32;
            let back = list.normalised(param, list.plain(param, value));
            assert!((back - value).abs() < 1e-4, "{param:?} {value} {back}");
        }
        assert_eq!(list.normalised(param, f32::NAN), list.default_value(param));
    }
}

#[test]
fn people_write_numbers_in_many_ways() {
    let list = ParamList::default();
    let amount = |text| {
        list.parse(Param::Amount, text)
            .map(|value| list.plain(Param::Amount, value))
    };
    assert_eq!(amount("12"), Some(12.0));
    assert_eq!(amount(" 12,5 dB "), Some(12.5));
    assert_eq!(amount("ALL"), Some(100.0));
    assert_eq!(amount("1000"), Some(100.0), "more than all is all");
    assert_eq!(list.parse(Param::Mix, "50"), Some(0.5));
    let gain = list
        .parse(Param::OutputGain, "−6 dB")
        .map(|value| list.plain(Param::OutputGain, value));
    assert!(gain.is_some_and(|gain| (gain + 6.0).abs() < 1e-4));
    for (param, nonsense) in [
        (Param::Amount, ""),
        (Param::Amount, "loud"),
        (Param::Mix, "3 dB"),
        (Param::Listen, "2"),
    ] {
        assert_eq!(list.parse(param, nonsense), None, "{nonsense}");
    }
}
