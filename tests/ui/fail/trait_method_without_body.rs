use stopruntime::stoppable;

trait Work {
    #[stoppable]
    fn work(&self);
}

fn main() {}
