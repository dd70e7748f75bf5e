use stopruntime::stoppable;

#[stoppable]
pub struct Work;

fn main() {}
