//! What an editor offers while a function with marks is being typed: as much as without
//! the attribute. Asked is rust-analyzer, where it is installed beside rustc.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use stop_tests::compiler::{Compiler, root};
use stop_tests::not_tested;

/// The sources of std, below where rustc is installed.
const LIBRARY: &str = "lib/rustlib/src/rust/library";

/// rust-analyzer, and what it has been asked so far.
struct Editor {
    server: Child,
    said: BufReader<ChildStdout>,
    asked: usize,
}

impl Editor {
    /// Starts it on a file of a crate that depends on the runtime.
    fn open(analyzer: &Path, compiler: &Compiler, file: &Path) -> Editor {
        let mut server = Command::new("timeout")
            .args(["300".as_ref(), analyzer.as_os_str()])
            .current_dir(file.parent().expect("a file"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("rust-analyzer starts");
        let said = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut editor = Editor { server, said, asked: 0 };
        let member = |name: &str| root().join(name).join("src/lib.rs").display().to_string();
        let project = format!(
            r#"{{"sysroot":"{}","sysroot_src":"{}","crates":[
                {{"root_module":"{}","edition":"2024","deps":[],"cfg":[],
                  "is_proc_macro":true,"proc_macro_dylib_path":"{}"}},
                {{"root_module":"{}","edition":"2024","deps":[{{"crate":0,"name":"stopmacro"}}],
                  "cfg":["feature=\"macros\"","unix","target_os=\"linux\""]}},
                {{"root_module":"{}","edition":"2024","cfg":["unix"],
                  "deps":[{{"crate":1,"name":"stopruntime"}}]}}]}}"#,
            compiler.sysroot().display(),
            compiler.sysroot().join(LIBRARY).display(),
            member("stopmacro"),
            compiler.attribute().display(),
            member("stopruntime"),
            file.display(),
        );
        editor.ask(
            "initialize",
            &format!(
                r#"{{"processId":null,"rootUri":"file://{}",
                    "capabilities":{{"experimental":{{"serverStatusNotification":true}}}},
                    "initializationOptions":{{"linkedProjects":[{project}],"checkOnSave":false,
                        "cachePriming":{{"enable":false}},
                        "completion":{{"autoimport":{{"enable":false}}}}}}}}"#,
                file.parent().expect("a file").display(),
            ),
        );
        editor.tell("initialized", "{}");
        while !editor.read().contains(r#""quiescent":true"#) {}
        let document = r#""languageId":"rust","version":0,"text":"""#;
        editor.tell(
            "textDocument/didOpen",
            &format!(r#"{{"textDocument":{{"uri":"file://{}",{document}}}}}"#, file.display()),
        );
        editor
    }

    /// What is offered where `$0` stands in the text, which is the whole file.
    fn offers(&mut self, file: &Path, text: &str) -> Vec<String> {
        let (before, after) = text.split_once("$0").expect("a place");
        let (line, column) = (before.matches('\n').count(), before.rsplit('\n').next().unwrap());
        let document = format!(r#""uri":"file://{}""#, file.display());
        self.tell(
            "textDocument/didChange",
            &format!(
                r#"{{"textDocument":{{{document},"version":{}}},"contentChanges":[{{"text":{:?}}}]}}"#,
                self.asked,
                format!("{before}{after}"),
            ),
        );
        let place = format!(r#"{{"line":{line},"character":{}}}"#, column.len());
        let answer = self.ask(
            "textDocument/completion",
            &format!(r#"{{"textDocument":{{{document}}},"position":{place}}}"#),
        );
        let labels = answer.split(r#""label":""#).skip(1);
        labels.map(|label| label.split('"').next().unwrap().to_owned()).collect()
    }

    fn ask(&mut self, method: &str, parameters: &str) -> String {
        self.asked += 1;
        let id = format!(r#""id":{}"#, self.asked);
        self.send(&format!(
            r#"{{"jsonrpc":"2.0",{id},"method":"{method}","params":{parameters}}}"#
        ));
        loop {
            let said = self.read();
            if said.contains(&format!("{id},")) {
                assert!(said.contains(r#""result""#), "{method}: {said}");
                return said;
            }
        }
    }

    fn tell(&mut self, method: &str, parameters: &str) {
        self.send(&format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{parameters}}}"#));
    }

    fn send(&mut self, message: &str) {
        let input = self.server.stdin.as_mut().expect("a pipe");
        write!(input, "Content-Length: {}\r\n\r\n{message}", message.len()).expect("it reads");
        input.flush().expect("it reads");
    }

    fn read(&mut self) -> String {
        let mut length = 0;
        loop {
            let mut head = String::new();
            assert_ne!(self.said.read_line(&mut head).expect("it writes"), 0, "it has ended");
            match head.trim_end().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().expect("a number"),
                Some(_) => {}
                None => break,
            }
        }
        let mut message = vec![0; length];
        self.said.read_exact(&mut message).expect("it writes");
        String::from_utf8(message).expect("a text")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

/// The body of a function that is being typed, and the same without marks.
const TYPED: [(&str, &str); 17] = [
    ("#[blocking]\nstream.$0\nOk(())", "\nstream.$0\nOk(())"),
    ("#[blocking]\nlet n = stream.re$0\nOk(())", "\nlet n = stream.re$0\nOk(())"),
    ("#[blocking]\nlet n = str$0", "\nlet n = str$0"),
    ("#[blocking]\nstream.read(&mut b$0\nOk(())", "\nstream.read(&mut b$0\nOk(())"),
    ("#[blocking]\nstream.read(&mut b$0)?;", "\nstream.read(&mut b$0)?;"),
    ("#[blocking]\nstream.read(&mut buffer)?;\nstream.$0", "stream.read(&mut buffer)?;\nstream.$0"),
    (
        "stream.$0\n#[blocking]\nstream.read(&mut buffer)?;",
        "stream.$0\n\nstream.read(&mut buffer)?;",
    ),
    ("stream.$0\n#[blocking]", "stream.$0\n"),
    ("loop {\n#[blocking]\nlet n = stream.re$0\nOk(())", "loop {\n\nlet n = stream.re$0\nOk(())"),
    (
        "#[blocking]\nlet n = stream.read(&mut buffer)?;\nn.$0",
        "let n = stream.read(&mut buffer)?;\nn.$0",
    ),
    ("#[blocking]\nstream.read(&mut buffer).$0", "\nstream.read(&mut buffer).$0"),
    ("#[blocking()]\nstream.re$0;", "\nstream.re$0;"),
    ("#[blocking(rea)]\nstream.re$0;", "\nstream.re$0;"),
    ("#[blo\nstream.re$0;", "#[blo\nstream.re$0;"),
    ("#[checkpoint]\nloop { stream.$0 }", "\nloop { stream.$0 }"),
    ("let n = blocking!(stream.$0)?;", "let n = (stream.$0)?;"),
    ("let n = blocking!($0)?;", "let n = ($0)?;"),
];

#[test]
fn what_is_typed_is_completed_as_without_marks() {
    if stop_tests::is_a_developers() {
        return not_tested("completion in an editor", "STOP_TESTS is not set");
    }
    let compiler = Compiler::new(&["stopruntime"], super::out().join("editor"));
    let analyzer = compiler.sysroot().join("bin/rust-analyzer");
    if !analyzer.exists() || !compiler.sysroot().join(LIBRARY).exists() {
        let why = "rust-analyzer and rust-src are not installed beside rustc";
        return not_tested("completion in an editor", why);
    }
    let file = super::out().join("editor/typed.rs");
    std::fs::write(&file, "").expect("the file can be written");
    let mut editor = Editor::open(&analyzer, &compiler, &file);
    let head = "use std::io::{self, Read};\nuse std::net::TcpStream;\n";
    let mut function = |attribute: &str, body: &str| {
        let signature = "fn work(stream: &mut TcpStream) -> io::Result<()> {";
        let buffer = "let mut buffer = [0; 8];";
        editor.offers(&file, &format!("{head}{attribute}\n{signature}\n{buffer}\n{body}\n}}\n"))
    };
    let stoppable = "#[stopruntime::stoppable]";
    // It expands the attribute: the variants are in scope only there.
    let seen = function(stoppable, "#[blocking]\nstream.read(&mut buffer)?;\nstream.$0");
    assert!(seen.iter().any(|label| label.starts_with("read_or_stop")), "{seen:?}");
    for (typed, plain) in TYPED {
        let (with, without) = (function(stoppable, typed), function("", plain));
        let missing: Vec<_> = without.iter().filter(|label| !with.contains(label)).collect();
        assert!(!without.is_empty() && missing.is_empty(), "{typed:?}: {missing:?} are missing");
    }
    // What a mark says of its call is completed too.
    for typed in ["readable = str$0", "unblock = str$0.shutdown(Shutdown::Both)"] {
        let offered =
            function(stoppable, &format!("#[blocking({typed})]\nstream.read(&mut buffer)?;"));
        assert!(offered.iter().any(|label| label == "stream"), "{typed}: {offered:?}");
    }
}
