use stopruntime::stoppable;

struct Port;

impl Port {
    fn recv(&self, _: &mut [u8]) -> std::io::Result<usize> {
        Ok(0)
    }
}

#[stoppable]
fn work(port: &Port) {
    #[blocking]
    port.recv(&mut [0]).unwrap();
}

fn main() {}
