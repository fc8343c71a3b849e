//! Finds the places the arms of an `if` assign: what a traced `if` has to keep, restore and merge.
//!
//! A place is a variable or a path of fields (`x`, `self.a.b`, `*x`); an assignment through an index (`a[i] = ..`) assigns the
//! base `a`. Also counted as assignments: `&mut x`, the std methods of [`MUTATING`], and calls of this `impl` block's own
//! `&mut self` methods ([`Mutators`]), which assign what their bodies assign. A variable declared inside the arm is gone after
//! it and is no place; neither is a part of a place already found.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Block, Expr, ExprAssign, ExprBinary, ExprClosure, ExprForLoop, ExprIf};
use syn::{ExprLet, ExprMethodCall, ExprReference, ExprWhile, FnArg, ImplItem, Item, ItemImpl};
use syn::{Local, Macro, ReceiverKind, UnOp};

use super::scopes::Scopes;

/// Methods that change what they are called on: those of collections, and the steps of nested modules and parts.
const MUTATING: &[&str] = &[
    "append",
    "clear",
    "extend",
    "fill",
    "fire",
    "insert",
    "pop",
    "pop_back",
    "pop_front",
    "push",
    "push_back",
    "push_front",
    "resize",
    "retain",
    "rotate_left",
    "rotate_right",
    "step",
    "swap",
    "truncate",
    "update",
];

/// Something an arm assigns.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) expr: Expr,
    /// The variable the path starts at.
    pub(crate) root: String,
    /// Reached through an index or a method, so `expr` may be a `&mut` reference that is not itself `mut`.
    pub(crate) indirect: bool,
    /// Text of the place, then of each place it is a part of.
    texts: Vec<String>,
}

/// What the arms of an `if` assign.
pub(crate) struct Assigned {
    pub(crate) places: Vec<Place>,
    /// An assignment to something that is no place, such as `*f() = x`.
    pub(crate) other: Option<Span>,
}

/// The places the arms of `node` assign, in order of appearance.
pub(crate) fn assigned(node: &ExprIf, mutators: &Mutators) -> Assigned {
    let mut finder = Finder::new(mutators);
    finder.visit_block(&node.then_branch);
    if let Some((_, otherwise)) = &node.else_branch {
        finder.visit_expr(otherwise);
    }
    let mut places: Vec<Place> = Vec::new();
    for place in &finder.places {
        let part = |other: &Place| place.texts[1..].contains(&other.texts[0]);
        if finder.places.iter().any(part) {
            continue;
        }
        match places.iter_mut().find(|other| other.texts[0] == place.texts[0]) {
            Some(known) => known.indirect &= place.indirect,
            None => places.push(place.clone()),
        }
    }
    Assigned { places, other: finder.other }
}

impl Place {
    /// The place an assignment to `target` assigns, if it is one.
    fn of(target: &Expr) -> Option<Place> {
        let (mut place, mut indirect) = (target, false);
        let mut at = target;
        let mut texts = Vec::new();
        loop {
            if !matches!(at, Expr::Paren(_) | Expr::Group(_)) {
                texts.push(at.to_token_stream().to_string());
            }
            at = match at {
                Expr::Field(field) => &field.base,
                Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => &unary.expr,
                Expr::Paren(paren) => &paren.expr,
                Expr::Group(group) => &group.expr,
                Expr::Index(index) => {
                    (place, indirect) = (&index.expr, true);
                    texts.clear();
                    &index.expr
                }
                Expr::Path(path) => {
                    let root = path.path.get_ident()?.to_string();
                    // `None` and constants are paths as well.
                    let variable = !root.starts_with(char::is_uppercase);
                    return variable.then(|| Place { expr: place.clone(), root, indirect, texts });
                }
                _ => return None,
            };
        }
    }
}

/// For each `&mut self` method of an `impl` block, the places of `self` it assigns, directly or through the others.
#[derive(Default)]
pub(crate) struct Mutators {
    methods: HashMap<String, Vec<Place>>,
}

impl Mutators {
    /// The mutators of `item`.
    pub(crate) fn of(item: &ItemImpl) -> Mutators {
        let mut mutators = Mutators::default();
        let mut calls = Vec::new();
        for item in &item.items {
            let ImplItem::Fn(function) = item else { continue };
            let changes = function
                .sig
                .receiver()
                .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_))));
            if !changes {
                continue;
            }
            let none = Mutators::default();
            let mut finder = Finder::new(&none);
            for input in &function.sig.inputs {
                if let FnArg::Typed(input) = input {
                    finder.scopes.declare(&input.pat, false);
                }
            }
            finder.visit_block(&function.block);
            let name = function.sig.ident.to_string();
            finder.places.retain(|place| place.root == "self");
            mutators.methods.insert(name.clone(), finder.places);
            calls.push((name, finder.calls));
        }
        mutators.close(&calls);
        mutators
    }

    /// Adds to each method the places of the methods it calls, until nothing is new.
    fn close(&mut self, calls: &[(String, Vec<String>)]) {
        let mut changed = true;
        while changed {
            changed = false;
            for (caller, callees) in calls {
                let callees = callees.iter().filter_map(|callee| self.methods.get(callee));
                let reached: Vec<Place> = callees.flatten().cloned().collect();
                let Some(places) = self.methods.get_mut(caller) else { continue };
                for place in reached {
                    if !places.iter().any(|known| known.texts == place.texts) {
                        places.push(place);
                        changed = true;
                    }
                }
            }
        }
    }
}

