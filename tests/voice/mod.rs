//! The samples in `assets/samples`, for tests that need a voice.
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

/// Decodes a 16-bit mono FLAC.
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
