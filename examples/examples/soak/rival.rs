//! `pthread_cancel(3)` under the same stress: a program in C beside this one,
//! (`pthread_cancel/`), built when it is asked for.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One translation unit; the names are for the compiler's messages.
const SOURCES: [(&str, &str); 5] = [
    ("threads.c", include_str!("pthread_cancel/threads.c")),
    ("sockets.c", include_str!("pthread_cancel/sockets.c")),
    ("files.c", include_str!("pthread_cancel/files.c")),
    ("waits.c", include_str!("pthread_cancel/waits.c")),
    ("main.c", include_str!("pthread_cancel/main.c")),
];

/// The program, removed with this.
pub(crate) struct Rival {
    program: PathBuf,
    calls: Vec<String>,
}

impl Rival {
    /// Compiles it with the machine's C compiler.
    pub(crate) fn build() -> io::Result<Rival> {
        let program =
            std::env::temp_dir().join(format!("soak-pthread-cancel-{}", std::process::id()));
        let mut compiler = Command::new("cc")
            .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread", "-x", "c", "-", "-o"])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("no C compiler: cc: {error}")))?;
        let mut input = compiler.stdin.take().expect("piped");
        for (name, source) in SOURCES {
            writeln!(input, "#line 1 \"{name}\"\n{source}")?;
        }
        drop(input);
        if !compiler.wait()?.success() {
            return Err(io::Error::other("cc does not take the program in C"));
        }
        let list = Command::new(&program).arg("--list").output()?;
        let calls = String::from_utf8_lossy(&list.stdout).lines().map(str::to_owned).collect();
        Ok(Rival { program, calls })
    }

    #[expect(clippy::unused_self, reason = "it is this one's name")]
    pub(crate) fn name(&self) -> &'static str {
        "pthread_cancel"
    }

    /// Whether it has this call, by the name it has here.
    pub(crate) fn has(&self, call: &str) -> bool {
        self.calls.iter().any(|known| known == call)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.program.clone()
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.program);
    }
}
