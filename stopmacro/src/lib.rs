//! The attribute of `stopruntime`, which re-exports it: name that crate, not this one.
//!
//! The stages: `args` and `parse` read, `plan` decides and refuses, `expand`
//! writes. If anything was refused, `fallback` leaves the function without its
//! marks beside the errors. All of them ask `calls`, which knows the `table`.

#![forbid(unsafe_code)]

mod args;
mod calls;
mod diag;
mod expand;
mod fallback;
mod marks;
mod node;
mod parse;
mod plan;
mod table;

use proc_macro::TokenStream;

use crate::diag::Diag;

/// Makes a function end its blocking calls, and itself, when its thread is
/// requested to stop.
///
/// When a stop is requested, a marked call does not begin, or ends without effect
/// if it was waiting, and control leaves the **outermost loop** around it as
/// `break` would: what follows the loop is the clean-up. A loop that holds a
/// marked call also has a checkpoint at the top of each iteration;
/// `#[checkpoint]` gives one to any other loop. A marked call that is in no loop,
/// or in a loop whose value is used, leaves the function (or the closure it
/// stands in) instead: `()` returns, `Option` is `None`,
/// `Result<_, E: From<Stopped>>` is `Err`; for any other type
/// `#[stoppable(or = EXPR)]` says what to return.
///
/// A mark takes hold or does not compile: a call without a stop-checked variant
/// ([which have one](#blocking)) needs a word that says how it stops.
///
/// ```
/// use std::fs::File;
/// use std::io::{self, Write};
/// use std::net::UdpSocket;
/// use stopruntime::stoppable;
///
/// #[stoppable]
/// fn collect(socket: &UdpSocket, mut log: File) -> io::Result<u64> {
///     let mut buffer = [0; 2048];
///     let mut lines = 0;
///     loop {
///         #[blocking]
///         let (length, _sender) = socket.recv_from(&mut buffer)?;
///         log.write_all(&buffer[..length])?;
///         lines += 1;
///     }
///     log.sync_all()?; // reached when the thread is stopped
///     Ok(lines)
/// }
/// ```
///
/// Without the attribute and the marks it is plain Rust again.
///
/// # `#[blocking]`
///
/// Above a statement: the one blocking call in it is stop-checked. `?`,
/// `.unwrap()`, `.map_err(…)`, casts, operators, references and `unsafe {}`
/// around the call are seen through, and so are `match`, `if`, `while`, `let … else`,
/// `return` and assignments with the call in their head. If it is not clear which call is
/// meant, that is an error that names the candidates.
///
/// ```
/// use std::io::{self, Read};
/// use std::net::TcpStream;
/// use std::thread;
/// use std::time::Duration;
/// use stopruntime::stoppable;
///
/// #[stoppable]
/// fn greet(stream: &mut TcpStream) -> io::Result<()> {
///     let mut name = [0; 8];
///     #[blocking]
///     stream.read_exact(&mut name)?;
///     #[blocking]
///     thread::sleep(Duration::from_millis(1));
///     Ok(())
/// }
/// ```
///
/// Above a `for` loop over a blocking iterator, each `next` is stop-checked:
///
/// ```
/// use std::io;
/// use std::net::TcpListener;
/// use stopruntime::stoppable;
///
/// #[stoppable]
/// fn serve(listener: &TcpListener) -> io::Result<()> {
///     #[blocking]
///     for stream in listener.incoming() {
///         drop(stream?);
///     }
///     Ok(())
/// }
/// ```
///
/// The arguments are evaluated before the call is tested for a stop, and what they
/// did stays done: a message that was taken off a queue for a `send` that is then stopped
/// is gone. Look at it first, and remove it after the `send`.
///
/// A call that has no stop-checked variant needs one of these words; without one the
/// mark is an error.
///
/// * `#[blocking(as_is)]`: the call stops by itself, and its error carries the stop:
///   a function that is `#[stoppable]` itself, or a reader over a `Stoppable<S>`.
///   Control leaves here too. The same word is for a method of your own whose name is
///   in the table.
/// * `#[blocking(readable)]`, `#[blocking(writable)]`: wait, stop-checked, until
///   the receiver (any `AsFd`, or `AsRawFd`) is ready, then call it unchanged. The call itself is
///   made as a foreign one: if another thread or process takes what was there, such as a
///   connection of a listener that several threads share, a stop ends its wait as it ends
///   a mark with `foreign`.
///   A `BufReader` over such a receiver that holds something is ready. What other types
///   have read ahead into a buffer of their own does not count: the wait goes on until the
///   descriptor has more.
/// * `#[blocking(readable = EXPR)]`, `#[blocking(writable = EXPR)]`: the same where
///   the descriptor is something else.
/// * `#[blocking(foreign)]`: any call of any crate. If a stop is requested while it runs, its
///   system calls that would wait fail, and its own error handling brings the thread back
///   (`stopruntime::foreign`); control leaves if it returned an error, `None` or `()`, and
///   the next mark sees the stop if it returned a value. What its operands call is in the
///   region too. Drop what was used in a call that was stopped.
/// * `#[blocking(foreign_reset)]`: the same (`stopruntime::foreign_reset`), where a library
///   would keep a connection whose call was stopped: its sockets say that they were reset.
/// * `#[blocking(unblock = EXPR)]`: a call with a way of its own to be ended. If a stop is
///   requested while it runs, another thread evaluates EXPR (`handle.close()`,
///   `interrupter.interrupt()`), whose value is dropped. EXPR shares what it names with the
///   call; it may run before the call has begun or after it has ended, and so has to end
///   later calls too. The call returns `()`, an `Option` or a `Result`.
/// * `#[blocking(within = EXPR)]`: the call may take so long, a `Duration`; then its result
///   is an error of the kind `TimedOut`. With another word too.
/// * `#[blocking(break)]`, `#[blocking(return)]`: what a stop leaves, see below; with
///   another word too, `#[blocking(as_is, return)]`.
///
/// The attribute knows the calls that `stopruntime` has variants of, by name and number
/// of arguments: std's as methods (`stream.read(…)`) and as functions
/// (`TcpStream::connect(…)`, `Read::read(…)`, `thread::sleep(…)`), which are the traits of
/// `stopruntime::ext` and the methods of `stopruntime::sync` that end in `_or_stop`; and
/// libc's by their paths (`libc::read(…)`), which are in the table of `stopruntime::sys`.
///
/// | calls of | names |
/// |---|---|
/// | sockets | `accept` `connect` `connect_timeout` `recv` `recv_from` `peek` `peek_from` `send` `send_to` `incoming` |
/// | readers | `read` `read_vectored` `read_exact` `read_to_end` `read_to_string` `fill_buf` `read_line` `read_until` `skip_until` `lines` `split` `bytes` |
/// | writers | `write` `write_vectored` `write_all` `flush` |
/// | files | `open` `create` `create_new` `sync_all` `sync_data` `lock` `lock_shared` |
/// | children and threads | `wait` `wait_with_output` `output` `status` `join` `join_timeout` |
/// | functions | `io::copy` `thread::park` `thread::park_timeout` `thread::sleep` `thread::sleep_until` |
/// | channels | `recv` `recv_timeout` `recv_deadline` `send` `send_timeout` `send_deadline` `iter` |
/// | locks and the like | `lock` `read` `write` `wait` `wait_while` `wait_timeout` `wait_timeout_while` `wait_force` `acquire` `acquire_many` `acquire_timeout` `call_once` `call_once_force` `try_call_once` `get_or_init` `get_or_try_init` `set` |
/// | rings | `submit_and_wait` `submit_with_args` |
///
/// The receiver may stand behind references and std's pointers and guards. A type
/// of your own that derefs to one of these may have the method itself, and so its
/// mark has to say what is meant: `#[blocking(as_is)]`, `#[blocking(readable)]`, or
/// `(*wrapper).read(…)` for what stands behind it.
///
/// # `blocking!(…)`
///
/// The same for one call inside an expression; the words stand before the call,
/// `blocking!(as_is, read_frame(&mut stream))`.
///
/// ```
/// use std::io::{self, Read};
/// use std::net::TcpStream;
/// use stopruntime::stoppable;
///
/// #[stoppable(return)]
/// fn count(stream: &mut TcpStream) -> io::Result<usize> {
///     let mut buffer = [0; 512];
///     let mut total = 0;
///     while let n @ 1.. = blocking!(stream.read(&mut buffer))? {
///         total += n;
///     }
///     Ok(total)
/// }
/// ```
///
/// A mark inside the arguments of another macro (`println!("{}", blocking!(f()))`)
/// cannot be seen and is an error: bind the result with `let` first.
///
/// # `break` and `return`
///
/// What follows a loop that only a stop can end (`loop` without a `break` of its own, `while
/// true`, `for … in listener.incoming()`) is the clean-up. A `return` in the loop changes
/// nothing in that. A `loop` at the end of a function, as its value, is left by a stop with
/// the function. A loop that can also end
/// by itself leaves in doubt what a stop means in a function that returns a value: half
/// of a job would look like the whole. There the mark has to say it.
///
/// * `#[blocking(break)]`: a stop leaves the loop, and what follows it runs.
/// * `#[blocking(return)]`: a stop leaves the function, with an error if it returns a
///   `Result`.
///
/// One answer holds for the outermost loop and all marks in it, and
/// `#[stoppable(break)]` or `#[stoppable(return)]` for all loops of the function.
/// `#[checkpoint]` takes the same two words. Functions that return `()` are not asked:
/// there a stop leaves the loop.
///
/// # `#[checkpoint]`
///
/// Above a loop that blocks nowhere: at the top of each iteration control leaves, as by a
/// marked call in it, the outermost loop around it. Loops with neither mark run to their
/// end, which is
/// what clean-up loops want.
///
/// # `#[unstoppable]`
///
/// Above a block or a loop: requests are held until it ends, also for the
/// functions called in it. A mark inside is an error.
///
/// ```
/// use std::fs::File;
/// use std::io::{self, Write};
/// use std::net::UdpSocket;
/// use stopruntime::stoppable;
///
/// #[stoppable]
/// fn relay(from: &UdpSocket, to: &mut File) -> io::Result<()> {
///     let mut buffer = [0; 512];
///     loop {
///         #[blocking]
///         let length = from.recv(&mut buffer)?;
///         #[unstoppable]
///         {
///             to.write_all(&length.to_be_bytes())?;
///             to.write_all(&buffer[..length])?;
///         }
///     }
///     to.sync_all()
/// }
/// ```
///
/// # Closures and nested functions
///
/// Marks in a closure work; a stop in the closure leaves a loop in it, or the
/// closure, and no loop outside it. `or = EXPR` applies to the function alone. A nested `fn` needs a `#[stoppable]` of its own.
///
/// A closure that ends in a `loop` and has no return type, no `?` and no `return VALUE`
/// returns `()` once it is stopped.
///
/// # Arguments
///
/// * `or = EXPR`: what the function returns where a stop leaves it.
/// * `break`, `return`: what a stop leaves where a loop can end by itself.
/// * `strict`: a call that the table knows to block, and that is neither marked
///   nor under `#[unstoppable]`, is an error. A lock, which is held for moments as a rule
///   (`lock`, `get_or_init`), and what waits for some files only (`open`, `sync_all`) may
///   stay unmarked.
/// * `crate = PATH`: where `stopruntime` is found if it has another name here, or
///   another crate re-exports it.
///
/// ```
/// use std::io::Read;
/// use std::net::TcpStream;
/// use stopruntime::stoppable;
///
/// #[stoppable(or = 0, strict)]
/// fn first(stream: &mut TcpStream) -> usize {
///     let mut buffer = [0; 512];
///     blocking!(stream.read(&mut buffer)).unwrap_or(0)
/// }
/// ```
#[doc(alias = "blocking")]
#[doc(alias = "checkpoint")]
#[doc(alias = "unstoppable")]
#[doc(alias = "interrupt")]
#[doc(alias = "cancel")]
#[proc_macro_attribute]
pub fn stoppable(arguments: TokenStream, item: TokenStream) -> TokenStream {
    rewrite(arguments.into(), item.into()).into()
}

fn rewrite(
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    rewrite_by(parse::parse, arguments, item)
}

fn rewrite_by(
    parse: parse::Parse,
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let mut diag = Diag::default();
    let args = args::parse(arguments, &mut diag);
    let plan = parse(args, item.clone(), &mut diag).map(|input| plan::plan(input, &mut diag));
    match plan {
        Some(plan) if diag.is_clean() => expand::expand(plan),
        _ => {
            let mut output = fallback::strip(item);
            output.extend(diag.into_tokens());
            output
        }
    }
}

#[cfg(test)]
mod tests;
