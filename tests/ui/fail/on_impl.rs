use stopruntime::stoppable;

struct Work;

#[stoppable]
impl Work {
    fn work(&self) {}
}

fn main() {}
