//! Targets: a triple as Rust and Clang write it, and instruction sets that may be relied on.

use super::AotError;
use cranelift::codegen::isa::{self, OwnedTargetIsa};
use cranelift::codegen::settings;
use cranelift::prelude::Configurable;
use std::fmt;
use target_lexicon::{
    Aarch64Architecture, Architecture, BinaryFormat, OperatingSystem, PointerWidth, Riscv64Architecture, Triple,
};

/// What every processor called `x86-64-v2` has, and so on.
const X86_LEVELS: [(&str, &[&str]); 4] = [
    ("x86-64", &[]),
    ("x86-64-v2", &["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"]),
    ("x86-64-v3", &["avx", "avx2", "fma", "bmi1", "bmi2", "lzcnt"]),
    ("x86-64-v4", &["avx512f", "avx512dq", "avx512vl"]),
];

/// Instruction sets of x86-64, each of which builds on those before it; all others of vectors build on all of these.
const X86_CHAIN: [&str; 5] = ["sse3", "ssse3", "sse4.1", "sse4.2", "avx"];

/// What those have that have `feature` of x86-64: the code generator wants to be told.
fn x86_implied(feature: &str) -> Vec<&'static str> {
    let wide = feature.starts_with("avx512");
    let further: &[&str] = if wide { &["avx2", "fma", "avx512f"] } else { &[] };
    let same = |name: &&str| name.replace('.', "") == feature.replace('.', "");
    let known = X86_CHAIN.iter().position(same);
    let before = known.unwrap_or(if wide || feature == "avx2" || feature == "fma" { X86_CHAIN.len() } else { 0 });
    X86_CHAIN[..before].iter().chain(further).copied().collect()
}

/// What code for 64-bit RISC-V relies on: floating-point registers in particular.
const RISCV_GENERAL: [&str; 6] = ["m", "a", "f", "d", "zicsr", "zifencei"];

/// A machine to generate code for.
#[derive(Clone)]
pub struct Target {
    triple: Triple,
    isa: OwnedTargetIsa,
    /// Instruction sets that were asked for, sorted.
    features: Vec<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The triple, then the instruction sets.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.triple)?;
        self.features.iter().try_for_each(|feature| write!(f, " +{feature}"))
    }
}

impl Target {
    /// The machine called `triple`, such as `aarch64-unknown-linux-gnu`, `riscv64gc-unknown-none-elf`,
    /// `x86_64-pc-windows-msvc` or `aarch64-apple-darwin`.
    ///
    /// `cpu` says what may be relied on beyond what every such machine has: instruction sets with commas in between
    /// (`avx2,fma`; `v` on RISC-V), or a level (`x86-64-v3`); empty for nothing.
    ///
    /// ```
    /// use spark_compiler::aot::Target;
    ///
    /// assert_eq!(Target::new("aarch64-unknown-linux-gnu", "")?.to_string(), "aarch64-unknown-linux-gnu");
    /// assert!(Target::new("x86_64-unknown-linux-gnu", "x86-64-v3")?.to_string().contains("+avx2"));
    /// assert!(Target::new("thumbv7em-none-eabihf", "").is_err());
    /// # Ok::<(), spark_compiler::aot::AotError>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such machine or instruction set, or no code can be generated for it.
    pub fn new(triple: &str, cpu: &str) -> Result<Target, AotError> {
        let refused = |why: String| AotError::Target { triple: triple.to_string(), why };
        let mut parsed: Triple = triple.parse().map_err(|e| refused(format!("is not known: {e}")))?;
        if parsed.operating_system == OperatingSystem::None_ && parsed.binary_format == BinaryFormat::Unknown {
            parsed.binary_format = BinaryFormat::Elf;
        }
        check(&parsed).map_err(|why| refused(why.to_string()))?;
        let mut builder = isa::lookup(parsed.clone()).map_err(|e| refused(format!("cannot be compiled for: {e}")))?;
        let known: Vec<&str> = builder.iter().map(|setting| setting.name).collect();
        let known: Vec<String> =
            known.into_iter().filter_map(|name| name.strip_prefix("has_")).map(str::to_string).collect();
        let mut features = Vec::new();
        for name in cpu.split(',').map(|name| name.trim().trim_start_matches('+')).filter(|name| !name.is_empty()) {
            match (parsed.architecture, X86_LEVELS.iter().position(|(level, _)| *level == name)) {
                (Architecture::X86_64, Some(level)) => {
                    features.extend(X86_LEVELS[..=level].iter().flat_map(|(_, has)| *has).map(|has| has.to_string()));
                }
                _ => features.push(name.to_string()),
            }
        }
        features.sort();
        features.dedup();
        let implied: Vec<&str> = match parsed.architecture {
            Architecture::Riscv64(_) if features.iter().any(|f| f == "v") => vec!["zvl128b"],
            Architecture::X86_64 => features.iter().flat_map(|feature| x86_implied(feature)).collect(),
            _ => vec![],
        };
        let general: &[&str] = match parsed.architecture {
            Architecture::Riscv64(
                Riscv64Architecture::Riscv64gc | Riscv64Architecture::Riscv64 | Riscv64Architecture::Riscv64a23,
            ) => &[&RISCV_GENERAL[..], &["c", "zca", "zcd"]].concat(),
            Architecture::Riscv64(_) => &RISCV_GENERAL,
            _ => &[],
        };
        for feature in general.iter().copied().chain(features.iter().map(String::as_str)).chain(implied) {
            let setting = feature.replace(['.', '-'], "");
            let unknown = |_| AotError::Feature {
                feature: feature.to_string(),
                architecture: parsed.architecture.to_string(),
                known: known.join(", "),
            };
            if !known.contains(&setting) {
                return Err(unknown(settings::SetError::BadName(setting)));
            }
            builder.enable(&format!("has_{setting}")).map_err(unknown)?;
        }
        let mut flags = settings::builder();
        // Everything an object refers to is in it, and near: its addresses are relative to the code, also without the indirect
        // ones of "position-independent" code, which take a table in writable memory. Only Mach-O's linker wants those: it
        // takes the relocation that there is for x86-64 to be one of a call.
        let table = parsed.architecture == Architecture::X86_64 && parsed.binary_format == BinaryFormat::Macho;
        let verify = if cfg!(debug_assertions) { "true" } else { "false" };
        let wanted = [
            ("opt_level", "speed"),
            ("is_pic", if table { "true" } else { "false" }),
            ("enable_verifier", verify),
            // Large stack frames touch each page, as Windows wants it, with code of their own.
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
            ("unwind_info", "false"),
        ];
        for (name, value) in wanted {
            flags.set(name, value).map_err(|e| refused(format!("cannot be compiled for: {e}")))?;
        }
        let isa = builder.finish(settings::Flags::new(flags));
        let isa = isa.map_err(|e| refused(format!("cannot be compiled for: {e}")))?;
        Ok(Target { triple: parsed, isa, features })
    }

