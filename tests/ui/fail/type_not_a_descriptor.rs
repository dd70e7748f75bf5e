use stopruntime::stoppable;

struct Port;

impl Port {
    fn event(&self) {}
}

#[stoppable]
fn work(port: &Port) {
    #[blocking(readable)]
    port.event();
}

fn main() {}
