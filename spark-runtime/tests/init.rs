//! Initializers against arrays recorded from the Python Spark.

use safetensors::{SafeTensors, tensor::Metadata};
use spark_compiler::ir::{Array, Axis, DType, Data, Shape};
use spark_runtime::config::{Config, ConfigTree, ConfigValue, FieldType, Param};
use spark_runtime::init::*;
use spark_runtime::rng::Key;

fn golden(file: &str) -> Vec<u8> {
    let path = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/init/{}.safetensors"), file);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn cases(metadata: &Metadata) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(&metadata.metadata().as_ref().unwrap()["cases"]).unwrap()
}

fn dims(json: &serde_json::Value) -> Vec<usize> {
    json.as_array().unwrap().iter().map(|dim| dim.as_u64().unwrap() as usize).collect()
}

/// The configuration of a recorded case: Spark's fields as JSON.
fn tree(json: &serde_json::Value) -> ConfigTree {
    let mut tree = ConfigTree::new(json["__class__"].as_str().unwrap());
    for (name, value) in json.as_object().unwrap() {
        let value = match value {
            serde_json::Value::Null => ConfigValue::Null,
            serde_json::Value::Number(x) if x.is_i64() => ConfigValue::Int(x.as_i64().unwrap()),
            serde_json::Value::Number(x) => ConfigValue::Float(x.as_f64().unwrap()),
            serde_json::Value::String(text) => ConfigValue::Text(text.clone()),
            list => dims(list).to_value(),
        };
        tree = tree.with(name, value);
    }
    tree
}

#[test]
fn every_recorded_case() {
    let bytes = golden("initializers");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut count = 0;
    for (name, case) in cases(&metadata) {
        let initializer = AnyInitializer::from_tree(&tree(&case["config"])).unwrap();
        let norm_axes = case["init_kwargs"].get("norm_axes").map(dims);
        let overrides = InitOverrides { norm_axes, ..InitOverrides::default() };
        let dtype = DType::parse(case["dtype"].as_str().unwrap()).unwrap();
        let key = Key::new(case["seed"].as_u64().unwrap() as u32);
        let shape = dims(&case["shape"]);
        let ours = initializer.init(key, &shape, dtype, &overrides).unwrap();
        assert_eq!((ours.dims(), ours.dtype()), (shape, dtype), "{name}");

        let theirs = tensors.tensor(&format!("out/{name}")).unwrap();
        let theirs = match dtype {
            DType::F16 => {
                Data::F16(theirs.data().chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]])).collect())
            }
            _ => Data::F32(theirs.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()),
        };
        if name.starts_with("normalized") {
            // The reference's sums are added in another order; half precision may then round the other way.
            let tolerance = if dtype == DType::F16 { 1e-3 } else { 1e-6 };
            for (ours, theirs) in ours.to_f64().into_iter().zip(theirs.to_f64()) {
                assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{name}: {ours} {theirs}");
            }
        } else {
            assert!(ours.data().same_bits(&theirs), "{name}");
        }
        count += 1;
    }
    assert_eq!(count, 36);
}

#[test]
fn delays_are_those_of_the_reference() {
    let bytes = golden("delay_kernels");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    for (name, case) in cases(&metadata) {
        let rows = case["buffer_size"].as_u64().unwrap();
        let overrides =
            InitOverrides { scale: Some((rows + 1) as f64), min_value: Some(1.0), ..InitOverrides::default() };
        let draw = |dtype| Uniform::default().init(Key::new(7), &dims(&case["shape"]), dtype, &overrides);
        if rows <= 255 {
            let theirs = tensors.tensor(&format!("out/{name}")).unwrap().data().to_vec();
            assert_eq!(draw(DType::U8).unwrap().data(), &Data::U8(theirs), "{name}");
        } else {
            // The reference wraps here.
            let error = draw(DType::U8).unwrap_err().to_string();
            assert!(error.ends_with("which does not fit u8\n  help: use a wider dtype"), "{error}");
            assert!(draw(DType::U16).unwrap().to_f64().iter().all(|&delay| (1.0..=rows as f64).contains(&delay)));
        }
    }
}

