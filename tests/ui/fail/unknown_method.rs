use stopruntime::stoppable;

struct Bus;

impl Bus {
    fn next_frame(&self) -> Option<u8> {
        None
    }
}

#[stoppable]
fn work(bus: &Bus) -> Option<u8> {
    Some(blocking!(bus.next_frame())? + 1)
}

fn main() {}
