//! What is answered.

use std::fmt::Write;
use std::fs::File;

use chrono::Utc;

use crate::files::{Files, Found};
use crate::request::Request;

/// An answer: a file, or a line of text.
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Of what follows the head.
    pub(crate) length: u64,
    pub(crate) file: Option<File>,
    pub(crate) keeps_alive: bool,
    kind: &'static str,
    /// Where a directory is.
    location: Option<String>,
}

impl Response {
    /// What the request asks for, or why it does not get it.
    pub(crate) fn to(request: &Request, files: &Files) -> Response {
        let mut response = Response {
            status: request.bad.unwrap_or(404),
            length: 0,
            file: None,
            keeps_alive: request.keeps_alive,
            kind: "text/plain; charset=utf-8",
            location: None,
        };
        let found = if request.bad.is_none() { files.find(&request.path) } else { Found::Nothing };
        match found {
            Found::File(file, length, kind) => {
                response = Response { status: 200, length, file: Some(file), kind, ..response };
            }
            Found::Directory => {
                response.status = 301;
                response.location = Some(encode(&request.path) + "/");
            }
            Found::Nothing => {}
        }
        if response.file.is_none() {
            response.length = response.text().len() as u64;
        }
        response
    }

    /// The status line and the headers.
    pub(crate) fn head(&self) -> String {
        let Response { length, kind, .. } = self;
        let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
        let connection = if self.keeps_alive { "keep-alive" } else { "close" };
        let mut head = format!(
            "HTTP/1.1 {}\r\nDate: {date}\r\nContent-Length: {length}\r\nContent-Type: {kind}\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: {connection}\r\n",
            self.status_text()
        );
        if self.status == 405 {
            head += "Allow: GET, HEAD\r\n";
        }
        if let Some(location) = &self.location {
            let _ = write!(head, "Location: {location}\r\n");
        }
        head + "\r\n"
    }

    /// What follows the head where it is no file.
    pub(crate) fn text(&self) -> String {
        self.status_text() + "\n"
    }

    fn status_text(&self) -> String {
        let reason = match self.status {
            200 => "OK",
            301 => "Moved Permanently",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            413 => "Content Too Large",
            431 => "Request Header Fields Too Large",
            _ => "HTTP Version Not Supported",
        };
        format!("{} {reason}", self.status)
    }
}

/// A path as it stands in a URL: relative to this server, whatever it begins with.
fn encode(path: &[u8]) -> String {
    let mut text = String::new();
    for &byte in path {
        match byte {
            b'/' if text == "/" => {}
            b'/' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
