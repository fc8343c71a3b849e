//! Rewrites function bodies so that traced values may be compared and branched on.
//!
//! In: a function as the user wrote it. Out: the same function in which only what Rust cannot overload is a call:
//!
//! | written | becomes | where |
//! |---|---|---|
//! | `a < b` and the other comparisons | `lt(&a, &b)` | [`operators`] |
//! | `a && b`, `a \|\| b` | `and(a, \|\| b)`, `or(a, \|\| b)` | [`operators`] |
//! | `if c { .. } else { .. }` | `decide`, both arms, `merge` | [`branch`] |
//!
//! Invariant: on host values the result means what was written. The types decide: a host condition runs one arm, a traced one
//! runs both and selects every place ([`places`]) an arm assigns. An arm that leaves the function or a loop ([`escapes`])
//! cannot be one of two that both run, so such an `if` stays an `if` and asks for a host condition.
//!
//! Left alone: macro calls, nested items, `const` contexts, types, `if let`, `while let` and `match` themselves (their
//! conditions, guards and bodies are rewritten).

mod branch;
mod escapes;
mod operators;
mod places;
mod scopes;
#[cfg(test)]
mod tests;

use std::mem;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{AngleBracketedGenericArguments, Attribute, Block, Expr, Ident, ImplItem, Item, ItemImpl};
use syn::{Local, Macro, Pat, Path, Signature, Stmt, Type, parse_quote};

use crate::ctxt::Ctxt;
use places::Mutators;
use scopes::Scopes;

/// Expands the attribute `#[spark::traced]` on `item`.
pub(crate) fn expand(attributes: TokenStream, item: TokenStream) -> TokenStream {
    let mut ctxt = Ctxt::default();
    if !attributes.is_empty() {
        ctxt.error_at(&attributes, "`#[spark::traced]` takes no arguments");
    }
    let expansion = match syn::parse2(item.clone()) {
        Ok(Item::Fn(mut item)) => {
            rewrite_fn(&item.sig, &mut item.block, &Mutators::default(), &mut ctxt);
            item.into_token_stream()
        }
        Ok(Item::Impl(mut item)) => {
            rewrite_impl(&mut item, &[], &mut ctxt);
            item.into_token_stream()
        }
        Ok(_) => {
            let message = "`#[spark::traced]` goes on a function or an `impl` block";
            ctxt.error(Span::call_site(), message);
            item
        }
        Err(error) => {
            ctxt.push(error);
            item
        }
    };
    let errors = ctxt.into_tokens();
    quote!(#expansion #errors)
}

/// Rewrites every function of `item` but those named in `host`.
pub(crate) fn rewrite_impl(item: &mut ItemImpl, host: &[Ident], ctxt: &mut Ctxt) {
    let mutators = Mutators::of(item);
    for item in &mut item.items {
        if let ImplItem::Fn(function) = item
            && !host.contains(&function.sig.ident)
        {
            rewrite_fn(&function.sig, &mut function.block, &mutators, ctxt);
        }
    }
}

/// Rewrites one body. A body with a mistake is replaced by a stub, so that rustc does not report it a second time.
fn rewrite_fn(signature: &Signature, block: &mut Block, mutators: &Mutators, ctxt: &mut Ctxt) {
    if signature.constness.is_some() {
        return;
    }
    let mut rewriter = Rewriter { mutators, scopes: Scopes::default(), ctxt, failed: false };
    rewriter.visit_block_mut(block);
    if rewriter.failed {
        *block = parse_quote!({ ::core::unreachable!() });
    }
}

/// The walk over one body.
struct Rewriter<'a> {
    mutators: &'a Mutators,
    /// Local variables in sight, to find those that have no value yet.
    scopes: Scopes,
    ctxt: &'a mut Ctxt,
    failed: bool,
}

impl Rewriter<'_> {
    /// Rewrites a condition. In a `let` chain the `&&` and `let` are syntax and stay.
    fn condition(&mut self, condition: &mut Expr) {
        match condition {
            Expr::Binary(binary) if operators::has_let(&binary.left) || operators::has_let(&binary.right) => {
                self.condition(&mut binary.left);
                self.condition(&mut binary.right);
            }
            Expr::Let(binding) => self.visit_expr_mut(&mut binding.expr),
            other => self.visit_expr_mut(other),
        }
    }
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::If(_) => {
                if let Expr::If(node) = mem::replace(expr, Expr::Verbatim(TokenStream::new())) {
                    *expr = self.branch(node);
                }
            }
            Expr::Binary(binary) => {
                let rewritten = operators::Operator::of(binary);
                visit_mut::visit_expr_binary_mut(self, binary);
                if let Some(operator) = rewritten {
                    *expr = operator.call(binary);
                }
            }
            Expr::While(node) => {
                self.condition(&mut node.cond);
                self.visit_block_mut(&mut node.body);
            }
            // The length is a constant.
            Expr::Repeat(node) => self.visit_expr_mut(&mut node.expr),
            Expr::Const(_) => {}
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.scopes.enter();
        let count = block.stmts.len();
        for (index, stmt) in block.stmts.iter_mut().enumerate() {
            let branch = matches!(stmt, Stmt::Expr(Expr::If(_), None));
            self.visit_stmt_mut(stmt);
            if let Stmt::Expr(Expr::Block(_), semicolon @ None) = stmt
                && branch
                && index + 1 < count
            {
                *semicolon = Some(Default::default());
            }
        }
        self.scopes.leave();
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        if let Some(init) = &mut local.init {
            self.visit_expr_mut(&mut init.expr);
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.scopes.declare(&local.pat, local.init.is_none());
    }

    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        if let Pat::Guard(guard) = pat {
            self.condition(&mut guard.guard);
        }
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_macro_mut(&mut self, _: &mut Macro) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_path_mut(&mut self, _: &mut Path) {}
    fn visit_angle_bracketed_generic_arguments_mut(&mut self, _: &mut AngleBracketedGenericArguments) {}
}
