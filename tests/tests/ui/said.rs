//! What rustc says, without what differs between machines.

/// As it stands in a file beside its source: without the summary at the end,
/// and without where this workspace and std are.
pub(crate) fn stored(said: &str) -> String {
    let summary = |line: &&str| {
        line.starts_with("error: aborting due to")
            || line.starts_with("Some errors have detailed")
            || line.starts_with("For more information about")
    };
    let lines = said.lines().filter(|line| !summary(line)).map(|line| {
        let Some((arrow, path)) = arrow(line) else { return line.to_owned() };
        let indent = &line[..line.len() - line.trim_start().len()];
        match path.find("stopruntime/src/").or(path.find("library/")) {
            None => format!("{indent}{arrow} {}", path.trim_start_matches("tests/")),
            Some(at) => {
                let file = path[at..].split(':').next().expect("a path");
                let root = if path[at..].starts_with('l') { "$RUST" } else { "$WORKSPACE" };
                format!("{indent}{arrow} {root}/{file}")
            }
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim_end().to_owned() + "\n"
}

/// What is compared: without the lines of std, which rustc prints only where its
/// sources are installed, the numbers of lines of ours, and all widths, which
/// follow from these numbers.
pub(crate) fn compared(stored: &str) -> String {
    let (mut in_std, mut in_ours) = (false, false);
    let mut kept = String::new();
    for line in stored.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = line.as_str();
        if let Some((_, path)) = arrow(line) {
            in_std = path.starts_with("$RUST");
            in_ours = path.starts_with("$WORKSPACE");
            if in_std {
                continue;
            }
        }
        let code = line.trim_start_matches(|one: char| one.is_ascii_digit()).trim_start();
        let quoted = code.starts_with('|') || line == "...";
        (in_std, in_ours) = (in_std && quoted, in_ours && (quoted || arrow(line).is_some()));
        if (quoted && in_std) || code == "|" || line.is_empty() {
            continue;
        }
        // Of implementations, in all crates that there are.
        let others = line.starts_with("and ") && line.ends_with(" others");
        kept += match () {
            () if others => "and $N others",
            () if in_ours => code,
            () => line,
        };
        kept.push('\n');
    }
    kept
}

/// What does not depend on the compiler: the attribute's errors and where they
/// are; the line of an error about types, whose column rustc chooses; and what
/// the runtime has it say.
pub(crate) fn essence(compared: &str, own: &[Vec<&str>]) -> Vec<String> {
    let mut essence = Vec::new();
    // Of the error whose place comes next: whether it is the attribute's.
    let mut head = None;
    for line in compared.lines() {
        if line.starts_with("error") {
            // "Type annotations needed", where there is another error already: some
            // releases say it too.
            let follows = line.starts_with("error[E0282]");
            head = (!follows).then(|| line.starts_with("error: "));
        }
        let place = arrow(line).and(head);
        if place == Some(true) || line.starts_with("error: ") {
            essence.push(line.to_owned());
        } else if place == Some(false) {
            essence.extend(line.rsplit_once(':').map(|(line, _column)| line.to_owned()));
        } else {
            let said = own.iter().find(|parts| contains(line, parts));
            essence.extend(said.map(|parts| parts.join("…")));
        }
        head = head.filter(|_| place.is_none());
    }
    essence
}

/// What the runtime's sources have rustc say of their traits, without the types.
pub(crate) fn own(source: &str) -> Vec<Vec<&str>> {
    let told = |line: &str| {
        ["message = \"", "label = \"", "note = \""].iter().any(|key| line.starts_with(key))
    };
    let lines = source.lines().map(str::trim).filter(|line| told(line));
    let texts = lines.filter_map(|line| line.split_once('"')?.1.rsplit_once('"'));
    texts.map(|(text, _)| text.split(['{', '}']).step_by(2).collect()).collect()
}

/// Whether it has these parts, one after the other.
fn contains(line: &str, parts: &[&str]) -> bool {
    let mut rest = Some(line);
    for part in parts {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

/// Where a quotation comes from, if the line says it.
fn arrow(line: &str) -> Option<(&str, &str)> {
    let (arrow, path) = line.trim_start().split_once(' ')?;
    ["-->", ":::"].contains(&arrow).then_some((arrow, path))
}
