//! What a request says. RFC 9112.

/// The longest head of a request.
const LONGEST: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Method {
    Get,
    Head,
}

/// A request, or what is wrong with it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path, decoded: raw bytes.
    pub(crate) path: Vec<u8>,
    pub(crate) keeps_alive: bool,
    /// The status to answer, where it cannot be served.
    pub(crate) bad: Option<u16>,
    /// Its first line, for people.
    pub(crate) line: String,
}

impl Request {
    /// One that cannot be read further.
    pub(crate) fn bad(status: u16) -> Request {
        let (path, line) = (Vec::new(), "-".to_owned());
        Request { method: Method::Get, path, keeps_alive: false, bad: Some(status), line }
    }
}

/// What the bytes that have come are.
pub(crate) enum Parsed {
    /// A request, and how many bytes it has.
    Complete(Request, usize),
    Partial,
    /// To be answered with this status.
    Bad(u16),
}

/// The request that begins here.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end.filter(|end| *end <= LONGEST) else {
        return if bytes.len() > LONGEST { Parsed::Bad(431) } else { Parsed::Partial };
    };
    let Ok(head) = str::from_utf8(&bytes[..end]) else { return Parsed::Bad(400) };
    match request(head) {
        Ok(request) => Parsed::Complete(request, end + 4),
        Err(status) => Parsed::Bad(status),
    }
}

fn request(head: &str) -> Result<Request, u16> {
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words[..] else { return Err(400) };
    let is_newer = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        _ => return Err(505),
    };
    let path = path(target).ok_or(400_u16)?;
    let (mut keeps_alive, mut hosts) = (is_newer, 0);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(400_u16)?;
        // A name with a space is how one request is passed off as two.
        if name.is_empty() || name.contains(|letter: char| !letter.is_ascii_graphic()) {
            return Err(400);
        }
        let is = |other| name.eq_ignore_ascii_case(other);
        let value = value.trim_matches([' ', '\t']);
        if is("connection") {
            keeps_alive &= !value.split(',').any(|it| it.trim().eq_ignore_ascii_case("close"));
        } else if is("transfer-encoding") || is("content-length") && value != "0" {
            // Nothing here takes a body, and what follows is not read.
            return Err(413);
        } else if is("host") {
            hosts += 1;
        }
    }
    if is_newer && hosts != 1 {
        return Err(400);
    }
    let (method, bad) = match method {
        "GET" => (Method::Get, None),
        "HEAD" => (Method::Head, None),
        _ => (Method::Get, Some(405)),
    };
    // It is printed: a control character is not.
    let line = line.escape_debug().to_string();
    Ok(Request { method, path, keeps_alive, bad, line })
}

/// The path of a target in origin-form, decoded, without its query.
fn path(target: &str) -> Option<Vec<u8>> {
    let raw = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
    let mut path = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            path.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        path.push(u8::try_from(value).ok()?);
    }
    (!path.contains(&0)).then_some(path)
}
