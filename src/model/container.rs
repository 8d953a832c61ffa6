//! The safetensors container, read as hostile: bytes in, named f32 tensors and string metadata out.
//!
//! ```text
//! u64 LE header length │ JSON {name: {dtype, shape, data_offsets}, "__metadata__": {key: string}} │ data
//! ```
//! Nothing is allocated on the word of the header alone: every size is checked against the bytes that are there.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::error::ModelError;
use super::half::f32_from_f16;

/// Bytes of the header's length field.
const PREFIX: usize = 8;

/// The most bytes of header that are parsed.
const MAX_HEADER: u64 = 2 << 20;

/// The most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// Caps on what a file may ask for, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Size of the file.
    pub file: u64,
    /// Memory of all tensors once they are f32.
    pub memory: u64,
}

impl Limits {
    /// Models that Statewave ships and plays: 64 MiB of file, 128 MiB of weights.
    pub const MODEL: Self = Self {
        file: 64 << 20,
        memory: 128 << 20,
    };
    /// Published sequence checkpoints: 16 GiB of file, 32 GiB of weights.
    pub const CHECKPOINT: Self = Self {
        file: 16 << 30,
        memory: 32 << 30,
    };
}

/// Numbers with a shape, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Sizes of the dimensions, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// The numbers, all finite when read from a file.
    pub data: Vec<f32>,
}

/// What a safetensors file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Container {
    /// The strings under `__metadata__`.
    pub metadata: BTreeMap<String, String>,
    /// The tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
}

impl Container {
    /// Read a whole file's bytes. Fails with a typed error on anything that is not exactly right.
    pub fn from_bytes(bytes: &[u8], limits: Limits) -> Result<Self, ModelError> {
        let found = bytes.len() as u64;
        if found > limits.file {
            return Err(ModelError::TooLarge {
                what: "the file",
                bytes: found,
                max: limits.file,
            });
        }
        let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
            return Err(ModelError::Truncated {
                needed: PREFIX as u64,
                found,
            });
        };
        let header_len = u64::from_le_bytes(*prefix);
        if header_len > MAX_HEADER {
            return Err(ModelError::TooLarge {
                what: "the header",
                bytes: header_len,
                max: MAX_HEADER,
            });
        }
        let Some((header, data)) = rest.split_at_checked(header_len as usize) else {
            return Err(ModelError::Truncated {
                needed: PREFIX as u64 + header_len,
                found,
            });
        };
        let header = Header::parse(header)?;
        let entries = header.verify(data.len() as u64, limits)?;
        let mut tensors = BTreeMap::new();
        for (name, entry) in entries {
            let tensor = entry.read(&name, data)?;
            tensors.insert(name, tensor);
        }
        Ok(Self {
            metadata: header.metadata,
            tensors,
        })
    }

    /// The strings under `__metadata__` alone, of as much of a file as its header takes.
    pub(super) fn metadata(mut file: impl Read) -> Result<BTreeMap<String, String>, ModelError> {
        let mut prefix = [0; PREFIX];
        let ends_early = |needed, found| ModelError::Truncated { needed, found };
        file.read_exact(&mut prefix)
            .map_err(|_| ends_early(PREFIX as u64, 0))?;
        let header_len = u64::from_le_bytes(prefix);
        if header_len > MAX_HEADER {
            return Err(ModelError::TooLarge {
                what: "the header",
                bytes: header_len,
                max: MAX_HEADER,
            });
        }
        let mut header = Vec::new();
        let read = file.take(header_len).read_to_end(&mut header).unwrap_or(0);
        if (read as u64) < header_len {
            let prefix = PREFIX as u64;
            return Err(ends_early(prefix + header_len, prefix + read as u64));
        }
        Ok(Header::parse(&header)?.metadata)
    }

    /// Write all tensors as F32, in the order of their names.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut header = serde_json::Map::new();
        if !self.metadata.is_empty() {
            header.insert("__metadata__".into(), serde_json::json!(self.metadata));
        }
        let mut at = 0;
        for (name, tensor) in &self.tensors {
            let end = at + 4 * tensor.data.len();
            let entry = serde_json::json!({ "dtype": "F32", "shape": tensor.shape, "data_offsets": [at, end] });
            header.insert(name.clone(), entry);
            at = end;
        }
        let mut header = serde_json::Value::Object(header).to_string().into_bytes();
        // The data starts on a multiple of eight bytes, as other readers of the format expect.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut bytes = Vec::with_capacity(PREFIX + header.len() + at);
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header);
        bytes.extend(
            self.tensors
                .values()
                .flat_map(|t| &t.data)
                .flat_map(|x| x.to_le_bytes()),
        );
        bytes
    }
}

/// One tensor's entry in the header, as claimed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

#[derive(Clone, Copy)]
enum Dtype {
    F32,
    F16,
    Bf16,
}

