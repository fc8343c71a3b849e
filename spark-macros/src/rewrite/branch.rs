//! `if` becomes: decide, run the arms that run, merge.
//!
//! For `if c { x = a; v } else { w }` comes out, with names no user has,
//!
//! ```text
//! {
//!     let decision = decide(c);                       // bool or Bool
//!     let mut kept = keep(&decision, &mut x);         // each place an arm assigns
//!     let then = if decision.runs_then() { Some({ x = a; v }) } else { None };
//!     kept.swap(&mut x);                              // the else arm starts from the old x
//!     let otherwise = if decision.runs_else() { Some({ w }) } else { None };
//!     kept.merge(&decision, &mut x);
//!     merge(decision, then, otherwise)
//! }
//! ```
//!
//! On a host condition `keep`, `swap` and `merge` of a place do nothing and ask nothing of the place's type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Block, Expr, ExprBlock, ExprIf, Stmt, token};

use super::operators::{Extent, bare, has_let, private_call};
use super::places::{self, Place};
use super::{Rewriter, escapes};
use syn::visit_mut::VisitMut;

impl Rewriter<'_> {
    /// Rewrites an `if` with all its arms.
    pub(crate) fn branch(&mut self, node: ExprIf) -> Expr {
        if has_let(&node.cond) {
            return self.host_branch(node, None);
        }
        if let Some(escape) = escapes::in_arms(&node) {
            return self.host_branch(node, Some(Ident::new(escape.function, escape.span)));
        }
        let assigned = places::assigned(&node, self.mutators);
        if let Some(span) = assigned.other {
            return self.host_branch(node, Some(Ident::new("host_only_assignment", span)));
        }
        self.report_deferred(&assigned.places);
        self.merged_branch(node, &assigned.places)
    }

    /// An `if` that stays one; `demand` is the function that asks for a host condition.
    fn host_branch(&mut self, mut node: ExprIf, demand: Option<Ident>) -> Expr {
        let extent = Extent::of(&node.cond);
        self.condition(&mut node.cond);
        if let Some(function) = demand {
            let condition = bare(&node.cond).to_token_stream();
            *node.cond = Expr::Verbatim(private_call(&function, extent, condition));
        }
        self.visit_block_mut(&mut node.then_branch);
        if let Some((_, otherwise)) = &mut node.else_branch {
            self.visit_expr_mut(otherwise);
        }
        Expr::If(node)
    }

    /// Both arms run on a traced condition, so a variable they assign needs a value before.
    fn report_deferred(&mut self, places: &[Place]) {
        for place in places {
            if let Some(declared) = self.scopes.deferred(&place.root) {
                let message = format!("give `{}` a value: both arms of a traced `if` run", place.root);
                self.ctxt.error(declared, message);
                self.failed = true;
            }
        }
    }

    fn merged_branch(&mut self, mut node: ExprIf, places: &[Place]) -> Expr {
        let keyword = node.if_token.span;
        let site = Span::mixed_site().located_at(keyword);
        // Not hygienic: rustc blames a call's argument for the types of the arms, and shows it only if it has a user's span.
        let [decision, then, otherwise] =
            ["__spark_decision", "__spark_then", "__spark_otherwise"].map(|name| Ident::new(name, keyword));

        let extent = Extent::of(&node.cond);
        self.visit_expr_mut(&mut node.cond);
        self.visit_block_mut(&mut node.then_branch);
        let condition = bare(&node.cond);
        let decide = private_call(&Ident::new("decide", extent.first), extent, quote!(#condition));
        let then_arm = arm(node.then_branch, site);
        let else_arm = match node.else_branch {
            Some((_, mut expr)) => {
                self.visit_expr_mut(&mut expr);
                match *expr {
                    Expr::Block(block) if block.label.is_none() => arm(block.block, site),
                    other => quote_spanned!(site=> { #other }),
                }
            }
            None => quote_spanned!(site=> {}),
        };

        let Merging { keep, swap, merge } = Merging::of(places, &decision, site);
        let whole = Extent { first: keyword, last: keyword };
        let merged = private_call(&Ident::new("merge", keyword), whole, quote!(#decision, #then, #otherwise));
        let body = quote_spanned! {site=>
            let #decision = #decide;
            #keep
            // An arm may end in a call that never returns, as in any `if`.
            #[allow(unreachable_code)]
            let #then = if #decision.runs_then() {
                ::core::option::Option::Some(#then_arm)
            } else {
                ::core::option::Option::None
            };
            #swap
            #[allow(unreachable_code)]
            let #otherwise = if #decision.runs_else() {
                ::core::option::Option::Some(#else_arm)
            } else {
                ::core::option::Option::None
            };
            #merge
            #merged
        };
        Expr::Block(ExprBlock {
            attrs: node.attrs,
            label: None,
            block: Block { brace_token: token::Brace(site), stmts: vec![Stmt::Expr(Expr::Verbatim(body), None)] },
        })
    }
}

/// The block of an arm. Braces of our own keep rustc from calling the user's superfluous.
fn arm(mut block: Block, site: Span) -> TokenStream {
    block.brace_token = token::Brace(site);
    block.into_token_stream()
}

/// The statements that keep, restore and merge the places.
#[derive(Default)]
struct Merging {
    keep: TokenStream,
    swap: TokenStream,
    merge: TokenStream,
}

impl Merging {
    fn of(places: &[Place], decision: &Ident, site: Span) -> Merging {
        let mut merging = Merging::default();
        if places.iter().any(|place| place.indirect) {
            merging.keep = quote_spanned!(site=> use ::spark::__private::IndirectPlace as _;);
        }
        for (index, place) in places.iter().enumerate() {
            let extent = Extent::of(&place.expr);
            let kept = format_ident!("__spark_kept{}", index, span = extent.first);
            let reference = reference(place, extent.first);
            // The argument covers what the call covers: rustc then reports a type that is no place once.
            let mut decision = decision.clone();
            decision.set_span(decision.span().located_at(extent.last));
            let keep = private_call(
                &Ident::new("keep", extent.first),
                extent,
                quote_spanned!(extent.first=> &#decision, #reference),
            );
            let swap = quote_spanned!(extent.first=> .swap(#reference););
            let merge = quote_spanned!(extent.first=> .merge(&#decision, #reference););
            merging.keep.extend(quote_spanned!(site=> let mut #kept = #keep;));
            merging.swap.extend(quote!(#kept #swap));
            merging.merge.extend(quote!(#kept #merge));
        }
        merging
    }
}

/// `&mut place`; a reborrow if the place may be a reference itself.
fn reference(place: &Place, span: Span) -> TokenStream {
    let expr = &place.expr;
    if !place.indirect {
        return quote_spanned!(span=> &mut #expr);
    }
    match expr {
        Expr::Unary(_) => quote_spanned!(span=> (#expr).indirect_place()),
        _ => quote_spanned!(span=> #expr.indirect_place()),
    }
}
