//! Normal draws by inversion, to the last bit those of XLA's code for machines with fused multiply-add.
//!
//! 32 random bits go in, a draw of the standard normal distribution comes out: √2·erf⁻¹(u) of a u that is uniform in
//! (−1, 1). Every product that XLA's code generator joins with a sum is joined here.

use super::scaled_f32;
use spark_compiler::math::scalar::log_f64;

/// The draw that belongs to 32 random bits.
pub(super) fn from_bits(bits: u32) -> f32 {
    // One step above −1, where the inverse error function is infinite.
    let min = f32::from_bits((-1.0f32).to_bits() - 1);
    std::f32::consts::SQRT_2 * erfinv(scaled_f32(bits, min, 1.0))
}

/// Inverse error function (Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011).
fn erfinv(x: f32) -> f32 {
    const CENTRAL: [f32; 9] = [
        2.810_226_4e-8,
        3.432_739_4e-7,
        -3.523_387_7e-6,
        -4.391_506_5e-6,
        2.185_808_7e-4,
        -1.253_725e-3,
        -4.177_681_6e-3,
        2.466_407_3e-1,
        1.501_409_4,
    ];
    const TAIL: [f32; 9] = [
        -2.002_142_6e-4,
        1.009_505_6e-4,
        1.349_343_2e-3,
        -3.673_428_4e-3,
        5.739_507_7e-3,
        -7.622_461_3e-3,
        9.438_870_5e-3,
        1.001_674,
        2.832_976_8,
    ];
    let w = -log1p(-x * x);
    let (coefficients, w) = if w < 5.0 { (CENTRAL, w - 2.5) } else { (TAIL, w.sqrt() - 3.0) };
    horner(&coefficients, w) * x
}

/// ln(1 + x) (Moshier's Cephes library, `log1p`, near 0; beyond, the correctly rounded logarithm).
fn log1p(x: f32) -> f32 {
    const NUMERATOR: [f32; 7] = [4.527e-05, 0.498_541_03, 6.578_732_5, 29.911_919, 60.949_67, 57.112_965, 20.039_553];
    const DENOMINATOR: [f32; 7] = [1.0, 15.062_909, 83.047_57, 221.762_4, 309.098_72, 216.427_89, 60.118_66];
    // Beyond √2 − 1 the rational function is not accurate enough.
    if x.abs() >= 0.414_213_57 {
        return log_f64(f64::from(1.0 + x)) as f32;
    }
    let square = x * x;
    let quotient = horner(&NUMERATOR, x) / horner(&DENOMINATOR, x);
    x + square.mul_add(-0.5, x * square * quotient)
}

/// The polynomial with these coefficients, the highest first.
fn horner(coefficients: &[f32], x: f32) -> f32 {
    coefficients.iter().copied().reduce(|sum, c| sum.mul_add(x, c)).unwrap_or(0.0)
}
