//! Checkpoints of the reference models, loaded as they are: the same logits.

mod kernel_common;

use kernel_common::assert_db;
use safetensors::{Dtype, SafeTensors};
use statewave::kernels::Path;
use statewave::model::layer::Layer;
use statewave::model::stack::{Stack, StackConfig};
use statewave::model::tensors::{TensorError, Tensors};

/// What the stack must reach. The reference's own norms round to f32 even in a double model.
const LEAST_DB: f64 = 110.0;

struct Golden {
    tensors: Tensors,
    tokens: Vec<usize>,
    logits: Vec<f64>,
}

fn read(file: &str) -> Golden {
    let bytes = std::fs::read(format!(
        "{}/tests/golden/{file}.safetensors",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let mut golden = Golden {
        tensors: Tensors::new(),
        tokens: Vec::new(),
        logits: Vec::new(),
    };
    for (name, view) in parsed.tensors() {
        let data = view.data();
        match view.dtype() {
            Dtype::F32 => {
                let values = data
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                    .collect();
                golden.tensors.insert(name, view.shape().to_vec(), values);
            }
            Dtype::F64 => {
                golden.logits = data
                    .chunks_exact(8)
                    .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                    .collect();
            }
            Dtype::I64 => {
                let token = |b: &[u8]| i64::from_le_bytes(b.try_into().unwrap()) as usize;
                golden.tokens = data.chunks_exact(8).map(token).collect();
            }
            other => panic!("{name} is {other:?}"),
        }
    }
    golden
}

fn matches_its_reference(file: &str, config: StackConfig) {
    let golden = read(file);
    let stack = Stack::new(config, &golden.tensors).unwrap();
    let (time, outputs) = (golden.tokens.len(), stack.outputs().unwrap());
    for path in Path::available() {
        // Whole, then one step at a time.
        for block in [time, 1] {
            let mut state = vec![0.0; stack.state_len(1)];
            let mut scratch = vec![0.0; stack.scratch_len(1, block)];
            let mut logits = vec![0.0; time * outputs];
            for (tokens, logits) in golden
                .tokens
                .chunks(block)
                .zip(logits.chunks_mut(block * outputs))
            {
                let mut x = vec![0.0; tokens.len() * stack.width()];
                assert!(stack.embed(tokens, &mut x));
                stack.forward(path, &mut x, 1, tokens.len(), &mut state, &mut scratch);
                assert!(stack.project_out(path, &x, logits, tokens.len()));
            }
            assert_db(&golden.logits, &logits, LEAST_DB, file, path);
        }
    }
}

#[test]
fn mamba_is_the_reference() {
    matches_its_reference("mamba", StackConfig::default());
}

#[test]
fn mamba_2_is_the_reference() {
    matches_its_reference(
        "mamba2",
        StackConfig {
            groups: 2,
            ..StackConfig::default()
        },
    );
}

#[test]
fn a_narrow_mamba_2_with_a_held_delta_is_the_reference() {
    matches_its_reference(
        "mamba2_narrow",
        StackConfig {
            delta_limit: (0.02, 0.5),
            ..StackConfig::default()
        },
    );
}

#[test]
fn names_without_a_backbone_load_too() {
    let golden = read("mamba");
    let mut renamed = Tensors::new();
    for name in golden.tensors.names() {
        let shape = golden.tensors.shape(name).unwrap();
        let values = golden.tensors.get(name, shape).unwrap().to_vec();
        let short = name
            .trim_start_matches("backbone.")
            .replace("embeddings.", "embedding.");
        renamed.insert(short, shape.to_vec(), values);
    }
    let stack = Stack::new(StackConfig::default(), &renamed).unwrap();
    assert!(stack.blocks().len() == 2 && stack.embed(&[3], &mut [0.0; 16]));
}

#[test]
fn a_wrong_tensor_is_named() {
    let mut tensors = read("mamba").tensors;
    tensors.insert("backbone.layers.1.mixer.D", vec![31], vec![0.0; 31]);
    let error = Stack::new(StackConfig::default(), &tensors).unwrap_err();
    let name = "backbone.layers.1.mixer.D".to_string();
    assert_eq!(
        error,
        TensorError::Shape {
            name,
            expected: vec![32],
            found: vec![31]
        }
    );
}
