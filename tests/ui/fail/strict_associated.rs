use stopruntime::stoppable;
use std::io;
use std::net::TcpStream;

#[stoppable(strict)]
fn work(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    #[blocking]
    std::thread::sleep(std::time::Duration::ZERO);
    Ok(stream)
}

fn main() {}
