//! Traits that mirror one type of std are sealed.

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ExitStatus};
use stopruntime::ext::{
    AcceptOrStop, FileOrStop, GroupCommand, IncomingOrStop, KillGroup, OpenOrStop, Outcome,
    ReadOutputOrStop,
};

struct Mine(File, Child);

impl FileOrStop for Mine {
    fn open_or_stop<P: AsRef<Path>>(_: P) -> Outcome<Mine> {
        panic!()
    }
    fn create_or_stop<P: AsRef<Path>>(_: P) -> Outcome<Mine> {
        panic!()
    }
    fn create_new_or_stop<P: AsRef<Path>>(_: P) -> Outcome<Mine> {
        panic!()
    }
    fn sync_all_or_stop(&self) -> Outcome<()> {
        self.0.sync_all_or_stop()
    }
    fn sync_data_or_stop(&self) -> Outcome<()> {
        self.0.sync_data_or_stop()
    }
    fn lock_shared_or_stop(&self) -> Outcome<()> {
        self.0.lock_shared_or_stop()
    }
}

impl OpenOrStop for Mine {
    fn open_or_stop<P: AsRef<Path>>(&self, _: P) -> Outcome<File> {
        panic!()
    }
}

impl AcceptOrStop for Mine {
    type Accepted = TcpStream;

    fn accept_or_stop(&self) -> Outcome<TcpStream> {
        panic!()
    }
}

impl IncomingOrStop for Mine {
    type Stream = TcpStream;

    fn stream(accepted: TcpStream) -> TcpStream {
        accepted
    }
}

impl KillGroup for Mine {
    fn kill_group(&mut self) -> GroupCommand<'_> {
        panic!()
    }
}

impl ReadOutputOrStop for Mine {
    fn read_output_or_stop(&mut self, out: &mut Vec<u8>, err: &mut Vec<u8>) -> Outcome<ExitStatus> {
        self.1.read_output_or_stop(out, err)
    }
}

fn main() {}
