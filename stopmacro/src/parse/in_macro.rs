//! A mark on a macro, whose arguments the attribute does not read.

/// What to do instead of marking this macro.
pub(super) fn instead(name: &str) -> String {
    if let "write" | "writeln" = name {
        return format!(
            "`{name}!` has no stop-checked form: mark `write_all(format!(…).as_bytes())`; or, if \
             one of its arguments is what blocks, bind that with `let` above it and mark it"
        );
    }
    format!(
        "the arguments of `{name}!` cannot be seen from here: bind the blocking call with `let` \
         above it and mark that statement"
    )
}
