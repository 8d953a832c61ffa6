//! Any bytes as a model file: a typed error with a remedy, or a file that survives being written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use statewave::model::file::ModelFile;

fuzz_target!(|bytes: &[u8]| {
    match ModelFile::from_bytes(bytes) {
        Ok(file) => {
            let finite = file.tensors.values().flat_map(|t| &t.data).all(|x| x.is_finite());
            assert!(finite, "a weight that is no number came through");
            let again = ModelFile::from_bytes(&file.to_bytes()).expect("what was read can be written");
            assert_eq!(again.tensors, file.tensors);
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.remedy().is_empty()),
    }
});
