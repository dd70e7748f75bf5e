use stopruntime::stoppable;

struct Failed;

fn answer() -> Result<u32, Failed> {
    Err(Failed)
}

#[stoppable]
fn work() {
    #[blocking(as_is)]
    let answer = answer().unwrap_or(0);
    println!("{answer}");
}

fn main() {}
