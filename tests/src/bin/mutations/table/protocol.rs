//! The protocol between a thread and its requesters: the record, and the way
//! out of a marked call.

use super::{ALL, HANDLER, ITSELF, PPOLL, RSEQ, Row, WINDOWS, row};

pub(crate) fn rows() -> Vec<Row> {
    [requesters(), threads(), results(), parked(), on_flag()].into_iter().flatten().collect()
}

fn requesters() -> Vec<Row> {
    vec![
        row("the claim is looked at before the thread", "after it")
            .change("claim-looked-at-before-thread", "let Some", "let _ = look;\n        let Some(look) = self.claim.look() else { return };\n        let Some")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL),
        row("a requester that sends has claimed it", "the claim is made for whatever is there")
            .change("sender-has-claimed", "self.word.compare_exchange(word, claimed, Ordering::SeqCst, Ordering::SeqCst)", "Ok::<_, u32>(self.word.swap(claimed, Ordering::SeqCst))")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL),
        row("one sends at a time", "every one that comes sends")
            .becomes("one-requester-sends", "Some(Look(word))")
            .caught_by("loom/claim::two_requesters", ITSELF),
        row("a requester that is waited for says that it is done", "the wake-up")
            .gone("requester-says-it-is-done")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL)
            .caught_by("loom/claim::one_requester", ITSELF),
        row("a signal is claimed before it is sent", "claimed after it")
            .change("claim-looked-at-before-thread", "Some(sending) = self.claim.claim(look) else { return };\n        let sent =\n            inside && signal::send(self.pid.load(Ordering::Relaxed), tid, self, sending.sequence());", "sent = inside\n            && signal::send(self.pid.load(Ordering::Relaxed), tid, self, 0);\n        let Some(sending) = self.claim.claim(look) else { return };")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL),
        row("a signal that was not sent is not expected", "it stays claimed")
            .change("signal-not-sent-not-expected", "{ before }", "{ before | SENT }")
            .caught_by("signals::without_system_calls::without_the_signal", ALL),
        row("a request makes good what became of the signal before", "only the first one signals")
            .change("request-repairs-lost-signal", "record.end_its_call(barrier, &|record| record.sees_own());", "if before & REQUESTED == 0 {\n                record.end_its_call(barrier, &|record| record.sees_own());\n            }")
            .caught_by("signals::without_system_calls::without_the_signal", HANDLER),
        row("a request under a shield is no signal", "the look at the shield")
            .change("request-repairs-lost-signal", "record.sees_own()", "true || record.sees_own()")
            .caught_by("signals::silence::many_handles_take_a_barrier_for_each_batch", WINDOWS),
        row("all threads of a scope are requested with two barriers", "one more each")
            .change("all-threads-two-barriers", "!is_of_the_parent(record)", "!is_of_the_parent(record) && signal::barrier()")
            .caught_by("signals::silence::a_scope_of_many_threads_takes_two_barriers", WINDOWS),
    ]
}

fn threads() -> Vec<Row> {
    vec![
        row("after a call the thread waits for a signal that is being sent", "the wait")
            .change("way-out-waits-for-signal-being-sent", "self.wait_until_sent(word);\n                    continue;", "")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL)
            .caught_by("races::requester_steps::of_two_requesters", HANDLER),
        row("but not for one that has come", "the look at its number")
            .becomes("no-wait-for-signal-delivered", "let delivered = false;")
            .caught_by(
                "signals::undisturbed_traced::a_requester_whose_signal_has_come_is_not_waited_for",
                ALL,
            ),
        row("which tells its number", "any signal counts")
            .change("no-wait-for-signal-delivered", "== sequence(word)", "!= NONE")
            .caught_by("loom/claim::two_requesters", ITSELF),
        row("and counts only if it does not come again", "it counts when it is postponed")
            .gone("number-counts-unless-postponed")
            .caught_by("races::window_steps::a_request_at_each_instruction_with_data", HANDLER),
        row("a requester that has looked and not claimed yet looks again", "an idle claim stays as it is")
            .before("unclaimed-look-expires", "if word & STATE == IDLE {\n                return false;\n            }")
            .caught_by("races::requester_steps::of_a_blocked_read", ALL),
        row("a signal that was sent is taken", "the drain")
            .never("sent-signal-taken")
            .caught_by("races::window_steps::a_request_at_each_instruction_with_data", HANDLER),
        row("and is known as ours until then", "it is forgotten before")
            .change("sent-signal-taken", "drain(),", "{\n                    self.word.store(next(word, IDLE), Ordering::SeqCst);\n                    drain();\n                    continue;\n                }")
            .caught_by("races::window_steps::a_request_at_each_instruction_with_data", HANDLER),
        row("so it is after every call", "the way out does not look")
            .becomes("settles-after-every-call", "let met_a_signal = false;")
            .caught_by("signals::undisturbed_traced::a_signal_on_its_way_is_waited_for", WINDOWS),
        row("a thread that has ended is not signalled", "its id stays")
            .gone("ended-thread-not-signalled")
            .caught_by("races::held_requester::a_thread_that_has_ended_is_not_signalled", WINDOWS)
            .core(),
        row("a thread does not end while a requester is about to signal it", "the wait")
            .change("ending-thread-waits-for-requester", "self.settle();", "")
            .caught_by("races::held_requester::a_thread_waits_for_its_requester_before_it_ends", WINDOWS)
            .core(),
        row("and has its record until then, for the handler to look at", "it is gone before")
            .change("record-kept-for-handler", "record.rest();\n        CURRENT.with(|current| current.record.set(core::ptr::null()))", "let kept = CURRENT.with(|current| current.own.get());\n        set_keys(core::ptr::null());\n        CURRENT.with(|current| current.record.set(core::ptr::null()));\n        record.rest();\n        set_keys(kept);")
            .caught_by("races::held_requester::a_thread_waits_for_its_requester_before_it_ends", WINDOWS),
        row("a forked child has no requesters", "they are waited for")
            .gone("forked-child-no-requesters")
            .caught_by(
                "races::held_requester::a_forked_child_waits_for_no_requester_and_expects_no_signal",
                WINDOWS,
            ),
        row("a forked child has an id of its own", "its parent's")
            .never("forked-child-has-own-id")
            // With windows, what a raw fork is told by puts it right as well.
            .caught_by("runtime::lifecycle::a_forked_child_has_threads_of_its_own", PPOLL),
    ]
}

