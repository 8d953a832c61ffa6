//! The samples of a recording that are still needed: what the next frames' windows cover, and the dry signal.

use std::ops::Range;

use crate::controls::Controls;
use crate::frame::replace_and_tell;
use crate::tape::Tape;

/// The newest samples, a channel each.
#[derive(Debug)]
pub(super) struct History {
    channels: Vec<Vec<f32>>,
    /// Which sample of the recording comes first; before 0 there is silence.
    first: i64,
    /// Samples up to here are audio.
    clean: i64,
    /// The recording's length, once its end has been seen.
    len: Option<i64>,
}

impl History {
    /// Silence from `first` to 0.
    pub(super) fn new(channels: usize, first: i64) -> History {
        let silence = vec![0.0; first.unsigned_abs() as usize];
        History {
            channels: vec![silence; channels],
            first,
            clean: 0,
            len: None,
        }
    }

    pub(super) fn len(&self) -> Option<i64> {
        self.len
    }

    fn end(&self) -> i64 {
        self.first + self.channels.first().map_or(0, Vec::len) as i64
    }

    /// Reads on up to sample `end`; behind the tape's end there is silence.
    pub(super) fn fill<T: Tape>(&mut self, tape: &mut T, end: i64) -> Result<(), T::Error> {
        while self.len.is_none() && self.end() < end {
            let most = (end - self.end()) as usize;
            if tape.read(&mut self.channels, most)? == 0 {
                self.len = Some(self.end());
            }
        }
        let wanted = (end - self.first).max(0) as usize;
        for channel in &mut self.channels {
            channel.resize(channel.len().max(wanted), 0.0);
        }
        Ok(())
    }

    /// Replaces what is no audio by silence, and tells where it was.
    pub(super) fn clean(&mut self, mut told: impl FnMut(i64)) {
        let from = (self.clean - self.first) as usize;
        let mut found = Vec::new();
        for channel in &mut self.channels {
            replace_and_tell(&mut channel[from..], |i| found.push(self.clean + i as i64));
        }
        found.sort_unstable();
        found.into_iter().for_each(&mut told);
        self.clean = self.end();
    }

    fn slice(&self, channel: usize, range: &Range<i64>) -> &[f32] {
        &self.channels[channel]
            [(range.start - self.first) as usize..(range.end - self.first) as usize]
    }

    /// Gives `put` samples of every channel, one after the other; of two channels middle and side if they are wanted.
    pub(super) fn copy(
        &self,
        range: &Range<i64>,
        mid_side: bool,
        put: &mut dyn FnMut(usize, &[f32]),
    ) {
        let len = (range.end - range.start) as usize;
        if mid_side {
            let pairs = || self.slice(0, range).iter().zip(self.slice(1, range));
            put(0, &pairs().map(|(l, r)| 0.5 * (l + r)).collect::<Vec<_>>());
            put(
                len,
                &pairs().map(|(l, r)| 0.5 * (l - r)).collect::<Vec<_>>(),
            );
            return;
        }
        for channel in 0..self.channels.len() {
            put(channel * len, self.slice(channel, range));
        }
    }

    /// The dry signal, where any is heard.
    pub(super) fn keep(&self, range: &Range<i64>, controls: &Controls) -> Option<Vec<Vec<f32>>> {
        let weights = controls.weights();
        let is_heard = weights.dry != 0.0 || weights.bypass != 0.0;
        let of = |channel| self.slice(channel, range).to_vec();
        is_heard.then(|| (0..self.channels.len()).map(of).collect())
    }

    /// Gives up what lies before sample `first`.
    pub(super) fn forget(&mut self, first: i64) {
        let gone = (first.min(self.end()) - self.first).max(0);
        for channel in &mut self.channels {
            channel.drain(..gone as usize);
        }
        self.first += gone;
    }
}
