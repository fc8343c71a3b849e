//! Token-level tests: a function is rewritten and compared with what is expected, up to spacing.
//!
//! Expected code is written with short names; `check` shortens the names that were found.

use quote::{ToTokens, quote};
use syn::ItemFn;

use super::places::Mutators;
use super::rewrite_fn;
use crate::ctxt::Ctxt;

fn rewrite(body: &str) -> (String, bool) {
    let mut item: ItemFn = syn::parse_str(&format!("fn f() {{ {body} }}")).expect("a body");
    let mut ctxt = Ctxt::default();
    rewrite_fn(&item.sig, &mut item.block, &Mutators::default(), &mut ctxt);
    (item.block.to_token_stream().to_string(), ctxt.is_clean())
}

#[track_caller]
fn check(body: &str, expected: &str) {
    let expected: syn::Block = syn::parse_str(&format!("{{ {expected} }}")).expect("a block");
    let expected = expected.to_token_stream().to_string();
    let (found, clean) = rewrite(body);
    let mut found = found.replace(":: spark :: __private :: ", "");
    for (long, short) in
        [("__spark_", ""), (":: core :: option :: Option :: ", ""), ("# [allow (unreachable_code)] ", "")]
    {
        found = found.replace(long, short);
    }
    assert_eq!(found.replace(' ', ""), expected.replace(' ', ""));
    assert!(clean);
}

#[test]
fn comparisons_take_references_and_keep_precedence() {
    check("a < b.c;", "lt(&a, &b.c);");
    check("a + 1 >= (b - 2);", "ge(&(a + 1), &(b - 2));");
    check("!(a == b[0]);", "!(eq(&a, &b[0]));");
}

#[test]
fn the_right_side_of_logic_is_a_closure_unless_it_leaves() {
    check("a && b || c;", "or(and(a, || b), || c);");
    check("a && b?;", "a && b?;");
}

#[test]
fn let_chains_macros_items_and_constants_stay() {
    check("if let Some(x) = y && x > 1 {}", "if let Some(x) = y && gt(&x, &1) {}");
    check("assert!(a < b);", "assert!(a < b);");
    check("fn g() -> bool { a < b }", "fn g() -> bool { a < b }");
    check("let x = [a < b; { N > 3 }];", "let x = [lt(&a, &b); { N > 3 }];");
}

#[test]
fn an_if_keeps_and_merges_what_its_arms_assign() {
    check(
        "if c { x = a; } y",
        "{
            let decision = decide(c);
            let mut kept0 = keep(&decision, &mut x);
            let then = if decision.runs_then() { Some({ x = a; }) } else { None };
            kept0.swap(&mut x);
            let otherwise = if decision.runs_else() { Some({}) } else { None };
            kept0.merge(&decision, &mut x);
            merge(decision, then, otherwise)
        };
        y",
    );
}

#[track_caller]
fn check_places(branch: &str, expected: &[&str]) {
    let node: syn::ExprIf = syn::parse_str(branch).expect("an `if`");
    let assigned = super::places::assigned(&node, &Mutators::default());
    let places = assigned.places.iter().map(|place| place.expr.to_token_stream().to_string());
    let places: Vec<String> = places.map(|place| place.replace(' ', "")).collect();
    assert_eq!(places, expected);
}

#[test]
fn places_are_outer_variables_and_fields_once() {
    check_places("if c { x = 1; x += 2; } else { self.a.b = 3; }", &["x", "self.a.b"]);
    check_places("if c { let x = 1; x = 2; y = 3; let y = 4; y = 5; }", &["y"]);
    check_places("if c { for i in 0..3 { i = 1; a[i] = 2; } }", &["a"]);
    check_places("if c { if d { *x = 1; } (y, _) = f(&mut z); }", &["*x", "z", "y"]);
    check_places("if c { self.a.b = 1; self.a = 2; }", &["self.a"]);
    check_places("if c { list.push(1); g(&mut None); for v in w.iter_mut() {} }", &["list", "w"]);
}

#[track_caller]
fn check_demand(body: &str, function: &str) {
    let (found, _) = rewrite(body);
    let call = format!("if :: spark :: __private :: {function} (c)");
    assert!(found.contains(&call), "{found}");
}

#[test]
fn an_arm_that_leaves_asks_for_a_host_condition() {
    check_demand("if c { return; }", "host_only_return");
    check_demand("if c { f()?; }", "host_only_question");
    check_demand("loop { if c { break; } }", "host_only_break");
    check_demand("for i in 0..3 { if c { } else { continue; } }", "host_only_continue");
    check_demand("if c { todo!() }", "host_only_panic");
    check_demand("if c { *f() = 1; }", "host_only_assignment");
    check_demand("'a: loop { if c { loop { break 'a; } } }", "host_only_break");
}

#[test]
fn an_arm_may_leave_its_own_loops_and_closures() {
    for body in ["if c { loop { break; } }", "if c { g(|| return 1); }", "if c { 'a: { break 'a; } }"] {
        let (found, _) = rewrite(body);
        assert!(!found.contains("host_only"), "{found}");
    }
}

#[test]
fn a_variable_without_value_is_reported_and_the_body_replaced() {
    let (found, clean) = rewrite("let x; if c { x = 1; } else { x = 2; }");
    assert!(!clean);
    assert_eq!(found, quote!({ ::core::unreachable!() }).to_string());
}

#[test]
fn methods_assign_what_the_methods_they_call_assign() {
    let item = syn::parse_quote! {
        impl Soma {
            fn outer(&mut self) { self.inner(); self.a = 1; }
            fn inner(&mut self) { self.b = 2; self.outer(); }
        }
    };
    let node: syn::ExprIf = syn::parse_quote!(if c {
        self.outer();
    });
    let assigned = super::places::assigned(&node, &Mutators::of(&item));
    let places = assigned.places.iter().map(|place| place.expr.to_token_stream().to_string());
    assert_eq!(places.collect::<Vec<_>>(), ["self . a", "self . b"]);
}
