//! What keeps traits closed that mirror one type of std: as that type gets more methods, so
//! can they.
//!
//! A trait of one operation (`read`, `accept`, `wait`) is open: a type of a user's own may
//! have such a call, and give it a stop-checked variant.

use std::fs::{File, OpenOptions};
use std::io::Stdin;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command};

/// Is implemented here, and by `GroupChild`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot have this trait: it is sealed",
    label = "only types of std and of stopruntime have it",
    note = "a call of your own that is made of marked calls is marked `#[blocking(as_is)]`"
)]
pub trait Sealed {}

macro_rules! sealed {
    ($($of:ty),*) => {$(
        impl Sealed for $of {}
    )*};
}
sealed!(File, OpenOptions, Stdin, TcpListener, UnixListener, Command, Child);
