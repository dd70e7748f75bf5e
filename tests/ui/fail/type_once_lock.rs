//! std's cell waits for another thread's initialiser where no request reaches it.

use std::sync::OnceLock;

static LIMIT: OnceLock<u64> = OnceLock::new();

#[stopruntime::stoppable]
fn limit() -> Option<u64> {
    #[blocking]
    let limit = LIMIT.get_or_init(|| 3);
    Some(*limit)
}

fn main() {}