struct Finder<'a> {
    mutators: &'a Mutators,
    /// What is declared inside the arm.
    scopes: Scopes,
    places: Vec<Place>,
    other: Option<Span>,
    /// Methods called on `self`.
    calls: Vec<String>,
}

impl<'a> Finder<'a> {
    fn new(mutators: &'a Mutators) -> Finder<'a> {
        let mut scopes = Scopes::default();
        scopes.enter();
        Finder { mutators, scopes, places: Vec::new(), other: None, calls: Vec::new() }
    }

    fn add(&mut self, place: Option<Place>) {
        if let Some(place) = place
            && !self.scopes.contains(&place.root)
        {
            self.places.push(place);
        }
    }

    /// Records the targets of an assignment, which may be a pattern of targets.
    fn assign(&mut self, target: &Expr) {
        match target {
            Expr::Infer(_) | Expr::Range(_) => {}
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|part| self.assign(part)),
            Expr::Array(array) => array.elems.iter().for_each(|part| self.assign(part)),
            Expr::Call(call) => call.args.iter().for_each(|part| self.assign(part)),
            Expr::Struct(node) => node.fields.iter().for_each(|field| self.assign(&field.expr)),
            Expr::Paren(paren) => self.assign(&paren.expr),
            single => {
                let place = Place::of(single);
                if place.is_none() {
                    self.other.get_or_insert(single.span());
                }
                self.add(place);
            }
        }
    }

    fn scope(&mut self, visit: impl FnOnce(&mut Self)) {
        self.scopes.enter();
        visit(self);
        self.scopes.leave();
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_assign(&mut self, node: &'ast ExprAssign) {
        visit::visit_expr_assign(self, node);
        self.assign(&node.left);
    }

    fn visit_expr_binary(&mut self, node: &'ast ExprBinary) {
        visit::visit_expr_binary(self, node);
        if is_assignment(&node.op) {
            self.assign(&node.left);
        }
    }

    fn visit_expr_reference(&mut self, node: &'ast ExprReference) {
        visit::visit_expr_reference(self, node);
        if node.mutability.is_some() {
            self.add(Place::of(&node.expr));
        }
    }

    fn visit_expr_method_call(&mut self, node: &'ast ExprMethodCall) {
        visit::visit_expr_method_call(self, node);
        let method = node.method.to_string();
        if matches!(&*node.receiver, Expr::Path(path) if path.path.is_ident("self")) {
            let places = self.mutators.methods.get(&method);
            self.places.extend(places.into_iter().flatten().cloned());
            self.calls.push(method);
        } else if MUTATING.contains(&method.as_str()) || method.ends_with("_mut") && method != "borrow_mut" {
            let place = Place::of(&node.receiver).map(|place| Place { indirect: true, ..place });
            self.add(place);
        }
    }

    fn visit_block(&mut self, node: &'ast Block) {
        self.scope(|finder| visit::visit_block(finder, node));
    }

    fn visit_local(&mut self, node: &'ast Local) {
        visit::visit_local(self, node);
        self.scopes.declare(&node.pat, false);
    }

    fn visit_expr_let(&mut self, node: &'ast ExprLet) {
        visit::visit_expr_let(self, node);
        self.scopes.declare(&node.pat, false);
    }

    fn visit_expr_if(&mut self, node: &'ast ExprIf) {
        self.scope(|finder| {
            finder.visit_expr(&node.cond);
            finder.visit_block(&node.then_branch);
        });
        if let Some((_, otherwise)) = &node.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, node: &'ast ExprWhile) {
        self.scope(|finder| visit::visit_expr_while(finder, node));
    }

    fn visit_expr_for_loop(&mut self, node: &'ast ExprForLoop) {
        self.visit_expr(&node.expr);
        self.scope(|finder| {
            finder.scopes.declare(&node.pat, false);
            finder.visit_block(&node.body);
        });
    }

    fn visit_expr_closure(&mut self, node: &'ast ExprClosure) {
        self.scope(|finder| {
            for input in &node.inputs {
                finder.scopes.declare(input, false);
            }
            finder.visit_expr(&node.body);
        });
    }

    fn visit_arm(&mut self, node: &'ast Arm) {
        self.scope(|finder| {
            finder.scopes.declare(&node.pat, false);
            visit::visit_arm(finder, node);
        });
    }

    fn visit_item(&mut self, _: &'ast Item) {}
    fn visit_macro(&mut self, _: &'ast Macro) {}
}

fn is_assignment(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
