//! The calls that have a receiver, or a type in front of their name.

use super::Method;

pub(crate) const METHODS: &[Method] = &[
    ("accept", 0, &["AcceptOrStop"]),
    ("recv", 0, &["ReceiverOrStop"]),
    ("recv", 1, &["RecvOrStop"]),
    ("recv_from", 1, &["RecvFromOrStop"]),
    ("peek", 1, &["PeekOrStop"]),
    ("peek_from", 1, &["PeekFromOrStop"]),
    ("recv_timeout", 1, &["ReceiverOrStop"]),
    ("recv_deadline", 1, &["ReceiverOrStop"]),
    ("send", 1, &["SendOrStop", "SenderOrStop"]),
    ("send_timeout", 2, &["SenderOrStop"]),
    ("send_deadline", 2, &["SenderOrStop"]),
    ("send_to", 2, &["SendToOrStop"]),
    ("read", 1, &["ReadOrStop"]),
    ("read_vectored", 1, &["ReadOrStop"]),
    ("read_exact", 1, &["ReadOrStop"]),
    ("read_to_end", 1, &["ReadOrStop"]),
    ("read_to_string", 1, &["ReadOrStop"]),
    ("fill_buf", 0, &["FillBufOrStop"]),
    ("read_line", 1, &["BufReadOrStop", "StdinOrStop"]),
    ("read_until", 2, &["BufReadOrStop"]),
    ("skip_until", 1, &["BufReadOrStop"]),
    ("write", 1, &["WriteOrStop"]),
    ("write_vectored", 1, &["WriteOrStop"]),
    ("write_all", 1, &["WriteOrStop"]),
    ("flush", 0, &["WriteOrStop"]),
    ("wait", 0, &["WaitOrStop"]),
    ("wait_with_output", 0, &["WaitWithOutputOrStop"]),
    ("output", 0, &["OutputOrStop"]),
    ("status", 0, &["StatusOrStop"]),
    ("join", 0, &["JoinOrStop"]),
    ("join_timeout", 1, &[]),
    ("open", 1, &["OpenOrStop"]),
    ("sync_all", 0, &["FileOrStop"]),
    ("sync_data", 0, &["FileOrStop"]),
    ("lock", 0, &["LockOrStop"]),
    ("lock_shared", 0, &["FileOrStop"]),
    ("submit_and_wait", 1, &["SubmitAndWaitOrStop"]),
    ("submit_with_args", 2, &["SubmitWithArgsOrStop"]),
    // Those of `stopruntime::sync` are methods of the types themselves.
    ("read", 0, &["ReadWriteLockOrStop"]),
    ("write", 0, &["ReadWriteLockOrStop"]),
    ("call_once", 1, &["InitialiseOrStop"]),
    ("call_once_force", 1, &["InitialiseOrStop"]),
    ("try_call_once", 1, &[]),
    ("get_or_init", 1, &["InitialiseOrStop"]),
    ("get_or_try_init", 1, &[]),
    ("set", 1, &["InitialiseOrStop"]),
    ("wait_force", 0, &[]),
    ("acquire", 0, &[]),
    ("acquire_many", 1, &[]),
    ("acquire_timeout", 1, &[]),
    ("wait", 1, &[]),
    ("wait_while", 2, &[]),
    ("wait_timeout", 2, &[]),
    ("wait_timeout_while", 3, &[]),
];

/// Methods that return an iterator which blocks in `next`: for `for` loops only.
pub(crate) const ITERATORS: &[Method] = &[
    ("incoming", 0, &["IncomingOrStop"]),
    ("lines", 0, &["BufReadOrStop", "StdinOrStop"]),
    ("split", 1, &["BufReadOrStop"]),
    ("bytes", 0, &["BytesOrStop"]),
];

/// Methods that count as iterators only in the head of a marked loop: `iter` of
/// a channel's receiver blocks in `next`, and every collection has one.
pub(crate) const HEADS: &[Method] = &[("iter", 0, &["IterOrStop"])];

/// Associated functions without a receiver, called as `Type::name(…)`.
pub(crate) const ASSOCIATED: &[Method] =
    &[("connect", 1, &["ConnectOrStop"]), ("connect_timeout", 2, &["ConnectTimeoutOrStop"])];

/// The same for `File` alone: many types have an `open` or a `create`.
pub(crate) const OF_FILE: &[Method] = &[
    ("open", 1, &["FileOrStop"]),
    ("create", 1, &["FileOrStop"]),
    ("create_new", 1, &["FileOrStop"]),
];