fn results() -> Vec<Row> {
    vec![
        row("a call that took effect gives its result", "a request makes it `Stopped`")
            .becomes("call-took-effect-gives-result", "let without_effect = true;")
            .caught_by("races::window_steps::a_request_at_each_instruction_with_data", HANDLER)
            .caught_by("waits::futex_wakeups::a_woken_thread_returns_from_the_wait", RSEQ),
        row("a call that the kernel does not restart reports the stop", "it gives `EINTR`")
            .becomes("call-took-effect-gives-result", "let without_effect = raw == window::STOPPED;")
            .change("interrupted-call-is-made-again", "&& disturbed", "&& disturbed && false")
            .caught_by("races::random_stops::a_time_out_of_the_socket_is_no_stop", WINDOWS),
        row("under a shield it does not", "a request is enough")
            .change("shielded-call-reports-no-stop", "look.take()", "(look.take() || raw != window::STOPPED)")
            .caught_by(
                "signals::foreign_handlers::under_a_shield_it_is_interrupted_although_a_stop_is_requested",
                WINDOWS,
            ),
        row("the first marked call of a thread is made", "it is taken for stopped")
            .never("first-call-is-made")
            .caught_by("runtime::first::the_first_call_of_a_thread_is_made", WINDOWS)
            .core(),
        row("a foreign signal does not end a wait of `sync`", "the wait again")
            .change("foreign-signal-does-not-end-sync-wait", "!raw.is_interrupted()", "raw.is_interrupted() || true")
            .becomes("wait-on-flag-waits-for-words", "return Ok(false);")
            .caught_by("waits::deadlines::signals_without_restart_move_none", WINDOWS),
        row("neither one on the flag", "the wait again")
            .change("foreign-signal-does-not-end-wait-on-flag", "raw != INTERRUPTED", "true")
            .caught_by("waits::deadlines::signals_without_restart_move_none", ALL),
    ]
}

fn on_flag() -> Vec<Row> {
    const BEGINS: &str = "races::requester_steps::of_a_wait_on_the_flag_that_begins";
    const NONE: &str = "signals::undisturbed_traced::a_stopped_wait_for_another_thread_takes_none";
    vec![
        row("a thread that sleeps on its flag is woken", "it does not say that it does")
            .change("wait-on-flag-marked", "store(1,", "store(0,")
            .caught_by(NONE, ALL)
            .core(),
        row("it says so before it looks at its flag", "the fence between")
            .gone("wait-on-flag-marked-first")
            .caught_by("loom/on_flag::with_a_fence_of_the_threads", ITSELF),
        row("and does not sleep if that is up", "it does")
            .becomes("wait-on-flag-does-not-begin", "let result = Some(wait(seen));")
            .caught_by(BEGINS, ALL)
            .core(),
        row("a handler's wait leaves the mark of the one below it", "it takes it away")
            .becomes("wait-on-flag-in-handler", "let outer = 0;")
            .caught_by("signals::foreign_handlers::one_that_has_waited_on_the_flag", ALL),
        row("a thread that was woken gets no barrier and no signal", "it gets them")
            .change("sleeper-on-flag-gets-no-signal", "self.on_flag.wake(&self.line.flag)", "self.on_flag.wake(&self.line.flag) && false")
            .caught_by(
                "signals::silence::a_request_to_a_thread_that_sleeps_on_its_flag_is_one_system_call",
                WINDOWS,
            ),
        row("unless it was woken in a handler on top of another call", "the look at that")
            .change("sleeper-on-top-of-call-is-ended-too", "self.parked.load(Ordering::SeqCst) == 0", "true")
            .caught_by("signals::foreign_handlers::one_that_waits_on_the_flag_itself", ALL),
        row("a sleep on the flag goes on unless it is stopped", "it is over")
            .becomes("sleep-on-flag-goes-on", "Some(0 | AGAIN) => waited.or_stop()?,\n            None | Some(INTERRUPTED) => return Ok(true)")
            .caught_by("waits::deadlines::signals_without_restart_move_none", ALL),
    ]
}

fn parked() -> Vec<Row> {
    vec![
        row("a stop ends `park`", "`parked` is not set")
            .gone("stop-ends-park")
            .caught_by("waits::park::a_request_ends_a_park_and_a_park_with_a_timeout", ALL),
        row("`park` does not begin when a stop is requested", "the look at the flag")
            .becomes("park-does-not-begin-when", "let parks = true;")
            .caught_by("waits::park::a_request_before_leaves_the_token_alone", ALL),
        row("a stopped `park` takes no token", "it is not set again")
            .becomes("stopped-park-takes-no-token", "let _ = thread;")
            .caught_by("waits::park::no_token_is_lost_under_random_stops", ALL),
        row("a shield holds the request to a thread that parks", "the look at the shield")
            .change(
                "shielded-request-sends-no-signal",
                "(inside || parked) && fits(self)",
                "(parked || inside && fits(self))",
            )
            .caught_by("waits::park::a_shield_holds_the_request_until_the_token_comes", ALL),
    ]
}
