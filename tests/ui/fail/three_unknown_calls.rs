use stopruntime::stoppable;

struct Session;

impl Session {
    fn stream(&self) -> &Self {
        self
    }
    fn frame(&self) -> &Self {
        self
    }
    fn next(&self) -> Option<u8> {
        None
    }
}

#[stoppable]
fn work(session: &Session) -> Option<u8> {
    #[blocking]
    session.stream().frame().next()
}

fn main() {}
