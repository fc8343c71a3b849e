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
        assert!(ours.data().same_bits(&theirs), "{name}");
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

fn draw(initializer: impl Initializer, shape: &[usize], dtype: DType) -> Array {
    initializer.init(Key::new(11), shape, dtype, &InitOverrides::default()).unwrap()
}

/// Mean, standard deviation, skewness and excess kurtosis.
fn moments(values: &[f64]) -> [f64; 4] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power| values.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
    let std = central(2).sqrt();
    [mean, std, central(3) / std.powi(3), central(4) / std.powi(4) - 3.0]
}

#[test]
fn normal_numbers_have_the_moments_of_the_distribution() {
    for dtype in [DType::F32, DType::F64] {
        let drawn = draw(Normal::default().with_mean(3.0).with_std(0.5), &[200, 500], dtype);
        assert_eq!((drawn.dims(), drawn.dtype()), (vec![200, 500], dtype));
        // Standard errors: σ/√n, σ/√2n, √(6/n), √(24/n); four of each.
        let [mean, std, skewness, kurtosis] = moments(&drawn.to_f64());
        assert!((mean - 3.0).abs() < 0.0064 && (std - 0.5).abs() < 0.0045, "{mean} {std}");
        assert!(skewness.abs() < 0.031 && kurtosis.abs() < 0.062, "{skewness} {kurtosis}");
    }
}

#[test]
fn double_precision_draws_are_those_of_jax() {
    // jax.random.normal(jax.random.key(11), (6,), float64) and uniform, with jax_enable_x64.
    let normal = [
        -0.11942891219697942,
        1.3997924901050443,
        0.8684239232585466,
        0.7078687409646347,
        2.0773392182843233,
        -1.0630541990966413,
    ];
    for (ours, theirs) in Key::new(11).normal_f64(6).into_iter().zip(normal) {
        assert!((ours - theirs).abs() <= 4e-15 * theirs.abs(), "{ours} {theirs}");
    }
    assert_eq!(
        Key::new(11).uniform_f64(6),
        [
            0.45246777829595675,
            0.9192122663222262,
            0.80741884849389,
            0.7604866134015287,
            0.981114869099841,
            0.1438786865722015
        ]
    );
    // Not a single-precision number in disguise.
    let drawn = draw(Normal::default(), &[100], DType::F64).to_f64();
    assert!(drawn.iter().any(|&x| f64::from(x as f32) != x));
}

#[test]
fn normal_numbers_are_clipped() {
    let clipped = draw(Normal::default().with_min_value(-0.5).with_max_value(1.0), &[1000], DType::F32).to_f64();
    assert!(clipped.iter().all(|x| (-0.5..=1.0).contains(x)));
    assert!(clipped.contains(&-0.5) && clipped.contains(&1.0));
}

#[test]
fn log_normal_numbers_have_normal_logarithms() {
    for dtype in [DType::F32, DType::F64] {
        let initializer = LogNormal::default().with_mean(-0.7).with_std(0.9).with_scale(10.0);
        let drawn = draw(initializer, &[50_000], dtype).to_f64();
        let logarithms: Vec<f64> = drawn.iter().map(|x| (x / 10.0).ln()).collect();
        let [mean, std, skewness, kurtosis] = moments(&logarithms);
        assert!((mean + 0.7).abs() < 0.0161 && (std - 0.9).abs() < 0.0114, "{mean} {std}");
        assert!(skewness.abs() < 0.044 && kurtosis.abs() < 0.088, "{skewness} {kurtosis}");
    }
}

/// The weights of each postsynaptic neuron, for post axes 0..`axes`.
fn rows(array: &Array, axes: usize) -> Vec<Vec<f64>> {
    let row: usize = array.dims()[axes..].iter().product();
    array.to_f64().chunks(row).map(<[f64]>::to_vec).collect()
}

#[test]
fn every_neuron_has_its_indegree() {
    let array = draw(FixedIndegree::new(7).with_weight(0.5), &[40, 5, 6], DType::F32);
    let mut chosen = vec![0; 30];
    for row in rows(&array, 1) {
        let connected: Vec<usize> = (0..30).filter(|&pre| row[pre] != 0.0).collect();
        assert_eq!(connected.len(), 7);
        assert!(connected.iter().all(|&pre| row[pre] == 0.5));
        connected.into_iter().for_each(|pre| chosen[pre] += 1);
    }
    // 280 connections over 30 inputs: none is left out or chosen always.
    assert!(chosen.iter().all(|&n| (1..30).contains(&n)), "{chosen:?}");
}

