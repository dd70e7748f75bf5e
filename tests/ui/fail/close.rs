use stopruntime::stoppable;

fn close(_: i32) -> std::io::Result<()> {
    Ok(())
}

#[stoppable]
fn work(descriptor: i32) -> std::io::Result<()> {
    #[blocking]
    close(descriptor)?;
    Ok(())
}

fn main() {}
