//! Finds what makes an arm leave: `return`, `?`, and `break` or `continue` of a loop outside the arm.
//!
//! Both arms of a traced `if` run, so neither may leave. Closures and nested items have their own `return`; loops inside the arm
//! have their own `break`. An arm that ends in a panic counts as leaving: it would panic whatever the condition.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprBlock, ExprBreak, ExprClosure, ExprContinue, ExprForLoop};
use syn::{ExprIf, ExprLoop, ExprReturn, ExprTry, ExprWhile, Item, Label, Lifetime, Macro, Stmt};

/// Macros that never give a value.
const PANICS: &[&str] = &["panic", "todo", "unimplemented", "unreachable", "bail"];

/// A token that leaves an arm.
#[derive(Clone, Copy)]
pub(crate) struct Escape {
    /// The function that asks for a host condition on account of it.
    pub(crate) function: &'static str,
    pub(crate) span: Span,
}

/// The first token that leaves one of the arms of `node`.
pub(crate) fn in_arms(node: &ExprIf) -> Option<Escape> {
    let mut finder = Finder::default();
    finder.arm(&node.then_branch);
    if let Some((_, otherwise)) = &node.else_branch {
        match &**otherwise {
            Expr::Block(block) => finder.arm(&block.block),
            other => finder.visit_expr(other),
        }
    }
    finder.found
}

/// The first token that leaves `expr`.
pub(crate) fn in_expr(expr: &Expr) -> Option<Escape> {
    let mut finder = Finder::default();
    finder.visit_expr(expr);
    finder.found
}

#[derive(Default)]
struct Finder {
    /// What a `break` may leave without leaving the arm, outermost first.
    targets: Vec<Target>,
    found: Option<Escape>,
}

struct Target {
    label: Option<String>,
    /// A labelled block is left by its label only.
    is_loop: bool,
}

impl Finder {
    fn arm(&mut self, block: &Block) {
        self.visit_block(block);
        if let Some(Stmt::Macro(last)) = block.stmts.last() {
            self.panic(&last.mac);
        }
        if let Some(Stmt::Expr(Expr::Macro(last), _)) = block.stmts.last() {
            self.panic(&last.mac);
        }
    }

    fn panic(&mut self, mac: &Macro) {
        if let Some(name) = mac.path.segments.last()
            && PANICS.iter().any(|panic| name.ident == panic)
        {
            self.found("host_only_panic", name.ident.span());
        }
    }

    fn found(&mut self, function: &'static str, span: Span) {
        self.found.get_or_insert(Escape { function, span });
    }

    fn inside(&self, label: Option<&Lifetime>) -> bool {
        match label {
            None => self.targets.iter().any(|target| target.is_loop),
            Some(label) => {
                let label = label.ident.to_string();
                self.targets.iter().any(|target| target.label.as_ref() == Some(&label))
            }
        }
    }

    fn within(&mut self, label: Option<&Label>, is_loop: bool, visit: impl FnOnce(&mut Self)) {
        let label = label.map(|label| label.name.ident.to_string());
        self.targets.push(Target { label, is_loop });
        visit(self);
        self.targets.pop();
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_return(&mut self, node: &'ast ExprReturn) {
        self.found("host_only_return", node.return_token.span);
    }

    fn visit_expr_try(&mut self, node: &'ast ExprTry) {
        visit::visit_expr_try(self, node);
        self.found("host_only_question", node.question_token.span);
    }

    fn visit_expr_break(&mut self, node: &'ast ExprBreak) {
        visit::visit_expr_break(self, node);
        if !self.inside(node.label.as_ref()) {
            self.found("host_only_break", node.break_token.span);
        }
    }

    fn visit_expr_continue(&mut self, node: &'ast ExprContinue) {
        if !self.inside(node.label.as_ref()) {
            self.found("host_only_continue", node.continue_token.span);
        }
    }

    fn visit_expr_for_loop(&mut self, node: &'ast ExprForLoop) {
        self.visit_expr(&node.expr);
        self.within(node.label.as_ref(), true, |finder| finder.visit_block(&node.body));
    }

    fn visit_expr_while(&mut self, node: &'ast ExprWhile) {
        self.within(node.label.as_ref(), true, |finder| visit::visit_expr_while(finder, node));
    }

    fn visit_expr_loop(&mut self, node: &'ast ExprLoop) {
        self.within(node.label.as_ref(), true, |finder| finder.visit_block(&node.body));
    }

    fn visit_expr_block(&mut self, node: &'ast ExprBlock) {
        self.within(node.label.as_ref(), false, |finder| finder.visit_block(&node.block));
    }

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}
