//! The registry: every module, initializer, payload, configuration and check of the program, by name.
//!
//! Entries are collected at link time ([`inventory`]) from this crate and from every crate that uses `#[spark::config]` and
//! `#[spark::module]`; there is no order and no start-up code. [`Registry::global`] sorts them by name once. Names are
//! compared in Spark's snake case, so that `N2NDelays` and `n2n_delays` are one name.

use crate::config::ConfigSpec;
use crate::config::validate::ValidatorSpec;
use crate::error::{Error, Result, suggest};
use crate::init::InitializerSpec;
use crate::payload::PayloadKind;
use crate::spec::{ModuleType, NeuronType};
use std::fmt;
use std::sync::OnceLock;

pub use inventory::submit;

/// One entry with the file and line that registered it.
#[derive(Clone, Copy)]
pub enum Registered {
    /// A configuration.
    Config(fn() -> &'static ConfigSpec, &'static str, u32),
    /// A module.
    Module(fn() -> &'static ModuleType, &'static str, u32),
    /// A neuron: a module that Spark's files look up under `NEURONS`.
    Neuron(fn() -> &'static NeuronType, &'static str, u32),
    /// An initializer.
    Initializer(fn() -> &'static InitializerSpec, &'static str, u32),
    /// A payload.
    Payload(fn() -> &'static PayloadKind, &'static str, u32),
    /// A check of a configuration's numbers.
    Validator(fn() -> &'static ValidatorSpec, &'static str, u32),
}

inventory::collect!(Registered);

/// What a registry can hold: something with a registered name.
pub trait Named: 'static {
    /// Its registered name, in camel or snake case.
    fn registered_name(&self) -> &'static str;
}

macro_rules! named {
    ($($t:ty),*) => {$(
        impl Named for $t {
            fn registered_name(&self) -> &'static str {
                self.name
            }
        }
    )*};
}
named!(ConfigSpec, ModuleType, NeuronType, InitializerSpec, PayloadKind, ValidatorSpec);

struct Entry<T: 'static> {
    key: String,
    item: &'static T,
    file: &'static str,
    line: u32,
}

/// The entries of one kind, sorted by name.
pub struct SubRegistry<T: 'static> {
    /// What an entry is, for messages.
    kind: &'static str,
    entries: Vec<Entry<T>>,
}

impl<T: Named> SubRegistry<T> {
    fn build(kind: &'static str, mut entries: Vec<Entry<T>>, errors: &mut Vec<Error>) -> SubRegistry<T> {
        entries.sort_by(|a, b| (&a.key, a.file, a.line).cmp(&(&b.key, b.file, b.line)));
        for pair in entries.windows(2).filter(|pair| pair[0].key == pair[1].key) {
            let name = pair[1].item.registered_name();
            let message = format!(
                "the {kind} `{name}` is registered twice: {}:{} and {}:{}",
                pair[0].file, pair[0].line, pair[1].file, pair[1].line
            );
            errors.push(Error::new(message).help("give one of them another name"));
        }
        SubRegistry { kind, entries }
    }

    /// The entry called `name`, in camel or snake case.
    ///
    /// # Errors
    /// If there is none; the hint names the nearest.
    pub fn get(&self, name: &str) -> Result<&'static T> {
        self.find(name).ok_or_else(|| {
            // Suggest in the case the user writes in.
            let camel = name.starts_with(char::is_uppercase);
            let names = || {
                let written = |e: &Entry<T>| if camel { e.item.registered_name().to_owned() } else { e.key.clone() };
                self.entries.iter().map(written)
            };
            let names: Vec<String> = names().collect();
            let error = Error::new(format!("there is no {} called `{name}`", self.kind));
            match suggest(name, names.iter().map(String::as_str)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("is the crate that registers it linked? known: {}", names.join(", "))),
            }
        })
    }

    /// The entry called `name`, in camel or snake case.
    pub fn find(&self, name: &str) -> Option<&'static T> {
        let key = snake_case(name);
        let index = self.entries.binary_search_by(|entry| entry.key.as_str().cmp(&key)).ok()?;
        Some(self.entries[index].item)
    }

    /// The entries, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static T> + '_ {
        self.entries.iter().map(|entry| entry.item)
    }

    /// The names in snake case, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T: Named> fmt::Debug for SubRegistry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Everything registered.
#[derive(Debug)]
pub struct Registry {
    /// Modules.
    pub modules: SubRegistry<ModuleType>,
    /// Neurons.
    pub neurons: SubRegistry<NeuronType>,
    /// Payloads.
    pub payloads: SubRegistry<PayloadKind>,
    /// Initializers.
    pub initializers: SubRegistry<InitializerSpec>,
    /// Configurations.
    pub configs: SubRegistry<ConfigSpec>,
    /// Checks of a configuration's numbers.
    pub validators: SubRegistry<ValidatorSpec>,
}

