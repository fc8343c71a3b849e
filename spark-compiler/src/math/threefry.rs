//! The counter-based random generator Threefry-2x32 with 20 rounds.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the generator of JAX.

use super::Arith;

const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// Constant of the key schedule.
const PARITY: i64 = 0x1BD1_1BDA;

/// The two random words of `counter` under `key`, on 32-bit lanes.
pub fn threefry<A: Arith>(a: &mut A, key: [A::I; 2], counter: [A::I; 2]) -> [A::I; 2] {
    debug_assert_eq!(A::MANTISSA, 23, "threefry works on 32-bit words");
    let parity = a.int(PARITY);
    let third = a.ixor(key[0], key[1]);
    let third = a.ixor(third, parity);
    let schedule = [key[0], key[1], third];

    let mut x = a.iadd(counter[0], schedule[0]);
    let mut y = a.iadd(counter[1], schedule[1]);
    for round in 0..5 {
        for by in ROTATIONS[round % 2] {
            x = a.iadd(x, y);
            let (left, right) = (a.ishl(y, by), a.ishr(y, 32 - by));
            y = a.ior(left, right);
            y = a.ixor(x, y);
        }
        x = a.iadd(x, schedule[(round + 1) % 3]);
        y = a.iadd(y, schedule[(round + 2) % 3]);
        let injection = a.int(round as i64 + 1);
        y = a.iadd(y, injection);
    }
    [x, y]
}
