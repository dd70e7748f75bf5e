//! [`core::cell::UnsafeCell`] for data that one thread has at a time.
//!
//! # Safety
//!
//! The pointer is what core's gives; its user argues for that.

use core::cell;

/// Each `get` is an access that excludes all others: two that nothing has
/// ordered fail the model.
#[derive(Debug, Default)]
pub struct UnsafeCell<T: ?Sized> {
    accesses: loom::cell::UnsafeCell<()>,
    data: cell::UnsafeCell<T>,
}

#[allow(missing_docs)]
impl<T> UnsafeCell<T> {
    #[must_use]
    pub fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell { accesses: loom::cell::UnsafeCell::new(()), data: cell::UnsafeCell::new(value) }
    }

    #[must_use]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

#[allow(missing_docs)]
impl<T: ?Sized> UnsafeCell<T> {
    #[must_use]
    pub fn get(&self) -> *mut T {
        if !std::thread::panicking() {
            self.accesses.with_mut(|_| ());
        }
        self.data.get()
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}
