//! Whatever it is given, the attribute gives back a function or says why not.

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::env;
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

/// The answer if no statement is passed on unread.
fn whole(arguments: TokenStream, item: TokenStream) -> TokenStream {
    crate::rewrite_by(crate::parse::whole, arguments, item)
}

/// What stands between the marks and the errors of an answer, in one row.
fn kept(output: TokenStream) -> String {
    let mut trees = output.into_iter();
    // The `allow` in front.
    let allow: TokenStream = trees.by_ref().take(2).collect();
    assert_eq!(allow.to_string().replace(' ', ""), "#[allow(unreachable_code,unused)]");
    let rest: TokenStream = trees.collect();
    let rest = rest.to_string();
    let (kept, error) = rest.split_once(":: core").expect("an error");
    assert_eq!(error.matches("compile_error").count(), 1, "{error}");
    kept.trim().to_owned()
}

/// An editor that completes what is being typed finds every token of it, and one error.
#[test]
fn half_a_function_is_given_back_with_one_error() {
    for (typed, plain) in [
        ("fn f() { x. }", "fn f() { x. }"),
        ("fn f(s: T) { #[blocking] s. }", "fn f(s: T) { s. }"),
        ("fn f(s: T) { #[blocking] let n = s.re }", "fn f(s: T) { let n = s.re }"),
        ("fn f(s: T) { loop { blocking!(s.) } }", "fn f(s: T) { loop { s. } }"),
        ("fn f(s: T) { #[blocking] }", "fn f(s: T) { }"),
        ("fn f(s: T) { #[blocking(read)] s.read(b)?; s. }", "fn f(s: T) { s.read(b)?; s. }"),
        ("fn f(s: T", "fn f(s: T"),
        ("fn f(", "fn f("),
        ("pub fn", "pub fn"),
        ("let x = 3", "let x = 3"),
        ("{ x. }", "{ x. }"),
    ] {
        // An open parenthesis is closed by rustc's own parser.
        let closed = if typed.matches('(').count() > typed.matches(')').count() { ")" } else { "" };
        let given = tokens(&format!("{typed}{closed}"));
        let expected = tokens(&format!("{plain}{closed}"));
        let (mut got, mut wanted) = (Vec::new(), Vec::new());
        flat(tokens(&kept(crate::rewrite(TokenStream::new(), given))), &mut got);
        flat(expected, &mut wanted);
        let row = |trees: &[TokenTree]| trees.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(row(&got), row(&wanted), "{typed}");
    }
}

/// Any tokens: the words of the marks among those of the language.
fn soup() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "fn",
        "f",
        "x",
        "loop",
        "while",
        "for",
        "in",
        "if",
        "else",
        "match",
        "let",
        "break",
        "return",
        "async",
        "move",
        "unsafe",
        "#[blocking]",
        "#[blocking(readable = x)]",
        "#[blocking(unblock = x.close(), break)]",
        "#[checkpoint]",
        "#[checkpoint(return)]",
        "#[unstoppable]",
        "blocking!(x.read(b))",
        "blocking!",
        "blocking",
        "stopruntime::",
        "#[stoppable]",
        "#",
        "!",
        ".",
        ";",
        ",",
        "=",
        "=>",
        "|",
        "?",
        "&",
        "'a",
        "'a:",
        "x.read(b)",
        "x.recv()",
        "::",
        "->",
        "u8",
        "3",
        "\"s\"",
        "x.f",
        "thread::sleep(d)",
        "#[cfg(a)]",
        "..",
    ];
    let word = prop::sample::select(WORDS).prop_map(str::to_owned);
    let inner = prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "));
    inner.prop_recursive(5, 60, 6, |inner| {
        (prop::collection::vec(inner, 0..6), 0_usize..4).prop_map(|(parts, kind)| {
            let text = parts.join(" ");
            match kind {
                0 => format!("({text})"),
                1 => format!("[{text}]"),
                2 => format!("{{{text}}}"),
                _ => text,
            }
        })
    })
}

/// A fourth of the usual cases where a developer waits for them.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    let is_a_developers =
        ["STOP_TESTS", "PROPTEST_CASES"].iter().all(|name| env::var_os(name).is_none());
    ProptestConfig { cases: if is_a_developers { usual.cases / 4 } else { usual.cases }, ..usual }
}

proptest! {
    // Seeds that once failed are tried first ever after: they stand in the tree.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/tests.seeds"
        )))),
        ..cases()
    })]

    /// Tokens of any kind, as the item, in a function's body and as arguments, are
    /// answered by tokens that rustc's lexer can read again, or by an error.
    #[test]
    fn any_tokens_are_answered(text in soup(), place in 0_usize..3) {
        let Ok(any) = text.parse::<TokenStream>() else { return Ok(()) };
        let (arguments, item) = match place {
            0 => (TokenStream::new(), any),
            1 => (TokenStream::new(), tokens(&format!("fn f(x: T) -> U {{ {text} }}"))),
            _ => (any, tokens("fn f(x: T) { loop { #[blocking] x.read(b)?; } }")),
        };
        let output = crate::rewrite(arguments.clone(), item.clone());
        prop_assert!(output.to_string().parse::<TokenStream>().is_ok(), "{output}");
        let whole = whole(arguments, item);
        if says(&whole, "compile_error") {
            // What is passed on unread is for rustc to refuse.
            let refused = syn::parse2::<syn::ItemFn>(output.clone()).is_err();
            prop_assert!(says(&output, "compile_error") || refused, "{output}");
        } else {
            prop_assert!(syn::parse2::<syn::ItemFn>(output.clone()).is_ok(), "{output}");
            prop_assert_eq!(output.to_string(), whole.to_string());
        }
    }

    /// A correct program becomes one without marks, and without an error.
    #[test]
    fn a_program_is_rewritten(body in block()) {
        let output = crate::rewrite(tokens("break"), item(&body));
        prop_assert_eq!(output.to_string(), whole(tokens("break"), item(&body)).to_string());
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

    /// With a token missing it is still a program, or the answer says an error, or rustc
    /// is to say it of a statement that was passed on;
    /// a panic or a mark that is left over silently would be neither.
    #[test]
    fn a_broken_program_is_answered(body in block(), at in 0_usize..400) {
        let broken = without(item(&body), at, &mut 0);
        let output = crate::rewrite(TokenStream::new(), broken.clone());
        if !says(&output, "compile_error") {
            let is_function = |tokens| syn::parse2::<syn::ItemFn>(tokens).is_ok();
            prop_assert_eq!(is_function(broken), is_function(output.clone()), "{}", output);
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
