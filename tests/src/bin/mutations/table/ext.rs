//! std's calls: what a signal of somebody else does to them, and what a stopped
//! one leaves.

use super::{ALL, RSEQ, Row, WINDOWS, row};

const SOCKET: &str = "ext/syscall/socket.rs";
const TIME: &str = "ext/syscall/time.rs";
const CHILD: &str = "ext/syscall/process.rs";
const READ: &str = "ext/io/read.rs";
const WRITE: &str = "ext/io/write.rs";
const BUFREAD: &str = "ext/io/bufread.rs";
const PROCESS: &str = "ext/process/child.rs";
const BUFFERED: &str = "ext/io/buffered.rs";
const STOPPABLE: &str = "ext/io/stoppable.rs";

pub(crate) fn rows() -> Vec<Row> {
    [interrupted(), left(), looked_at_first(), of_another_thread(), as_std_has_it()]
        .into_iter()
        .flatten()
        .collect()
}

fn interrupted() -> Vec<Row> {
    const GOES_ON: &str = "waits::interrupted::readers_go_on";
    vec![
        row("`accept` goes on after a signal", "the loop")
            .edit(SOCKET, "let raw = unsafe { call(libc::SYS_accept4, args) };\n        if raw.is_interrupted() {", "let raw = unsafe { call(libc::SYS_accept4, args) };\n        if raw.is_interrupted() && false {")
            .caught_by("waits::interrupted::who_waits_for_a_peer_goes_on", WINDOWS),
        row("an interrupted `connect` is waited for", "it fails")
            .edit(SOCKET, "if raw.is_interrupted() && address.family()", "if raw.is_interrupted() && false && address.family()")
            .caught_by("waits::interrupted::who_waits_for_a_peer_goes_on", WINDOWS),
        row("an interrupted wait for readiness is none", "it is taken for ready")
            .edit("ext/syscall/ready.rs", "let ready = raw > 0;", "let ready = raw != 0;")
            .caught_by("waits::deadlines::signals_without_restart_move_none", WINDOWS),
        row("a sleep goes on after a signal", "the loop")
            .edit(TIME, "while raw.is_interrupted() {", "while raw.is_interrupted() && false {")
            .caught_by("waits::deadlines::signals_without_restart_move_none", WINDOWS),
        row("to the same deadline", "for all of its time again")
            .edit(TIME, "let args = [clock, libc::TIMER_ABSTIME as usize, &raw const time as usize, 0];", "let args = [clock, 0, &raw const time as usize, 0];")
            .edit("ext/thread.rs", "syscall::sleep_until(ppoll::now(libc::CLOCK_MONOTONIC).saturating_add(duration))", "let _ = ppoll::now as fn(_) -> _;\n    syscall::sleep_until(duration)")
            .caught_by("waits::deadlines::signals_without_restart_move_none", ALL),
        row("the wait for a child goes on after a signal", "the loop")
            .edit(CHILD, "let raw = unsafe { call(libc::SYS_waitid, args) };\n        if !raw.is_interrupted() {", "let raw = unsafe { call(libc::SYS_waitid, args) };\n        if !raw.is_interrupted() || true {")
            .caught_by("waits::interrupted::who_waits_for_a_child_goes_on", WINDOWS),
        row("`read_exact` goes on after a signal", "it fails")
            .edit(READ, "Err(error) if error.kind() == ErrorKind::Interrupted => {}", "Err(error) if error.kind() == ErrorKind::Interrupted && false => {}")
            .caught_by(GOES_ON, WINDOWS),
        row("`read_to_end` goes on after a signal", "it fails")
            .edit(READ, "Err(error) if error.kind() != ErrorKind::Interrupted => return", "Err(error) if error.kind() != ErrorKind::Interrupted || true => return")
            .caught_by(GOES_ON, WINDOWS),
        row("`write_all` goes on after a signal", "it fails")
            .edit(WRITE, "Err(error) if error.kind() == ErrorKind::Interrupted => {}", "Err(error) if error.kind() == ErrorKind::Interrupted && false => {}")
            .caught_by("waits::interrupted::a_writer_goes_on", WINDOWS),
        row("`bytes` goes on after a signal", "it fails")
            .edit(BUFREAD, "Err(error) if error.kind() == ErrorKind::Interrupted => continue,\n                Err(error) => Some(Err(error)),", "Err(error) if error.kind() == ErrorKind::Interrupted && false => continue,\n                Err(error) => Some(Err(error)),")
            .caught_by(GOES_ON, WINDOWS),
    ]
}

