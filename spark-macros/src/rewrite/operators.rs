//! Comparisons, `&&` and `||` become calls.
//!
//! A call covers the same source text as the operator did: its first token has the span of the left operand's first token, its
//! parentheses that of the right operand's last. So `#[track_caller]` sees the user's position and rustc underlines the user's
//! condition. Operands are passed by reference (comparisons) or by value and closure (`&&`, `||`), never moved twice.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{BinOp, Expr, ExprBinary, Token};

use super::escapes;

/// An operator to rewrite, with what is needed of its operands before they are rewritten themselves.
pub(crate) struct Operator {
    function: Ident,
    lazy: bool,
    extent: Extent,
}

impl Operator {
    /// The rewriting of `binary`; `None` if it stays as it is.
    pub(crate) fn of(binary: &ExprBinary) -> Option<Operator> {
        let (name, span) = match &binary.op {
            BinOp::Lt(token) => ("lt", token.span),
            BinOp::Le(token) => ("le", token.spans[0]),
            BinOp::Gt(token) => ("gt", token.span),
            BinOp::Ge(token) => ("ge", token.spans[0]),
            BinOp::Eq(token) => ("eq", token.spans[0]),
            BinOp::Ne(token) => ("ne", token.spans[0]),
            BinOp::And(token) => ("and", token.spans[0]),
            BinOp::Or(token) => ("or", token.spans[0]),
            _ => return None,
        };
        let lazy = matches!(binary.op, BinOp::And(_) | BinOp::Or(_));
        // `a && f()?` cannot put its right side into a closure.
        if lazy && escapes::in_expr(&binary.right).is_some() {
            return None;
        }
        Some(Operator { function: Ident::new(name, span), lazy, extent: Extent::of(binary) })
    }

    /// The call, for the operands as they are now.
    pub(crate) fn call(&self, binary: &ExprBinary) -> Expr {
        let (left, right) = (bare(&binary.left), bare(&binary.right));
        let arguments = if self.lazy {
            quote!(#left, || #right)
        } else {
            let (left, right) = (reference(left), reference(right));
            quote!(#left, #right)
        };
        Expr::Verbatim(private_call(&self.function, self.extent, arguments))
    }
}

/// The first and the last token of a piece of source.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) first: Span,
    pub(crate) last: Span,
}

impl Extent {
    pub(crate) fn of(node: &impl ToTokens) -> Extent {
        let tokens: Vec<TokenTree> = node.to_token_stream().into_iter().collect();
        let first = match tokens.first() {
            Some(TokenTree::Group(group)) => group.span_open(),
            Some(token) => token.span(),
            None => Span::call_site(),
        };
        let last = match tokens.last() {
            Some(TokenTree::Group(group)) => group.span_close(),
            Some(token) => token.span(),
            None => Span::call_site(),
        };
        Extent { first, last }
    }
}

/// `::spark::__private::function(arguments)`, covering `extent`.
pub(crate) fn private_call(function: &Ident, extent: Extent, arguments: TokenStream) -> TokenStream {
    let root = Token![::](extent.first);
    let path = quote_spanned!(function.span()=> spark::__private::#function);
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(extent.last);
    quote!(#root #path #arguments)
}

/// `expr` without parentheses around it, which are not needed in an argument.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) if paren.attrs.is_empty() => bare(&paren.expr),
        other => other,
    }
}

/// `&expr`, with parentheses where `&` would bind tighter.
fn reference(expr: &Expr) -> TokenStream {
    let and = Token![&](Extent::of(expr).first);
    match expr {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Lit(_) => quote!(#and #expr),
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) | Expr::Verbatim(_) => {
            quote!(#and #expr)
        }
        other => quote!(#and (#other)),
    }
}

/// Whether a condition is a `let` or a chain with one.
pub(crate) fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(ExprBinary { left, op: BinOp::And(_), right, .. }) => has_let(left) || has_let(right),
        _ => false,
    }
}
