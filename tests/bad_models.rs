//! Promise: a bad model file gives a typed error that says the remedy; never a panic, never memory on its word alone.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use statewave::model::Model;
use statewave::model::file::{Limits, ModelError, ModelFile, Tensor, read_bytes, sha256};
use statewave::model::tensors::TensorError;

/// Counts what the thread of a test asks for, to catch allocations of a size that a file merely claims.
struct Watch;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watch {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no cell any more; its allocations are nobody's concern.
        let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(layout.size())));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static WATCH: Watch = Watch;

/// Read, and check that no single allocation was far larger than the bytes given.
fn read(bytes: &[u8]) -> Result<ModelFile, ModelError> {
    LARGEST.set(0);
    let result = ModelFile::from_bytes(bytes);
    let largest = LARGEST.get();
    assert!(
        largest <= 64 * bytes.len() + 4096,
        "{largest} bytes asked for on the word of {} bytes",
        bytes.len()
    );
    if let Err(error) = &result {
        assert!(
            !error.to_string().is_empty() && error.remedy().len() > 10,
            "{error:?} has no remedy"
        );
    }
    result
}

fn good() -> ModelFile {
    let tensor = |shape: &[usize]| {
        let len = shape.iter().product::<usize>();
        Tensor {
            shape: shape.into(),
            data: (0..len).map(|k| k as f32 - 1.5).collect(),
        }
    };
    ModelFile {
        spec_json: json!({ "format_version": 1, "name": "tiny", "task": "denoise" }),
        tensors: BTreeMap::from([
            ("layers.0.mixer.A_log".into(), tensor(&[4, 2])),
            ("layers.0.norm.weight".into(), tensor(&[4])),
            ("scale".into(), tensor(&[])),
        ]),
    }
}

/// A file with this header and data, true or not.
fn raw(header: &Value, data: &[u8]) -> Vec<u8> {
    raw_text(&header.to_string(), data)
}

fn raw_text(header: &str, data: &[u8]) -> Vec<u8> {
    [
        &(header.len() as u64).to_le_bytes(),
        header.as_bytes(),
        data,
    ]
    .concat()
}

fn with_tensor(entry: Value, data: &[u8]) -> Vec<u8> {
    raw(
        &json!({ "__metadata__": { "statewave": "{\"format_version\":1}" }, "w": entry }),
        data,
    )
}

fn with_spec(spec: &str) -> Vec<u8> {
    raw(&json!({ "__metadata__": { "statewave": spec } }), &[])
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = good().to_bytes();
    assert_eq!(read(&bytes).unwrap(), good());
    assert_eq!(
        sha256(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let official = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(official.len(), 3);
}

#[test]
fn half_precision_is_widened() {
    let entry = |dtype| json!({ "dtype": dtype, "shape": [2], "data_offsets": [0, 4] });
    let half = read(&with_tensor(entry("F16"), &[0x00, 0x3c, 0x00, 0xc0])).unwrap();
    assert_eq!(half.tensors["w"].data, [1.0, -2.0]);
    let brain = read(&with_tensor(entry("BF16"), &[0x80, 0x3f, 0x00, 0xc0])).unwrap();
    assert_eq!(brain.tensors["w"].data, [1.0, -2.0]);
}

#[test]
fn cut_anywhere_it_is_refused() {
    let bytes = good().to_bytes();
    for len in 0..bytes.len() {
        let error = read(&bytes[..len]).expect_err("a cut file was read");
        assert!(
            matches!(error, ModelError::Truncated { .. }),
            "cut to {len}: {error}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(ModelError::Leftover(1))));
}

#[test]
fn any_byte_changed_never_panics() {
    let bytes = good().to_bytes();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            let _ = read(&changed);
        }
    }
}

#[test]
fn claims_of_gigabytes_cost_nothing() {
    for claim in [1u64 << 22, 1 << 32, 4_000_000_000, u64::MAX - 8, u64::MAX] {
        let bytes = [&claim.to_le_bytes()[..], b"{}"].concat();
        assert!(
            matches!(
                read(&bytes),
                Err(ModelError::TooLarge {
                    what: "the header",
                    ..
                })
            ),
            "{claim}"
        );
    }
    let four_gb =
        json!({ "dtype": "F32", "shape": [1_u64 << 30], "data_offsets": [0, 1_u64 << 32] });
    assert!(matches!(
        read(&with_tensor(four_gb, &[0; 8])),
        Err(ModelError::Truncated { .. })
    ));
    let wraps = json!({ "dtype": "F32", "shape": [1_u64 << 62, 4, 2], "data_offsets": [0, 8] });
    assert!(matches!(
        read(&with_tensor(wraps, &[0; 8])),
        Err(ModelError::Shape { .. })
    ));
    let wraps_in_bytes = json!({ "dtype": "F32", "shape": [1_u64 << 62], "data_offsets": [0, 0] });
    assert!(matches!(
        read(&with_tensor(wraps_in_bytes, &[])),
        Err(ModelError::Shape { .. })
    ));
}

#[test]
fn a_file_over_the_cap_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.safetensors");
    // Sparse: nothing is stored on the disk.
    std::fs::File::create(&path)
        .unwrap()
        .set_len(4 << 30)
        .unwrap();
    LARGEST.set(0);
    assert!(matches!(
        ModelFile::open(&path),
        Err(ModelError::TooLarge {
            what: "the file",
            ..
        })
    ));
    assert!(LARGEST.get() < 1 << 16);
    let missing = folder.path().join("missing.safetensors");
    assert!(matches!(
        read_bytes(&missing, Limits::MODEL),
        Err(ModelError::Io { .. })
    ));
}

#[test]
fn shapes_and_bytes_must_agree() {
    for (shape, end) in [
        (json!([3]), 8),
        (json!([1]), 8),
        (json!([0]), 0),
        (json!([2]), 0),
        (json!(vec![1; 9]), 4),
    ] {
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [0, end] });
        let error = read(&with_tensor(entry, &vec![0; end])).expect_err("a wrong shape was read");
        assert!(
            matches!(error, ModelError::Shape { .. }),
            "{shape}: {error}"
        );
    }
    let backwards = json!({ "dtype": "F32", "shape": [1], "data_offsets": [8, 4] });
    assert!(matches!(
        read(&with_tensor(backwards, &[0; 8])),
        Err(ModelError::Shape { .. })
    ));
    let hole = json!({ "dtype": "F32", "shape": [1], "data_offsets": [4, 8] });
    assert!(matches!(
        read(&with_tensor(hole, &[0; 8])),
        Err(ModelError::Layout(_))
    ));
    let other = json!({ "dtype": "I64", "shape": [1], "data_offsets": [0, 8] });
    assert!(matches!(
        read(&with_tensor(other, &[0; 8])),
        Err(ModelError::Dtype { .. })
    ));
}