fn left() -> Vec<Row> {
    vec![
        row("a stopped wait leaves the child to be reaped", "`WNOWAIT`")
            .edit(CHILD, "let options = (libc::WEXITED | libc::WNOWAIT) as usize;", "let options = libc::WEXITED as usize;")
            .caught_by("waits::interrupted::who_waits_for_a_child_goes_on", ALL),
        row("a wait for a buffered socket's data takes none", "`MSG_PEEK`")
            .edit(SOCKET, "recv(descriptor, &mut [0], libc::MSG_PEEK)", "recv(descriptor, &mut [0], 0)")
            .caught_by("ext::std_semantics::after_its_time_out_a_buffered_socket_still_reads", ALL)
            .core(),
        row("a stopped `connect` closes its socket", "it stays open")
            .edit(
                "ext/net/connect.rs",
                "Ok(syscall::connect(socket.as_raw_fd(), address)?.map(|()| socket))",
                "let socket = core::mem::ManuallyDrop::new(socket);
    Ok(syscall::connect(socket.as_raw_fd(), address)?.map(|()| core::mem::ManuallyDrop::into_inner(socket)))",
            )
            .caught_by_case("TcpStream::connect", RSEQ),
        row("`read_exact` says how far it came", "it says 0")
            .edit(READ, "self.read_or_stop(left).map_err(|_| Stopped::after(done))?", "self.read_or_stop(left).map_err(|_| Stopped::after(done * 0))?")
            .caught_by_case("read_exact", RSEQ),
        row("`read_to_end` says how far it came", "it says 0")
            .edit(READ, "outcome.map_err(|_| Stopped::after(length - start))?", "outcome?")
            .caught_by_case("read_to_end", RSEQ),
        row("`read_until` says how far it came", "it says 0")
            .edit(BUFREAD, "self.fill_buf_or_stop().map_err(|_| Stopped::after(done))?", "self.fill_buf_or_stop()?")
            .caught_by_case("read_until", RSEQ),
        row("`write_all` says how far it came", "it says 0")
            .edit(WRITE, "writer.write_or_stop(left).map_err(|_| Stopped::after(done))?", "writer.write_or_stop(left).map_err(|_| Stopped::after(done * 0))?")
            .caught_by_case("write_all", RSEQ),
        row("a stop inside of a buffered reader is a stop", "it is an error")
            .edit(READ, "Some(stopped) if scope::must_stop() => Err(stopped),", "Some(stopped) if scope::must_stop() && false => Err(stopped),")
            .caught_by("ext::std_semantics::a_stop_inside_of_a_buffered_reader_is_a_stop", RSEQ),
    ]
}

fn looked_at_first() -> Vec<Row> {
    vec![
        row("a `BufReader` fills its buffer only when it would not wait", "it fills it")
            .edit(BUFREAD, "let mut filled = self.get_ref().ready_or_stop()?;", "let mut filled = Ok::<(), io::Error>(());")
            .caught_by_case("fill_buf", RSEQ),
        row("a request that came before is seen where nothing would wait: `join`", "the look")
            .edit(
                "thread/handle.rs",
                "// Also where the thread has ended already, and nothing would wait.\n    scope::check()?;",
                "",
            )
            .caught_by("ext::std_semantics::a_request_before_is_seen_where_nothing_would_wait", ALL),
        row("a child that has been waited for is not waited for again", "the look")
            .edit(PROCESS, "Ok(Some(status)) => return Ok(Ok(status)),", "Ok(Some(_)) => {}")
            .caught_by("ext::std_semantics::a_child_that_has_been_waited_for_is_still_told", ALL),
        row("the wait for a child closes its input", "it stays open")
            .edit(PROCESS, "drop(self.stdin.take());", "")
            .caught_by("ext::std_semantics::the_wait_for_a_child_closes_its_input", ALL),
    ]
}

fn of_another_thread() -> Vec<Row> {
    const ORDINARY: &str = "macro_behaviour::nested::another_threads_stop_is_an_ordinary_error";
    vec![
        row("another thread's stop in a result is an ordinary error", "it is taken for one's own")
            .edit("expansion/carries.rs", "scope::must_stop().then_some(stopped)", "Some(stopped)")
            .caught_by(ORDINARY, ALL),
        row("the source of an `io::Error`'s own source is the stop", "it has none")
            .edit("scope/stopped.rs", "Some(&self.0)", "None")
            .caught_by("macro_behaviour::errors::a_stop_is_found_in_what_can_be_walked", ALL),
        row("and so it is for a `BufReader`", "it is taken for one's own")
            .edit(READ, "Some(stopped) if scope::must_stop() =>", "Some(stopped) =>")
            .caught_by(ORDINARY, ALL),
    ]
}

fn as_std_has_it() -> Vec<Row> {
    const LAST: &str = "ext::buffers::written::the_first_write_after_a_request_does_not_wait";
    const ONCE: &str = "let again = core::mem::replace(&mut self.has_written_last, true);";
    vec![
        row("a read past a buffer over what seeks makes it forget", "it goes round the buffer")
            .edit(
                BUFREAD,
                "round && !reader.get_ref().seeks()",
                "round && (true || reader.get_ref().seeks())",
            )
            .caught_by("ext::buffers::read::a_read_past_a_buffer_makes_it_forget", RSEQ),
        row("a stopped buffer keeps what it holds", "it is dropped")
            .edit(
                BUFFERED,
                "let left = self.buffer.get(self.written..).unwrap_or_default();",
                "let left: &[u8] = &[];",
            )
            .caught_by("ext::buffers::written::a_stopped_buffer_keeps_what_it_holds", ALL)
            .core(),
        row("a panic under a buffer is not written again", "it is")
            .edit(BUFFERED, "if !self.is_writing {", "if !self.is_writing || true {")
            .caught_by("ext::buffers::written::a_panic_under_a_buffer_is_not_written_again", RSEQ),
        row("a line is written to its end", "the flush")
            .edit(
                BUFFERED,
                "let flushed = unwrap_stop(self.write(&[]));",
                "let flushed = Ok::<_, Stopped>(io::Result::Ok(()));",
            )
            .caught_by("ext::buffers::written::buffered_writes_are_those_of_std", RSEQ),
        row("the first write after a request does not wait", "it is not made")
            .edit(STOPPABLE, ONCE, "let again = true;\n        self.has_written_last = true;")
            .caught_by(LAST, ALL),
        row("and is the last", "there are more")
            .edit(
                STOPPABLE,
                ONCE,
                "let again = core::mem::replace(&mut self.has_written_last, false);",
            )
            .caught_by(LAST, RSEQ),
        row("a limit does not wrap", "it does")
            .edit(
                "ext/io/chain.rs",
                "limit.checked_sub(*length as u64)",
                "Some(limit.wrapping_sub(*length as u64))",
            )
            .caught_by("ext::buffers::read::a_reader_that_lies_panics_as_with_std", RSEQ),
    ]
}
