//! A pseudo-terminal whose master nothing reads unless told to. pty(7).

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;

/// The master's side and the slave's, with the settings every terminal starts
/// with: a line feed goes out as two characters. Not the controlling one.
pub(crate) fn terminal() -> (File, File) {
    let mut name = [0; 64];
    // SAFETY: descriptors made just now and a buffer of the length named.
    unsafe {
        let master = libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY);
        assert!(master >= 0, "{}", std::io::Error::last_os_error());
        assert_eq!(libc::grantpt(master), 0);
        assert_eq!(libc::unlockpt(master), 0);
        assert_eq!(libc::ptsname_r(master, name.as_mut_ptr(), name.len()), 0);
        let slave = libc::open(name.as_ptr(), libc::O_RDWR | libc::O_NOCTTY);
        assert!(slave >= 0, "{}", std::io::Error::last_os_error());
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    }
}

/// What has come out at the master's side when the slave's is closed: reading
/// fails with `EIO` behind the last character.
pub(crate) fn what_came_out(mut master: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    let end = master.read_to_end(&mut bytes).unwrap_err();
    assert_eq!(end.raw_os_error(), Some(libc::EIO));
    bytes
}
