//! A TLS server that says goodbye when it is stopped. `rustls` reads and writes through a
//! stream that it is handed: as a `Stoppable`, its reads end with an error that carries the
//! stop, and the outer call is marked `as_is`.
//!
//! `cargo run -p stop-examples --features guide_tls_server --example guide_tls_server`

use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use rustls::{StreamOwned, crypto::ring};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use stopruntime::ext::Stoppable;
use stopruntime::thread::{self, Group};
use stopruntime::{Stopper, shield, stoppable};

/// Answers line by line.
#[stoppable]
fn session(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let tls = StreamOwned::new(connection, Stoppable::new(stream));
    let mut lines = BufReader::new(tls);
    let mut line = String::new();
    loop {
        line.clear();
        #[blocking(as_is)]
        let length = lines.read_line(&mut line)?;
        if length == 0 {
            return Ok(());
        }
        #[blocking(as_is)]
        lines.get_mut().write_all(line.to_uppercase().as_bytes())?;
    }
    // Its writes would be stopped too: not under a shield.
    shield(|| {
        let tls = lines.get_mut();
        tls.write_all(b"BYE\n")?;
        tls.conn.send_close_notify();
        tls.flush()
    })
}

#[stoppable]
fn serve(listener: &TcpListener, config: &Arc<ServerConfig>) -> io::Result<()> {
    let sessions = Group::under(&Stopper::current());
    loop {
        #[blocking]
        let (stream, peer) = listener.accept()?;
        let config = Arc::clone(config);
        sessions.spawn(move || {
            if let Err(error) = session(stream, config) {
                eprintln!("{peer}: {error}");
            }
        });
    }
    // Stops the sessions and joins them.
    drop(sessions);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    // A real one has its certificate from a file.
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (own.cert.der().clone(), own.signing_key.serialize_der());
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], PrivateKeyDer::Pkcs8(key.into()))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener, &Arc::new(config)));

    // A client, as usual.
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut client = BufReader::new(StreamOwned::new(connection, TcpStream::connect(address)?));
    client.get_mut().write_all(b"line\n")?;
    let mut line = String::new();
    client.read_line(&mut line)?;
    print!("client: {line}");
    server.stop_and_join().expect("no panic")?;
    line.clear();
    client.read_line(&mut line)?;
    print!("client: {line}");
    // An orderly end: without the server's `close_notify` this is an error.
    assert_eq!(client.read_line(&mut line)?, 0);
    Ok(())
}
