//! The shape of a block or a loop under `#[unstoppable]`.

use syn::spanned::Spanned as _;
use syn::{Block, Expr, Stmt, parse_quote_spanned};

use super::exit::{Exits, at};

/// ```text
/// Input:  { BODY }                      LOOP
/// Output: { let _shield = shield(); BODY }   { let _shield = shield(); LOOP }
/// ```
pub(crate) fn shielded(exits: &Exits, expr: Expr) -> Expr {
    let span = at(expr.span());
    let ours = exits.ours(span);
    let guard: Stmt = parse_quote_spanned! {span=>
        let _shield = #ours::shield();
    };
    let insert = |block: &mut Block| block.stmts.insert(0, guard.clone());
    match expr {
        Expr::Block(mut block) => {
            insert(&mut block.block);
            Expr::Block(block)
        }
        Expr::Unsafe(mut block) => {
            insert(&mut block.block);
            Expr::Unsafe(block)
        }
        other => {
            let mut block: syn::ExprBlock = parse_quote_spanned!(span=> {});
            block.block.stmts = vec![guard, Stmt::Expr(other, None)];
            Expr::Block(block)
        }
    }
}
