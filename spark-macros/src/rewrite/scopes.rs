//! The local variables in sight at a point of a body, innermost last.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Pat, PatIdent};

/// A stack of scopes.
#[derive(Default)]
pub(crate) struct Scopes {
    stack: Vec<Vec<Variable>>,
}

struct Variable {
    name: String,
    /// Where it was declared without a value: `let x;`.
    deferred: Option<Span>,
}

impl Scopes {
    /// Opens a scope.
    pub(crate) fn enter(&mut self) {
        self.stack.push(Vec::new());
    }

    /// Closes the innermost scope.
    pub(crate) fn leave(&mut self) {
        self.stack.pop();
    }

    /// Declares every variable of `pat`.
    pub(crate) fn declare(&mut self, pat: &Pat, deferred: bool) {
        if let Some(scope) = self.stack.last_mut() {
            Names { scope, deferred }.visit_pat(pat);
        }
    }

    /// Whether `name` is declared in one of the scopes.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Where `name` was declared, if that was without a value.
    pub(crate) fn deferred(&self, name: &str) -> Option<Span> {
        self.find(name)?.deferred
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        let variables = self.stack.iter().rev().flat_map(|scope| scope.iter().rev());
        variables.into_iter().find(|variable| variable.name == name)
    }
}

/// Collects the names a pattern binds. A constant in a pattern looks the same and does no harm.
struct Names<'a> {
    scope: &'a mut Vec<Variable>,
    deferred: bool,
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.scope.push(Variable { name: pat.ident.to_string(), deferred: self.deferred.then(|| pat.ident.span()) });
        visit::visit_pat_ident(self, pat);
    }
}
