//! Memory that stays what it is: items are taken, given back and taken again, and
//! never freed or made something else.
//!
//! A requester looks at records and scopes of threads that may end meanwhile. What
//! it finds may belong to another thread by then, and so be a wrong hint; it is
//! never anything else than a record or a scope.
//!
//! Items lie in chunks, which are linked and never unlinked. A chunk knows by one
//! bit an item which are free, so that taking and giving back take no lock: in a
//! forked child there is none that another thread might have held.
//!
//! # Safety
//!
//! The invariant of this module: a chunk is never freed nor moved, its items are
//! written only before it is linked, and a bit of `free` is clear exactly while
//! someone has the item.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::alloc::{Layout, alloc, handle_alloc_error};

/// How many items a chunk has: one bit each.
const PER_CHUNK: usize = usize::BITS as usize;

/// What can be in a pool.
///
/// # Safety
///
/// `place` returns what `new` was given.
pub(crate) unsafe trait Pooled: Sync + Sized + 'static {
    /// An item that nothing has had yet.
    fn new(place: u32) -> Self;

    /// Its place in the chunk.
    fn place(&self) -> u32;
}

struct Chunk<T> {
    next: *const Chunk<T>,
    free: AtomicUsize,
    items: [T; PER_CHUNK],
}

pub(crate) struct Pool<T> {
    first: AtomicPtr<Chunk<T>>,
    /// The chunk that has been given something back last: the first to look at.
    hint: AtomicPtr<Chunk<T>>,
}

impl<T: Pooled> Pool<T> {
    pub(crate) const fn new() -> Pool<T> {
        Pool { first: AtomicPtr::new(ptr::null_mut()), hint: AtomicPtr::new(ptr::null_mut()) }
    }

    /// An item that nothing else has, as it was when it was given back. Lock-free.
    pub(crate) fn take(&self) -> &'static T {
        // SAFETY: the module's invariant: null or a chunk.
        let hint = unsafe { self.hint.load(Ordering::Acquire).as_ref() };
        hint.into_iter().chain(self.chunks()).find_map(take_from).unwrap_or_else(|| self.grow())
    }

    /// Gives an item back.
    ///
    /// # Safety
    ///
    /// It came from [`Pool::take`] of this pool, and whatever had it has it no more.
    pub(crate) unsafe fn give_back(&self, item: &'static T) {
        let place = item.place() as usize;
        let offset = core::mem::offset_of!(Chunk<T>, items) + place * size_of::<T>();
        // SAFETY: the module's invariant: the item lies in a chunk, at its place.
        let chunk = unsafe { &*ptr::from_ref(item).byte_sub(offset).cast::<Chunk<T>>() };
        // Release: the thread that takes it sees it as it was left.
        chunk.free.fetch_or(1 << place, Ordering::Release);
        self.hint.store(ptr::from_ref(chunk).cast_mut(), Ordering::Release);
    }

    /// All items that something has when their chunk is come to. Async-signal-safe.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &'static T> + Clone {
        self.chunks().flat_map(|chunk| {
            // After the barrier of whatever looks, as all that a record says: the thread that
            // has it has taken it before it published anything.
            let mut left = !chunk.free.load(Ordering::Acquire);
            core::iter::from_fn(move || {
                let item = chunk.items.get(left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(item)
            })
        })
    }

    fn chunks(&self) -> Chunks<T> {
        Chunks { next: self.first.load(Ordering::Acquire), pool: PhantomData }
    }

    /// Links one more chunk, and takes its first item.
    #[cold]
    fn grow(&self) -> &'static T {
        let layout = Layout::new::<Chunk<T>>();
        // SAFETY: a chunk has a size; it is written whole before it is used, in
        // place, because it is large for a stack.
        let chunk = unsafe {
            let chunk = alloc(layout).cast::<Chunk<T>>();
            let Some(chunk) = NonNull::new(chunk) else { handle_alloc_error(layout) };
            let chunk = chunk.as_ptr();
            (&raw mut (*chunk).free).write(AtomicUsize::new(!1));
            for place in 0..PER_CHUNK {
                (&raw mut (*chunk).items).cast::<T>().add(place).write(T::new(place as u32));
            }
            chunk
        };
        let mut first = self.first.load(Ordering::Relaxed);
        loop {
            // SAFETY: not linked yet.
            unsafe { (&raw mut (*chunk).next).write(first) };
            // Release: what is found in the list is written. SeqCst: a request that
            // does not find it is one that the thread, which looks after it, sees.
            let order = Ordering::SeqCst;
            match self.first.compare_exchange_weak(first, chunk, order, Ordering::Relaxed) {
                Ok(_) => break,
                Err(other) => first = other,
            }
        }
        self.hint.store(chunk, Ordering::Release);
        // SAFETY: linked, so never freed; its first item has been kept.
        unsafe { &(*chunk).items[0] }
    }
}

