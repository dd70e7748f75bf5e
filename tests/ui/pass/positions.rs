//! Every place a mark may stand.
#![deny(warnings)]
#![forbid(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]
#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use stopruntime::stoppable;

struct Counter {
    total: usize,
    list: Vec<usize>,
}

#[stoppable(break)]
fn statements(stream: &mut UnixStream, counter: &mut Counter) -> io::Result<usize> {
    let mut buffer = [0; 4];
    #[blocking]
    let plain = stream.read(&mut buffer)?;
    #[blocking]
    let typed: usize = stream.read(&mut buffer)?;
    #[blocking]
    let Ok(or_else) = stream.read(&mut buffer) else {
        return Ok(plain + typed);
    };
    #[blocking]
    stream.write_all(&buffer)?;
    #[blocking]
    let _ = stream.flush();
    let late;
    #[blocking]
    late = stream.read(&mut buffer)?;
    #[blocking]
    counter.total += stream.read(&mut buffer)?;
    #[blocking]
    counter.list[0] = stream.read(&mut buffer)? + late + or_else;
    #[blocking]
    match stream.read(&mut buffer) {
        Ok(0) => return Ok(0),
        Ok(length) if length > 3 => counter.list.push(length),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    #[blocking]
    if stream.read(&mut buffer)? == 4 {
        counter.total += 1;
    } else {
        counter.total += 2;
    }
    #[blocking]
    if let Ok(length) = stream.read(&mut buffer) {
        counter.total += length;
    }
    #[blocking]
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        counter.total += length;
    }
    #[blocking]
    while stream.read(&mut buffer)? > 0 {}
    #[blocking]
    return Ok(stream.read(&mut buffer)?);
}

#[stoppable(break)]
fn expressions(stream: &mut UnixStream, list: &mut Vec<usize>) -> io::Result<usize> {
    let mut buffer = [0; 4];
    let sum = blocking!(stream.read(&mut buffer))? + blocking!(stream.read(&mut buffer))?;
    list.push(blocking!(stream.read(&mut buffer))?);
    let array = [blocking!(stream.read(&mut buffer))?, 1];
    let tuple = (blocking!(stream.read(&mut buffer)?), array[0]);
    let nested = if blocking!(stream.read(&mut buffer)).is_ok() && sum > 0 {
        match blocking!(stream.read(&mut buffer)) {
            Ok(length) if length == tuple.0 => blocking!(stream.read(&mut buffer))?,
            _ => 0,
        }
    } else {
        list[blocking!(stream.read(&mut buffer))?]
    };
    if let Ok(length) = blocking!(stream.read(&mut buffer))
        && length > 3
    {
        list.push(length);
    }
    while list.len() < 10 && blocking!(stream.read(&mut buffer))? > 0 {
        list.push(0);
    }
    blocking!(stream.write_all(&buffer))?;
    let _ = blocking!(stream.flush());
    let text = format!("{nested}");
    drop(text);
    loop {
        list.push(1);
        if list.len() > 20 {
            break blocking!(stream.read(&mut buffer));
        }
    }
}

#[stoppable]
fn tail(stream: &mut UnixStream) -> io::Result<usize> {
    #[blocking]
    stream.read(&mut [0])
}

#[stoppable]
fn tail_parentheses(stream: &mut UnixStream) -> io::Result<usize> {
    blocking!(stream.read(&mut [0]))
}

fn main() {
    let _ = (statements, expressions, tail, tail_parentheses);
}
