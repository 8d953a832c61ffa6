//! The samples in `assets/samples`, for tests that need a voice or an instrument.
#![allow(dead_code)]

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/samples");

/// The shipped noisy voice, at 48 kHz: its first four seconds.
pub fn noisy_voice() -> Vec<f32> {
    let mut voice = flac(&format!("{SAMPLES}/noisy_voice.flac"));
    voice.truncate(48_000 * 4);
    voice
}

/// Three seconds of the same voice alone, at 48 kHz.
pub fn clean_voice() -> Vec<f32> {
    flac(&format!("{SAMPLES}/clean_voice.flac"))
}

/// The phrase of `instrument.flac` on the piano, three seconds, left, at 16 kHz.
pub fn piano() -> Vec<f32> {
    let both = flac(&format!("{SAMPLES}/instrument.flac"));
    // Two samples at 32 kHz to one; what folds back is above what a piano has.
    let frames = both.chunks_exact(4).take(3 * 16_000);
    frames.map(|x| 0.5 * (x[0] + x[2])).collect()
}

/// Decodes a 16-bit FLAC, its channels in turns.
fn flac(path: &str) -> Vec<f32> {
    use symphonia::core::formats::probe::Hint;
    use symphonia::core::io::MediaSourceStream;
    let file = Box::new(std::fs::File::open(path).unwrap());
    let stream = MediaSourceStream::new(file, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, Default::default(), Default::default())
        .unwrap();
    let track = format.tracks()[0].clone();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(
            track.codec_params.as_ref().unwrap().audio().unwrap(),
            &Default::default(),
        )
        .unwrap();
    let (mut all, mut piece) = (Vec::new(), Vec::<f32>::new());
    while let Ok(Some(packet)) = format.next_packet() {
        decoder
            .decode(&packet)
            .unwrap()
            .copy_to_vec_interleaved(&mut piece);
        all.extend_from_slice(&piece);
    }
    all
}