#[test]
fn overlapping_tensors_are_refused() {
    let entry = json!({ "dtype": "F32", "shape": [2], "data_offsets": [0, 8] });
    let header = json!({ "__metadata__": { "statewave": "{\"format_version\":1}" }, "a": entry, "b": entry });
    assert!(matches!(
        read(&raw(&header, &[0; 8])),
        Err(ModelError::Layout(_))
    ));
}

#[test]
fn weights_must_be_finite() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut file = good();
        file.tensors.get_mut("layers.0.norm.weight").unwrap().data[3] = bad;
        let error = read(&file.to_bytes()).expect_err("a weight that is no number was read");
        assert!(
            matches!(&error, ModelError::NotFinite { name, index: 3 } if name == "layers.0.norm.weight"),
            "{error}"
        );
    }
    for (dtype, bytes) in [
        ("F16", [0x00, 0x7c]),
        ("F16", [0x01, 0x7e]),
        ("BF16", [0x80, 0x7f]),
    ] {
        let entry = json!({ "dtype": dtype, "shape": [1], "data_offsets": [0, 2] });
        assert!(
            matches!(
                read(&with_tensor(entry, &bytes)),
                Err(ModelError::NotFinite { .. })
            ),
            "{dtype}"
        );
    }
}

#[test]
fn a_name_may_come_once() {
    let entry = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let meta = r#""__metadata__":{"statewave":"{\"format_version\":1}"}"#;
    let twice = raw_text(&format!(r#"{{{meta},"w":{entry},"w":{entry}}}"#), &[0; 4]);
    assert!(matches!(read(&twice), Err(ModelError::Duplicate(name)) if name == "w"));
    let two_metas = raw_text(&format!("{{{meta},{meta}}}"), &[]);
    assert!(matches!(read(&two_metas), Err(ModelError::Duplicate(_))));
    let two_keys = raw_text(r#"{"__metadata__":{"statewave":"1","statewave":"2"}}"#, &[]);
    assert!(matches!(read(&two_keys), Err(ModelError::Header(_))));
}

/// The smallest denoiser: two bands of four bins, no layers between split and head.
fn smallest_denoiser() -> ModelFile {
    let tensor = |shape: &[usize]| Tensor {
        shape: shape.into(),
        data: vec![0.1; shape.iter().product()],
    };
    ModelFile {
        spec_json: json!({
            "format_version": 1, "name": "smallest", "task": "denoise", "sample_rate": 48_000, "norm_eps": 1e-5,
            "front_end": { "hop": 4, "window": 16, "overlap": 2, "spread": 1 },
            "layers": [
                { "kind": "band_split", "bands": [[2, 4]], "width": 8, "compress": 0.3, "level_seconds": 1.0 },
                { "kind": "filter_head", "taps": 1, "tap_bins": 0 },
            ],
        }),
        tensors: BTreeMap::from([
            ("split.weight.0".into(), tensor(&[2, 8, 12])),
            ("split.bias.0".into(), tensor(&[2, 8])),
            ("norm_f.weight".into(), tensor(&[8])),
            ("head.weight.0".into(), tensor(&[2, 8, 8])),
            ("head.bias.0".into(), tensor(&[2, 8])),
        ]),
    }
}

#[test]
fn a_limit_that_holds_nothing_is_refused() {
    let mut file = smallest_denoiser();
    for (limit, held) in [
        (0.5, true),
        (16.0, true),
        (0.0, false),
        (-2.0, false),
        (16.5, false),
    ] {
        file.spec_json["layers"][1]["limit"] = limit.into();
        match Model::from_bytes(&file.to_bytes()) {
            Ok(_) => assert!(held, "{limit}"),
            Err(error) => assert!(
                !held && error.to_string().contains("held within"),
                "{limit}: {error}"
            ),
        }
    }
}

#[test]
fn missing_and_misshapen_tensors_are_named() {
    let whole = smallest_denoiser();
    let model = Model::from_bytes(&whole.to_bytes()).unwrap();
    assert_eq!(model.net().macs(), 2 * 8 * (12 + 8));
    for name in whole.tensors.keys() {
        let mut file = whole.clone();
        let taken = file.tensors.remove(name).unwrap();
        let error = Model::from_bytes(&file.to_bytes()).unwrap_err();
        let missing =
            matches!(&error, ModelError::Layer(TensorError::Missing { name: n, .. }) if n == name);
        assert!(missing && error.to_string().contains(&**name), "{error}");

        let shape = vec![taken.data.len(), 1, 1, 1];
        let misshapen = Tensor { shape, ..taken };
        file.tensors.insert(name.clone(), misshapen);
        let error = Model::from_bytes(&file.to_bytes()).unwrap_err();
        let shape =
            matches!(&error, ModelError::Layer(TensorError::Shape { name: n, .. }) if n == name);
        assert!(shape && error.to_string().contains("1, 1, 1"), "{error}");
        assert!(error.remedy().contains("export it again"));
    }
}

#[test]
fn the_spec_must_be_there_and_known() {
    assert!(matches!(
        read(&raw(&json!({}), &[])),
        Err(ModelError::NoSpec)
    ));
    assert!(matches!(
        read(&raw(&json!({ "__metadata__": { "format": "pt" } }), &[])),
        Err(ModelError::NoSpec)
    ));
    let newer = read(&with_spec(r#"{"format_version":2}"#)).unwrap_err();
    assert!(matches!(
        newer,
        ModelError::Version {
            found: 2,
            newest: 1
        }
    ));
    assert!(newer.remedy().contains("update Statewave"));
    for spec in [
        "",
        "{",
        "[]",
        "7",
        "{}",
        r#"{"format_version":"1"}"#,
        r#"{"format_version":0}"#,
        r#"{"format_version":-1}"#,
    ] {
        assert!(
            matches!(read(&with_spec(spec)), Err(ModelError::Spec(_))),
            "{spec}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(read(&with_spec(&deep)), Err(ModelError::Spec(_))));
    let wide = format!(r#"{{"format_version":1,"x":[{}0]}}"#, "0,".repeat(200_000));
    assert!(matches!(
        read(&with_spec(&wide)),
        Err(ModelError::TooLarge {
            what: "the spec",
            ..
        })
    ));
}

#[test]
fn headers_that_are_no_header_are_refused() {
    for header in [
        "",
        "null",
        "[]",
        "{",
        "\u{fffd}",
        r#"{"w":7}"#,
        r#"{"w":{"dtype":"F32"}}"#,
        r#"{"__metadata__":[1]}"#,
    ] {
        assert!(
            matches!(read(&raw_text(header, &[])), Err(ModelError::Header(_))),
            "{header}"
        );
    }
    let deep = format!(r#"{{"w":{}"#, "[".repeat(100_000));
    assert!(matches!(
        read(&raw_text(&deep, &[])),
        Err(ModelError::Header(_))
    ));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = read(&bytes);
    }

    #[test]
    fn random_headers_never_panic(header in "[\\[\\]{}\",:a-zA-Z0-9_.-]{0,200}", data in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = read(&raw_text(&header, &data));
    }

    #[test]
    fn random_claims_never_panic(
        dtype in prop::sample::select(vec!["F32", "F16", "BF16", "F64", ""]),
        shape in prop::collection::vec(prop_oneof![0u64..9, any::<u64>()], 0..10),
        start in prop_oneof![0u64..65, any::<u64>()],
        end in prop_oneof![0u64..65, any::<u64>()],
        data in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        if let Ok(file) = read(&with_tensor(entry, &data)) {
            let tensor = &file.tensors["w"];
            prop_assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
        }
    }

    #[test]
    fn spliced_files_never_panic(at in 0usize..400, cut in 0usize..40, paste in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = good().to_bytes();
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, paste);
        let _ = read(&bytes);
    }
}
