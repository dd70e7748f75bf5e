//! loom's atomics in the shape of [`core::sync::atomic`].
//!
//! loom takes a `SeqCst` access for an `AcqRel` one, so each has a `SeqCst`
//! fence on either side here. Among accesses that are all `SeqCst` that gives
//! the one order that they have; to relaxed accesses next to them it gives more
//! than the language promises.

use loom::sync::atomic as model;
use std::sync::Arc;

pub use loom::sync::atomic::Ordering;
use loom::sync::atomic::Ordering::{Relaxed, SeqCst};

/// [`core::sync::atomic::fence`].
pub fn fence(order: Ordering) {
    if !std::thread::panicking() {
        model::fence(order);
    }
}

fn access<R>(order: Ordering, access: impl FnOnce() -> R) -> R {
    if order == SeqCst {
        model::fence(SeqCst);
    }
    let result = access();
    if order == SeqCst {
        model::fence(SeqCst);
    }
    result
}

/// A type of the same name and methods as core's. A failed model is taken down
/// from outside, with destructors that find no loom: they see zeros.
macro_rules! atomics {
    ($($name:ident, $value:ty, [$($modify:ident),*];)*) => {$(
        /// As that of [`core::sync::atomic`]. A clone is the same cell.
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
                access(order, || self.0.load(order))
            }

            pub fn store(&self, value: $value, order: Ordering) {
                if !std::thread::panicking() {
                    access(order, || self.0.store(value, order));
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
                access(success, || self.0.compare_exchange(current, new, success, failure))
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
                access(order, || self.0.$modify(value, order))
            })*

            /// The newest value; a scheduling point that conflicts with every
            /// other access, and orders nothing.
            pub fn touch(&self) -> $value {
                self.fetch_or(<$value>::default(), Relaxed)
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

impl AtomicU32 {
    pub(crate) fn is(&self, other: &AtomicU32) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
