//! Marks among plain tokens: finding them where syn does not look, and the
//! function without them for the case that the expansion failed.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::marks;

/// Calls `found` with the name and place of each mark in `tokens`.
///
/// Code under a `#[stoppable]` of its own is left out.
pub(crate) fn find(tokens: &TokenStream, found: &mut dyn FnMut(&str, Span)) {
    walk(tokens.clone(), &mut |mark| {
        found(&mark.to_string(), mark.span());
    });
}

/// The user's item with all marks taken away, so that one mistake in a mark
/// is one message and the rest of the crate still sees the function.
///
/// ```text
/// Input:  #[blocking] let n = blocking!(f())?;
/// Output: let n = f()?;
/// ```
///
/// A loop that only a stop would leave makes what follows it unreachable once
/// the marks are gone: that is no fault of the user's, hence the `allow`.
pub(crate) fn strip(tokens: TokenStream) -> TokenStream {
    let stripped = walk(tokens, &mut |_| {});
    quote!(#[allow(unreachable_code, unused)] #stripped)
}

/// One pass over `tokens`: hands each mark to `found`, returns what is left.
fn walk(tokens: TokenStream, found: &mut dyn FnMut(&Ident)) -> TokenStream {
    let mut input = tokens.into_iter().peekable();
    let mut output = TokenStream::new();
    while let Some(token) = input.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let attribute = match input.peek() {
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
                        group.clone()
                    }
                    _ => {
                        output.extend([TokenTree::Punct(punct)]);
                        continue;
                    }
                };
                input.next();
                match attribute_name(&attribute) {
                    Some(name) if is_mark(&name) => found(&name),
                    name => {
                        output.extend([TokenTree::Punct(punct), TokenTree::Group(attribute)]);
                        if name.is_some_and(|name| name == "stoppable") {
                            copy_item(&mut input, &mut output);
                        }
                    }
                }
            }
            // `stopruntime::blocking!(…)`: what is left has no path either.
            TokenTree::Ident(name) if name == "stopruntime" => {
                let mut ahead = input.clone().skip(2);
                let is_mark = matches!(ahead.next(), Some(TokenTree::Ident(name)) if name == "blocking")
                    && matches!(ahead.next(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
                if is_mark {
                    let _colons = (input.next(), input.next());
                } else {
                    output.extend([TokenTree::Ident(name)]);
                }
            }
            TokenTree::Ident(name) if name == "blocking" => {
                let bang = matches!(input.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                if !bang {
                    output.extend([TokenTree::Ident(name)]);
                    continue;
                }
                let bang = input.next();
                if let Some(TokenTree::Group(group)) = input.peek() {
                    found(&name);
                    let mut inner = walk(marks::behind_options(group.stream()), found);
                    if inner.is_empty() {
                        // An expression, with which nothing else is wrong; rustc shows it once.
                        inner = marks::empty(name.span()).into_compile_error();
                    }
                    let mut plain = Group::new(Delimiter::None, inner);
                    plain.set_span(group.span());
                    output.extend([TokenTree::Group(plain)]);
                    input.next();
                } else {
                    output.extend([TokenTree::Ident(name)]);
                    output.extend(bang);
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), walk(group.stream(), found));
                inner.set_span(group.span());
                output.extend([TokenTree::Group(inner)]);
            }
            other => output.extend([other]),
        }
    }
    output
}

fn is_mark(name: &Ident) -> bool {
    name == "blocking" || name == "checkpoint" || name == "unstoppable"
}

fn attribute_name(attribute: &Group) -> Option<Ident> {
    let names = attribute.stream().into_iter().map_while(|token| match token {
        TokenTree::Ident(name) => Some(Some(name)),
        TokenTree::Punct(punct) if punct.as_char() == ':' => Some(None),
        _ => None,
    });
    names.flatten().last()
}

/// Copies a function up to its body or its `;` as it is.
fn copy_item(
    input: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
    output: &mut TokenStream,
) {
    for token in input.by_ref() {
        let is_end = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        output.extend([token]);
        if is_end {
            break;
        }
    }
}
