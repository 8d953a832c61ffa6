//! Values that were sent to a host and have perhaps not come back: it passes them on with a later block. Until then, for so long at
//! the most, they count as set.

use std::time::{Duration, Instant};

/// How long a value is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Values as near as that are the same, after a host had them.
const NEAR: f32 = 1e-4;

/// What was sent last of a parameter.
#[derive(Debug, Clone, Copy)]
struct Sent<P> {
    param: P,
    value: f32,
    at: Instant,
    /// The gesture goes on.
    held: bool,
}

/// See the module; `P` are parameters, values are normalised.
#[derive(Debug)]
pub(crate) struct Awaited<P>(Vec<Sent<P>>);

impl<P> Default for Awaited<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P: Copy + PartialEq> Awaited<P> {
    /// A gesture begins at a value.
    pub(crate) fn begin(&mut self, param: P, value: f32) {
        self.0.retain(|sent| sent.param != param);
        self.0.push(Sent {
            param,
            value,
            at: Instant::now(),
            held: true,
        });
    }

    /// A value of the gesture that began was sent.
    pub(crate) fn set(&mut self, param: P, value: f32) {
        if let Some(sent) = self.0.iter_mut().find(|sent| sent.param == param) {
            (sent.value, sent.at) = (value, Instant::now());
        }
    }

    /// The gesture ends.
    pub(crate) fn end(&mut self, param: P) {
        if let Some(sent) = self.0.iter_mut().find(|sent| sent.param == param) {
            sent.held = false;
        }
    }

    /// The value that counts where `came` is the one that came last.
    pub(crate) fn value(&self, param: P, came: f32) -> f32 {
        let waits = |sent: &&Sent<P>| {
            sent.param == param
                && (sent.held || ((sent.value - came).abs() > NEAR && sent.at.elapsed() < PATIENCE))
        };
        let sent = self.0.iter().find(waits);
        sent.map_or(came, |sent| sent.value)
    }

    /// The parameters of gestures that go on.
    pub(crate) fn held(&self) -> Vec<P> {
        let held = self.0.iter().filter(|sent| sent.held);
        held.map(|sent| sent.param).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_gesture_goes_on_its_value_counts_whatever_comes() {
        let mut awaited = Awaited::default();
        assert_eq!(awaited.value("a", 0.25), 0.25, "nothing was sent");
        awaited.begin("a", 0.5);
        assert_eq!(awaited.value("a", 0.25), 0.5);
        awaited.set("a", 0.75);
        awaited.begin("b", 0.1);
        awaited.set("c", 0.9);
        assert_eq!(
            awaited.value("a", 0.25),
            0.75,
            "another one began beside it"
        );
        assert_eq!(
            awaited.value("c", 0.25),
            0.25,
            "it was set outside of a gesture"
        );
        assert_eq!(awaited.held(), ["a", "b"]);
        awaited.end("b");
        assert_eq!(awaited.held(), ["a"]);
        // Once it has come back, whatever comes next counts.
        awaited.end("a");
        assert_eq!(awaited.value("a", 0.75), 0.75);
        assert!(awaited.held().is_empty());
    }
}
