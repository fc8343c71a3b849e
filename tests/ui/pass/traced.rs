//! Everything the rewriter allows, on host and on traced values.
use spark::prelude::*;

#[spark::traced]
fn rectify(x: Real) -> Real {
    if x > 0.0 { x } else { 0.0 }
}

#[spark::traced]
fn chain(x: Real, flag: bool) -> Real {
    let mut y = x;
    if x > 10.0 {
        y = x * 2.0;
    } else if flag && x > 5.0 || !(x < 1.0) {
        y += 1.0;
        if flag {
            y = y + 3.0;
        }
    } else {
        let y = 3;
        let _ = y;
    }
    y
}

#[spark::traced]
fn host(name: &str, text: String, items: &[usize], size: Option<usize>) -> usize {
    let mut count = 0;
    if name == "abc" && text != "x" {
        count += 1;
    }
    for item in items {
        if *item > 2 {
            continue;
        }
        if item == &0 {
            break;
        }
    }
    while count > 1000 {
        count -= 1;
    }
    if let Some(size) = size
        && size > 2
        && size < 100
    {
        count += size;
    }
    match count {
        n if n > 100 => 0,
        _ => items.iter().filter(|x| **x > 1).count(),
    }
}

#[spark::traced]
fn early(flag: bool, text: &str) -> Result<usize> {
    if flag {
        return Ok(0);
    }
    if text.is_empty() {
        panic!("no text");
    }
    let n: usize = if flag { text.parse::<usize>().map_err(|e| e.to_string())? } else { 4 };
    Ok(if n > 3 { 1 } else { 2 })
}

#[spark::traced]
fn loop_inside(c: Bool, values: &mut [Real]) {
    if c {
        for value in values.iter_mut() {
            if *value > 3.0 {
                *value = Real::from(3.0);
            }
        }
        values[0] = Real::from(1.0);
        loop {
            break;
        }
    }
}

#[spark::traced]
fn generic<T: PartialOrd + Copy>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

struct Pair {
    left: Real,
    right: Real,
}

#[spark::traced]
impl Pair {
    fn order(&mut self) {
        if self.left > self.right {
            self.exchange();
        }
    }

    fn exchange(&mut self) {
        (self.left, self.right) = (self.right, self.left);
    }

    const fn width(n: usize) -> usize {
        if n > 3 { 1 } else { 2 }
    }
}

fn main() {
    spark::eager(|| {
        assert_eq!(number(rectify(Real::from(1.0))), 1.0);
        assert_eq!(number(rectify(Real::from(-1.0))), 0.0);
        // 12: doubled. 7: one more, and three because of the flag. 0.5: none of the arms assigns.
        assert_eq!([12.0, 7.0, 0.5].map(|x| number(chain(Real::from(x), true))), [24.0, 11.0, 0.5]);
        host("abc", String::new(), &[1, 2], None);
        early(true, "").unwrap();
        loop_inside(Real::from(1.0).gt(0.0), &mut [Real::from(1.0)]);
        generic(1, Pair::width(3) as i32);
        let mut pair = Pair { left: Real::from(1.0), right: Real::from(0.0) };
        pair.order();
        assert_eq!((number(pair.left), number(pair.right)), (0.0, 1.0));
    })
    .unwrap();
}

fn number(x: Real) -> f64 {
    x.known().unwrap().to_f64()[0]
}

/// A comparison outside rewritten code.
trait Greater {
    fn gt(self, other: f64) -> Bool;
}

impl Greater for Real {
    #[spark::traced]
    fn gt(self, other: f64) -> Bool {
        self > other
    }
}
