//! A call, and what becomes of it.

use crate::runtime::region::Region;
use core::ffi::c_long;

/// A call as the registers have it.
pub(super) struct Call<'region> {
    pub(super) region: &'region Region,
    pub(super) number: c_long,
    pub(super) args: [usize; 6],
    /// Whether the calls that follow are seen as well, so that a descriptor may be reported
    /// as ready that is not.
    pub(super) sees_all: bool,
}

pub(super) enum Verdict {
    /// It is made as it is.
    Run,
    /// It is made with another third argument.
    RunWith(usize),
    /// It is made, and ended if it is found waiting.
    RunForNow,
    /// It is not made, and this is its result.
    Give(isize),
}
