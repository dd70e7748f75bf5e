//! Methods, generics, temporaries.

use crate::prelude::*;

struct Server<S> {
    socket: S,
    count: usize,
}

impl<S: Read + stopruntime::ext::ReadOrStop> Server<S> {
    #[stoppable(break)]
    fn run(&mut self) -> io::Result<&mut Self>
    where
        S: Send,
    {
        let mut buffer = [0; 2];
        loop {
            #[blocking]
            let length = self.socket.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            self.count += length;
        }
        Ok(self)
    }
}

trait Work {
    fn socket(&self) -> &UnixDatagram;

    #[stoppable(break)]
    fn work(&self) -> io::Result<u8> {
        let mut last = 0;
        loop {
            let mut buffer = [0];
            #[blocking]
            self.socket().recv(&mut buffer)?;
            last = buffer[0];
            if last == 2 {
                break;
            }
        }
        Ok(last)
    }
}

impl Work for UnixDatagram {
    fn socket(&self) -> &UnixDatagram {
        self
    }
}

#[test]
fn methods_generics_and_trait_defaults() {
    let run = || {
        let (mut sender, receiver) = UnixStream::pair().unwrap();
        sender.write_all(b"12345").unwrap();
        drop(sender);
        let mut server = Server { socket: receiver, count: 0 };
        server.run().unwrap().count
    };
    assert_eq!(run(), 5);
    assert_eq!(requested(run), 0);
    assert_eq!(datagrams(3).1.work().unwrap(), 2);
    assert_eq!(requested(|| datagrams(3).1.work().unwrap()), 0);
}

#[stoppable(break)]
fn while_borrowed(socket: &RefCell<UnixStream>) -> io::Result<usize> {
    let mut total = 0;
    while total < 4 {
        // The borrow lives to the end of the statement, as in the plain program.
        #[blocking]
        let length = socket.borrow_mut().read(&mut [0; 2])?;
        assert!(socket.try_borrow().is_ok());
        total += length;
    }
    #[blocking]
    match socket.borrow_mut().read(&mut [0; 2])? {
        length => {
            assert!(socket.try_borrow().is_err());
            total += length;
        }
    }
    Ok(total)
}

#[test]
fn temporaries_live_as_long_as_they_would() {
    let (mut sender, receiver) = UnixStream::pair().unwrap();
    sender.write_all(b"123456").unwrap();
    assert_eq!(while_borrowed(&RefCell::new(receiver)).unwrap(), 6);
}

#[stoppable]
fn holding(socket: &UnixDatagram, dropped: &Cell<u32>) -> io::Result<()> {
    struct Count<'a>(&'a Cell<u32>);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let _outer = Count(dropped);
    loop {
        let _inner = Count(dropped);
        request();
        #[blocking]
        let _length = { socket.recv(&mut [0]) }?;
    }
    assert_eq!(dropped.get(), 1);
    Ok(())
}

#[test]
fn destructors_run() {
    let dropped = requested_after(|| {
        let dropped = Cell::new(0);
        holding(&datagrams(0).1, &dropped).unwrap();
        dropped.get()
    });
    assert_eq!(dropped, 2);
}

struct Noisy<'a>(&'a Cell<u32>);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[stoppable(break)]
fn left_out_of_the_pattern(socket: &UnixDatagram, dropped: &Cell<u32>) -> io::Result<Vec<u32>> {
    let mut seen = Vec::new();
    for _ in [Noisy(dropped), Noisy(dropped)] {
        blocking!(socket.recv(&mut [0]))?;
        seen.push(dropped.get());
    }
    for (number, _) in [(10, Noisy(dropped)), (20, Noisy(dropped))] {
        blocking!(socket.recv(&mut [0]))?;
        seen.push(number + dropped.get());
    }
    Ok(seen)
}

#[test]
fn items_live_as_long_as_they_would() {
    let dropped = Cell::new(0);
    let seen = left_out_of_the_pattern(&datagrams(4).1, &dropped).unwrap();
    assert_eq!((seen, dropped.get()), (vec![0, 1, 12, 23], 4));
}
