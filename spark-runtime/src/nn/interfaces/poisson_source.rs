//! Poisson processes as external drive.

use crate::prelude::*;

/// Parameters of [`PoissonSource`].
#[spark::config]
pub struct PoissonSourceConfig {
    /// Shape of the source.
    #[param]
    pub units: Units,
    /// Rate of events: one for all, or one per unit.
    #[param(default = 100.0, units = "Hz", check = (finite, non_negative))]
    pub rate: Param,
    /// Current of one event.
    #[param(default = 1.0, units = "pA", check = finite)]
    pub weight: Param,
}

/// Independent Poisson processes, one per unit. The number of events of a step is drawn from
///
/// P(k) = λᵏ·e^(−λ)/k!, with λ = rate·dt.
///
/// `spikes` is where there is at least one event, `counts` how many there are, and `currents` = weight·counts. So a unit
/// may stand for many neurons: K of them firing at f Hz are a rate of K·f. Any rate with up to 100 000 events per step is
/// possible.
///
/// Counts are drawn by inversion from 32 random bits, so probabilities are right to within 2⁻³². They depend on seed, step
/// and unit alone.
///
/// Devroye (1986), *Non-Uniform Random Variate Generation*, chapter III.2.
///
/// ```
/// use spark::prelude::*;
///
/// let config = PoissonSourceConfig::new(1000).with_rate(5000.0).with_weight(2.0);
/// let mut model = Model::component(config).build()?;
/// let outputs = model.step(&[])?;
/// let counts = outputs.get("counts")?.value().to_f64();
/// let mean = counts.iter().sum::<f64>() / 1000.0;
/// assert!((mean - 5.0).abs() < 0.3);
/// assert_eq!(outputs.get("currents")?.value().to_f64()[0], 2.0 * counts[0]);
/// # Ok::<(), spark::Error>(())
/// ```
#[spark::module(category = "Interfaces/Input")]
pub struct PoissonSource {
    #[config]
    config: PoissonSourceConfig,
    #[host]
    stream: RandomStream,
    #[host]
    units: Shape,
    /// The smallest count that is drawn at all.
    #[constant]
    least: Int,
    /// The count is the smallest one, and one more for every bound the random bits exceed.
    #[constant]
    bounds: Int,
    #[constant]
    weight: Real,
}

#[spark::module]
impl PoissonSource {
    fn build(cx: &mut Build, config: PoissonSourceConfig) -> Result<Self> {
        let units = Shape::units(&config.units);
        let rate = cx.param("rate", &config.rate, &units)?;
        let weight = cx.param("weight", &config.weight, &units)?;
        let rates = rate.known().unwrap_or_else(|| Array::zeros(Shape::scalar(), DType::F64));
        let mut means: Vec<f64> = rates.to_f64().iter().map(|rate| rate * cx.dt() / 1000.0).collect();
        let allowed = |mean: &f64| (0.0..=MOST_EVENTS).contains(mean);
        if let Some(at) = means.iter().position(|mean| !allowed(mean)) {
            let message = format!(
                "must be 0 to {MOST_EVENTS} events per step of {} ms, found {} at position {at}",
                cx.dt(),
                means[at]
            );
            cx.report(Error::new(message).at("rate").help("sum smaller sources, or approximate by a CurrentSource"));
            means.fill(0.0);
        }
        // One table for each mean, all as long as that of the largest.
        let largest = means.iter().copied().fold(0.0, f64::max);
        if means.len() as f64 * (14.0 * largest.sqrt() + 64.0) > MOST_NUMBERS {
            let message =
                format!("{} different rates of up to {largest:.3e} events per step need too large tables", means.len());
            cx.report(Error::new(message).at("rate").help("give one rate for all units, or smaller ones"));
            means.fill(0.0);
        }
        let tables: Vec<Inversion> = means.iter().map(|&mean| Inversion::new(mean)).collect();
        let longest = tables.iter().map(|table| table.bounds.len()).max().unwrap_or(0).max(1);
        let least = tables.iter().map(|table| table.least).collect();
        // No bits exceed the bounds a shorter table is filled up with.
        let padded = |table: &Inversion| [&table.bounds[..], &vec![i32::MAX; longest - table.bounds.len()]].concat();
        let bounds: Vec<i32> = tables.iter().flat_map(padded).collect();
        let stream = RandomStream::new(cx.key());
        let array = |shape: Shape, data| {
            let array = Array::new(shape, Data::I32(data)).map_err(|e| Error::new(e.to_string()).at("rate"))?;
            Ok::<Int, Error>(cx.int(&array))
        };
        let each = rates.shape();
        Ok(Self {
            stream,
            least: array(each.clone(), least)?,
            bounds: array(each.clone().with(Axis::PRE, &[longest]), bounds)?,
            weight,
            units,
            config,
        })
    }

    /// * `spikes`: True where a unit has an event.
    /// * `counts`: Events of each unit in the step.
    /// * `currents`: Current of each unit, in pA: its events times `weight`.
    #[step(out = (spikes, counts, currents))]
    fn step(&mut self) -> (SpikeArray, IntegerArray, CurrentArray) {
        // Flipping the sign bit brings unsigned numbers into the order of signed ones.
        let bits = self.stream.bits(&self.units) ^ i32::MIN;
        let counts = self.least + (bits > self.bounds).to_int().sum(Axis::PRE);
        let currents = self.weight * counts.to_real();
        (SpikeArray::new(counts > 0, None), counts.into(), currents.into())
    }
}

/// The most events per step; the table of a mean λ has about 13·√λ numbers.
const MOST_EVENTS: f64 = 1e5;

/// The most numbers in all tables together.
const MOST_NUMBERS: f64 = 6.7e7;

/// How to draw a Poisson number by inversion from a word of 32 bits.
struct Inversion {
    /// Smaller numbers have probabilities below 2⁻³³.
    least: i32,
    /// The number is above `least + i` if the word, with its sign bit flipped, is above `bounds[i]`.
    bounds: Vec<i32>,
}

impl Inversion {
    fn new(mean: f64) -> Inversion {
        // Probabilities relative to that of the mode, as far as they matter; ratios of neighbours are mean/k.
        const NEGLIGIBLE: f64 = 1e-14;
        let mode = mean.floor() as i32;
        let below =
            std::iter::successors(Some((mode, 1.0)), |&(k, p)| (k > 0).then(|| (k - 1, p * f64::from(k) / mean)));
        let above = std::iter::successors(Some((mode, 1.0)), |&(k, p)| Some((k + 1, p * mean / f64::from(k + 1))));
        let matter = |(_, p): &(i32, f64)| *p > NEGLIGIBLE;
        let mut numbers: Vec<(i32, f64)> = below.take_while(matter).collect();
        numbers.reverse();
        numbers.extend(above.skip(1).take_while(matter));
        let total: f64 = numbers.iter().map(|(_, p)| p).sum();
        let (mut least, mut bounds, mut sum) = (numbers[0].0, Vec::new(), 0.0);
        for (k, p) in numbers {
            sum += p;
            // The words 0..words give k or less.
            let words = (sum / total * 4_294_967_296.0).round() as u64;
            match u32::try_from(words) {
                Ok(0) => least = k + 1,
                Ok(words) => bounds.push((words - 1) as i32 ^ i32::MIN),
                Err(_) => break,
            }
        }
        Inversion { least, bounds }
    }
}
