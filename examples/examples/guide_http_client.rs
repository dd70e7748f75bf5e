//! An HTTP client that ends when it is stopped, or when its time is over, whatever it waits
//! for: a name server, a connection, an answer. The client is `ureq`, which knows nothing of
//! stops.
//!
//! `cargo run -p stop-examples --features guide_http_client --example guide_http_client`

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use stopruntime::{Stopper, stoppable, thread, within};

/// What the server answers. Drop a connection that was stopped in the middle: `ureq` does.
#[stoppable]
fn get(agent: &ureq::Agent, url: &str) -> io::Result<String> {
    let request = agent.get(url);
    #[blocking(foreign)]
    let mut answer = request.call().map_err(io::Error::other)?;
    let body = answer.body_mut();
    #[blocking(foreign)]
    let text = body.read_to_string().map_err(io::Error::other)?;
    Ok(text)
}

/// Answers `/answer`, and leaves all others waiting.
#[stoppable]
fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut waiting = Vec::new();
    #[blocking]
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut request = [0; 1024];
        #[blocking]
        let length = stream.read(&mut request)?;
        if request[..length].starts_with(b"GET /answer ") {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer";
            stream.write_all(answer)?;
        } else {
            waiting.push(stream);
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address: SocketAddr = listener.local_addr()?;
    let _server = thread::spawn(move || serve(&listener)).stop_on_drop();
    let agent = ureq::Agent::new_with_defaults();
    let url = |path: &str| format!("http://{address}/{path}");
    println!("answered: {:?}", get(&agent, &url("answer"))?);

    // A job, stopped by another thread.
    let job = Stopper::new();
    let result = thread::scope(|scope| {
        scope.spawn(|| job.request_stop());
        job.run(|| get(&agent, &url("never")))
    });
    println!("stopped: {}", result.unwrap_err());

    // The same with one time limit for the whole exchange.
    let result = within(Duration::from_millis(50), || get(&agent, &url("never")));
    println!("limited: {}", result.unwrap_err());
    println!("answered: {:?}", get(&agent, &url("answer"))?);
    Ok(())
}
