//! Which receivers rustc has looked at before.
//!
//! What is checked of a marked method's receiver is a matter of its type, and so once is
//! enough for all marks on a variable that is the same wherever its name stands: one with
//! a single binding in the function. In a long function that saves half of what the marks
//! cost rustc.

use std::collections::{HashMap, HashSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, ItemFn, Member, PatIdent, StmtMacro};

use crate::node;
use crate::table::Traits;
use crate::table::hints::STATEMENTS;

/// The names of a function, and the receivers that have been met in it.
#[derive(Default)]
pub(crate) struct Receivers {
    /// How often each name is bound.
    bound: HashMap<String, usize>,
    /// Parts of it may not be compiled, or a macro may bind any name.
    uncertain: bool,
    met: HashSet<(String, Traits)>,
}

impl Receivers {
    pub(crate) fn of(function: &ItemFn, unread: &[String]) -> Self {
        let mut receivers = Receivers::default();
        for name in unread {
            *receivers.bound.entry(name.clone()).or_default() += 1;
        }
        receivers.visit_signature(&function.sig);
        receivers.visit_block(&function.block);
        receivers
    }

    /// Whether the receiver of `call` has to be looked at for these traits.
    pub(crate) fn is_new(&mut self, call: &Expr, traits: Traits) -> bool {
        let mut key = String::new();
        let place = match call {
            Expr::MethodCall(call) => self.place(&call.receiver, &mut key),
            _ => None,
        };
        self.uncertain || place.is_none() || self.met.insert((key, traits))
    }

    /// Writes down a variable or a field of one; `None` for what may differ from place to
    /// place.
    fn place(&self, expr: &Expr, key: &mut String) -> Option<()> {
        match node::bare(expr) {
            Expr::Path(path) => {
                let name = path.path.get_ident()?.to_string();
                let is_one = name == "self" || self.bound.get(&name) == Some(&1);
                key.push_str(&name);
                is_one.then_some(())
            }
            Expr::Field(field) => {
                self.place(&field.base, key)?;
                key.push('.');
                match &field.member {
                    Member::Named(name) => key.push_str(&name.to_string()),
                    Member::Unnamed(index) => key.push_str(&index.index.to_string()),
                }
                Some(())
            }
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for Receivers {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        *self.bound.entry(pattern.ident.to_string()).or_default() += 1;
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let path = attribute.path();
        self.uncertain |= path.is_ident("cfg") || path.is_ident("cfg_attr");
    }

    /// A macro of the user's may hold a `let`; those of std do not.
    fn visit_stmt_macro(&mut self, statement: &'ast StmtMacro) {
        let name = statement.mac.path.segments.last().map(|last| last.ident.to_string());
        self.uncertain |= !name.is_some_and(|name| STATEMENTS.contains(&name.as_str()));
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}
