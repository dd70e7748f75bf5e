use stopruntime::stoppable;

#[stoppable]
fn work(value: Vec<u8>) {
    #[blocking]
    drop(value);
}

fn main() {}
