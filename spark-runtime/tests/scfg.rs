//! Configuration files: those of the Python Spark, damaged ones and hostile ones.

use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
use spark_runtime::config::{ConfigTree, ConfigValue};
use spark_runtime::scfg::{parse, read_path, write};
use std::path::PathBuf;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden");

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(format!("{GOLDEN}/{folder}")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn plain_and_compressed_files_are_equal_and_written_byte_for_byte() {
    let plain: Vec<PathBuf> =
        files("scfg").into_iter().filter(|p| p.to_str().unwrap().ends_with(".json.scfg")).collect();
    assert_eq!(plain.len(), 13);
    for path in plain {
        let tree = read_path(&path).unwrap();
        let compressed = path.to_str().unwrap().replace(".json.scfg", ".xz.scfg");
        assert_eq!(tree, read_path(compressed.as_ref()).unwrap(), "{compressed}");
        let written = String::from_utf8(write(&tree, false).unwrap()).unwrap();
        assert_eq!(written, std::fs::read_to_string(&path).unwrap());
        assert_eq!(parse(&write(&tree, true).unwrap()).unwrap(), tree);
    }
}

#[test]
fn published_models_are_read() {
    let models: Vec<ConfigTree> = files("models").iter().map(|path| read_path(path).unwrap()).collect();
    let names: Vec<&str> = models.iter().map(|tree| tree.type_name.as_str()).collect();
    assert_eq!(names, ["brain_config", "neuron_config"]);
    let ConfigValue::List(specs) = models[1].get("modules_specs").unwrap() else { panic!("a list") };
    let ConfigValue::Object { type_name, fields } = &specs[3] else { panic!("an object") };
    assert_eq!((type_name.as_str(), &fields["name"]), ("module_specs", &ConfigValue::Text("synapses".to_owned())));
    let class = ConfigValue::Class { registry: "MODULES".to_owned(), name: "traced_synapses".to_owned() };
    assert_eq!(fields["module_cls"], class);
    let ConfigValue::Map(config) = &fields["config"] else { panic!("a map") };
    assert_eq!(config["dtype"], ConfigValue::DType(DType::F16));
    assert!(
        matches!(&config["kernel"], ConfigValue::Config(tree) if tree.type_name == "sparse_uniform_initializer_config")
    );
    for tree in models {
        let again = parse(&write(&tree, false).unwrap()).unwrap();
        assert_eq!(again.get("modules_specs"), tree.get("modules_specs"));
    }
}

#[test]
fn an_array_keeps_dtype_and_dimensions() {
    let tree = read_path(format!("{GOLDEN}/scfg/topological_linear_spiker.json.scfg").as_ref()).unwrap();
    let array = |data: Data| {
        let shape = Shape::of(Axis::anonymous(0), &[data.len()]);
        ConfigValue::Array(Array::new(shape, data).unwrap())
    };
    assert_eq!(tree.get("glue"), Some(&array(Data::I32(vec![0, 1]))));
    assert_eq!(tree.get("maxs"), Some(&array(Data::F32(vec![1.0, 1.0]))));
}

#[test]
fn every_form_round_trips() {
    let array = |dims: &[usize], data: Data| {
        let shape = if dims.is_empty() { Shape::scalar() } else { Shape::of(Axis::anonymous(0), dims) };
        ConfigValue::Array(Array::new(shape, data).unwrap())
    };
    let tree = ConfigTree::new("x_config")
        .with("__config_delimiter__", ConfigValue::Text("__".into()))
        .with("__shared_config_delimiter__", ConfigValue::Text("_s_".into()))
        .with("__metadata__", ConfigValue::Map(Default::default()))
        .with("__graph_editor_metadata__", ConfigValue::Map(Default::default()))
        .with("bools", array(&[2], Data::Bool(vec![true, false])))
        .with("bytes", array(&[2, 1], Data::U8(vec![0, 255])))
        .with("none", array(&[0, 3], Data::F32(vec![])))
        .with("one", array(&[], Data::F64(vec![0.1])))
        .with("class", ConfigValue::Class { registry: "PAYLOADS".into(), name: "spike_array".into() })
        .with("small", ConfigValue::Float(-1e-300))
        .with("text", ConfigValue::Text("a \"b\"\n\u{e9}".into()))
        .with("nested", ConfigValue::Config(Box::new(parse(br#"{"__type__": "y", "__cfg__": {}}"#).unwrap())));
    let written = parse(&write(&tree, true).unwrap()).unwrap();
    for (name, value) in tree.values.iter().filter(|(name, _)| *name != "nested") {
        assert_eq!(written.get(name), Some(value));
    }
    let versioned = br#"{"__version__": "1.0", "__data__": {"__type__": "y", "__cfg__": {"a": null}}}"#;
    assert_eq!(parse(versioned).unwrap(), ConfigTree::new("y").with("a", ConfigValue::Null));
}

#[track_caller]
fn refuses(bytes: &[u8], text: &str) {
    assert_eq!(parse(bytes).unwrap_err().to_string(), text);
}

/// A configuration whose field `a` is `json`.
fn field(json: &str) -> Vec<u8> {
    format!(r#"{{"__type__": "y", "__cfg__": {{"a": {json}}}}}"#).into_bytes()
}

#[test]
fn syntax_errors_have_line_and_column() {
    refuses(b"", "the file is empty");
    refuses(b"\0\x01garbage", "not valid JSON: expected value at line 1 column 1");
    refuses(b"{\n  \"a\" 1}", "not valid JSON: expected `:` at line 2 column 7");
    refuses(b"{\"__type__\": \"y\"", "not valid JSON: EOF while parsing an object at line 1 column 16");
    refuses(b"{} {}", "not valid JSON: trailing characters at line 1 column 4");
    refuses("[".repeat(200).as_bytes(), "not valid JSON: recursion limit exceeded at line 1 column 128");
    refuses(
        &field("Infinity"),
        "not valid JSON: expected value at line 1 column 36\n  \
         help: `NaN` and `Infinity` are not numbers of JSON: give a finite one",
    );
    refuses(
        &field("18446744073709551615"),
        "not valid JSON: the integer 18446744073709551615 is too large at line 1 column 55",
    );
}

#[test]
fn wrong_objects_have_a_path() {
    let not_a_config = "not a configuration: an object with `__type__` and `__cfg__` is needed, found ";
    refuses(b"[]", &format!("{not_a_config}a list"));
    refuses(b"{}", &format!("{not_a_config}a map"));
    refuses(br#"{"__cfg__": {}}"#, "a configuration needs a `__type__`");
    refuses(br#"{"__type__": 3, "__cfg__": {}}"#, "`__type__` must be a non-empty string");
    refuses(br#"{"__type__": "y", "__cfg__": []}"#, "`__cfg__` must be an object");
    refuses(br#"{"__version__": "9", "__data__": {}}"#, "unsupported version `9`\n  help: supported: 1.0");
    refuses(
        &field(
            r#"[1, {"__type__": "module_specs", "__data__": {"config": {"kernel": {"__type__": "dtype", "name": "float61"}}}}]"#,
        ),
        "a[1].config.kernel: unsupported dtype `float61`\n  help: did you mean `float16`?",
    );
    refuses(
        &field(r#"{"__type__": "port_mop", "__data__": {}}"#),
        "a: unknown `__type__` `port_mop` of an object without `__cfg__`\n  help: did you mean `port_map`?",
    );
    let array = |dtype: &str, shape: &str, data: &str| {
        field(&format!(r#"{{"__type__": "jax_array", "dtype": "{dtype}", "shape": {shape}, "data": {data}}}"#))
    };
    refuses(&array("float32", "[2]", "[1.0]"), "a.data: must be a list of 2, as `shape` says, found 1");
    refuses(&array("float32", "[1]", "[null]"), "a.data[0]: must be a number");
    refuses(&array("float32", "[-1]", "[]"), "a.shape: must be a list of dimensions");
    refuses(&array("float32", "[4294967296, 4294967296]", "[]"), "a.shape: too many elements");
    refuses(&array("uint8", "[1]", "[256]"), "a.data: 256 does not fit u8");
}

#[test]
fn notes_that_cannot_be_decoded_are_kept() {
    let bytes = br#"{"__type__": "y", "__cfg__": {"__metadata__": {"d": {"__type__": "dtype", "name": "int4"}}}}"#;
    assert!(matches!(parse(bytes).unwrap().get("__metadata__"), Some(ConfigValue::Map(notes)) if notes.len() == 1));
}

#[test]
fn damaged_compressed_files_are_refused() {
    let path = format!("{GOLDEN}/scfg/zenke_rule.xz.scfg");
    let (bytes, tree) = (std::fs::read(&path).unwrap(), read_path(path.as_ref()).unwrap());
    for length in 0..bytes.len() {
        assert!(parse(&bytes[..length]).is_err(), "truncated to {length}");
    }
    refuses(&bytes[..bytes.len() / 2], "the compressed file is truncated");
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << bit;
            assert!(parse(&flipped).is_ok_and(|read| read == tree) || parse(&flipped).is_err(), "{position}.{bit}");
        }
    }
}

#[test]
fn a_file_that_expands_without_bound_is_refused() {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..257 {
        std::io::Write::write_all(&mut writer, &blanks).unwrap();
    }
    refuses(&writer.finish().unwrap(), "the compressed file expands to more than 256 MiB");
    refuses(&vec![b' '; (64 << 20) + 1], "the file is larger than 64 MiB");
}

#[test]
fn a_missing_file_is_named() {
    let error = read_path("/nonexistent/a.scfg".as_ref()).unwrap_err().to_string();
    assert_eq!(error, "/nonexistent/a.scfg: cannot read the file: No such file or directory (os error 2)");
}

#[test]
fn numbers_json_cannot_hold_are_not_written() {
    let tree = ConfigTree::new("y").with("a", ConfigValue::List(vec![ConfigValue::Float(f64::INFINITY)]));
    assert_eq!(write(&tree, false).unwrap_err().to_string(), "a[0]: inf cannot be written: it is not finite");
}
