//! The channels.

use super::{ALL, ITSELF, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        row("a stopped rendezvous takes its message back", "it stays")
            .change("stopped-rendezvous-takes-message-back", ".withdraw(ticket)", ".messages.front().map(|_| ())")
            .caught_by("sync::channels::both_ends_are_stopped_while_they_wait", ALL),
        row("what was taken at the same time was sent", "it is reported as stopped")
            .becomes("taken-message-was-sent", "let _ = message;\n                return Err(stop);")
            .caught_by("loom/mpsc::stops::a_stopped_sender_has_sent_nothing", ITSELF),
        row("what `try_send` gave to a receiver that waits is received", "it stays")
            .never("try-sent-message-received")
            .caught_by("loom/mpsc::stops::a_rendezvous_keeps_its_word", ITSELF),
        row("a withdrawn message is dropped without the lock", "under it")
            .change("withdrawn-message-dropped-unlocked", "drop(again); return if message.is_some() { Err(stop) } else { Ok(Ok(())) };", "let taken = message.is_none();\n                drop(message);\n                drop(again);\n                return if taken { Ok(Ok(())) } else { Err(stop) };")
            .caught_by("ext::std_semantics::a_withdrawn_message_may_own_its_own_channel", ALL),
        row("a thread that waits for the lock of a channel sees that it was given back", "the barrier")
            .condition("channel-lock-release-wakes", "!first || true")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("or is seen by who gives it back", "its number")
            .change("lock-release-sees-waiters", "self.waiters.fetch_add(1, Relaxed) == 0", "true")
            .gone("lock-release-sees-waiters-2")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("the holder sees what was done under it", "`Release` of the one that gives it back")
            .change("lock-release-publishes", ", Release", ", Relaxed")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("of each holder", "`Acquire` of the one that takes it")
            .change("lock-acquires", ", Acquire", ", Relaxed")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("each message wakes a receiver", "while one is on its way no other")
            .change("message-wakes-a-receiver", "< self.entered", "== 0 && self.entered != 0")
            .caught_by("loom/mpsc::wakeups::each_message_wakes_a_receiver", ITSELF),
        row("a thread that was woken in vain is woken again", "it counts as woken for ever")
            .gone("woken-in-vain-woken-again")
            .caught_by("loom/mpsc::wakeups::a_receiver_that_comes_too_late_is_woken_again", ITSELF),
        row("a sender of a rendezvous wakes a receiver before it waits", "it does not")
            .never("sender-wakes-receiver-before-waiting")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("the sender of a message that was taken is woken", "another")
            .change("sender-of-taken-message-woken", "(ticket)", "(ticket + 1)")
            .caught_by("loom/mpsc::messages_come_in_order", ITSELF),
        row("the last receiver wakes all senders of a rendezvous", "the first")
            .becomes("last-receiver-wakes-all-senders", "self.emptied[0].wake_all();")
            .caught_by("loom/mpsc::ends::senders_see_the_last_receiver_go", ITSELF),
        row("a panic in a message's destructor does not meet another", "the messages are dropped together")
            .becomes("panics-of-messages-apart", "let _ = drop_one_by_one::<T>;\n        drop(left);")
            .caught_by("sync::channels::a_panic_in_a_messages_destructor_is_a_panic_of_the_receivers", ALL),
    ]
}
