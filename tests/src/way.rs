//! The way of a traced thread, instruction by instruction, and the places on it at which
//! it can be held when it goes that way once more.
//!
//! A request is some ten thousand instructions of a debug build, most of them looks at
//! records that no thread has. What a loop does from its third round on is nothing new:
//! a place is an instruction at which the thread is for the first or second time. It is
//! not stepped to but runs there, so all places can be met.

use crate::dice::{Dice, runs};
use crate::ptrace::{Event, Go, Traced};
use std::collections::HashMap;

/// From where the thread stood to the first instruction at which it `ends`.
pub struct Way {
    addresses: Vec<usize>,
    ends: fn(&Traced) -> bool,
}

/// An instruction of a way, and how often the thread is there before.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    index: usize,
    address: usize,
    before: usize,
}

impl Way {
    /// The way of the stopped thread, to the call or trap at which it `ends`: step by step.
    /// `calls` is told of the system calls that come before, and which instructions they are.
    pub fn of(
        traced: &Traced,
        ends: fn(&Traced) -> bool,
        mut calls: impl FnMut(&Traced, usize),
    ) -> Way {
        let mut addresses = Vec::new();
        // The code is looked at once.
        let mut kinds = HashMap::new();
        loop {
            let pc = traced.pc();
            let kind =
                *kinds.entry(pc).or_insert_with(|| [traced.is_at_call(), traced.is_at_trap()]);
            addresses.push(pc);
            if kind != [false; 2] && ends(traced) {
                return Way { addresses, ends };
            }
            if kind[0] {
                calls(traced, addresses.len() - 1);
            }
            step(traced);
        }
    }

    /// Of which these are known to be the instructions.
    pub fn through(addresses: Vec<usize>, ends: fn(&Traced) -> bool) -> Way {
        Way { addresses, ends }
    }

    /// Its instructions, the one at its end included.
    pub fn addresses(&self) -> &[usize] {
        &self.addresses
    }

    /// The place of this instruction.
    pub fn place(&self, index: usize) -> Place {
        let address = self.addresses[index];
        let before = self.addresses[..index].iter().filter(|other| **other == address).count();
        Place { index, address, before }
    }

    /// Some of its places, evenly spread, and its end: as many as are asked for, or the
    /// part of them that [`runs`] leaves.
    pub fn places(&self, most: u64) -> Vec<Place> {
        let (all, most) = (self.all_from(0), usize::try_from(runs(most)).expect("small"));
        let part = all.len().div_ceil(most.max(1));
        let from = Dice::new().below(part as u64).try_into().expect("small");
        let last = all.last().copied();
        let chosen: Vec<_> =
            all.iter().copied().rev().skip(1).skip(from).step_by(part).chain(last).collect();
        let count = self.addresses.len() - 1;
        eprintln!("{count} instructions, {} places, {} of them chosen", all.len(), chosen.len());
        chosen
    }

    /// A place from this one on, for a thread that stands there.
    pub fn place_from(&self, first: Place, dice: &mut Dice) -> Place {
        let all = self.all_from(first.index);
        all[usize::try_from(dice.below(all.len() as u64)).expect("small")]
    }

    /// All places from this instruction on, for a thread that stands there.
    fn all_from(&self, first: usize) -> Vec<Place> {
        const TIMES: usize = 2;
        let mut seen = HashMap::new();
        let mut places = Vec::new();
        let end = self.addresses.len() - 1;
        for (index, address) in self.addresses.iter().copied().enumerate().skip(first) {
            let times: &mut usize = seen.entry(address).or_default();
            if *times < TIMES || index == end {
                places.push(Place { index, address, before: *times });
            }
            *times += 1;
        }
        places
    }

    /// Runs the thread, which stands where the way begins, to this place; or to the end,
    /// if its way is another one this time.
    pub fn run_to(&self, traced: &Traced, place: Place) {
        let end = *self.addresses.last().expect("one at least");
        let mut before = place.before;
        loop {
            if traced.pc() == place.address {
                if before == 0 {
                    return;
                }
                before -= 1;
            }
            if (self.ends)(traced) {
                return;
            }
            step(traced);
            if ![place.address, end].contains(&traced.pc()) {
                traced.run_to([place.address, end]);
            }
        }
    }
}

fn step(traced: &Traced) {
    traced.go(Go::Step, 0);
    assert!(matches!(traced.wait(), Event::Trap | Event::Call));
}
