//! One step of a Mamba network as an ONNX graph, as an exporter would write it, run by tract.
//!
//! Inputs: x `[1, D]`, then for each layer the last three inputs of the convolution `[3, E]` and the state `[E, N]`.
//! Outputs: the same, one step later; the last norm is left out.

use statewave::model::tensors::Tensors;
use tract_onnx::pb::{self, tensor_proto::DataType};
use tract_onnx::prelude::*;

/// The graph so far.
#[derive(Default)]
struct Graph(pb::GraphProto);

impl Graph {
    fn input(&mut self, name: &str, dims: &[usize]) -> String {
        let dim = |d: &usize| pb::tensor_shape_proto::Dimension {
            value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(
                *d as i64,
            )),
            ..Default::default()
        };
        let tensor = pb::type_proto::Tensor {
            elem_type: DataType::Float as i32,
            shape: Some(pb::TensorShapeProto {
                dim: dims.iter().map(dim).collect(),
            }),
        };
        let value = Some(pb::type_proto::Value::TensorType(tensor));
        let r#type = Some(pb::TypeProto {
            value,
            ..Default::default()
        });
        self.0.input.push(pb::ValueInfoProto {
            name: name.into(),
            r#type,
            ..Default::default()
        });
        name.into()
    }

    fn constant(&mut self, dims: &[usize], values: Vec<f32>) -> String {
        let name = format!("constant{}", self.0.initializer.len());
        self.0.initializer.push(pb::TensorProto {
            name: name.clone(),
            dims: dims.iter().map(|d| *d as i64).collect(),
            data_type: DataType::Float as i32,
            float_data: values,
            ..Default::default()
        });
        name
    }

    fn integers(&mut self, values: &[i64]) -> String {
        let name = format!("constant{}", self.0.initializer.len());
        self.0.initializer.push(pb::TensorProto {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            int64_data: values.to_vec(),
            ..Default::default()
        });
        name
    }

    fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        outputs: usize,
        attributes: &[(&str, &[i64])],
    ) -> Vec<String> {
        let name = format!("node{}", self.0.node.len());
        let output: Vec<String> = (0..outputs).map(|i| format!("{name}.{i}")).collect();
        let attribute = |(name, values): &(&str, &[i64])| {
            let mut a = pb::AttributeProto {
                name: name.to_string(),
                ..Default::default()
            };
            if ["axis", "keepdims"].contains(name) {
                (a.i, a.r#type) = (values[0], pb::attribute_proto::AttributeType::Int as i32);
            } else {
                (a.ints, a.r#type) = (
                    values.to_vec(),
                    pb::attribute_proto::AttributeType::Ints as i32,
                );
            }
            a
        };
        self.0.node.push(pb::NodeProto {
            name,
            op_type: op.into(),
            input: inputs.iter().map(|s| s.to_string()).collect(),
            output: output.clone(),
            attribute: attributes.iter().map(attribute).collect(),
            ..Default::default()
        });
        output
    }

    fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.node(op, inputs, 1, &[]).remove(0)
    }

    fn silu(&mut self, x: &str) -> String {
        let gate = self.op("Sigmoid", &[x]);
        self.op("Mul", &[x, &gate])
    }

    fn reshape(&mut self, x: &str, dims: &[i64]) -> String {
        let dims = self.integers(dims);
        self.op("Reshape", &[x, &dims])
    }
}

/// Row-major `[rows][columns]` turned over.
fn transposed(w: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns)
        .map(|i| w[i % rows * columns + i / rows])
        .collect()
}

