use stopruntime::stoppable;

fn answer() -> u32 {
    42
}

#[stoppable]
fn work() {
    #[blocking]
    let answer = answer();
    println!("{answer}");
}

fn main() {}
