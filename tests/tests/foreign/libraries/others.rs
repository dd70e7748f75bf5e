//! OpenSSL, libzmq, and libc's own resolver and streams.

use super::{Library, server, stopped_when};
use crate::both_ways;
use crate::kit::{CANCELED, errno, stopped_in};
use core::ffi::{c_char, c_int, c_void};
use std::net::{Ipv4Addr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr::{null, null_mut};
use stop_tests::{POLL, not_tested};
use stopruntime::foreign;

type New = unsafe extern "C" fn() -> *mut c_void;
type NewOf = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type Ask = unsafe extern "C" fn(*mut c_void) -> c_int;
type Set = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void);

both_ways! {
    fn a_handshake_of_openssl() {
        const SYSCALL: c_int = 5;
        let Some(library) = Library::open(c"libssl.so.3") else { return };
        let (port, accepted) = server(|_| ());
        let (raw, error, code) = stopped_when(&accepted, move || {
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            // SAFETY: openssl/ssl.h has these functions so.
            unsafe {
                let method = library.get::<New>(c"TLS_client_method")();
                let context = library.get::<NewOf>(c"SSL_CTX_new")(method);
                let ssl = library.get::<NewOf>(c"SSL_new")(context);
                assert_eq!(library.get::<Set>(c"SSL_set_fd")(ssl, stream.as_raw_fd()), 1);
                let connect = library.get::<Ask>(c"SSL_connect");
                let found = foreign(|| {
                    let raw = connect(ssl);
                    (raw, errno())
                });
                let found = found.map(|(raw, code)| {
                    (raw, library.get::<Set>(c"SSL_get_error")(ssl, raw), code)
                });
                library.get::<Free>(c"SSL_free")(ssl);
                library.get::<Free>(c"SSL_CTX_free")(context);
                found
            }
        });
        assert_eq!((raw, error, code), (-1, SYSCALL, CANCELED));
    }

    /// Called again and again it does not abort; its context ends.
    fn a_receive_of_libzmq() {
        const PULL: c_int = 7;
        let Some(library) = Library::open(c"libzmq.so.5") else { return };
        let errors = stopped_in(&[POLL], move || {
            type Socket = unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void;
            type Bind = unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int;
            type Receive = unsafe extern "C" fn(*mut c_void, *mut c_void, usize, c_int) -> c_int;
            // SAFETY: zmq.h has these functions so.
            unsafe {
                let context = library.get::<New>(c"zmq_ctx_new")();
                let socket = library.get::<Socket>(c"zmq_socket")(context, PULL);
                assert_eq!(library.get::<Bind>(c"zmq_bind")(socket, c"inproc://none".as_ptr()), 0);
                let receive = library.get::<Receive>(c"zmq_recv");
                let mut bytes = [0_u8; 8];
                let errors: Vec<_> = (0..30)
                    .map(|_| {
                        assert_eq!(receive(socket, bytes.as_mut_ptr().cast(), 8, 0), -1);
                        errno()
                    })
                    .collect();
                assert_eq!(library.get::<Ask>(c"zmq_close")(socket), 0);
                // A tick may meet it, of which it says so.
                while library.get::<Ask>(c"zmq_ctx_term")(context) != 0 {
                    assert_eq!(errno(), libc::EINTR);
                }
                errors
            }
        });
        assert_eq!(errors, [libc::EINTR; 30]);
    }

    fn a_stream_of_libc() {
        let (end, code) = stopped_in(&[libc::SYS_read], || {
            let mut ends = [0; 2];
            // SAFETY: two places, and a stream of one of them.
            unsafe {
                assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
                let stream = libc::fdopen(ends[0], c"r".as_ptr());
                let mut line = [0 as c_char; 16];
                let found = libc::fgets(line.as_mut_ptr(), 16, stream);
                let code = errno();
                assert_ne!(libc::ferror(stream), 0, "it sticks");
                libc::fclose(stream);
                libc::close(ends[1]);
                (found.is_null(), code)
            }
        });
        assert_eq!((end, code), (true, CANCELED));
    }
}

/// Has libc's resolver ask a server that says nothing, which is returned.
fn silent_resolver() -> Option<UdpSocket> {
    // One of this process's own.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 77, high, low);
    let server = UdpSocket::bind((address, 53));
    let server = server.map_err(|error| not_tested("getaddrinfo, stopped", error)).ok()?;
    let file = std::env::temp_dir().join(format!("stop-resolver-{}", std::process::id()));
    std::fs::write(&file, format!("nameserver {address}\n")).unwrap();
    let path = std::ffi::CString::new(file.to_str().unwrap()).unwrap();
    let (everything, place) = (c"/".as_ptr(), c"/etc/resolv.conf".as_ptr());
    // SAFETY: paths; a view of the files of this thread's and of those that it starts.
    let mounted = unsafe {
        let own = libc::MS_REC | libc::MS_PRIVATE;
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(everything, everything, null(), own, null()) == 0
            && libc::mount(path.as_ptr(), place, null(), libc::MS_BIND, null()) == 0
    };
    if !mounted {
        not_tested("getaddrinfo, stopped", std::io::Error::last_os_error());
    }
    std::fs::remove_file(&file).unwrap();
    mounted.then_some(server)
}

both_ways! {
    fn a_resolution() {
        let Some(_silent) = silent_resolver() else { return };
        let error = stopped_in(&[POLL], || {
            let mut found = null_mut();
            // SAFETY: a name, no hints, and a place.
            unsafe {
                let name = c"a.name.test".as_ptr();
                libc::getaddrinfo(name, null(), null(), &raw mut found)
            }
        });
        assert_eq!(error, libc::EAI_AGAIN);
        let error = stopped_in(&[POLL], || ("a.name.test", 80).to_socket_addrs().unwrap_err());
        assert!(error.to_string().contains("name resolution"), "{error}");
    }
}