#[test]
fn normalization_refuses_what_it_cannot_do() {
    #[track_caller]
    fn check(axes: &[usize], shape: &[usize], dtype: DType, text: &str) {
        let initializer = NormalizedSparseUniform::default().with_norm_axes(axes);
        let error = initializer.init(Key::new(0), shape, dtype, &InitOverrides::default()).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let flat = "normalization needs an array of at least two dimensions, found [4]\n  help: use `SparseUniform`";
    check(&[0], &[4], DType::F32, flat);
    check(&[0], &[4, 2], DType::U8, "normalization needs a floating-point dtype, found u8");
    check(&[2], &[4, 2], DType::F32, "norm_axes: must be below 2, the number of dimensions, found 2");
    check(&[1, 1], &[4, 2], DType::F32, "norm_axes: must not repeat an axis, found 1 twice");
}

#[test]
fn a_parameter_resolves_to_its_shape() {
    let shape = Shape::units(&[2, 3]).with(Axis::PRE, &[4]);
    let resolve = |param: Param, dtype| param.resolve(Key::new(3), &shape, dtype, &InitOverrides::default());
    let scalar = resolve(Param::from(0.1), DType::F64).unwrap();
    assert_eq!((scalar.shape(), scalar.data()), (&Shape::scalar(), &Data::F64(vec![0.1])));
    assert_eq!(resolve(Param::from(vec![2.5]), DType::F16).unwrap().to_f64(), [2.5]);

    let flat = resolve(Param::from(vec![1.0; 24]), DType::F32).unwrap();
    let given = Shape::of(Axis::anonymous(0), &[2, 3, 4]);
    let nested = resolve(Param::from(Array::zeros(given, DType::F32)), DType::F32).unwrap();
    assert_eq!((flat.shape(), nested.shape()), (&shape, &shape));

    let drawn = resolve(Param::from(Uniform::default()), DType::F32).unwrap();
    assert_eq!((drawn.shape(), drawn.to_f32()), (&shape, Key::new(3).uniform_f32(24)));

    assert_eq!(
        resolve(Param::from(vec![1.0; 5]), DType::F32).unwrap_err().to_string(),
        "an array of dimensions [5] does not match the shape [units:2x3, pre:4]\n  \
         help: give one number, or an array of dimensions [2, 3, 4]"
    );
    assert_eq!(
        resolve(Param::from(70_000), DType::F16).unwrap_err().to_string(),
        "70000 is too large for f16\n  help: use a wider dtype"
    );
}

#[test]
fn an_initializer_round_trips_and_reports_its_fields() {
    let kernel = Param::from(SparseUniform::default().with_scale(200.0).with_max_value(150.0));
    assert_eq!(Param::from_value(&kernel.to_value()).unwrap(), kernel);
    assert_ne!(kernel, Param::from(SparseUniform::default()));
    let Param::Initializer(any) = &kernel else { panic!("{kernel:?}") };
    assert_eq!(any.downcast::<SparseUniform>().unwrap().scale, 200.0);

    let wrong =
        SparseUniform::default().to_tree().with("density", ConfigValue::Float(3.0)).with("scal", ConfigValue::Int(1));
    assert_eq!(
        Param::from_value(&ConfigValue::Config(Box::new(wrong))).unwrap_err().to_string(),
        "scal: `SparseUniformInitializerConfig` has no such field\n  help: did you mean `scale`?\n\
         density: must lie between 0 and 1, found 3\n  help: Expected share of elements that are not zero."
    );
    let unknown = ConfigTree::new("unifrm_initializer_config");
    assert_eq!(
        AnyInitializer::from_tree(&unknown).unwrap_err().to_string(),
        "`unifrm_initializer_config` is not an initializer\n  help: did you mean `uniform_initializer_config`?"
    );
}
