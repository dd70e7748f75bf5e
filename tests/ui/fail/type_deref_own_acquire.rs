//! Nor one of the types of `sync`.

use std::ops::Deref;
use std::sync::Arc;

use stopruntime::stoppable;
use stopruntime::sync::{Semaphore, SemaphoreGuard};

struct Counted(Semaphore);

impl Deref for Counted {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        &self.0
    }
}

impl Counted {
    fn acquire(&self) -> SemaphoreGuard<'_> {
        self.0.acquire()
    }
}

#[stoppable]
fn work(places: &Arc<Counted>) {
    #[blocking]
    drop(places.acquire());
}

fn main() {}