#[test]
fn indegrees_count_over_the_axes_a_module_names() {
    let overrides = InitOverrides { norm_axes: Some(vec![0, 1]), ..InitOverrides::default() };
    let array = FixedIndegree::new(3).init(Key::new(2), &[2, 3, 4, 5], DType::F64, &overrides).unwrap();
    assert!(rows(&array, 2).iter().all(|row| row.iter().filter(|&&weight| weight == 1.0).count() == 3));
}

#[test]
fn weights_of_a_fixed_indegree_are_drawn_per_connection() {
    let initializer = FixedIndegree::new(4).with_weight(Normal::default().with_mean(5.0).with_std(0.1));
    let array = draw(initializer, &[10, 20], DType::F32);
    let weights: Vec<f64> = array.to_f64().into_iter().filter(|&weight| weight != 0.0).collect();
    assert_eq!(weights.len(), 40);
    assert!(weights.iter().all(|weight| (4.0..6.0).contains(weight)));
    assert!(weights.windows(2).any(|pair| pair[0] != pair[1]));
    let normalized = NormalizedSparseUniform::default().with_density(1.0).with_scale(2.0);
    let array = draw(FixedIndegree::new(4).with_weight(normalized), &[10, 20], DType::F64);
    assert!(rows(&array, 1).iter().all(|row| (row.iter().sum::<f64>() - 2.0).abs() < 1e-6));
}

#[test]
fn multapses_add_up_and_may_exceed_the_inputs() {
    let array = draw(FixedIndegree::new(50).with_multapses(true).with_weight(0.25), &[8, 3], DType::F32);
    assert!(rows(&array, 1).iter().all(|row| row.iter().sum::<f64>() == 12.5));
    let error = FixedIndegree::new(4).init(Key::new(0), &[8, 3], DType::F32, &InitOverrides::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "indegree: must be at most 3, the number of inputs, found 4\n  \
         help: with `multapses` neurons may be connected repeatedly"
    );
    assert!(draw(FixedIndegree::new(0), &[8, 3], DType::F32).to_f64().iter().all(|&weight| weight == 0.0));
}

#[test]
fn new_initializers_round_trip() {
    for param in [
        Param::from(FixedIndegree::new(3).with_weight(LogNormal::default().with_std(0.2)).with_multapses(true)),
        Param::from(Normal::default().with_min_value(0.0)),
    ] {
        assert_eq!(Param::from_value(&param.to_value()).unwrap(), param);
    }
}

/// Draws of JAX 0.8.0 on a CPU with AVX2, seed 9, density 0.6, scale 3: dimensions, `norm_axes` and the FNV-1a hash of the
/// bytes. Every way in which XLA adds is among them: windows, nested windows, vectors of 2 to 8 lanes, left-over rows.
const NORMALIZED: &[(&[usize], &[usize], u64)] = &[
    (&[7, 40], &[0], 0xd51b7b82b1ff546f),
    (&[40, 7], &[1], 0xa67379b68fecfadc),
    (&[5, 1000], &[0], 0xc2e36418b251942f),
    (&[3, 2500], &[0], 0xf271204e89db9f82),
    (&[17, 33], &[0], 0xe6ba4ede8e55db44),
    (&[9, 4, 5], &[0], 0x3f5008eff210197e),
    (&[6, 8, 8], &[0], 0x4680449ccc023739),
    (&[5, 28, 28], &[0], 0x774023598f160aac),
    (&[9, 20, 3], &[0], 0x464bc53af14a0934),
    (&[4, 3, 6, 10], &[0, 1], 0x320356c349baca65),
    (&[3, 2, 16, 9], &[0, 1], 0xc299c4ad3ee52515),
    (&[4, 5, 6], &[0, 1], 0x12928d1f99bda8e5),
    (&[5, 6, 40], &[0], 0x144a507d936f5f76),
    (&[6, 3, 4, 5], &[0], 0x9a45894cf01dada1),
    (&[100, 64], &[0], 0xa70eae921ab6610c),
    (&[4, 3, 5], &[2], 0x7980de088f957cb7),
];

#[test]
fn normalized_weights_are_those_of_the_reference_for_many_shapes() {
    for &(shape, axes, hash) in NORMALIZED {
        let initializer = NormalizedSparseUniform::default().with_density(0.6).with_scale(3.0).with_norm_axes(axes);
        let drawn = initializer.init(Key::new(9), shape, DType::F32, &InitOverrides::default()).unwrap();
        let bytes = drawn.to_f32().into_iter().flat_map(f32::to_le_bytes);
        let ours =
            bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(ours, hash, "{shape:?} over {axes:?}");
    }
}
