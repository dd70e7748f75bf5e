//! Whatever it is given, the attribute gives back a function or says why not.

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use stop_generated::{Dialect, block, function};

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("it lexes")
}

/// The item without its first attribute, as rustc gives it to us.
fn item(body: &stop_generated::Block) -> TokenStream {
    let text = function("generated", body, Dialect::Marked);
    tokens(text.split_once('\n').expect("the attribute is first").1)
}

/// All tokens, delimiters apart, in one row.
fn flat(stream: TokenStream, into: &mut Vec<TokenTree>) {
    for tree in stream {
        if let TokenTree::Group(group) = &tree {
            flat(group.stream(), into);
        } else {
            into.push(tree);
        }
    }
}

/// The stream without its token of this number, groups counted as one.
fn without(stream: TokenStream, at: usize, seen: &mut usize) -> TokenStream {
    let mut kept = TokenStream::new();
    for tree in stream {
        let drop_it = *seen == at;
        *seen += 1;
        if drop_it {
            continue;
        }
        kept.extend([match tree {
            TokenTree::Group(group) => {
                let inner = without(group.stream(), at, seen);
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
            }
            other => other,
        }]);
    }
    kept
}

fn says(output: &TokenStream, word: &str) -> bool {
    let mut all = Vec::new();
    flat(output.clone(), &mut all);
    all.iter().any(|tree| tree.to_string() == word)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A correct program becomes one without marks, and without an error.
    #[test]
    fn a_program_is_rewritten(body in block()) {
        let output = crate::rewrite(tokens("break"), item(&body));
        prop_assert!(!says(&output, "compile_error"), "{output}");
        prop_assert!(!says(&output, "blocking") && !says(&output, "checkpoint"), "{output}");
        prop_assert!(syn::parse2::<syn::ItemFn>(output.clone()).is_ok(), "{output}");
    }

    /// Nothing in it names the crate where that has another name.
    #[test]
    fn the_crate_may_have_another_name(body in block()) {
        let output = crate::rewrite(tokens("crate = other::name, break"), item(&body));
        prop_assert!(says(&output, "other") && !says(&output, "stopruntime"), "{output}");
    }

    /// With a token missing it is still a program, or the answer says an error;
    /// a panic or a mark that is left over silently would be neither.
    #[test]
    fn a_broken_program_is_answered(body in block(), at in 0_usize..400) {
        let broken = without(item(&body), at, &mut 0);
        let output = crate::rewrite(TokenStream::new(), broken.clone());
        if !says(&output, "compile_error") {
            prop_assert!(syn::parse2::<syn::ItemFn>(broken).is_ok(), "{output}");
            prop_assert!(syn::parse2::<syn::ItemFn>(output.clone()).is_ok(), "{output}");
        }
    }

    /// Arguments of any kind are understood or refused.
    #[test]
    fn arguments_are_answered(text in "[a-z=,()0-9 ]{0,20}", body in block()) {
        let Ok(arguments) = text.parse::<TokenStream>() else { return Ok(()) };
        let output = crate::rewrite(arguments, item(&body));
        prop_assert!(says(&output, "fn"), "{output}");
    }
}
