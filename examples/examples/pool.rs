//! A pool of threads whose jobs are cancelled one by one, by their ids: the thread that
//! ran a cancelled job takes the next one.
//!
//! `cargo run --example pool`

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use stopruntime::{Stopper, stoppable};

type Job = Box<dyn FnOnce() + Send>;

/// An ordinary pool: it knows nothing of stops.
struct Pool {
    queue: mpsc::Sender<Job>,
}

impl Pool {
    fn new(threads: usize) -> Pool {
        let (queue, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::spawn(move || {
                // Until the pool is gone.
                loop {
                    let next = jobs.lock().expect("no panic").recv();
                    let Ok(job) = next else { break };
                    job();
                }
            });
        }
        Pool { queue }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.queue.send(Box::new(job)).expect("its threads live as long");
    }
}

/// The jobs that are queued or run: each has a scope, and the scope is what is stopped.
#[derive(Clone, Default)]
struct Jobs(Arc<Mutex<HashMap<u32, Stopper>>>);

impl Jobs {
    fn submit(&self, pool: &Pool, id: u32, job: impl FnOnce() + Send + 'static) {
        let scope = Stopper::new();
        self.0.lock().expect("no panic").insert(id, scope.clone());
        let jobs = self.clone();
        pool.execute(move || {
            scope.run(job);
            jobs.0.lock().expect("no panic").remove(&id);
        });
    }

    /// Cancels a job, whether it runs or is still queued.
    fn cancel(&self, id: u32) -> bool {
        self.0.lock().expect("no panic").get(&id).is_some_and(Stopper::request_stop)
    }
}

/// What the jobs do.
#[stoppable]
fn receive(socket: &UdpSocket) -> io::Result<usize> {
    let mut buffer = [0; 64];
    #[blocking]
    let length = socket.recv(&mut buffer)?;
    Ok(length)
}

fn main() -> io::Result<()> {
    let pool = Pool::new(2);
    let jobs = Jobs::default();
    let (report, reports) = mpsc::channel();
    let mut addresses = Vec::new();
    for id in 1..=4 {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        addresses.push(socket.local_addr()?);
        let report = report.clone();
        jobs.submit(&pool, id, move || {
            // Its receiver lives as long as the program.
            let _ = report.send((id, receive(&socket)));
        });
    }
    let next = || {
        let (id, result) = reports.recv().expect("a job reports");
        match result {
            Ok(length) => println!("job {id}: received {length} bytes"),
            Err(error) => println!("job {id}: {error}"),
        }
    };
    // 1 and 2 have the threads. 3 is queued; cancelled, it ends as soon as it begins.
    assert!(jobs.cancel(3) && jobs.cancel(1));
    next();
    next();
    // The thread that ran them has taken 4, which works.
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"bytes", addresses[3])?;
    next();
    assert!(jobs.cancel(2));
    next();
    assert!(!jobs.cancel(5), "there is none");
    Ok(())
}