impl Registry {
    /// Everything registered in this program.
    ///
    /// # Errors
    /// If two entries of one kind have the same name.
    pub fn global() -> Result<&'static Registry> {
        static GLOBAL: OnceLock<Result<Registry>> = OnceLock::new();
        let built = GLOBAL.get_or_init(|| Registry::with(inventory::iter::<Registered>.into_iter().copied()));
        built.as_ref().map_err(Error::clone)
    }

    /// A registry of these entries.
    ///
    /// # Errors
    /// If two entries of one kind have the same name; all such pairs are reported.
    pub fn with(entries: impl IntoIterator<Item = Registered>) -> Result<Registry> {
        fn entry<T: Named>(item: &'static T, file: &'static str, line: u32) -> Entry<T> {
            Entry { key: snake_case(item.registered_name()), item, file, line }
        }
        let (mut modules, mut neurons, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
        let (mut initializers, mut configs, mut validators) = (Vec::new(), Vec::new(), Vec::new());
        for registered in entries {
            match registered {
                Registered::Config(spec, file, line) => configs.push(entry(spec(), file, line)),
                Registered::Module(spec, file, line) => modules.push(entry(spec(), file, line)),
                Registered::Neuron(spec, file, line) => neurons.push(entry(spec(), file, line)),
                Registered::Initializer(spec, file, line) => initializers.push(entry(spec(), file, line)),
                Registered::Payload(kind, file, line) => payloads.push(entry(kind(), file, line)),
                Registered::Validator(spec, file, line) => validators.push(entry(spec(), file, line)),
            }
        }
        let mut errors = Vec::new();
        let registry = Registry {
            modules: SubRegistry::build("module", modules, &mut errors),
            neurons: SubRegistry::build("neuron", neurons, &mut errors),
            payloads: SubRegistry::build("payload", payloads, &mut errors),
            initializers: SubRegistry::build("initializer", initializers, &mut errors),
            configs: SubRegistry::build("configuration", configs, &mut errors),
            validators: SubRegistry::build("check", validators, &mut errors),
        };
        if errors.is_empty() { Ok(registry) } else { Err(Error::many(errors)) }
    }
}

/// A name in Spark's snake case: `N2NDelays` is `n2n_delays`, `LIFNeuron` is `lif_neuron`.
///
/// A capital starts a word after a small letter, and at the end of a run of capitals when a small letter follows; a digit
/// does not end a word. Blanks and hyphens become underscores.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if c == '-' || c.is_whitespace() {
            if !chars[..i].last().is_some_and(|&b| b == '-' || b.is_whitespace()) {
                out.push('_');
            }
            continue;
        }
        if c.is_ascii_uppercase() && i > 0 {
            let before = chars[i - 1];
            let next_small = chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
            if before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_small) {
                out.push('_');
            }
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    static A: ValidatorSpec = ValidatorSpec { name: "InUnit", allowed: "be in the unit", accepts: |_| true };
    static B: ValidatorSpec = ValidatorSpec { name: "in_unit", allowed: "be in the unit", accepts: |_| true };

    #[test]
    fn names_become_snake_case_as_in_spark() {
        for (name, snake) in [
            ("N2NDelays", "n2n_delays"),
            ("LIFNeuron", "lif_neuron"),
            ("AdExNeuron", "ad_ex_neuron"),
            ("QuadrupletRuleTensor", "quadruplet_rule_tensor"),
            ("RFSTracedSynapses", "rfs_traced_synapses"),
            ("n2n_delays", "n2n_delays"),
            ("leaky-soma  x", "leaky_soma_x"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn both_cases_find_an_entry() {
        let registry = Registry::with([Registered::Validator(|| &A, "a.rs", 1)]).unwrap();
        assert!(std::ptr::eq(registry.validators.get("InUnit").unwrap(), &A));
        assert!(std::ptr::eq(registry.validators.get("in_unit").unwrap(), &A));
        let error = registry.validators.get("in_units").unwrap_err();
        assert_eq!(error.to_string(), "there is no check called `in_units`\n  help: did you mean `in_unit`?");
        let error = registry.modules.get("Soma").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no module called `Soma`\n  help: is the crate that registers it linked? known: "
        );
    }

    #[test]
    fn a_duplicate_names_both_places() {
        let entries = [Registered::Validator(|| &B, "b.rs", 20), Registered::Validator(|| &A, "a.rs", 1)];
        assert_eq!(
            Registry::with(entries).unwrap_err().to_string(),
            "the check `in_unit` is registered twice: a.rs:1 and b.rs:20\n  help: give one of them another name"
        );
    }
}
