//! `syslogd`, run as a process and ended in the middle of its work: what was
//! sent before, and said to have arrived, is in the file, whole, once and in
//! order; and the counts are those of the file.

mod daemon;
mod message;
mod tcp;

mod bad;
mod frozen;
mod live;
mod logger;
mod process;
mod reload;
mod report;
