//! loom's atomics in the shape of [`core::sync::atomic`].
//!
//! loom takes a `SeqCst` access for an `AcqRel` one. So a `SeqCst` store or
//! modification has a `SeqCst` fence behind it here, and a load has none: what
//! compilers make of them on x86-64. It is less than the language promises to
//! loads of words that others store to, and more to what stands before such a
//! store: loom's fence synchronises with each one before it.

use crate::signal;
use loom::sync::atomic as model;
use loom::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;

pub use core::sync::atomic::compiler_fence;
pub use loom::sync::atomic::Ordering;

/// [`core::sync::atomic::fence`].
pub fn fence(order: Ordering) {
    if !std::thread::panicking() {
        signal::pass();
        model::fence(order);
    }
}

/// Behind a store.
fn stored<T>(order: Ordering, result: T) -> T {
    if order == SeqCst {
        model::fence(SeqCst);
    }
    result
}

/// A load of what a modification would find, the newest value.
trait Newest<T> {
    fn newest(&self, order: Ordering) -> T;
}

impl Newest<bool> for model::AtomicBool {
    fn newest(&self, order: Ordering) -> bool {
        self.fetch_or(false, order)
    }
}

/// Types of the same name and methods as core's. A failed model is taken down
/// from outside, with destructors that find no loom: they see zeros.
macro_rules! atomics {
    ($($name:ident, $value:ty, [$($modify:ident),*];)*) => {$(
        /// As in [`core::sync::atomic`]. A clone is the same cell.
        #[derive(Clone, Debug)]
        pub struct $name(Arc<model::$name>);

        impl Default for $name {
            fn default() -> $name {
                $name::new(<$value>::default())
            }
        }

        #[allow(missing_docs)]
        impl $name {
            #[must_use]
            pub fn new(value: $value) -> $name {
                $name(Arc::new(model::$name::new(value)))
            }

            #[must_use]
            pub fn load(&self, order: Ordering) -> $value {
                if std::thread::panicking() {
                    return <$value>::default();
                }
                signal::pass();
                if signal::is_first_look(Arc::as_ptr(&self.0).cast()) {
                    self.0.newest(order)
                } else {
                    self.0.load(order)
                }
            }

            pub fn store(&self, value: $value, order: Ordering) {
                if !std::thread::panicking() {
                    signal::pass();
                    stored(order, self.0.store(value, order));
                }
            }

            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                if std::thread::panicking() {
                    return Ok(current);
                }
                signal::pass();
                let before = self.0.compare_exchange(current, new, success, failure)?;
                Ok(stored(success, before))
            }

            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            pub fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut update: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(failure);
                while let Some(new) = update(before) {
                    match self.compare_exchange(before, new, success, failure) {
                        Ok(before) => return Ok(before),
                        Err(other) => before = other,
                    }
                }
                Err(before)
            }

            $(pub fn $modify(&self, value: $value, order: Ordering) -> $value {
                if std::thread::panicking() {
                    return <$value>::default();
                }
                signal::pass();
                stored(order, self.0.$modify(value, order))
            })*

            /// The newest value; conflicts with every other access, so that each
            /// order of the two is run.
            pub fn touch(&self, order: Ordering) -> $value {
                if std::thread::panicking() {
                    return <$value>::default();
                }
                signal::pass();
                self.0.newest(order)
            }
        }
    )*};
}

atomics! {
    AtomicBool, bool, [swap, fetch_and, fetch_or, fetch_xor];
    AtomicU32, u32, [swap, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_xor];
    AtomicU64, u64, [swap, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_xor, fetch_max];
    AtomicUsize, usize, [swap, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_xor];
}

macro_rules! newest {
    ($($name:ident: $value:ty),*) => {$(
        impl Newest<$value> for model::$name {
            fn newest(&self, order: Ordering) -> $value {
                // An exchange of what is never there stores nothing.
                let never = <$value>::MAX / 3;
                let (Ok(value) | Err(value)) = self.compare_exchange(never, never, order, order);
                value
            }
        }
    )*};
}
newest!(AtomicU32: u32, AtomicU64: u64, AtomicUsize: usize);

impl AtomicU32 {
    pub(crate) fn is(&self, other: &AtomicU32) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
