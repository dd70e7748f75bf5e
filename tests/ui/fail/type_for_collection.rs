use stopruntime::stoppable;

#[stoppable]
fn work(list: Vec<u8>) {
    #[blocking]
    for byte in list.iter() {
        println!("{byte}");
    }
}

fn main() {}