fn take_from<T>(chunk: &'static Chunk<T>) -> Option<&'static T> {
    let mut free = chunk.free.load(Ordering::Relaxed);
    while free != 0 {
        let place = free.trailing_zeros() as usize;
        // Acquire: with the Release of the one that gave it back.
        let order = Ordering::Acquire;
        let taken = free & !(1 << place);
        match chunk.free.compare_exchange_weak(free, taken, order, Ordering::Relaxed) {
            Ok(_) => return Some(&chunk.items[place]),
            Err(other) => free = other,
        }
    }
    None
}

struct Chunks<T: 'static> {
    next: *const Chunk<T>,
    pool: PhantomData<&'static T>,
}

impl<T> Clone for Chunks<T> {
    fn clone(&self) -> Self {
        Chunks { next: self.next, pool: PhantomData }
    }
}

impl<T> Iterator for Chunks<T> {
    type Item = &'static Chunk<T>;

    fn next(&mut self) -> Option<&'static Chunk<T>> {
        // SAFETY: the module's invariant: null or a chunk, whole and never freed.
        let chunk = unsafe { self.next.as_ref() }?;
        self.next = chunk.next;
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::{PER_CHUNK, Pool, Pooled};
    use core::sync::atomic::{AtomicUsize, Ordering};

    struct Item(u32, AtomicUsize);

    // SAFETY: as it was given.
    unsafe impl Pooled for Item {
        fn new(place: u32) -> Item {
            Item(place, AtomicUsize::new(0))
        }

        fn place(&self) -> u32 {
            self.0
        }
    }

    #[test]
    fn an_item_is_had_once_and_comes_again() {
        static POOL: Pool<Item> = Pool::new();
        let items: Vec<_> = (0..3 * PER_CHUNK).map(|_| POOL.take()).collect();
        for item in &items {
            assert_eq!(item.1.fetch_add(1, Ordering::Relaxed), 0, "had twice");
        }
        assert_eq!(POOL.taken().count(), 3 * PER_CHUNK);
        for item in &items[PER_CHUNK..2 * PER_CHUNK] {
            // SAFETY: taken above, and not used any more.
            unsafe { POOL.give_back(item) };
        }
        assert_eq!(POOL.taken().count(), 2 * PER_CHUNK);
        for _ in 0..PER_CHUNK {
            assert_eq!(POOL.take().1.load(Ordering::Relaxed), 1, "taken again before a new one");
        }
        assert_eq!(POOL.taken().count(), 3 * PER_CHUNK);
        assert_eq!(POOL.chunks().count(), 3);
    }

    #[test]
    fn threads_take_and_give_back_at_once() {
        static POOL: Pool<Item> = Pool::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..if cfg!(miri) { 20 } else { 20_000 } {
                        let item = POOL.take();
                        assert_eq!(item.1.fetch_add(1, Ordering::Relaxed), 0, "had twice");
                        item.1.fetch_sub(1, Ordering::Relaxed);
                        // SAFETY: taken above, and not used any more.
                        unsafe { POOL.give_back(item) };
                    }
                });
            }
        });
        assert_eq!((POOL.taken().count(), POOL.chunks().count()), (0, 1));
    }
}
