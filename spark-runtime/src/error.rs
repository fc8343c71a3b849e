//! Errors users see: what is wrong, where, and how to fix it.
//!
//! Every fallible function of this crate returns [`Error`]. It carries a message, and where known the path inside the
//! model (`soma.potential_tau`), the source position that asked for the failing operation, and a hint. Callers that know
//! more about the place add it on the way up with [`Error::prefixed`], so a leaf only names its own field.
//! Checks that find several mistakes at once return all of them in one error ([`Error::many`]).

use spark_compiler::ir::Location;
use std::fmt;
use std::path::Path;

/// The result of a fallible operation of Spark.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong, where, and how to fix it.
#[derive(Clone)]
pub struct Error(Box<Kind>);

#[derive(Clone)]
enum Kind {
    One(Report),
    Many(Vec<Error>),
}

#[derive(Clone, Default)]
struct Report {
    message: String,
    file: Option<String>,
    path: String,
    help: Option<String>,
    location: Option<Location>,
    missing: bool,
}

impl Error {
    /// An error that says `message`: lower case, no final stop.
    pub fn new(message: impl Into<String>) -> Error {
        Error(Box::new(Kind::One(Report { message: message.into(), ..Report::default() })))
    }

    /// An error about something that is not given.
    pub(crate) fn missing(message: impl Into<String>) -> Error {
        Error(Box::new(Kind::One(Report { message: message.into(), missing: true, ..Report::default() })))
    }

    /// True if something is not given, rather than wrong; of the first error if there are several.
    pub fn is_missing(&self) -> bool {
        self.first().is_some_and(|report| report.missing)
    }

    /// Several errors as one; a single one is returned as it is.
    pub fn many(errors: Vec<Error>) -> Error {
        let mut flat = Vec::new();
        for error in errors {
            match *error.0 {
                Kind::One(_) => flat.push(error),
                Kind::Many(inner) => flat.extend(inner),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { Error(Box::new(Kind::Many(flat))) }
    }

    /// Says where in the model: a dotted path such as `soma.potential_tau`.
    pub fn at(self, path: impl Into<String>) -> Error {
        let path = path.into();
        self.map(&mut |report| report.path.clone_from(&path))
    }

    /// Adds to the message how the faulty value came about.
    pub(crate) fn context(self, context: &str) -> Error {
        self.map(&mut |report| report.message = format!("{}, {context}", report.message))
    }

    /// Says which file is at fault.
    pub fn in_file(self, file: &Path) -> Error {
        let file = file.display().to_string();
        self.map(&mut |report| report.file = Some(file.clone()))
    }

    /// Says how to fix it.
    pub fn help(self, help: impl Into<String>) -> Error {
        let help = help.into();
        self.map(&mut |report| report.help = Some(help.clone()))
    }

    /// Says which source line asked for the failing operation.
    pub fn location(self, location: Location) -> Error {
        self.map(&mut |report| report.location = Some(location).filter(|l| !l.is_unknown()))
    }

    /// Puts `segment` before the path, of every error if there are several: `tau` under `soma` is `soma.tau`, `[1]`
    /// under `units` is `units[1]`.
    pub fn prefixed(self, segment: &str) -> Error {
        self.map(&mut |report| {
            let dot =
                if segment.is_empty() || report.path.is_empty() || report.path.starts_with('[') { "" } else { "." };
            report.path = format!("{segment}{dot}{}", report.path);
        })
    }

    /// What is wrong, without place and hint; of the first error if there are several.
    pub fn message(&self) -> &str {
        self.first().map_or("", |report| &report.message)
    }

    /// Where in the model; empty if unknown.
    pub fn path(&self) -> &str {
        self.first().map_or("", |report| &report.path)
    }

    /// The single errors this one consists of.
    pub fn errors(&self) -> Vec<Error> {
        match &*self.0 {
            Kind::One(_) => vec![self.clone()],
            Kind::Many(errors) => errors.clone(),
        }
    }

    fn first(&self) -> Option<&Report> {
        match &*self.0 {
            Kind::One(report) => Some(report),
            Kind::Many(errors) => errors.first().and_then(Error::first),
        }
    }

    fn map(mut self, change: &mut dyn FnMut(&mut Report)) -> Error {
        match &mut *self.0 {
            Kind::One(report) => change(report),
            Kind::Many(errors) => {
                *errors = std::mem::take(errors).into_iter().map(|error| error.map(change)).collect();
            }
        }
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(location) = self.location {
            write!(f, "\n  at: {location}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::One(report) => report.fmt(f),
            Kind::Many(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    let line = if i == 0 { "" } else { "\n" };
                    write!(f, "{line}{error}")?;
                }
                Ok(())
            }
        }
    }
}

/// The same text as `Display`, so that `unwrap` and `fn main() -> Result<()>` show it readably.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::new(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::new(message)
    }
}

/// The candidate nearest to `name`, if one is near enough to be a slip of the pen: "did you mean ...?".
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let other = candidate.to_lowercase();
        let score = strsim::jaro_winkler(&lower, &other).max(strsim::normalized_damerau_levenshtein(&lower, &other));
        if score >= 0.8 && best.is_none_or(|(top, _)| score > top) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

/// The hint of an error about an unknown name: the nearest candidate, else all of them.
pub fn unknown_name_help<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match suggest(name, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<String> = candidates.into_iter().map(|name| format!("`{name}`")).collect();
            if known.is_empty() { "none is known".to_owned() } else { format!("known: {}", known.join(", ")) }
        }
    }
}

/// Text of unknown origin, fit to be printed: short, and without characters that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() { short + "..." } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_and_how() {
        let error =
            Error::new("must be positive, found -20 ms").at("potential_tau").help("time constants are above zero");
        assert_eq!(
            error.prefixed("soma").to_string(),
            "soma.potential_tau: must be positive, found -20 ms\n  help: time constants are above zero"
        );
    }

    #[test]
    fn shows_the_source_position() {
        let location = Location { file: "src/main.rs", line: 3, column: 9 };
        assert_eq!(Error::new("no input").location(location).to_string(), "no input\n  at: src/main.rs:3:9");
        assert_eq!(Error::new("no input").location(Location::UNKNOWN).to_string(), "no input");
    }

    #[test]
    fn several_errors_print_and_prefix_all() {
        let both = Error::many(vec![Error::new("one").at("a"), Error::many(vec![Error::new("two").at("[1]")])]);
        assert_eq!(both.prefixed("soma").to_string(), "soma.a: one\nsoma[1]: two");
        assert_eq!(Error::many(vec![Error::new("alone")]).to_string(), "alone");
    }

    #[test]
    fn suggests_near_names_only() {
        assert_eq!(suggest("potental_tau", ["potential_rest", "potential_tau"]).as_deref(), Some("potential_tau"));
        assert_eq!(suggest("Dt", ["dt"]).as_deref(), Some("dt"));
        assert_eq!(suggest("zzz", ["potential_tau"]), None);
        assert_eq!(unknown_name_help("zzz", ["a", "b"]), "known: `a`, `b`");
    }
}
