//! The grammar.

use proptest::prelude::*;

/// A statement, as far as it matters to the attribute.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Something happens that is not marked.
    Plain(u32),
    /// `#[blocking]` above a `let`, with this dressing of the call.
    Let(Dressing),
    /// `#[blocking]` above an expression statement.
    Expression(Dressing),
    /// `blocking!` as an operand.
    Operand(u32),
    /// The same with options, of a call that stops by itself.
    NestedOperand(u32),
    /// `#[blocking]` above an `if` with a call in each tail.
    Tails(u32),
    /// `blocking!` as the condition of an `if`.
    If(Block, Block),
    /// `blocking!` as the scrutinee of a `match`.
    Match(Block, Block),
    /// `blocking!` as the condition of a `while`.
    While(Block),
    /// `blocking!` as the scrutinee of a `while let`.
    WhileLet(Block),
    /// A marked `for` over a blocking iterator.
    ForMarked(Block),
    /// A loop that has no mark of its own.
    For(u32, Block),
    /// One with a checkpoint.
    Checkpoint(u32, Block),
    /// A `loop` that ends when the fuel does.
    Loop(Block),
    /// A loop whose value is used.
    ValueLoop(Block, u32),
    /// A block without marks under `#[unstoppable]`.
    Unstoppable(u32),
    /// A closure with marks, called at once.
    Closure(Block),
    /// `break` or `continue` of a loop around it, counted from the inside.
    Leave {
        /// How many loops further out.
        out: usize,
        /// `continue` instead of `break`.
        again: bool,
    },
    /// An early `return`.
    Return(u32),
}

/// A block of statements.
pub type Block = Vec<Statement>;

/// What stands around the one blocking call of a marked statement.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "`print` shows what each is")]
pub enum Dressing {
    Question,
    UnwrapOr,
    MapErr,
    Parentheses,
    ThroughTrait,
    ReadExact,
    Sleep,
    Recv,
    Cast,
    AsIs,
    Readable,
    ReadableOf,
    Within,
    WithinAsIs,
    Foreign,
    ForeignWithin,
    ForeignReset,
    Unblock,
}

fn dressing() -> impl Strategy<Value = Dressing> {
    prop_oneof![
        Just(Dressing::Question),
        Just(Dressing::UnwrapOr),
        Just(Dressing::MapErr),
        Just(Dressing::Parentheses),
        Just(Dressing::ThroughTrait),
        Just(Dressing::ReadExact),
        Just(Dressing::Sleep),
        Just(Dressing::Recv),
        Just(Dressing::Cast),
        Just(Dressing::AsIs),
        Just(Dressing::Readable),
        Just(Dressing::ReadableOf),
        Just(Dressing::Within),
        Just(Dressing::WithinAsIs),
        Just(Dressing::Foreign),
        Just(Dressing::ForeignWithin),
        Just(Dressing::ForeignReset),
        Just(Dressing::Unblock),
    ]
}

/// A function's body.
pub fn block() -> impl Strategy<Value = Block> {
    let leaf = prop_oneof![
        3 => (0_u32..100).prop_map(Statement::Plain),
        4 => dressing().prop_map(Statement::Let),
        2 => dressing().prop_map(Statement::Expression),
        2 => (0_u32..100).prop_map(Statement::Operand),
        1 => (0_u32..100).prop_map(Statement::NestedOperand),
        1 => (0_u32..3).prop_map(Statement::Tails),
        1 => (0_u32..100).prop_map(Statement::Unstoppable),
        2 => (0_usize..3, any::<bool>()).prop_map(|(out, again)| Statement::Leave { out, again }),
        1 => (0_u32..100).prop_map(Statement::Return),
    ];
    let statement = leaf.prop_recursive(4, 40, 5, |inner| {
        let body = || prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            (body(), body()).prop_map(|(yes, no)| Statement::If(yes, no)),
            (body(), body()).prop_map(|(one, other)| Statement::Match(one, other)),
            body().prop_map(Statement::While),
            body().prop_map(Statement::WhileLet),
            body().prop_map(Statement::ForMarked),
            (1_u32..4, body()).prop_map(|(times, body)| Statement::For(times, body)),
            (1_u32..4, body()).prop_map(|(times, body)| Statement::Checkpoint(times, body)),
            body().prop_map(Statement::Loop),
            (body(), 0_u32..100).prop_map(|(body, value)| Statement::ValueLoop(body, value)),
            body().prop_map(Statement::Closure),
        ]
    });
    prop::collection::vec(statement, 1..8)
}
