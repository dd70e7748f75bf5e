//! `io::copy` between the ends that can be stopped.
#![deny(warnings)]

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::{ChildStdin, ChildStdout};
use stopruntime::{Stoppable, stoppable};

#[stoppable]
fn all(
    mut stream: TcpStream,
    mut file: File,
    mut output: ChildStdout,
    mut input: ChildStdin,
) -> io::Result<u64> {
    let mut copy = Vec::new();
    loop {
        #[blocking]
        let length = io::copy(&mut stream, &mut file)?;
        #[blocking]
        std::io::copy(&mut file, &mut stream)?;
        #[blocking]
        io::copy(&mut output, &mut copy)?;
        #[blocking]
        io::copy(&mut io::stdin().lock(), &mut input)?;
        #[blocking]
        io::copy(&mut io::stdin(), &mut io::sink())?;
        let mut reader = &stream;
        #[blocking]
        io::copy(&mut reader, &mut &stream)?;
        #[blocking]
        io::copy(&mut BufReader::new(&stream).take(length), &mut *&mut input)?;
        let mut to = BufWriter::new(Stoppable::new(&stream));
        #[blocking]
        io::copy(&mut Stoppable::new(&file), &mut to)?;
        to.flush()?;
        let mut to: Box<dyn stopruntime::ext::WriteOrStop> = Box::new(Vec::new());
        #[blocking]
        io::copy(&mut copy.as_slice(), &mut to)?;
    }
    Ok(0)
}

fn main() {
    let _ = all;
}
