//! Files that do not wait.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use stop_tests::directory::{Directory, is_inherited, status_flags};
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{FileOrStop, OpenOrStop};
use stopruntime::{Stopper, stoppable};

/// The same by std and by the stop-checked call, each on a file of its own with
/// the same content: what came of it is the same.
fn alike(
    existing: Option<&str>,
    plainly: impl Fn(&Path) -> std::io::Result<File>,
    or_stop: impl Fn(&Path) -> std::io::Result<File>,
) {
    let directory = Directory::new().unwrap();
    let outcome = |name: &str, open: &dyn Fn(&Path) -> std::io::Result<File>| {
        let path = directory.join(name);
        if let Some(existing) = existing {
            fs::write(&path, existing).unwrap();
        }
        let opened = open(&path);
        let opened = match opened {
            Ok(mut file) => {
                assert!(!is_inherited(&file));
                let written = file.write(b"NEW").map_err(|error| error.raw_os_error());
                Ok((status_flags(&file), written))
            }
            Err(error) => Err((error.kind(), error.raw_os_error())),
        };
        let mode = fs::metadata(&path).map(|found| found.permissions().mode()).ok();
        (opened, mode, fs::read(&path).ok())
    };
    let expected = outcome("plain", &plainly);
    assert_eq!(outcome("marked", &or_stop), expected);
}

per_backend! {
    fn a_file_is_opened_and_made_as_by_std() {
        for existing in [None, Some("content")] {
            alike(existing, |path| File::open(path), |path| File::open_or_stop(path).unwrap());
            alike(existing, |path| File::create(path), |path| File::create_or_stop(path).unwrap());
            alike(
                existing,
                |path| File::create_new(path),
                |path| File::create_new_or_stop(path).unwrap(),
            );
        }
    }

    fn options_are_those_of_std() {
        let settings: [fn(&mut OpenOptions) -> &mut OpenOptions; 11] = [
            |options| options.read(true),
            |options| options.write(true),
            |options| options.append(true),
            |options| options.write(true).truncate(true),
            |options| options.read(true).write(true).create(true).mode(0o640),
            |options| options.append(true).create(true).mode(0o604),
            |options| options.write(true).create_new(true).mode(0o600),
            |options| options.read(true).custom_flags(libc::O_DIRECTORY),
            |options| options.write(true).custom_flags(libc::O_SYNC),
            // None, and what goes with no file.
            |options| options,
            |options| options.read(true).truncate(true),
        ];
        for existing in [None, Some("content")] {
            for set in settings {
                let mut options = OpenOptions::new();
                let options = &*set(&mut options);
                alike(
                    existing,
                    |path| options.open(path),
                    |path| options.open_or_stop(path).unwrap(),
                );
            }
        }
    }

    fn a_path_that_ends_early_is_none() {
        for opened in [
            File::open_or_stop("a\0b").unwrap(),
            File::create_or_stop("a\0b").unwrap(),
            OpenOptions::new().read(true).open_or_stop("a\0b").unwrap(),
        ] {
            assert_eq!(opened.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }

    fn a_request_that_came_before_opens_and_makes_nothing() {
        let directory = Directory::new().unwrap();
        let (new, kept) = (directory.join("new"), directory.join("kept"));
        fs::write(&kept, "content").unwrap();
        let theirs = (new.clone(), kept.clone());
        start(move || {
            let (new, kept) = theirs;
            let file = OpenOptions::new().write(true).open(&kept).unwrap();
            Stopper::current().request_stop();
            assert!(File::create_or_stop(&new).is_err());
            assert!(File::create_new_or_stop(&new).is_err());
            assert!(OpenOptions::new().write(true).create(true).open_or_stop(&new).is_err());
            assert!(File::create_or_stop(&kept).is_err());
            assert!(OpenOptions::new().write(true).truncate(true).open_or_stop(&kept).is_err());
            assert!(File::open_or_stop(&kept).is_err());
            assert!(File::open_or_stop("a\0b").is_err());
            assert!(file.sync_all_or_stop().is_err());
            assert!(file.sync_data_or_stop().is_err());
        })
        .ended();
        assert!(!new.exists());
        assert_eq!(fs::read(&kept).unwrap(), b"content");
    }

    fn syncing_reports_as_std_does() {
        let directory = Directory::new().unwrap();
        let file = File::create(directory.join("file")).unwrap();
        file.sync_all_or_stop().unwrap().unwrap();
        file.sync_data_or_stop().unwrap().unwrap();
        // A pipe has no disk (fsync(2)).
        let pipe = File::from(std::os::fd::OwnedFd::from(std::io::pipe().unwrap().0));
        let expected = pipe.sync_all().unwrap_err().raw_os_error();
        assert_eq!(pipe.sync_all_or_stop().unwrap().unwrap_err().raw_os_error(), expected);
        assert_eq!(pipe.sync_data_or_stop().unwrap().unwrap_err().raw_os_error(), expected);
    }

    fn marked_calls_are_these() {
        #[stoppable]
        fn write(path: &Path) -> std::io::Result<bool> {
            #[blocking]
            let mut file = File::create(path)?;
            file.write_all(b"1")?;
            #[blocking]
            file.lock()?;
            #[blocking]
            file.sync_all()?;
            Stopper::current().request_stop();
            loop {
                #[blocking]
                let again = OpenOptions::new().write(true).truncate(true).open(path)?;
                drop(again);
            }
            Ok(fs::read(path)? == b"1")
        }
        let directory = Directory::new().unwrap();
        let path = directory.join("file");
        assert!(start(move || write(&path)).ended().unwrap());
    }
}
