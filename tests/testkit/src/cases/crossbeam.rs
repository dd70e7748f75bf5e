//! The channels of `crossbeam_channel`, which wait in a futex on each backend.

use super::{Case, Fixture, MESSAGE, Outcome, expect, text};
use crossbeam_channel::{bounded, unbounded};
use libc::SYS_futex;
use std::io;
use stopruntime::ext::{ReceiverOrStop, SenderOrStop};

pub(super) const CASES: &[Case] = &[
    of("crossbeam_channel::Receiver::recv", || Ok(receiving())),
    of("crossbeam_channel::Sender::send", sending),
];

const fn of(name: &'static str, arrange: fn() -> io::Result<Fixture>) -> Case {
    Case::new(name, &[SYS_futex], arrange)
}

fn receiving() -> Fixture {
    let (sender, receiver) = unbounded();
    let (plain, left) = (receiver.clone(), receiver.clone());
    Fixture {
        marked: Box::new(move || {
            let message = receiver.recv_or_stop();
            Outcome::of(message.map(|message| message.map_err(io::Error::other)), Ok)
        }),
        feed: Box::new(move || {
            sender.send(text(MESSAGE)).map_err(io::Error::other)?;
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |_| plain.recv().map_err(io::Error::other)),
        verify: Box::new(move |_| {
            let more = left.try_recv();
            expect(more.is_err(), || format!("left over: {more:?}"))
        }),
        keep: Box::new(()),
    }
}

/// Into a channel that has no room; the feed makes room.
fn sending() -> io::Result<Fixture> {
    let (sender, receiver) = bounded(1);
    sender.send("filler").map_err(io::Error::other)?;
    let (plain, left) = (sender.clone(), receiver.clone());
    Ok(Fixture {
        marked: Box::new(move || {
            let sent = sender.send_or_stop("message");
            Outcome::of(sent.map(|sent| sent.map_err(io::Error::other)), |()| Ok("sent".into()))
        }),
        feed: Box::new(move || {
            let first = receiver.recv().map_err(io::Error::other)?;
            expect(first == "filler", || format!("{first:?} came first"))?;
            Ok("sent".into())
        }),
        plain: Box::new(move |_| {
            plain.send("message").map_err(io::Error::other)?;
            Ok("sent".into())
        }),
        verify: Box::new(move |_| {
            let got = [left.try_recv().ok(), left.try_recv().ok()];
            expect(got == [Some("message"), None], || format!("received: {got:?}"))
        }),
        keep: Box::new(()),
    })
}
