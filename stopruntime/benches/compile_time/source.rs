//! What the crates contain that are built.

use std::fmt::Write as _;

pub(crate) const WITHOUT_MACROS: &str = "
use std::{io, net::UdpSocket};
use stopruntime::ext::RecvOrStop;

pub fn collect(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 2048];
    while let Ok(received) = socket.recv_or_stop(&mut buffer) {
        bytes += received?;
    }
    Ok(bytes)
}
";

pub(crate) const WITH_MACROS: &str = "
use std::{io, net::UdpSocket};
use stopruntime::stoppable;

#[stoppable]
pub fn collect(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 2048];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        bytes += length;
    }
    Ok(bytes)
}
";

pub(crate) const TRACING: &str = "
pub fn collect(bytes: usize) {
    tracing::info!(bytes, \"collected\");
}
";

pub(crate) const TRACING_ATTRIBUTES: &str = "
#[tracing::instrument]
pub fn collect(bytes: usize) {
    tracing::info!(bytes, \"collected\");
}
";

const LINES: usize = 2_000;

/// A function of about as many lines, in blocks of ten; with so many of its reads marked,
/// or without the attribute.
pub(crate) fn long(marks: Option<usize>) -> String {
    let mut text = String::from("use std::io::{self, Read};\nuse std::net::TcpStream;\n\n");
    if marks.is_some() {
        text.push_str("#[stopruntime::stoppable]\n");
    }
    text.push_str(
        "pub fn long(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {\n",
    );
    text.push_str("let mut total = 0_usize;\n");
    let blocks = LINES / 10;
    for block in 0..blocks {
        // Spread evenly.
        let marked =
            marks.is_some_and(|marks| block * marks / blocks != (block + 1) * marks / blocks);
        let mark = if marked { "#[blocking]" } else { "" };
        let _ = write!(
            text,
            "for round in 0..{block} {{
                {mark}
                let length = stream.read(&mut buffer[round..])?;
                if length == {block} {{
                    total = total.wrapping_add(length * 3);
                }} else {{
                    let part = buffer.iter().take(length).map(|byte| usize::from(*byte));
                    total ^= part.sum::<usize>();
                }}
            }}\n"
        );
    }
    text.push_str("Ok(total)\n}\n");
    text
}
