//! A FIFO waits for its other end: fifo(7).

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Result, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use stop_tests::dice::{Dice, runs};
use stop_tests::directory::{Directory, descriptors, is_inherited, status_flags};
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::Stopped;
use stopruntime::ext::{FileOrStop, OpenOrStop};

const OPEN: [libc::c_long; 1] = [libc::SYS_openat];

type Open = fn(&Path) -> std::result::Result<Result<File>, Stopped>;

/// Opening to read, by each call that can.
const TO_READ: [Open; 2] =
    [|path| File::open_or_stop(path), |path| OpenOptions::new().read(true).open_or_stop(path)];

/// Opening to write, by each call that can.
const TO_WRITE: [Open; 3] = [
    |path| File::create_or_stop(path),
    |path| OpenOptions::new().write(true).open_or_stop(path),
    |path| OpenOptions::new().append(true).create(true).open_or_stop(path),
];

/// Both ends are open as long as this is: none waits for the other.
fn both(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

fn waits_and_is_stopped(open: Open, path: PathBuf) {
    let before = descriptors();
    let opener = start(move || open(&path).is_err());
    opener.wait_until_at_rest_in(&OPEN);
    assert!(opener.stopped());
    assert_eq!(descriptors(), before);
}

/// One end opened by `open`, the other by `other`, in their own time.
fn waits_and_is_opened(open: Open, path: &Path, other: fn(&Path) -> Result<File>) {
    let theirs = path.to_owned();
    let opener = start(move || open(&theirs).unwrap().unwrap());
    opener.wait_until_at_rest_in(&OPEN);
    let mut other = other(path).unwrap();
    let mut file = opener.ended();
    assert!(!is_inherited(&file));
    let mut got = [0; 5];
    if status_flags(&file) & libc::O_ACCMODE == libc::O_RDONLY {
        other.write_all(b"hello").unwrap();
        file.read_exact(&mut got).unwrap();
    } else {
        file.write_all(b"hello").unwrap();
        other.read_exact(&mut got).unwrap();
    }
    assert_eq!(&got, b"hello");
}

per_backend! {
    fn opening_is_stopped_while_it_waits() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        for open in TO_READ.into_iter().chain(TO_WRITE) {
            waits_and_is_stopped(open, path.clone());
        }
    }

    fn opening_ends_when_the_other_end_is_opened() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        for open in TO_READ {
            waits_and_is_opened(open, &path, |path| {
                OpenOptions::new().write(true).open(path)
            });
        }
        for open in TO_WRITE {
            waits_and_is_opened(open, &path, |path| File::open(path));
        }
    }

    fn a_link_to_a_fifo_waits_too() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let (link, far) = (directory.join("link"), directory.join("far"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        std::os::unix::fs::symlink("link", &far).unwrap();
        for open in TO_READ.into_iter().chain(TO_WRITE) {
            waits_and_is_stopped(open, far.clone());
        }
        waits_and_is_opened(TO_READ[1], &far, |path| OpenOptions::new().write(true).open(path));
    }

    fn a_fifo_that_is_a_link_itself_is_not_followed() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let link = directory.join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let nofollow: Open = |path| {
            OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open_or_stop(path)
        };
        let error = nofollow(&link).unwrap().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP), "as open(2) has it");
        waits_and_is_stopped(nofollow, path.clone());
        waits_and_is_opened(nofollow, &path, |path| OpenOptions::new().write(true).open(path));
    }

    /// With both ends there nothing waits, and std's own call can be asked.
    fn the_flags_are_those_that_std_opens_a_fifo_by() {
        let settings: [fn(&mut OpenOptions) -> &mut OpenOptions; 17] = [
            |options| options.read(true),
            |options| options.write(true),
            |options| options.append(true),
            |options| options.read(true).append(true),
            |options| options.write(true).create(true).truncate(true),
            |options| options.write(true).create_new(true),
            |options| options.write(true).custom_flags(libc::O_NONBLOCK),
            |options| options.read(true).custom_flags(libc::O_NONBLOCK),
            |options| options.read(true).custom_flags(libc::O_SYNC),
            |options| options.write(true).custom_flags(libc::O_DSYNC | libc::O_ASYNC),
            |options| options.read(true).custom_flags(libc::O_NOATIME),
            |options| options.read(true).custom_flags(libc::O_PATH),
            |options| options.read(true).custom_flags(libc::O_DIRECTORY),
            |options| options.read(true).custom_flags(libc::O_CREAT | libc::O_NOCTTY),
            |options| options.write(true).custom_flags(libc::O_TMPFILE),
            |options| options,
            |options| options.read(true).truncate(true),
        ];
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let _both = both(&path);
        let before = descriptors();
        let outcome = |opened: Result<File>| match opened {
            Ok(file) => Ok(status_flags(&file)),
            Err(error) => Err((error.kind(), error.raw_os_error())),
        };
        for (at, set) in settings.into_iter().enumerate() {
            let mut options = OpenOptions::new();
            let options = &*set(&mut options);
            let expected = outcome(options.open(&path));
            let got = outcome(options.open_or_stop(&path).unwrap());
            assert_eq!(got, expected, "number {at}");
            assert_eq!(descriptors(), before);
        }
    }

    /// `fs.protected_fifos`, proc_sys_fs(5): whatever it says on this machine,
    /// and the user that runs this (only root can give a FIFO to another user).
    fn a_fifo_that_the_kernel_protects_is_not_opened() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let _ = std::os::unix::fs::chown(&path, Some(65_534), None);
        let create = |path: &Path, flags| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).custom_flags(flags).open(path).unwrap_err()
        };
        let open: Open = |path| OpenOptions::new().write(true).create(true).open_or_stop(path);
        for mode in [0o755, 0o1755, 0o1775, 0o1777, 0o777] {
            std::fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
            if create(&path, libc::O_NONBLOCK).raw_os_error() == Some(libc::ENXIO) {
                waits_and_is_stopped(open, path.clone());
                continue;
            }
            let refused = open(&path).unwrap().unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(libc::EACCES), "mode {mode:o}");
        }
    }

    fn what_does_not_wait_alone_does_not_wait_here() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let open = |set: fn(&mut OpenOptions) -> &mut OpenOptions| {
            let mut options = OpenOptions::new();
            let opened = set(&mut options).open_or_stop(&path).unwrap();
            opened.map(drop).map_err(|error| error.raw_os_error().unwrap())
        };
        assert_eq!(open(|options| options.read(true).write(true)), Ok(()));
        assert_eq!(open(|options| options.read(true).custom_flags(libc::O_NONBLOCK)), Ok(()));
        assert_eq!(
            open(|options| options.write(true).custom_flags(libc::O_NONBLOCK)),
            Err(libc::ENXIO)
        );
        assert_eq!(open(|options| options.write(true).create_new(true)), Err(libc::EEXIST));
        // musl has O_PATH in O_ACCMODE, and std takes nothing of that as a flag.
        #[cfg(target_env = "gnu")]
        assert_eq!(open(|options| options.read(true).custom_flags(libc::O_PATH)), Ok(()));
        assert_eq!(
            open(|options| options.read(true).custom_flags(libc::O_DIRECTORY)),
            Err(libc::ENOTDIR)
        );
        // open(2) would wait, and then say EINVAL.
        assert_eq!(
            open(|options| options.read(true).custom_flags(libc::O_DIRECT)),
            Err(libc::ENOTSUP)
        );
    }

    /// The other end is opened if and only if the call says that it was.
    fn a_stop_loses_neither_end() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let before = descriptors();
        let mut dice = Dice::new();
        let (mut opened, mut stopped) = (0, 0);
        for _ in 0..runs(3_000) / 3 {
            for open in TO_READ {
                let theirs = path.clone();
                let opener = start(move || open(&theirs).map(Result::unwrap).ok());
                if dice.chance(2) {
                    opener.wait_until_in(libc::SYS_openat);
                }
                let other = std::thread::scope(|scope| {
                    let (path, seed) = (&path, dice.below(u64::MAX));
                    let other = scope.spawn(move || {
                        Dice::of(seed).spin(40_000);
                        let mut options = OpenOptions::new();
                        options.write(true).custom_flags(libc::O_NONBLOCK).open(path)
                    });
                    dice.spin(40_000);
                    opener.request_stop();
                    other.join().unwrap()
                });
                let file = opener.ended();
                assert_eq!(file.is_some(), other.is_ok(), "{other:?}");
                opened += u32::from(file.is_some());
                stopped += u32::from(file.is_none());
            }
        }
        assert_eq!(descriptors(), before);
        println!("{opened} opened, {stopped} stopped");
        assert!(opened > 0 && stopped > 0);
    }
}
