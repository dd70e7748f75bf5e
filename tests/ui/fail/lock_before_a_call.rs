//! The mark covers `recv`; a lock that is not standard input's is waited for
//! unstoppably, also if it cannot be poisoned.

struct Lock<T>(std::sync::Mutex<T>);

impl<T> Lock<T> {
    fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

#[stopruntime::stoppable]
fn work(jobs: Lock<stopruntime::sync::mpsc::Receiver<u64>>) -> Option<u64> {
    #[blocking]
    let job = jobs.lock().recv();
    job.ok()
}

fn main() {}
