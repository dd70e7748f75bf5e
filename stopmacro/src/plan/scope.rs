//! What a stop leaves from where: the outermost loop, the function, a closure.

use proc_macro2::Span;
use quote::format_ident;
use syn::visit::Visit;
use syn::{Label, Lifetime, ReturnType, Type};

use crate::marks::Way;

/// Where a stop goes.
#[derive(Clone)]
pub(crate) enum Leave {
    /// `break` out of the loop with this label.
    Break(Lifetime),
    /// `return leave(stopped)`, by the function's own `leave`.
    Function,
    /// `return leave(stopped)`, of this type if it can be written.
    Return(Option<Box<Type>>),
    /// `return EXPR`, as `or = EXPR` says.
    Or,
}

/// The return type, if an expression may name it.
pub(crate) fn type_of(output: &ReturnType) -> Option<Box<Type>> {
    match output {
        ReturnType::Type(_, kind) if can_be_written(kind) => Some(kind.clone()),
        _ => None,
    }
}

/// Whether an expression may name the type: one with an `impl Trait` in it is known to
/// rustc alone.
fn can_be_written(kind: &Type) -> bool {
    struct Opaque(bool);
    impl Visit<'_> for Opaque {
        fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut opaque = Opaque(false);
    opaque.visit_type(kind);
    !opaque.0
}

/// The body of the function, or of one closure in it, as seen from the place being
/// visited.
pub(crate) struct Scope {
    /// How the scope itself is left.
    leave: Leave,
    /// It returns a value: where a loop can end by itself, what a stop leaves has to
    /// be said.
    pub(crate) valued: bool,
    /// What `#[stoppable(break)]` or `#[stoppable(return)]` says.
    pub(crate) way: Option<Way>,
    /// The loops around the place, outermost first.
    loops: Vec<Frame>,
    /// The user's labels in force there, of loops and of blocks.
    labels: Vec<Lifetime>,
}

struct Frame {
    id: usize,
    label: Option<Lifetime>,
    /// How many labels are in force where the body begins.
    depth: usize,
    /// A stop leaves the scope: a `break` needs a value here, or a mark says so.
    passed: bool,
    /// A stop breaks this loop.
    target: bool,
    /// A marked call is in it.
    marked: bool,
}

impl Scope {
    pub(crate) fn new(leave: Leave, valued: bool, way: Option<Way>) -> Self {
        Self { leave, valued, way, loops: Vec::new(), labels: Vec::new() }
    }

    /// Whether no loop is around the place.
    pub(crate) fn is_outside(&self) -> bool {
        self.loops.is_empty()
    }

    /// Where a stop goes from here, and a label that is in the way: `break 'a`
    /// means the nearest `'a`.
    pub(crate) fn leave(&mut self) -> (Leave, Option<&Lifetime>) {
        let outermost = match self.loops.first_mut() {
            Some(outermost) if !outermost.passed => outermost,
            _ => return (self.leave.clone(), None),
        };
        outermost.target = true;
        let Some(label) = outermost.label.clone() else {
            return (Leave::Break(generated(outermost.id)), None);
        };
        let mut inner = self.labels[outermost.depth..].iter();
        let hidden = inner.find(|inner| inner.ident == label.ident);
        (Leave::Break(label), hidden)
    }

    /// A marked call is here: every loop around it holds one.
    pub(crate) fn mark(&mut self) {
        for frame in &mut self.loops {
            frame.marked = true;
        }
    }

    /// Whether the innermost loop holds a marked call.
    pub(crate) fn is_marked(&self) -> bool {
        self.loops.last().is_some_and(|frame| frame.marked)
    }

    /// Into the body of loop `id`.
    pub(crate) fn enter(&mut self, id: usize, label: Option<&Label>, passed: bool) {
        let label = label.map(|label| label.name.clone());
        self.labels.extend(label.clone());
        let depth = self.labels.len();
        self.loops.push(Frame { id, label, depth, passed, target: false, marked: false });
    }

    /// Out of the innermost loop; the label it needs, which may be the user's.
    pub(crate) fn exit(&mut self) -> Option<Lifetime> {
        let frame = self.loops.pop()?;
        self.labels.truncate(frame.depth - usize::from(frame.label.is_some()));
        let ours = frame.target.then(|| generated(frame.id));
        frame.label.or(ours)
    }

    /// Into a block that may have a label; what `exit_block` is to be told.
    pub(crate) fn enter_block(&mut self, label: Option<&Label>) -> usize {
        let depth = self.labels.len();
        self.labels.extend(label.map(|label| label.name.clone()));
        depth
    }

    pub(crate) fn exit_block(&mut self, depth: usize) {
        self.labels.truncate(depth);
    }
}

/// The label given to an outermost loop that has none.
fn generated(id: usize) -> Lifetime {
    let ident = format_ident!("__stop_{id}", span = Span::mixed_site());
    Lifetime { apostrophe: Span::mixed_site(), ident }
}
