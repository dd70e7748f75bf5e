//! What the name of a call tells about it, besides its variant.

/// Functions that are taken for what they are also without the path: `use
/// std::thread::sleep` is common, and so is a `read` or `park` of the user's own.
pub(crate) const BARE: &[&str] = &["sleep", "sleep_until"];

/// Calls that wait only for some of their commands or files: `strict` lets them
/// be, and others beside them are more likely the ones that are meant.
pub(crate) const SELDOM: &[&str] =
    &["create", "create_new", "fcntl", "ioctl", "lock_shared", "open", "sync_all", "sync_data"];

/// Methods, with the number of their arguments, that wait for moments only, and
/// often for the sake of another call: `list.lock().unwrap().recv()` waits in
/// `recv`. `strict` lets them be as well.
pub(crate) const MOMENTS: &[(&str, usize)] = &[
    ("lock", 0),
    ("read", 0),
    ("write", 0),
    ("call_once", 1),
    ("call_once_force", 1),
    ("try_call_once", 1),
    ("get_or_init", 1),
    ("get_or_try_init", 1),
    ("set", 1),
];

/// Methods that return an iterator without end.
pub(crate) const UNENDING: &[&str] = &["cycle", "incoming"];

/// The same of functions.
pub(crate) const REPEATING: &[&str] = &["repeat", "repeat_with"];

/// Names that are mostly a getter's: `strict` lets them be.
pub(crate) const GETTERS: &[&str] = &["status"];

/// The methods of `OpenOptions` that set one, and where such options begin.
pub(crate) const SETTINGS: &[&str] =
    &["append", "create", "create_new", "read", "truncate", "write"];
pub(crate) const OPTIONS: &[&str] = &["OpenOptions::new", "File::options"];

/// Traits of std that a method of the table may be called through
/// (`Read::read(&mut stream, &mut buffer)`), where ours takes their place.
pub(crate) const STD_TRAITS: &[&str] = &["Read", "BufRead", "Write"];

/// The trait of std that a user imports to call what a trait of ours has the
/// variants of.
pub(crate) const STD_IMPORTS: &[(&str, &str)] = &[
    ("ReadOrStop", "Read"),
    ("BytesOrStop", "Read"),
    ("WriteOrStop", "Write"),
    ("BufReadOrStop", "BufRead"),
    ("FillBufOrStop", "BufRead"),
];

/// Calls that must not be stopped half-way, and why.
pub(crate) const NEVER: &[(&str, &str)] = &[
    ("close", "a descriptor is closed even where `close` fails, so there is no call to repeat"),
    ("drop", "a destructor runs to its end"),
];

/// Calls of std that block and have no stop-checked form, with the number of
/// their arguments: marked, they would pass for calls of the user's own and wait
/// unstoppably.
pub(crate) const WITHOUT: &[(&str, usize, &str)] = &[
    ("fs::copy", 2, "open both files and mark `io::copy`"),
    ("fs::read", 1, "mark `File::open` and the file's `read_to_end`"),
    ("fs::read_to_string", 1, "mark `File::open` and the file's `read_to_string`"),
    ("fs::write", 2, "mark `File::create` and the file's `write_all`"),
    ("write_fmt", 1, "mark `write_all(format!(…).as_bytes())`"),
];

/// Methods that turn a result over and never wait.
pub(crate) const QUIET_METHODS: &[&str] = &[
    "add",
    "and_then",
    "as_bytes",
    "as_bytes_mut",
    "as_deref",
    "as_deref_mut",
    "as_fd",
    "as_millis",
    "as_mut",
    "as_mut_ptr",
    "as_mut_slice",
    "as_mut_str",
    "as_os_str",
    "as_path",
    "as_ptr",
    "as_raw_fd",
    "as_ref",
    "as_secs",
    "as_slice",
    "as_str",
    "borrow",
    "borrow_mut",
    "by_ref",
    "cast",
    "cast_const",
    "cast_mut",
    "checked_add",
    "clone",
    "cloned",
    "code",
    "context",
    "copied",
    "err",
    "expect",
    "expect_err",
    "filter",
    "flatten",
    "inspect",
    "inspect_err",
    "into",
    "is_empty",
    "is_err",
    "is_err_and",
    "is_none",
    "is_ok",
    "is_ok_and",
    "is_some",
    "is_some_and",
    "kind",
    "len",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "max",
    "min",
    "ok",
    "ok_or",
    "ok_or_else",
    "or",
    "or_else",
    "saturating_sub",
    "success",
    "to_bytes",
    "to_owned",
    "to_string",
    "to_vec",
    "transpose",
    "trim",
    "try_into",
    "unwrap",
    "unwrap_err",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "with_context",
    "wrap_err",
];

/// Methods and associated functions that seldom wait: the call that is meant
/// only if there is no other.
pub(crate) const UNLIKELY: &[&str] = &[
    "contains",
    "custom_flags",
    "default",
    "extend",
    "extend_from_slice",
    "first",
    "first_mut",
    "from",
    "get",
    "get_mut",
    "insert",
    "iter",
    "iter_mut",
    "last",
    "last_mut",
    "mode",
    "new",
    "options",
    "parse",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "with_capacity",
];

/// Types whose associated functions never wait.
pub(crate) const QUIET_TYPES: &[&str] = &[
    "Arc",
    "Box",
    "Cell",
    "Cow",
    "Cursor",
    "Default",
    "Duration",
    "From",
    "Instant",
    "Into",
    "IoSlice",
    "IoSliceMut",
    "Ipv4Addr",
    "Ipv6Addr",
    "Option",
    "Path",
    "PathBuf",
    "Rc",
    "RefCell",
    "Result",
    "SocketAddr",
    "String",
    "Vec",
];

/// Macros that stand as statements and bind no name: those of std and of `log`.
pub(crate) const STATEMENTS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "error",
    "info",
    "panic",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];
