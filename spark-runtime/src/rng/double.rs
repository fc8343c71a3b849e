//! Draws in double precision, from 64 random bits each.
//!
//! The bits are those of JAX with `jax_enable_x64`; the numbers follow its recipe, and as every operation here is IEEE
//! arithmetic or one of the compiler's own recipes they are the same on every machine.

use super::Key;
use spark_compiler::math::scalar::log_f64;

impl Key {
    /// `n` words of 64 random bits.
    pub fn bits64(self, n: usize) -> Vec<u64> {
        (0..n as u64).map(|i| self.block(i)).map(|[high, low]| u64::from(high) << 32 | u64::from(low)).collect()
    }

    /// `n` numbers uniform in [0, 1), multiples of 2⁻⁵².
    pub fn uniform_f64(self, n: usize) -> Vec<f64> {
        self.bits64(n).into_iter().map(unit_f64).collect()
    }

    /// `n` numbers of the standard normal distribution, by inversion.
    pub fn normal_f64(self, n: usize) -> Vec<f64> {
        // One step above −1, where the inverse error function is infinite.
        let min = f64::from_bits((-1.0f64).to_bits() - 1);
        let scaled = |bits| (unit_f64(bits) * (1.0 - min) + min).max(min);
        self.bits64(n).into_iter().map(|bits| std::f64::consts::SQRT_2 * erfinv(scaled(bits))).collect()
    }
}

/// [0, 1) from 52 bits put in the mantissa of [1, 2).
fn unit_f64(bits: u64) -> f64 {
    f64::from_bits((bits >> 12) | 0x3FF0_0000_0000_0000) - 1.0
}

/// Inverse error function in double precision (Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2011).
#[allow(clippy::excessive_precision, reason = "the coefficients as published")]
fn erfinv(x: f64) -> f64 {
    const CENTRAL: [f64; 23] = [
        -3.6444120640178196996e-21,
        -1.685059138182016589e-19,
        1.2858480715256400167e-18,
        1.115787767802518096e-17,
        -1.333171662854620906e-16,
        2.0972767875968561637e-17,
        6.6376381343583238325e-15,
        -4.0545662729752068639e-14,
        -8.1519341976054721522e-14,
        2.6335093153082322977e-12,
        -1.2975133253453532498e-11,
        -5.4154120542946279317e-11,
        1.051212273321532285e-09,
        -4.1126339803469836976e-09,
        -2.9070369957882005086e-08,
        4.2347877827932403518e-07,
        -1.3654692000834678645e-06,
        -1.3882523362786468719e-05,
        0.0001867342080340571352,
        -0.00074070253416626697512,
        -0.0060336708714301490533,
        0.24015818242558961693,
        1.6536545626831027356,
    ];
    const TAIL: [f64; 19] = [
        2.2137376921775787049e-09,
        9.0756561938885390979e-08,
        -2.7517406297064545428e-07,
        1.8239629214389227755e-08,
        1.5027403968909827627e-06,
        -4.013867526981545969e-06,
        2.9234449089955446044e-06,
        1.2475304481671778723e-05,
        -4.7318229009055733981e-05,
        6.8284851459573175448e-05,
        2.4031110387097893999e-05,
        -0.0003550375203628474796,
        0.00095328937973738049703,
        -0.0016882755560235047313,
        0.0024914420961078508066,
        -0.0037512085075692412107,
        0.005370914553590063617,
        1.0052589676941592334,
        3.0838856104922207635,
    ];
    const FAR_TAIL: [f64; 17] = [
        -2.7109920616438573243e-11,
        -2.5556418169965252055e-10,
        1.5076572693500548083e-09,
        -3.7894654401267369937e-09,
        7.6157012080783393804e-09,
        -1.4960026627149240478e-08,
        2.9147953450901080826e-08,
        -6.7711997758452339498e-08,
        2.2900482228026654717e-07,
        -9.9298272942317002539e-07,
        4.5260625972231537039e-06,
        -1.9681778105531670567e-05,
        7.5995277030017761139e-05,
        -0.00021503011930044477347,
        -0.00013871931833623122026,
        1.0103004648645343977,
        4.8499064014085844221,
    ];
    // Both factors are exact near ±1, where the logarithm is large.
    let w = -log_f64((1.0 - x) * (1.0 + x));
    let (coefficients, w): (&[f64], f64) = if w < 6.25 {
        (&CENTRAL, w - 3.125)
    } else if w < 16.0 {
        (&TAIL, w.sqrt() - 3.25)
    } else {
        (&FAR_TAIL, w.sqrt() - 5.0)
    };
    coefficients.iter().copied().reduce(|sum, c| sum * w + c).unwrap_or(0.0) * x
}
