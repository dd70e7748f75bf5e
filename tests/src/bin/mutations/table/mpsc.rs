//! The channels.

use super::{ALL, ITSELF, Row, row};

const LOCK: &str = "sync/mpsc/lock.rs";
const WAITERS: &str = "sync/mpsc/waiters.rs";
const QUEUE: &str = "sync/mpsc/queue.rs";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a stopped rendezvous takes its message back", "it stays")
            .edit(QUEUE, "let message = again.withdraw(ticket);", "let message = again.messages.front().map(|_| ());")
            .caught_by("sync::channels::both_ends_are_stopped_while_they_wait", ALL),
        row("what was taken at the same time was sent", "it is reported as stopped")
            .edit(QUEUE, "return if message.is_some() { Err(stop) } else { Ok(Ok(())) };", "let _ = message;\n                return Err(stop);")
            .caught_by("loom/mpsc::a_stopped_sender_has_sent_nothing", ITSELF),
        row("what `try_send` gave to a receiver that waits is received", "it stays")
            .edit(QUEUE, "if promised { self.take(state).ok() } else { None }", "if promised && false { self.take(state).ok() } else { None }")
            .caught_by("loom/mpsc::a_rendezvous_keeps_its_word", ITSELF),
        row("a withdrawn message is dropped without the lock", "under it")
            .edit(QUEUE, "// What it owns may be an end of this very channel.\n                drop(again);\n                // Taken at the same time: it was sent.\n                return if message.is_some() { Err(stop) } else { Ok(Ok(())) };", "let taken = message.is_none();\n                drop(message);\n                drop(again);\n                return if taken { Ok(Ok(())) } else { Err(stop) };")
            .caught_by("ext::std_semantics::a_withdrawn_message_may_own_its_own_channel", ALL),
        row("who waits for the lock of a channel sees that it was given back", "the barrier")
            .edit(LOCK, "if !first || signal::barrier_for_all() {", "if !first || true {")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("or is seen by who gives it back", "its number")
            .edit(LOCK, "self.waiters.fetch_add(1, Relaxed) == 0;", "true;")
            .edit(LOCK, "self.waiters.fetch_sub(1, Relaxed);", "")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("who has it sees what was done under it", "`Release` of who gives it back")
            .edit(LOCK, "self.0.state.store(FREE, Release);", "self.0.state.store(FREE, Relaxed);")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("of each holder", "`Acquire` of who takes it")
            .edit(LOCK, "compare_exchange(FREE, HELD, Acquire, Relaxed)", "compare_exchange(FREE, HELD, Relaxed, Relaxed)")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("each message wakes a receiver", "while one is on its way no other")
            .edit(WAITERS, "let sleep = self.woken < self.entered;", "let sleep = self.woken == 0 && self.entered != 0;")
            .caught_by("loom/mpsc::each_message_wakes_a_receiver", ITSELF),
        row("who was woken in vain is woken again", "it counts as woken for ever")
            .edit(WAITERS, "self.woken = self.woken.saturating_sub(1);", "")
            .caught_by("loom/mpsc::a_receiver_that_comes_too_late_is_woken_again", ITSELF),
        row("a sender of a rendezvous wakes a receiver before it waits", "it does not")
            .edit(QUEUE, "if core::mem::take(&mut to_wake) {", "if core::mem::take(&mut to_wake) && false {")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("the sender of a message that was taken is woken", "another")
            .edit(QUEUE, "self.emptied(ticket).wake_all()", "self.emptied(ticket + 1).wake_all()")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("the last receiver wakes all senders of a rendezvous", "the first")
            .edit(QUEUE, "self.emptied.iter().for_each(Wakeups::wake_all);", "self.emptied[0].wake_all();")
            .caught_by("loom/mpsc::senders_see_the_last_receiver_go", ITSELF),
        row("a panic in a message's destructor does not meet another", "the messages are dropped together")
            .edit(QUEUE, "drop_one_by_one(left.unwrap_or_default());", "let _ = drop_one_by_one::<T>;\n        drop(left);")
            .caught_by("sync::channels::a_panic_in_a_messages_destructor_is_a_panic_of_the_receivers", ALL),
    ]
}