impl Entry {
    fn dtype(&self, name: &str) -> Result<Dtype, ModelError> {
        match self.dtype.as_str() {
            "F32" => Ok(Dtype::F32),
            "F16" => Ok(Dtype::F16),
            "BF16" => Ok(Dtype::Bf16),
            other => Err(ModelError::Dtype {
                name: name.into(),
                dtype: other.chars().take(16).collect(),
            }),
        }
    }

    /// Number of elements, if the shape is sound and agrees with the bytes pointed at.
    fn elements(&self, name: &str) -> Result<u64, ModelError> {
        let (start, end) = self.data_offsets;
        let size = match self.dtype(name)? {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
        };
        let count = self
            .shape
            .iter()
            .try_fold(1u64, |n, &d| if d == 0 { None } else { n.checked_mul(d) });
        let bytes = end.saturating_sub(start);
        match count {
            Some(n) if self.shape.len() <= MAX_RANK && n.checked_mul(size) == Some(bytes) => Ok(n),
            _ => {
                let shape = self.shape.iter().take(MAX_RANK + 1).copied().collect();
                Err(ModelError::Shape {
                    name: name.into(),
                    shape,
                    bytes,
                })
            }
        }
    }

    /// The numbers. `verify` has made sure that the offsets lie within `data`.
    fn read(&self, name: &str, data: &[u8]) -> Result<Tensor, ModelError> {
        let (start, end) = self.data_offsets;
        let bytes = &data[start as usize..end as usize];
        let half = |b: &[u8]| u16::from_le_bytes([b[0], b[1]]);
        let data: Vec<f32> = match self.dtype(name)? {
            Dtype::F32 => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
            Dtype::F16 => bytes
                .chunks_exact(2)
                .map(|b| f32_from_f16(half(b)))
                .collect(),
            Dtype::Bf16 => bytes
                .chunks_exact(2)
                .map(|b| f32::from_bits(u32::from(half(b)) << 16))
                .collect(),
        };
        if let Some(index) = data.iter().position(|x| !x.is_finite()) {
            return Err(ModelError::NotFinite {
                name: name.into(),
                index,
            });
        }
        Ok(Tensor {
            shape: self.shape.iter().map(|&d| d as usize).collect(),
            data,
        })
    }
}

#[derive(Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    entries: BTreeMap<String, Entry>,
    duplicate: Option<String>,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut header: Self =
            serde_json::from_slice(bytes).map_err(|e| ModelError::Header(e.to_string()))?;
        match header.duplicate.take() {
            Some(name) => Err(ModelError::Duplicate(name)),
            None => Ok(header),
        }
    }

    /// Entries in the order of their bytes, if they cover `data_len` bytes without hole or overlap.
    fn verify(&self, data_len: u64, limits: Limits) -> Result<Vec<(String, &Entry)>, ModelError> {
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .map(|(name, entry)| (name.clone(), entry))
            .collect();
        entries.sort_by_key(|(_, entry)| entry.data_offsets);
        let (mut at, mut memory) = (0u64, 0u64);
        for (name, entry) in &entries {
            let elements = entry.elements(name)?;
            let (start, end) = entry.data_offsets;
            if start != at {
                return Err(ModelError::Layout(name.clone()));
            }
            if end > data_len {
                return Err(ModelError::Truncated {
                    needed: end,
                    found: data_len,
                });
            }
            at = end;
            memory += 4 * elements;
        }
        if at != data_len {
            return Err(ModelError::Leftover(data_len - at));
        }
        if memory > limits.memory {
            return Err(ModelError::TooLarge {
                what: "the memory of all weights",
                bytes: memory,
                max: limits.memory,
            });
        }
        Ok(entries)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// Reads the header by hand because a map would keep the last of two entries of one name without a word.
struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut has_metadata = false;
        while let Some(key) = map.next_key::<String>()? {
            let first = if key == "__metadata__" {
                !has_metadata
            } else {
                !header.entries.contains_key(&key)
            };
            if !first {
                map.next_value::<IgnoredAny>()?;
                header.duplicate.get_or_insert(key);
            } else if key == "__metadata__" {
                has_metadata = true;
                header.metadata = map.next_value::<Strings>()?.0;
            } else {
                let entry = map
                    .next_value::<Entry>()
                    .map_err(|e| A::Error::custom(format!("`{key}`: {e}")))?;
                header.entries.insert(key, entry);
            }
        }
        Ok(header)
    }
}

/// Metadata: an object of strings, no key twice.
#[derive(Default)]
struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StringsVisitor)
    }
}

struct StringsVisitor;

impl<'de> Visitor<'de> for StringsVisitor {
    type Value = Strings;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strings, A::Error> {
        let mut strings = Strings::default();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if strings.0.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "metadata key `{key}` comes twice"
                )));
            }
            strings.0.insert(key, value);
        }
        Ok(strings)
    }
}
