//! `STOPRUNTIME_BACKEND`: what it chooses, and what is made of a name that is not to be had.

use super::config::{ALL, NOT_SET, caught, make_rseq_unavailable, stops_and_reads};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use stop_tests::{on_backends, per_backend};
use stopruntime::{Backend, Config, InstallError, backend, support, thread};

const NOT_A_BACKEND: [&str; 1] = ["epoll"];

per_backend! {
    fn the_environment_chooses_the_backend() {
        let name = std::env::var("STOPRUNTIME_BACKEND").unwrap();
        assert_eq!(backend().name(), name);
        assert_eq!(backend().to_string(), name);
        stops_and_reads();
    }

    fn the_environment_overrides_the_config() {
        let name = std::env::var("STOPRUNTIME_BACKEND").unwrap();
        let another = ALL.into_iter().find(|one| one.name() != name).unwrap();
        Config::new().backend(another).install().unwrap();
        assert_eq!(backend().name(), name);
        stops_and_reads();
    }
}

on_backends! { NOT_A_BACKEND;
    fn an_unknown_name_in_the_environment_is_refused() {
        let before = caught();
        let refused = Config::new().install().unwrap_err();
        assert!(
            matches!(&refused, InstallError::UnknownBackend(name) if name == "epoll"),
            "{refused:?}"
        );
        let text = refused.to_string();
        for word in ["STOPRUNTIME_BACKEND", "epoll", "rseq", "handler", "ppoll"] {
            assert!(text.contains(word), "{word} in {text:?}");
        }
        assert_eq!(caught(), before);
        // The first use has no caller to hand an error to.
        assert!(ALL.contains(&backend()));
        assert_eq!(support().ignored.as_deref(), Some(text.as_str()));
        assert!(support().to_string().contains(&text), "{}", support());
        stops_and_reads();
    }

    fn an_unknown_name_ends_no_thread_that_is_started() {
        assert!(thread::spawn(|| ()).join().is_ok());
        assert!(support().ignored.is_some_and(|why| why.contains("epoll")));
    }

    /// A user that starts a program with another user's rights has no say in
    /// how it works.
    fn a_program_with_others_rights_does_not_look_at_the_environment() {
        const INSIDE: &str = "STOP_TESTS_SECURE";
        if std::env::var_os(INSIDE).is_some() {
            // SAFETY: a number.
            if unsafe { libc::getauxval(libc::AT_SECURE) } == 0 {
                stop_tests::not_tested("a program that is set-group-id", "not on this file system");
                return;
            }
            Config::new().install().unwrap();
            assert_eq!(support().ignored, None);
            // Nor for an audit, which has a thread.
            assert_eq!(fs::read_dir("/proc/self/task").unwrap().count(), 2);
            return;
        }
        // SAFETY: takes no argument.
        if unsafe { libc::geteuid() } != 0 {
            return stop_tests::not_tested("a program that is set-group-id", "not the superuser");
        }
        let copy = std::env::temp_dir().join(format!("stop-tests-secure-{}", std::process::id()));
        fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        std::os::unix::fs::chown(&copy, None, Some(65534)).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o2755)).unwrap();
        let output = stop_tests::program(&copy)
            .args(stop_tests::this_test())
            .env(INSIDE, "1")
            .env("STOPRUNTIME_AUDIT", "1")
            .output();
        fs::remove_file(&copy).unwrap();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        print!("{}", if said.contains("NOT TESTED") { &said } else { "" });
    }
}

on_backends! { NOT_SET;
    fn a_name_that_is_not_to_be_had_is_refused_and_ends_no_first_use() {
        make_rseq_unavailable();
        // SAFETY: no other thread of this process looks at the environment.
        unsafe { std::env::set_var("STOPRUNTIME_BACKEND", "rseq") };
        let refused = Config::new().install().unwrap_err();
        assert!(matches!(refused, InstallError::Unavailable(Backend::Rseq)), "{refused}");
        let next = if stop_tests::HAS_WINDOWS { Backend::Handler } else { Backend::Ppoll };
        assert_eq!(backend(), next);
        assert_eq!(support().ignored, Some(refused.to_string()));
        stops_and_reads();
    }
}
