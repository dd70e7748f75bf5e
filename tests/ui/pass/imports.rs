//! What is imported for a marked call alone is not unused.
#![deny(warnings)]
#![forbid(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]

mod reading {
    use std::io::{Read, Result};
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) -> Result<usize> {
        blocking!(stream.read(&mut [0]))
    }
}

mod writing {
    use std::io::prelude::*;
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) {
        #[blocking]
        stream.write_all(b"x").unwrap();
    }
}

mod lines {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: UnixStream) {
        #[blocking]
        for line in BufReader::new(stream).lines() {
            drop(line);
        }
    }
}

mod both {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) {
        #[blocking]
        stream.read(&mut [0]).unwrap();
        #[blocking]
        stream.write(&[0]).unwrap();
    }
}

mod without {
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) {
        #[blocking]
        std::io::Read::read(stream, &mut [0]).unwrap();
    }
}

mod module {
    use std::io;
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) {
        #[blocking]
        io::Write::flush(stream).unwrap();
    }
}

mod sleeping {
    use std::thread;
    use std::time::Duration;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work() {
        #[blocking]
        thread::sleep(Duration::ZERO);
    }
}

mod sleeping_bare {
    use std::thread::sleep;
    use std::time::Duration;
    use stopruntime::stoppable;

    #[stoppable(or = 3)]
    pub fn work() -> u8 {
        loop {
            #[blocking]
            sleep(Duration::ZERO);
        }
    }
}

mod connecting {
    use std::net::{SocketAddr, TcpStream};
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(address: SocketAddr) -> Option<()> {
        #[blocking]
        TcpStream::connect(address).ok()?;
        Some(())
    }
}

mod in_a_function {
    use std::os::unix::net::UnixStream;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut UnixStream) {
        use std::io::Read;
        #[blocking]
        stream.read(&mut [0]).unwrap();
    }
}

fn main() {
    let _ = (reading::work, writing::work, lines::work, both::work, without::work);
    let _ = (module::work, sleeping::work, sleeping_bare::work, connecting::work);
    let _ = in_a_function::work;
}