    /// The machine that Rust calls `triple`, with those of its instruction sets `features` (with commas in between, as Rust
    /// names them) that code can make use of.
    ///
    /// # Errors
    /// If there is no such machine, or no code can be generated for it.
    pub fn of_rust(triple: &str, features: &str) -> Result<Target, AotError> {
        let mut usable = String::new();
        for feature in features.split(',').filter(|feature| !feature.is_empty()) {
            if Target::new(triple, feature).is_ok() {
                usable = format!("{usable},{feature}");
            }
        }
        Target::new(triple, &usable)
    }

    /// This machine. With `native`, code may rely on all that it has; without, on what every machine of its kind has.
    ///
    /// # Errors
    /// If no objects can be made for this machine.
    pub fn host(native: bool) -> Result<Target, AotError> {
        let host = Triple::host().to_string();
        if !native {
            return Target::new(&host, "");
        }
        let isa = cranelift::native::builder()
            .ok()
            .and_then(|builder| builder.finish(settings::Flags::new(settings::builder())).ok());
        let isa =
            isa.ok_or_else(|| AotError::Target { triple: host.clone(), why: "is not one to compile for".into() })?;
        let on = isa.isa_flags().into_iter().filter(|flag| flag.as_bool() == Some(true));
        let features: Vec<String> = on.filter_map(|flag| Some(flag.name.strip_prefix("has_")?.to_string())).collect();
        Target::new(&host, &features.join(","))
    }

    /// The triple.
    pub fn triple(&self) -> String {
        self.triple.to_string()
    }

    /// The code generator.
    pub(crate) fn isa(&self) -> OwnedTargetIsa {
        self.isa.clone()
    }
}

fn check(triple: &Triple) -> Result<(), &'static str> {
    let supported = match triple.architecture {
        Architecture::X86_64 => true,
        Architecture::Aarch64(kind) => kind == Aarch64Architecture::Aarch64,
        Architecture::Riscv64(kind) => {
            if kind == Riscv64Architecture::Riscv64imac {
                return Err("has no floating-point registers, which code for RISC-V needs: riscv64gc has");
            }
            true
        }
        _ => false,
    };
    if !supported {
        return Err("is not one of those that code can be generated for: x86_64, aarch64, riscv64gc");
    }
    if triple.pointer_width() != Ok(PointerWidth::U64) || triple.environment == target_lexicon::Environment::Gnux32 {
        return Err("has pointers of less than 64 bits, which are not supported");
    }
    if triple.operating_system == OperatingSystem::Uefi {
        return Err("has a calling convention of its own, which is not supported");
    }
    match triple.binary_format {
        BinaryFormat::Coff if triple.architecture != Architecture::X86_64 => {
            Err("has COFF object files, which can be written for x86_64 only")
        }
        BinaryFormat::Elf | BinaryFormat::Macho | BinaryFormat::Coff => Ok(()),
        _ => Err("has no object files that can be written: there are ELF, Mach-O and COFF"),
    }
}
