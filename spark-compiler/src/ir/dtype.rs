//! Element types: what memory holds ([`DType`]) and what arithmetic uses ([`Elem`]).
//!
//! Storage is chosen per array (a model's `dtype`); arithmetic has four types only. `f16` and `bf16` values widen to
//! `f32` when they are read and round to nearest even when a state is written; narrow integers widen to `i32` and
//! saturate when written; booleans are one bit in kernels and one byte on the host.

use std::fmt;

/// Storage type of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DType {
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
    /// IEEE single precision.
    #[default]
    F32,
    /// IEEE double precision.
    F64,
    /// Unsigned byte.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Truth value.
    Bool,
}

/// Arithmetic type of an operation's result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Elem {
    /// Truth value.
    Bool,
    /// 32-bit two's complement integer; arithmetic wraps.
    I32,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl DType {
    /// Every storage type.
    pub const ALL: [DType; 8] =
        [DType::F16, DType::BF16, DType::F32, DType::F64, DType::U8, DType::U16, DType::I32, DType::Bool];

    /// The arithmetic type values of this storage type widen to.
    pub const fn elem(self) -> Elem {
        match self {
            DType::F16 | DType::BF16 | DType::F32 => Elem::F32,
            DType::F64 => Elem::F64,
            DType::U8 | DType::U16 | DType::I32 => Elem::I32,
            DType::Bool => Elem::Bool,
        }
    }

    /// True for the floating-point types.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
    }

    /// Bits per element in a kernel's memory.
    pub const fn bits(self) -> usize {
        match self {
            DType::F64 => 64,
            DType::F32 | DType::I32 => 32,
            DType::F16 | DType::BF16 | DType::U16 => 16,
            DType::U8 => 8,
            DType::Bool => 1,
        }
    }

    /// The name used in text IR.
    pub const fn name(self) -> &'static str {
        match self {
            DType::F16 => "f16",
            DType::BF16 => "bf16",
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::U8 => "u8",
            DType::U16 => "u16",
            DType::I32 => "i32",
            DType::Bool => "bool",
        }
    }

    /// Reads [`DType::name`] or the long name used by Spark's files (`float32`, `uint8`, ...).
    pub fn parse(text: &str) -> Option<DType> {
        Some(match text {
            "f16" | "float16" => DType::F16,
            "bf16" | "bfloat16" => DType::BF16,
            "f32" | "float32" => DType::F32,
            "f64" | "float64" => DType::F64,
            "u8" | "uint8" => DType::U8,
            "u16" | "uint16" => DType::U16,
            "i32" | "int32" => DType::I32,
            "bool" => DType::Bool,
            _ => return None,
        })
    }

    /// The name Spark's files use: `float32`, `uint8`, `bool`, ...
    pub const fn long_name(self) -> &'static str {
        match self {
            DType::F16 => "float16",
            DType::BF16 => "bfloat16",
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::U8 => "uint8",
            DType::U16 => "uint16",
            DType::I32 => "int32",
            DType::Bool => "bool",
        }
    }
}

impl Elem {
    /// The storage type that holds this arithmetic type exactly.
    pub const fn dtype(self) -> DType {
        match self {
            Elem::Bool => DType::Bool,
            Elem::I32 => DType::I32,
            Elem::F32 => DType::F32,
            Elem::F64 => DType::F64,
        }
    }

    /// True for `f32` and `f64`.
    pub const fn is_float(self) -> bool {
        matches!(self, Elem::F32 | Elem::F64)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Elem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dtype().name())
    }
}
