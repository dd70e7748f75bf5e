use stopruntime::stoppable;

#[stoppable(crate)]
fn work() {
    #[blocking]
    std::thread::park();
}

fn main() {}
