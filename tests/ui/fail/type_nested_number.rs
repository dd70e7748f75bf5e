use stopruntime::stoppable;

fn answer() -> u32 {
    42
}

#[stoppable]
fn work() {
    #[blocking(as_is)]
    let answer = answer();
    println!("{answer}");
}

fn main() {}
