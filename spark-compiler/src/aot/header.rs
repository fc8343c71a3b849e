//! The C header of an object: C99 and C++11, needs `stddef.h` and `stdint.h` only.

use super::layout::{self, ALIGN, Port};
use super::{Object, Sizes};
use crate::ir::DType;
use std::fmt::Write;

/// The text of the header.
pub(super) fn header(object: &Object) -> String {
    let Object { name, target, hash, layout, .. } = object;
    let Sizes { code, data, stack, block } = object.sizes;
    let (upper, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
    let (inputs, outputs) = (layout::structure_bytes(&layout.inputs), layout::structure_bytes(&layout.outputs));
    let mut out = format!(
        "\
/* {name}: a model of spiking neurons, compiled by Spark {version} for {target}.
 *
 * Generated: do not edit. Link {name}.o.
 *
 *     static {name}_memory memory;
 *     static {name}_inputs inputs;
 *     static {name}_outputs outputs;
 *
 *     {name} *model = {name}_init(&memory, sizeof memory);
 *     for (;;) {{
 *         ...                                      fill `inputs`
 *         {name}_step(model, &inputs, &outputs);
 *         ...                                      use `outputs`
 *     }}
 *
 * No function allocates, calls a library or changes anything but its arguments. There may be any number of models, each
 * with its own memory; one of them may be used by one thread at a time. Any values of inputs are safe, also NaN and infinity.
 *
 * Bytes: {code} of code, {data} of read-only data, {stack} of stack, {block} of memory for a model.
 */
#ifndef {upper}_H
#define {upper}_H

#include <stddef.h>
#include <stdint.h>

/* Version of Spark, what the object was compiled for, and SHA-256 of the program, its weights, its initial state and all names. */
#define {upper}_SPARK_VERSION \"{version}\"
#define {upper}_TARGET \"{target}\"
#define {upper}_HASH \"{hash}\"

/* Size and alignment of the memory of a model, in bytes. */
#define {upper}_STATE_SIZE {block}u
#define {upper}_STATE_ALIGN {ALIGN}u

#if defined(__cplusplus)
#define {upper}_ALIGNED alignas({ALIGN})
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define {upper}_ALIGNED _Alignas({ALIGN})
#elif defined(_MSC_VER)
#define {upper}_ALIGNED __declspec(align({ALIGN}))
#else
#define {upper}_ALIGNED __attribute__((aligned({ALIGN})))
#endif

#ifdef __cplusplus
extern \"C\" {{
#endif

/* A running model: what {name}_init made of memory. */
typedef struct {name} {name};

/* Memory for a model. Any other of {upper}_STATE_SIZE bytes, aligned to {upper}_STATE_ALIGN, will do. */
typedef struct {{
    {upper}_ALIGNED unsigned char bytes[{upper}_STATE_SIZE];
}} {name}_memory;

"
    );
    let titles = [
        ("IN", "inputs", "What a step is given", &layout.inputs, inputs),
        ("OUT", "outputs", "What a step gives", &layout.outputs, outputs),
    ];
    for (short, small, title, ports, size) in titles {
        let note = "Arrays are row-major; a truth value is a byte, 0 or 1.";
        writeln!(out, "/* {title}. {note} */").expect("writing to a string");
        out += "typedef struct {\n";
        for port in ports.iter() {
            writeln!(out, "    {}", member(port)).expect("writing to a string");
        }
        if ports.is_empty() {
            out += "    uint8_t none; /* nothing */\n";
        }
        writeln!(out, "}} {name}_{small};\n").expect("writing to a string");
        writeln!(out, "#define {upper}_{short}PUTS_SIZE {size}u").expect("writing to a string");
        for port in ports.iter() {
            constants(&mut out, &format!("{upper}_{}_{}", short, port.field.to_uppercase()), port);
        }
        out.push('\n');
    }
    write!(
        out,
        "\
#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#ifndef __cplusplus
#define {upper}_ASSERT _Static_assert
#else
#define {upper}_ASSERT static_assert
#endif
{upper}_ASSERT(sizeof({name}_inputs) == {upper}_INPUTS_SIZE, \"{name}_inputs\");
{upper}_ASSERT(sizeof({name}_outputs) == {upper}_OUTPUTS_SIZE, \"{name}_outputs\");
#undef {upper}_ASSERT
#endif

/* Makes a model of `memory`, in its initial state. NULL if that is NULL, not aligned to {upper}_STATE_ALIGN, or if `size`
 * is less than {upper}_STATE_SIZE. */
{name} *{name}_init(void *memory, size_t size);

/* Runs one step. The structures must not overlap the model. */
void {name}_step({name} *model, const {name}_inputs *inputs, {name}_outputs *outputs);

/* Back to the initial state. */
void {name}_reset({name} *model);

/* Brings all arrays of the model up to date, for some changes are put off: has to be called before arrays are read or
 * written from outside. */
void {name}_flush({name} *model);

/* Has to be called after arrays of the model were written from outside, at the offsets that {name}.json gives; positions
 * of histories must stay below their number of rows. */
void {name}_patched({name} *model);

/* {upper}_HASH of the object that was linked: `strcmp({name}_hash, {upper}_HASH)` is 0 if this header is the one of that object. */
extern const char {name}_hash[65];

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_H */
"
    )
    .expect("writing to a string");
    out
}

/// `float signal[16];` with a remark.
fn member(port: &Port) -> String {
    let (ty, what) = c_type(port.dtype);
    let dims = port.shape.dims().iter().map(|dim| format!("[{dim}]")).collect::<String>();
    let dims = if dims.is_empty() { "one number".to_string() } else { dims };
    // Names may have anything in them, also the ends of comments and of lines.
    let name = port.name.escape_debug().to_string().replace("*/", "* /").replace("/*", "/ *");
    let same = if port.name == port.field { String::new() } else { format!("`{name}`: ") };
    format!("{ty} {}[{}]; /* {same}{what}, {dims} */", port.field, port.len())
}

fn constants(out: &mut String, prefix: &str, port: &Port) {
    let dims = port.shape.dims();
    let listed = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let mut define = |end: &str, value: String| {
        writeln!(out, "#define {prefix}_{end} {value}").expect("writing to a string");
    };
    define("DTYPE", format!("\"{}\"", port.dtype.long_name()));
    define("LENGTH", format!("{}u", port.len()));
    define("RANK", format!("{}u", dims.len()));
    if !dims.is_empty() {
        define("DIMS", format!("{{{listed}}}"));
    }
    define("OFFSET", format!("{}u", port.offset));
}

/// The type of an element, and what it is.
fn c_type(dtype: DType) -> (&'static str, &'static str) {
    match dtype {
        DType::F32 => ("float", "float32"),
        DType::F64 => ("double", "float64"),
        DType::F16 => ("uint16_t", "the bits of float16"),
        DType::BF16 => ("uint16_t", "the bits of bfloat16"),
        DType::U8 => ("uint8_t", "uint8"),
        DType::U16 => ("uint16_t", "uint16"),
        DType::I32 => ("int32_t", "int32"),
        DType::Bool => ("uint8_t", "bool"),
    }
}
