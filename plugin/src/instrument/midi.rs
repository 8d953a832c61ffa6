//! What a MIDI keyboard says, as the instrument hears it.

use statewave::instrument::{Expression, Happening, Which};

use super::events::wheel;

/// What a message of MIDI 1.0 means, without running status; `None` where it means nothing here.
pub fn heard(message: &[u8]) -> Option<Happening> {
    let (&status, data) = message.split_first()?;
    let channel = status & 0x0f;
    let byte = |i: usize| data.get(i).map(|byte| byte & 0x7f);
    let share = |byte: u8| f32::from(byte) / 127.0;
    let of_key = |key| Which {
        channel: Some(channel),
        key: Some(key),
        ..Which::default()
    };
    match status & 0xf0 {
        // A note that begins at velocity 0 ends.
        0x90 if byte(1)? > 0 => Some(Happening::On {
            id: None,
            channel,
            key: byte(0)?,
            velocity: share(byte(1)?),
        }),
        0x80 | 0x90 => Some(Happening::Off(of_key(byte(0)?))),
        0xa0 => Some(Happening::Express(
            of_key(byte(0)?),
            Expression::Pressure,
            share(byte(1)?),
        )),
        0xb0 => Happening::of_controller(channel, byte(0)?, share(byte(1)?)),
        0xd0 => Some(Happening::ChannelPressure {
            channel,
            value: share(byte(0)?),
        }),
        0xe0 => Some(Happening::Bend {
            channel,
            value: wheel(u16::from(byte(0)?) | u16::from(byte(1)?) << 7),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_what_midi_says_they_are() {
        let which = |channel, key| Which {
            channel: Some(channel),
            key: Some(key),
            ..Which::default()
        };
        let on = Happening::On {
            id: None,
            channel: 2,
            key: 60,
            velocity: 1.0,
        };
        assert_eq!(heard(&[0x92, 60, 127]), Some(on));
        let off = Some(Happening::Off(which(2, 60)));
        assert_eq!(heard(&[0x92, 60, 0]), off);
        assert_eq!(heard(&[0x82, 60, 64]), off);
        let bend = |value| Some(Happening::Bend { channel: 0, value });
        assert_eq!(heard(&[0xe0, 0, 0x40]), bend(0.0));
        assert_eq!(heard(&[0xe0, 0, 0]), bend(-1.0));
        let down = Happening::Sustain {
            channel: 0,
            down: true,
        };
        assert_eq!(heard(&[0xb0, 64, 127]), Some(down));
        let pressed = Happening::ChannelPressure {
            channel: 1,
            value: 0.0,
        };
        assert_eq!(heard(&[0xd1, 0]), Some(pressed));
        for nothing in [
            &[][..],
            &[0x90],
            &[0x90, 60],
            &[0xf8],
            &[0xc0, 3],
            &[60, 60],
        ] {
            assert_eq!(heard(nothing), None, "{nothing:?}");
        }
    }
}
