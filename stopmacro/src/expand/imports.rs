//! The imports of an expansion, and those of the user's that it must keep in use.
//!
//! A marked `stream.read(…)` no longer goes through the user's `use std::io::Read`.
//! Without the attribute the import is needed, so with it rustc must not call
//! it unused.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Path, Stmt, parse_quote_spanned};

use super::exit::Exits;
use crate::table::hints::STD_IMPORTS;

/// The statements that go before the function's own.
///
/// ```text
/// Output: use ::stopruntime::expansion::ReadOrStop as _;
///         const _: fn() = …;      // see `keep`
/// ```
pub(crate) fn statements(exits: &Exits, traits: &BTreeSet<&'static str>) -> Vec<Stmt> {
    let span = Span::mixed_site();
    let runtime = exits.ours(span);
    let ours = traits.iter().map(|name| -> Stmt {
        let name = Ident::new(name, span);
        // A type's own method of that name would leave the import unused.
        parse_quote_spanned! {span=>
            use #runtime::#name as _;
        }
    });
    let theirs: BTreeSet<&str> = STD_IMPORTS
        .iter()
        .filter(|(ours, _)| traits.contains(ours))
        .map(|(_, theirs)| *theirs)
        .collect();
    ours.chain(theirs.into_iter().map(keep)).collect()
}

/// Code that never runs. It calls the method of std's trait `name` if the user has
/// imported that trait, and otherwise the method of the same name on our own `Stream`:
/// rustc tries a trait in scope first.
///
/// ```text
/// Output: const _: fn() = || {
///             struct Stream;
///             struct Otherwise;
///             impl Read for Stream { … }
///             impl Deref for Stream { type Target = Otherwise; … }
///             impl Otherwise { fn by_ref(&self) {} }
///             let _ = Stream.by_ref();
///         };
/// ```
fn keep(name: &str) -> Stmt {
    let (methods, call) = match name {
        "Read" => (
            quote! {
                fn read(&mut self, _: &mut [u8]) -> ::std::io::Result<usize> {
                    ::core::result::Result::Ok(0)
                }
            },
            quote!(by_ref()),
        ),
        "Write" => (
            quote! {
                fn write(&mut self, _: &[u8]) -> ::std::io::Result<usize> {
                    ::core::result::Result::Ok(0)
                }
                fn flush(&mut self) -> ::std::io::Result<()> {
                    ::core::result::Result::Ok(())
                }
            },
            quote!(by_ref()),
        ),
        _ => (
            quote! {
                fn fill_buf(&mut self) -> ::std::io::Result<&[u8]> {
                    ::core::result::Result::Ok(&[])
                }
                fn consume(&mut self, _: usize) {}
            },
            quote!(consume(0)),
        ),
    };
    // `BufRead` asks for `Read`.
    let read = (name == "BufRead").then(|| {
        quote! {
            impl ::std::io::Read for Stream {
                fn read(&mut self, _: &mut [u8]) -> ::std::io::Result<usize> {
                    ::core::result::Result::Ok(0)
                }
            }
        }
    });
    let span = Span::mixed_site();
    let name = Ident::new(name, span);
    parse_quote_spanned! {span=>
        const _: fn() = || {
            struct Stream;
            struct Otherwise;
            #read
            impl ::std::io::#name for Stream {
                #methods
            }
            impl ::core::ops::Deref for Stream {
                type Target = Otherwise;
                fn deref(&self) -> &Otherwise {
                    &Otherwise
                }
            }
            impl Otherwise {
                fn by_ref(&self) {}
                fn consume(&self, _: usize) {}
            }
            let _ = Stream.#call;
        };
    }
}

/// What does nothing but use the names in `path`, less its last `cut` segments. No import,
/// which would mean another path in the edition of 2015.
///
/// ```text
/// Input:  Read::read                        io::copy
/// Output: fn _used<T: Read + ?Sized>() {}   let _ = io::copy::<::std::io::Empty, ::std::io::Sink>;
/// ```
pub(crate) fn used(path: &Path, cut: usize, span: Span) -> TokenStream {
    let keep = path.segments.len() - cut;
    let names = path.segments.iter().take(keep).map(|segment| &segment.ident);
    let leading = path.leading_colon;
    if cut > 0 {
        return quote_spanned! {span=>
            fn _used<T: #leading #(#names)::* + ?::core::marker::Sized>() {}
        };
    }
    quote_spanned! {span=>
        let _ = #leading #(#names)::*::<::std::io::Empty, ::std::io::Sink>;
    }
}
