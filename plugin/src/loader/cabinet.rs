//! The impulse response of a project: a WAV file, read and checked on the loader's thread.

use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader};
use statewave::chain::{CABINET_SECONDS, Chain, ChainConfig};

use crate::fault::Fault;

/// The most samples of a file that are read: 4 s of eight channels at 384 kHz.
const MOST: u32 = 8 * 4 * 384_000;

/// A response that can be run at any rate.
#[derive(Debug, PartialEq)]
pub(super) struct Response {
    pub path: PathBuf,
    pub rate: u32,
    pub channels: Vec<Vec<f32>>,
}

/// That a response cannot be heard.
pub(super) fn fault(path: &Path, why: &str) -> Fault {
    Fault {
        what: format!("no cabinet is heard: {}: {why}", path.display()),
        remedy:
            "put the file back and open the project or choose the preset again, or choose another WAV file (Cabinet)"
                .into(),
    }
}

/// Whether a file is short enough to be a response rather than a piece of music.
pub fn may_be_response(path: &Path) -> bool {
    WavReader::open(path).is_ok_and(|reader| {
        let seconds = f64::from(reader.duration()) / f64::from(reader.spec().sample_rate.max(1));
        seconds <= CABINET_SECONDS
    })
}

/// Reads a response and tries it.
pub(super) fn read(path: &Path) -> Result<Response, Fault> {
    let response = samples(path).map_err(|why| fault(path, &why))?;
    let config = ChainConfig {
        sample_rate: response.rate.clamp(8_000, 192_000),
        channels: 1,
        max_block: 512,
    };
    // Whatever is wrong with it, is so at any rate.
    match Chain::cabinet(&config, &response.channels, response.rate) {
        Ok(_) => Ok(response),
        Err(error) => Err(fault(path, &error.to_string())),
    }
}

fn samples(path: &Path) -> Result<Response, String> {
    let mut reader = WavReader::open(path).map_err(|e| e.to_string())?;
    let spec = reader.spec();
    if reader.len() > MOST {
        return Err("it is far too long for an impulse response".into());
    }
    let interleaved: Result<Vec<f32>, _> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let scale = (0.5f32).powi(i32::from(spec.bits_per_sample) - 1);
            let scaled = |x: Result<i32, _>| x.map(|x| x as f32 * scale);
            reader.samples::<i32>().map(scaled).collect()
        }
    };
    let interleaved = interleaved.map_err(|e| e.to_string())?;
    let count = usize::from(spec.channels.max(1));
    let channel = |c: usize| interleaved.iter().skip(c).step_by(count).copied().collect();
    Ok(Response {
        path: path.into(),
        rate: spec.sample_rate,
        channels: (0..count).map(channel).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_impulse_response_says_what_helps() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let missing = folder.path().join("gone.wav");
        let fault = read(&missing).expect_err("it is not there");
        assert!(fault.what.contains("gone.wav"), "{}", fault.what);
        assert!(fault.remedy.contains("put the file back"));
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "no sound").expect("it can be written");
        assert!(read(&text).is_err());
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 24,
            sample_format: SampleFormat::Int,
        };
        let silent = folder.path().join("silent.wav");
        for (name, value) in [("silent.wav", 0), ("click.wav", 1 << 22)] {
            let mut writer = hound::WavWriter::create(folder.path().join(name), spec)
                .expect("it can be written");
            for x in [value, -value, 0, 0] {
                writer.write_sample(x).expect("it can be written");
            }
            writer.finalize().expect("it can be written");
        }
        let fault = read(&silent).expect_err("it is silent");
        assert!(fault.what.contains("silent"), "{}", fault.what);
        assert!(may_be_response(&folder.path().join("click.wav")) && !may_be_response(&text));
        let click = read(&folder.path().join("click.wav")).expect("it is sound");
        assert_eq!(
            (click.rate, &click.channels[1][..]),
            (44_100, &[-0.5, 0.0][..])
        );
    }
}