/// The ONNX model of one step of the network in `tensors`, as made by [`crate::mamba_tensors`].
pub fn mamba_step(tensors: &Tensors, d: usize, layers: usize) -> pb::ModelProto {
    let (e, n, r) = (2 * d, 16, d.div_ceil(16));
    let mut g = Graph::default();
    let mut x = g.input("x", &[1, d]);
    let mut outputs = Vec::new();
    let eps = g.constant(&[1], vec![1e-5]);
    for layer in 0..layers {
        let get = |name: &str, shape: &[usize]| {
            tensors
                .get(&format!("layers.{layer}.{name}"), shape)
                .expect(name)
                .to_vec()
        };
        let tail = g.input(&format!("tail{layer}"), &[3, e]);
        let state = g.input(&format!("state{layer}"), &[e, n]);
        let dense = |g: &mut Graph, name: &str, m: usize, k: usize| {
            g.constant(&[k, m], transposed(&get(name, &[m, k]), m, k))
        };

        let squares = g.op("Mul", &[&x, &x]);
        let mean = g
            .node(
                "ReduceMean",
                &[&squares],
                1,
                &[("axes", &[1]), ("keepdims", &[1])],
            )
            .remove(0);
        let shifted = g.op("Add", &[&mean, &eps]);
        let root = g.op("Sqrt", &[&shifted]);
        let scaled = g.op("Div", &[&x, &root]);
        let weight = g.constant(&[1, d], get("norm.weight", &[d]));
        let normed = g.op("Mul", &[&scaled, &weight]);

        let w = dense(&mut g, "mixer.in_proj.weight", 2 * e, d);
        let xz = g.op("MatMul", &[&normed, &w]);
        let parts = g.node(
            "Split",
            &[&xz],
            2,
            &[("axis", &[1]), ("split", &[e as i64, e as i64])],
        );
        let window = g
            .node("Concat", &[&tail, &parts[0]], 1, &[("axis", &[0])])
            .remove(0);
        let (from, to, axis) = (g.integers(&[1]), g.integers(&[4]), g.integers(&[0]));
        outputs.push(g.op("Slice", &[&window, &from, &to, &axis]));
        let taps = g.constant(
            &[4, e],
            transposed(&get("mixer.conv1d.weight", &[e, 1, 4]), e, 4),
        );
        let products = g.op("Mul", &[&window, &taps]);
        let sum = g
            .node(
                "ReduceSum",
                &[&products],
                1,
                &[("axes", &[0]), ("keepdims", &[1])],
            )
            .remove(0);
        let bias = g.constant(&[1, e], get("mixer.conv1d.bias", &[e]));
        let biased = g.op("Add", &[&sum, &bias]);
        let u = g.silu(&biased);

        let w = dense(&mut g, "mixer.x_proj.weight", r + 2 * n, e);
        let projected = g.op("MatMul", &[&u, &w]);
        let split = [r as i64, n as i64, n as i64];
        let gates = g.node(
            "Split",
            &[&projected],
            3,
            &[("axis", &[1]), ("split", &split)],
        );
        let w = dense(&mut g, "mixer.dt_proj.weight", e, r);
        let raw = g.op("MatMul", &[&gates[0], &w]);
        let bias = g.constant(&[1, e], get("mixer.dt_proj.bias", &[e]));
        let raw = g.op("Add", &[&raw, &bias]);
        let delta = g.op("Softplus", &[&raw]);

        let column = g.reshape(&delta, &[e as i64, 1]);
        let a = g.constant(
            &[e, n],
            get("mixer.A_log", &[e, n])
                .iter()
                .map(|v| -v.exp())
                .collect(),
        );
        let exponent = g.op("Mul", &[&column, &a]);
        let decay = g.op("Exp", &[&exponent]);
        let kept = g.op("Mul", &[&decay, &state]);
        let dx = g.op("Mul", &[&delta, &u]);
        let dx = g.reshape(&dx, &[e as i64, 1]);
        let fed = g.op("Mul", &[&dx, &gates[1]]);
        let state = g.op("Add", &[&kept, &fed]);
        let c = g.reshape(&gates[2], &[n as i64, 1]);
        let read = g.op("MatMul", &[&state, &c]);
        outputs.push(state);
        let read = g.reshape(&read, &[1, e as i64]);
        let skip = g.constant(&[1, e], get("mixer.D", &[e]));
        let skipped = g.op("Mul", &[&u, &skip]);
        let y = g.op("Add", &[&read, &skipped]);
        let gate = g.silu(&parts[1]);
        let y = g.op("Mul", &[&y, &gate]);
        let w = dense(&mut g, "mixer.out_proj.weight", d, e);
        let out = g.op("MatMul", &[&y, &w]);
        x = g.op("Add", &[&x, &out]);
    }
    for name in std::iter::once(x).chain(outputs) {
        g.0.output.push(pb::ValueInfoProto {
            name,
            ..Default::default()
        });
    }
    let opset = pb::OperatorSetIdProto {
        version: 11,
        ..Default::default()
    };
    pb::ModelProto {
        ir_version: 6,
        opset_import: vec![opset],
        graph: Some(g.0),
        ..Default::default()
    }
}

/// A stream in tract: the optimised graph and the values that go round.
pub struct Tract {
    step: Box<dyn FnMut(TVec<TValue>) -> TVec<TValue>>,
    states: Vec<TValue>,
}

impl Tract {
    /// Optimises the step of the network in `tensors`.
    ///
    /// # Errors
    /// As tract.
    pub fn new(tensors: &Tensors, d: usize, layers: usize) -> TractResult<Tract> {
        let proto = mamba_step(tensors, d, layers);
        let plan = tract_onnx::onnx()
            .model_for_proto_model(&proto)?
            .into_optimized()?
            .into_runnable()?;
        let mut state = plan.spawn()?;
        let step = Box::new(move |inputs| state.run(inputs).expect("the graph has run before"));
        let mut states = Vec::new();
        for _ in 0..layers {
            states.push(Tensor::zero::<f32>(&[3, 2 * d])?.into());
            states.push(Tensor::zero::<f32>(&[2 * d, 16])?.into());
        }
        Ok(Tract { step, states })
    }

    /// One step of the stream.
    pub fn step(&mut self, x: &[f32]) -> TValue {
        let input = Tensor::from_shape(&[1, x.len()], x).expect("a row").into();
        let mut outputs = (self.step)(
            std::iter::once(input)
                .chain(self.states.iter().cloned())
                .collect(),
        )
        .into_iter();
        let y = outputs.next().expect("x comes first");
        self.states = outputs.collect();
        y
    }
}
