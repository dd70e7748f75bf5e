use std::io::Write;
use std::net::TcpStream;
use stopruntime::stoppable;

#[stoppable]
fn by_method(mut stream: TcpStream) -> std::io::Result<()> {
    #[blocking]
    stream.write_fmt(format_args!("started"))?;
    Ok(())
}

#[stoppable]
fn by_macro(mut stream: TcpStream) -> std::io::Result<()> {
    #[blocking]
    writeln!(stream, "started")?;
    Ok(())
}

#[stoppable]
fn by_statement(mut stream: TcpStream) {
    #[blocking]
    write!(stream, "started");
}

fn main() {}
