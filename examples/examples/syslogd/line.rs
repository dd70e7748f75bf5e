//! One message, one line of the file.

use std::fmt;

use chrono::{Datelike, Utc};
use syslog_loose::{IncompleteDate, Message, Protocol, Variant, parse_message_with_year_exact};

/// A line of the file, its newline included.
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    /// It could not be parsed and stands in the file as it came.
    pub(crate) bad: bool,
}

/// What is written for a message.
pub(crate) fn render(message: &[u8]) -> Line {
    let parsed = str::from_utf8(message)
        .ok()
        .and_then(|text| parse_message_with_year_exact(text, year, Variant::Either).ok());
    let bytes = match &parsed {
        Some(parsed) => escape(Readable(parsed).to_string().as_bytes()),
        None => escape(message),
    };
    Line { bytes, bad: parsed.is_none() }
}

/// `TIME HOST FACILITY.SEVERITY TAG[PID]: TEXT`, with `-` for what the message
/// does not say.
struct Readable<'a>(&'a Message<&'a str>);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.0;
        match message.timestamp {
            Some(time) => write!(formatter, "{} ", time.to_rfc3339())?,
            None => formatter.write_str("- ")?,
        }
        let (host, tag) = match (message.hostname, message.appname, &message.protocol) {
            // One name before the colon is the program's: a program that logs
            // to its own machine leaves the host out.
            (tag, None, Protocol::RFC3164) => (None, tag),
            (host, tag, _) => (host, tag),
        };
        write!(formatter, "{} ", host.unwrap_or("-"))?;
        match (message.facility, message.severity) {
            (Some(facility), Some(severity)) => {
                write!(formatter, "{}.{} ", facility.as_str(), severity.as_str())?;
            }
            _ => formatter.write_str("- ")?,
        }
        formatter.write_str(tag.unwrap_or("-"))?;
        if let Some(process) = &message.procid {
            write!(formatter, "[{process}]")?;
        }
        formatter.write_str(": ")?;
        for element in &message.structured_data {
            write!(formatter, "{element} ")?;
        }
        formatter.write_str(message.msg.trim_start_matches('\u{feff}'))
    }
}

/// RFC 3164 has no year. In January, a message of December is last year's.
fn year((month, ..): IncompleteDate) -> i32 {
    let now = Utc::now();
    now.year() - i32::from(now.month() == 1 && month == 12)
}

/// Control characters as `#` and three octal digits, as rsyslog has them: a
/// message cannot pass for two. A tab is left alone.
fn escape(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 1);
    for &byte in text {
        if byte.is_ascii_control() && byte != b'\t' {
            line.extend_from_slice(format!("#{byte:03o}").as_bytes());
        } else {
            line.push(byte);
        }
    }
    line.push(b'\n');
    line
}
