//! Draws against those recorded from JAX 0.8: bit for bit.

use safetensors::SafeTensors;
use spark_runtime::rng::{Key, RngStream};

const SEEDS: [u32; 4] = [0, 1, 42, 2_147_483_655];

struct Golden {
    seed: u32,
    bytes: Vec<u8>,
}

impl Golden {
    fn open(seed: u32) -> Golden {
        let path =
            format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/rng/threefry_seed{}.safetensors"), seed);
        Golden { seed, bytes: std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}")) }
    }

    /// The recorded bytes of one draw.
    fn bytes(&self, name: &str) -> Vec<u8> {
        SafeTensors::deserialize(&self.bytes).unwrap().tensor(&format!("out/{name}")).unwrap().data().to_vec()
    }

    fn u32(&self, name: &str) -> Vec<u32> {
        self.bytes(name).chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    #[track_caller]
    fn check<T: Copy, const N: usize>(&self, name: &str, drawn: &[T], to_le: fn(T) -> [u8; N]) {
        let ours: Vec<u8> = drawn.iter().flat_map(|&x| to_le(x)).collect();
        assert!(ours == self.bytes(name), "seed {}: {name} differs", self.seed);
    }
}

fn words(keys: &[Key]) -> Vec<u32> {
    keys.iter().flat_map(|key| key.0).collect()
}

fn on_every_seed(check: impl Fn(&Golden, Key)) {
    for seed in SEEDS {
        check(&Golden::open(seed), Key::new(seed));
    }
}

#[test]
fn keys() {
    on_every_seed(|golden, key| {
        golden.check("key", &key.0, u32::to_le_bytes);
        for n in [2, 3, 5] {
            golden.check(&format!("split_{n}"), &words(&key.split(n)), u32::to_le_bytes);
        }
        golden.check("split_shape_2x3", &words(&key.split(6)), u32::to_le_bytes);
        golden.check("fold_in_7", &key.fold_in(7).0, u32::to_le_bytes);
        assert_eq!(key.split2(), (key.split(2)[0], key.split(2)[1]));
    });
}

#[test]
fn a_stream_of_keys() {
    on_every_seed(|golden, _| {
        let mut stream = RngStream::new(golden.seed);
        let chain: Vec<Key> = (0..6).map(|_| stream.next_key()).collect();
        golden.check("get_rng_keys_chain_6", &words(&chain), u32::to_le_bytes);
        assert_eq!(golden.u32("get_rng_keys_chain_6.rng_after"), stream.state().0);
        let mut other = RngStream::new(golden.seed);
        assert_eq!(words(&other.next_keys(2)), golden.u32("split_3")[2..]);
        assert_eq!(other.state().0, golden.u32("split_3")[..2]);
    });
}

#[test]
fn bits() {
    on_every_seed(|golden, key| {
        golden.check("bits_u32_16", &key.bits32(16), u32::to_le_bytes);
        golden.check("bits_u32_5x9", &key.bits32(45), u32::to_le_bytes);
        golden.check("bits_u16_33", &key.bits16(33), u16::to_le_bytes);
        golden.check("bits_u8_33", &key.bits8(33), u8::to_le_bytes);
    });
}

#[test]
fn uniform() {
    on_every_seed(|golden, key| {
        for (name, n) in [("1", 1), ("scalar", 1), ("7", 7), ("16", 16), ("5x9", 45), ("3x4x5", 60), ("1000", 1000)] {
            golden.check(&format!("uniform_f32_{name}"), &key.uniform_f32(n), f32::to_le_bytes);
        }
        golden.check("uniform_f32_50_min-2_max3", &key.uniform_f32_in(50, -2.0, 3.0), f32::to_le_bytes);
        golden.check("uniform_f16_33", &key.uniform_f16(33), half::f16::to_le_bytes);
        golden.check("uniform_f16_5x9", &key.uniform_f16(45), half::f16::to_le_bytes);
    });
}

#[test]
fn normal() {
    on_every_seed(|golden, key| {
        let draws: Vec<u32> = key.normal_f32(64).into_iter().map(f32::to_bits).collect();
        assert_eq!(draws, golden.u32("normal_f32_64"), "seed {}", golden.seed);
    });
}

#[test]
fn integers() {
    on_every_seed(|golden, key| {
        for high in [97, 64, 1_000_003] {
            golden.check(&format!("randint_0_{high}_50"), &key.randint(50, 0, high), i32::to_le_bytes);
        }
    });
}

#[test]
fn permutations() {
    on_every_seed(|golden, key| {
        for n in [1, 10, 1000, 20_000] {
            let order: Vec<i32> = key.permutation(n).into_iter().map(|i| i as i32).collect();
            golden.check(&format!("permutation_{n}"), &order, i32::to_le_bytes);
            golden.check(&format!("permutation_independent_{n}"), &order, i32::to_le_bytes);
        }
        let mut repeated: Vec<i32> = (0..3).flat_map(|i| [i; 10]).collect();
        key.shuffle(&mut repeated);
        golden.check("permutation_repeat_10x3", &repeated, i32::to_le_bytes);
    });
}
