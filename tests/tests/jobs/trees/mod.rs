//! Random trees of scopes on one thread, entered, left, shielded and requested at random,
//! against a model of a few lines: after each step everything that code can ask says what
//! the model says.

#![allow(clippy::cast_possible_truncation, reason = "small numbers")]

mod model;

use model::{Frame, Node, Why};
use std::any::Any;
use std::cell::Cell;
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};
use stop_tests::dice::{Dice, runs};
use stop_tests::per_backend;
use stopruntime::ext::ReadOrStop;
use stopruntime::{
    Stopped, Stopper, TimedOut, check, deadline, foreign, shield, stop_requested, thread, within,
};

const HOUR: Duration = Duration::from_secs(3600);
const REASONS: [&str; 3] = ["reload", "Ctrl-C", "shutdown"];

/// The errors that a limit tells apart.
#[derive(Debug, PartialEq)]
enum Failed {
    Late,
    Otherwise,
}

impl From<TimedOut> for Failed {
    fn from(_: TimedOut) -> Failed {
        Failed::Late
    }
}

/// The thread's own scope is the first of `nodes`.
struct Game {
    dice: Dice,
    nodes: Vec<Node>,
    frames: Vec<Frame>,
    steps: u64,
    pipe: (PipeReader, PipeWriter),
}

fn why(stopped: Stopped) -> Why {
    (stopped.cause(), stopped.reason())
}

impl Game {
    fn play(dice: Dice) {
        let mut game =
            Game { dice, nodes: Vec::new(), frames: Vec::new(), steps: 0, pipe: pipe().unwrap() };
        game.add(Stopper::current(), None);
        game.steps = 10 + game.dice.below(100);
        game.go_on();
        assert!(game.frames.is_empty());
        game.look();
    }

    fn go_on(&mut self) {
        while self.steps > 0 {
            self.steps -= 1;
            match self.dice.below(16) {
                0 => self.add(Stopper::new(), None),
                1 | 2 => self.make_child(),
                3..6 => self.request(),
                6 => self.set_deadline(),
                7 => self.forget(),
                8..12 if self.frames.len() < 12 => self.enter(),
                12 | 13 if !self.frames.is_empty() => return,
                _ => {}
            }
            self.look();
        }
    }

    /// One whose handle is still there; not often the thread's own.
    fn choose(&mut self) -> usize {
        loop {
            let node = self.dice.below(self.nodes.len() as u64) as usize;
            if self.nodes[node].handle.is_some() && (node != 0 || self.dice.chance(8)) {
                return node;
            }
            if self.nodes[1..].iter().all(|node| node.handle.is_none()) {
                return 0;
            }
        }
    }

    fn handle(&self, node: usize) -> Stopper {
        self.nodes[node].handle.clone().unwrap()
    }

    fn make_child(&mut self) {
        let parent = self.choose();
        self.add(self.handle(parent).child(), Some(parent));
    }

    fn request(&mut self) {
        let at = self.choose();
        let handle = self.handle(at);
        let reason = REASONS.get(self.dice.below(6) as usize).copied();
        let is_first = match reason {
            Some(reason) => handle.request_stop_because(reason),
            None => handle.request_stop(),
        };
        let node = &mut self.nodes[at];
        assert_eq!(is_first, !node.requested);
        if is_first {
            (node.requested, node.reason) = (true, reason);
        }
    }

    fn set_deadline(&mut self) {
        let at = self.choose();
        let is_late = self.dice.chance(3);
        let deadline = Instant::now();
        self.handle(at).request_stop_at(if is_late { deadline } else { deadline + HOUR });
        let late = &mut self.nodes[at].late;
        *late = Some(is_late || *late == Some(true));
        // The helper says so to a thread that runs under it.
        while self.taken().is_some() && check().is_ok() {
            std::thread::yield_now();
        }
    }

    fn forget(&mut self) {
        let node = self.choose();
        if node != 0 {
            self.nodes[node].handle = None;
        }
    }

    fn enter(&mut self) {
        match self.dice.below(5) {
            0 | 1 => {
                let node = self.choose();
                let handle = self.handle(node);
                self.inside(Frame::Run(node), |game| handle.run(game));
            }
            2 => self.limit(),
            3 => self.inside(Frame::Shield, |game| shield(game)),
            _ => match self.taken() {
                Some(seen) => assert_eq!(foreign(|| ()).map_err(why), Err(seen)),
                None => self.inside(Frame::Region, |game| foreign(game).unwrap()),
            },
        }
    }

    /// Goes on in this frame, which is left by a panic now and then.
    fn inside(&mut self, frame: Frame, run: impl FnOnce(&mut dyn FnMut())) {
        self.frames.push(frame);
        let depth = self.frames.len();
        let panics = self.dice.chance(6);
        let mut go_on = || {
            self.look();
            self.go_on();
            if panics {
                resume_unwind(Box::new(depth));
            }
        };
        let left = catch_unwind(AssertUnwindSafe(|| run(&mut go_on)));
        match left.map_err(|panic: Box<dyn Any + Send>| panic.downcast::<usize>()) {
            Ok(()) => assert!(!panics),
            Err(Ok(at)) => assert!(panics && *at == depth, "{at} of {depth}"),
            Err(Err(failure)) => resume_unwind(failure),
        }
        self.frames.pop();
    }

    fn limit(&mut self) {
        let (late, fails) = (self.dice.chance(2), self.dice.chance(2));
        self.frames.push(Frame::Within(late, Cell::new(false)));
        let result = within(if late { Duration::ZERO } else { HOUR }, || {
            self.look();
            self.go_on();
            if fails { Err(Failed::Otherwise) } else { Ok(()) }
        });
        let Some(Frame::Within(_, stopped)) = self.frames.pop() else { unreachable!() };
        // Its own, unless something farther out is stopped, which knows of it then.
        let is_its_own = fails && stopped.get() && self.taken().is_none();
        let failed = if is_its_own { Failed::Late } else { Failed::Otherwise };
        assert_eq!(result, if fails { Err(failed) } else { Ok(()) });
    }

    fn look(&mut self) {
        let seen = self.taken();
        assert_eq!(check().map_err(why).err(), seen);
        let is_any = self.stops(&self.frames).next().is_some();
        assert_eq!(stop_requested(), is_any);
        assert_eq!(deadline().is_some(), self.has_deadline());
        for (at, node) in self.nodes.iter().enumerate() {
            let is_stopped = node.handle.as_ref().map(Stopper::stop_requested);
            assert!(is_stopped.is_none_or(|stopped| stopped == self.why(at).is_some()), "{at}");
        }
        let innermost = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Run(node) => Some(Some(*node)),
            Frame::Within(..) => Some(None),
            Frame::Shield | Frame::Region => None,
        });
        if let Some(handle) =
            innermost.unwrap_or(Some(0)).and_then(|at| self.nodes[at].handle.as_ref())
        {
            assert!(Stopper::current() == *handle);
        }
        if self.dice.chance(3) {
            (&self.pipe.1).write_all(b"x").unwrap();
            let read = (&self.pipe.0).read_or_stop(&mut [0]).map(Result::unwrap);
            assert_eq!(read.map_err(why), seen.map_or(Ok(1), Err));
            if seen.is_some() {
                shield(|| (&self.pipe.0).read_or_stop(&mut [0])).unwrap().unwrap();
            }
        }
    }
}

per_backend! {
    fn random_ones_are_as_the_model_says() {
        let mut dice = Dice::new();
        for _ in 0..runs(4_000) {
            let dice = Dice::of(dice.below(u64::MAX));
            thread::spawn(|| Game::play(dice)).join().unwrap();
        }
    }
}
