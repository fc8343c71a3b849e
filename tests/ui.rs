//! What the macros say of every misuse, and everything the syntax allows.
//!
//! After a deliberate change of a message: `TRYBUILD=overwrite cargo test --test ui`, and read the difference.

#[test]
fn macro_messages() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
