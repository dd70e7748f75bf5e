use stopruntime::stoppable;

mod parking_lot {
    pub struct Mutex;
    impl Mutex {
        pub fn lock(&self) {}
    }
}

mod flume {
    pub struct Receiver;
    impl Receiver {
        pub fn recv(&self) -> Result<u8, ()> {
            Ok(0)
        }
    }
}

#[stoppable]
fn counter(count: &parking_lot::Mutex) {
    loop {
        #[blocking]
        count.lock();
    }
}

#[stoppable]
fn receiver(numbers: &flume::Receiver) {
    #[blocking]
    while let Ok(_number) = numbers.recv() {}
}

fn main() {}
