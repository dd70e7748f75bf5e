//! As the cell.

use std::sync::Once;

static START: Once = Once::new();

#[stopruntime::stoppable]
fn start() {
    #[blocking]
    START.call_once(|| println!("started"));
}

fn main() {}
