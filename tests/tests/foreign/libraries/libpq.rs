//! libpq keeps a connection whose query was ended, unless the connection was reset.

use super::{Library, greet, server, stopped_when};
use crate::both_ways;
use crate::kit::is_dispatch;
use core::ffi::{CStr, c_char, c_int, c_void};
use std::ffi::CString;
use stopruntime::{Stopped, foreign, foreign_reset};

const OK: c_int = 0;
const BAD: c_int = 1;

/// A connection of libpq's.
#[derive(Clone, Copy)]
struct Connection(Library, *mut c_void);

// SAFETY: used by one thread after the other.
unsafe impl Send for Connection {}

impl Connection {
    fn open(library: Library, port: u16) -> Connection {
        type Connect = unsafe extern "C" fn(*const c_char) -> *mut c_void;
        let text = format!(
            "host=127.0.0.1 port={port} user=me dbname=none sslmode=disable gssencmode=disable"
        );
        let text = CString::new(text).unwrap();
        // SAFETY: libpq-fe.h: PGconn *PQconnectdb(const char *).
        unsafe { Connection(library, library.get::<Connect>(c"PQconnectdb")(text.as_ptr())) }
    }

    /// libpq-fe.h: a function of the connection alone.
    fn ask<R>(self, name: &CStr) -> R {
        type Of<R> = unsafe extern "C" fn(*mut c_void) -> R;
        // SAFETY: the caller names one of this type.
        unsafe { self.0.get::<Of<R>>(name)(self.1) }
    }

    fn status(self) -> c_int {
        self.ask(c"PQstatus")
    }

    fn says(self) -> String {
        // SAFETY: a string of the connection's.
        unsafe { CStr::from_ptr(self.ask(c"PQerrorMessage")) }.to_string_lossy().into_owned()
    }

    fn query(self) {
        type Exec = unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void;
        type Clear = unsafe extern "C" fn(*mut c_void);
        // SAFETY: PGresult *PQexec(PGconn *, const char *), void PQclear(PGresult *).
        unsafe {
            let result = self.0.get::<Exec>(c"PQexec")(self.1, c"select 1".as_ptr());
            self.0.get::<Clear>(c"PQclear")(result);
        }
    }
}

type Region = fn(Connection) -> Result<(), Stopped>;

/// The status of a connection whose query was stopped in such a region, and what it says.
fn after_a_query(region: Region) -> Option<(c_int, String)> {
    let library = Library::open(c"libpq.so.5")?;
    let (port, asked) = server(greet);
    let connection = Connection::open(library, port);
    assert_eq!(connection.status(), OK, "{}", connection.says());
    let found = stopped_when(&asked, move || {
        region(connection).map(|()| (connection.status(), connection.says()))
    });
    connection.ask::<()>(c"PQfinish");
    Some(found)
}

both_ways! {
    fn a_query() {
        let region: Region = |connection| foreign(|| connection.query());
        if let Some((status, says)) = after_a_query(region) {
            assert!(says.contains("canceled"), "{says}");
            assert_eq!(status, OK, "if it knows by itself, the documentation is to say so");
        }
    }

    fn a_query_that_is_reset() {
        let region: Region = |connection| foreign_reset(|| connection.query());
        if let Some((status, says)) = after_a_query(region) {
            // Its poll fails where a timer looks, and it does not come to its read.
            let expected = if is_dispatch() { (BAD, "closed the connection") } else { (OK, "canceled") };
            assert!(says.contains(expected.1), "{says}");
            assert_eq!(status, expected.0);
        }
    }

    fn a_connect() {
        let Some(library) = Library::open(c"libpq.so.5") else { return };
        let (port, accepted) = server(|_| ());
        let connection = stopped_when(&accepted, move || {
            foreign(|| Connection::open(library, port))
        });
        assert_eq!(connection.status(), BAD, "{}", connection.says());
        connection.ask::<()>(c"PQfinish");
    }
}
