//! Two copies of the runtime that are told, or left, to choose a backend. Those
//! that share a signal have to agree whether threads keep it blocked: the second
//! one is refused, or follows the first.

use super::image::{Image, build, library};
use super::images::{Reader, own_read, start, with_the_library};
use stop_tests::is_child;
use stop_tests::signals::STOP;
use stopruntime::{Backend, Config, InstallError, Stopper, backend};

/// Each copy chooses by itself.
const NOT_SET: [&str; 1] = [""];

/// A request through either copy ends the call that a thread, known to both, is
/// in; the other thread's does not end.
fn each_stops_its_own(image: &Image) {
    for ours in [true, false] {
        let (asks, reads) = (image.clone(), image.clone());
        let (reader, (own, theirs)) = start(
            move || (Stopper::current(), asks.stopper()),
            move |reader| if ours { own_read(reader) } else { reads.marked_read(reader) },
        );
        let (bystander, unused) = Reader::of(image);
        assert!(if ours { own.request_stop() } else { image.request_stop(theirs) });
        assert_eq!(reader.result(), -2);
        assert!(bystander.is_undisturbed());
        image.give_back(theirs);
        image.give_back(unused);
    }
}

fn one() -> Image {
    Image::open(&library(), "one")
}

/// What this program's own copy says to a backend.
fn own(backend: Backend) -> Result<(), InstallError> {
    Config::new().backend(backend).install()
}

with_the_library! { NOT_SET;
    fn ppoll_is_refused_after_windows_and_the_default_follows() {
        if !stop_tests::HAS_WINDOWS || does_not_know_masks() {
            return;
        }
        let image = one();
        own(Backend::Handler).unwrap();
        assert_eq!(image.install(STOP, true), 1);
        assert!(!image.is_on_ppoll());
        each_stops_its_own(&image);
    }

    fn windows_are_refused_after_ppoll_and_the_default_follows() {
        if does_not_know_masks() {
            return;
        }
        let image = one();
        own(Backend::Ppoll).unwrap();
        assert_eq!(image.install(STOP, false), 1);
        assert!(image.is_on_ppoll());
        each_stops_its_own(&image);
    }

    fn the_refusal_says_why_and_the_default_follows_a_library() {
        if !stop_tests::HAS_WINDOWS || does_not_know_masks() {
            return;
        }
        let image = one();
        assert_eq!(image.install(STOP, true), 0);
        for asked in [Backend::Rseq, Backend::Handler] {
            let refused = own(asked).unwrap_err();
            assert!(
                matches!(refused, InstallError::OtherCopy { signal: STOP, backend, .. } if backend == asked),
                "{refused}"
            );
            let text = refused.to_string();
            for word in ["another copy", "signal 23", asked.name(), "ppoll", "Config::signal"] {
                assert!(text.contains(word), "{word} in {text:?}");
            }
        }
        assert_eq!(backend(), Backend::Ppoll);
        each_stops_its_own(&image);
    }

    fn with_a_signal_each_they_need_not_agree() {
        let image = one();
        own(Backend::Ppoll).unwrap();
        let outcome = image.install(libc::SIGUSR1, false);
        assert_eq!(outcome, if stop_tests::HAS_WINDOWS { 0 } else { 2 });
        each_stops_its_own(&image);
    }

    fn a_third_copy_sees_the_second() {
        if does_not_know_masks() {
            return;
        }
        let (first, second) = (one(), Image::open(&library(), "other"));
        assert_eq!(first.install(STOP, true), 0);
        assert!(second.is_on_ppoll());
        assert_eq!(backend(), Backend::Ppoll);
        each_stops_its_own(&first);
        each_stops_its_own(&second);
    }
}

fn does_not_know_masks() -> bool {
    stop_tests::emulation_hides("copies that know each other", "qemu-riscv64 takes no mask")
}
