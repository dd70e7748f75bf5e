//! The memory of a blocked thread: of its pages, and of its share of the heap.
//! Each figure comes from a fresh process, in which no thread has left stacks for
//! others to use.

use super::SIZES;
use super::child;
use super::crowd::Crowd;
use super::table::{Spread, Table};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, mem, process};

const PROCESSES: usize = 3;
const WAYS: [&str; 3] = ["read", "poll", "stoppable"];

/// Bytes that are allocated now.
static HEAP: AtomicUsize = AtomicUsize::new(0);

/// The system's, and counts.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }
}

pub(crate) fn bench() -> io::Result<()> {
    let columns = ["plain read", "one eventfd + poll", "stoppable"];
    let mut table = Table::new("many memory", "bytes per blocked thread", &columns);
    for (threads, _) in SIZES.into_iter().filter(|(threads, _)| *threads >= 100) {
        for kind in ["resident", "heap"] {
            let mut figures = WAYS.map(|_| Vec::new());
            for _ in 0..PROCESSES {
                for (way, figures) in WAYS.iter().zip(&mut figures) {
                    figures.push(child::measure(&format!("{kind} {way} {threads}"))?);
                }
            }
            table.row(&format!("{threads} threads, {kind}"), &figures.map(Spread::of));
        }
    }
    table.keep()
}

/// Measures a part and prints it; the threads end with the process.
pub(crate) fn child(part: &str) -> io::Result<()> {
    let words: Vec<&str> = part.split(' ').collect();
    let [kind, way, threads] = words[..] else {
        return Err(io::Error::other("no such part"));
    };
    let amount = if kind == "heap" { heap } else { resident };
    let threads: usize = threads.parse().map_err(io::Error::other)?;
    // What there is once for all threads is there before.
    let (first, crowd) = (Crowd::new(1)?, Crowd::new(threads)?);
    // Nothing joins them.
    let spawn = |crowd| match way {
        "read" => Crowd::plain_threads(crowd).map(mem::forget),
        "poll" => Crowd::polling_threads(crowd).map(mem::forget),
        _ => Crowd::stoppable_threads(crowd).map(mem::forget),
    };
    spawn(&first)?;
    amount();
    let before = amount();
    spawn(&crowd)?;
    println!("{}", (amount() as f64 - before as f64) / threads as f64);
    process::exit(0);
}

fn heap() -> usize {
    HEAP.load(Ordering::Relaxed)
}

/// Summed over the pages themselves: `VmRSS` of `proc_pid_status(5)` is a guess.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux 4.14");
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).expect("a line Rss");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
    kilobytes * 1024
}
