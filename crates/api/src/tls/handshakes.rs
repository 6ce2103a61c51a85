//! The thread that shakes hands: bytes of many clients in, bytes for them out. Knows no socket and no runtime.
//!
//! Signing with an RSA key costs half a millisecond and more, in which an event loop could have answered a hundred requests.
//! The thread also owns the certificates: it looks at their files, at most once a second and only when somebody comes.

use super::keyring::Keyring;
use crate::error::TlsError;
use crate::faults;
use crate::metrics::contain;
use rustls::pki_types::CertificateDer;
use rustls::server::{Accepted, Acceptor, ServerConnection};
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One client's handshake between two of its messages.
pub(super) enum Side {
    /// The client has not said which server it wants.
    Greeting(Box<Acceptor>),
    /// It has been answered with this certificate.
    Speaking(Box<ServerConnection>, CertificateDer<'static>),
}

/// What came of some bytes of a client.
pub(super) struct Turn {
    /// What has to be sent, also after a failure.
    pub(super) reply: Vec<u8>,
    /// The handshake goes on, or failed.
    pub(super) side: Result<Side, rustls::Error>,
    /// The certificates were read anew, or could not be.
    pub(super) reloaded: Option<Result<(), TlsError>>,
}

enum Job {
    Step {
        side: Side,
        bytes: Vec<u8>,
        answer: oneshot::Sender<Turn>,
    },
    Reload {
        answer: oneshot::Sender<Result<(), TlsError>>,
    },
}

/// The thread, as the connections of its server see it. It ends with the last handle.
pub(crate) struct Handshakes {
    jobs: mpsc::Sender<Job>,
}

impl Handshakes {
    pub(crate) fn start(keyring: Keyring) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let mut worker = Worker {
            keyring,
            looked: Instant::now(),
        };
        thread::Builder::new()
            .name("data_bridge-tls".to_owned())
            .spawn(move || {
                for job in queue {
                    // A panic loses this one handshake: its answer is dropped.
                    let _ = contain("handshake", || worker.work(job));
                }
            })?;
        Ok(Self { jobs })
    }

    /// Goes on with a handshake; nothing where that panicked.
    pub(super) async fn step(&self, side: Side, bytes: Vec<u8>) -> Option<Turn> {
        let (answer, turn) = oneshot::channel();
        let job = Job::Step {
            side,
            bytes,
            answer,
        };
        self.jobs.send(job).ok()?;
        turn.await.ok()
    }

    /// Reads the certificates anew, whether their files seem changed or not. The old ones stay where that fails.
    pub(crate) async fn reload(&self) -> Option<Result<(), TlsError>> {
        let (answer, result) = oneshot::channel();
        self.jobs.send(Job::Reload { answer }).ok()?;
        result.await.ok()
    }
}

struct Worker {
    keyring: Keyring,
    /// When the files were looked at last.
    looked: Instant,
}

impl Worker {
    /// Whoever asked may be gone; then nobody wants the answer.
    fn work(&mut self, job: Job) {
        match job {
            Job::Step {
                side,
                bytes,
                answer,
            } => {
                if answer.is_closed() {
                    return;
                }
                let reloaded = self.look();
                let mut reply = Vec::new();
                let side = advance(&self.keyring, side, &bytes, &mut reply);
                let _ = answer.send(Turn {
                    reply,
                    side,
                    reloaded,
                });
            }
            Job::Reload { answer } => {
                let _ = answer.send(self.reload());
            }
        }
    }

    fn look(&mut self) -> Option<Result<(), TlsError>> {
        if self.looked.elapsed() < LOOK_EVERY {
            return None;
        }
        self.looked = Instant::now();
        self.keyring.is_stale().then(|| self.reload())
    }

    fn reload(&mut self) -> Result<(), TlsError> {
        match self.keyring.reload() {
            Ok(keyring) => {
                self.keyring = keyring;
                Ok(())
            }
            Err(error) => {
                self.keyring.overlook();
                Err(error)
            }
        }
    }
}

fn advance(
    keyring: &Keyring,
    side: Side,
    bytes: &[u8],
    reply: &mut Vec<u8>,
) -> Result<Side, rustls::Error> {
    match side {
        Side::Greeting(acceptor) => greet(keyring, acceptor, bytes, reply),
        Side::Speaking(mut session, leaf) => {
            let fed = feed(&mut session, bytes);
            drain(&mut session, reply);
            fed.map(|()| Side::Speaking(session, leaf))
        }
    }
}

fn greet(
    keyring: &Keyring,
    mut acceptor: Box<Acceptor>,
    mut bytes: &[u8],
    reply: &mut Vec<u8>,
) -> Result<Side, rustls::Error> {
    while !bytes.is_empty() {
        read(acceptor.read_tls(&mut bytes))?;
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                let (mut session, leaf) = begin(keyring, accepted, reply)?;
                let fed = feed(&mut session, bytes);
                drain(&mut session, reply);
                return fed.map(|()| Side::Speaking(session, leaf));
            }
            Err((error, mut alert)) => {
                // Writing to memory does not fail.
                let _ = alert.write_all(reply);
                return Err(error);
            }
        }
    }
    Ok(Side::Greeting(acceptor))
}

fn begin(
    keyring: &Keyring,
    accepted: Accepted,
    reply: &mut Vec<u8>,
) -> Result<(Box<ServerConnection>, CertificateDer<'static>), rustls::Error> {
    faults::named(accepted.client_hello().server_name());
    let offer = keyring.choose(&accepted.client_hello());
    let leaf = offer.leaf();
    match accepted.into_connection(offer.config.clone()) {
        Ok(session) => Ok((Box::new(session), leaf)),
        Err((error, mut alert)) => {
            let _ = alert.write_all(reply);
            Err(error)
        }
    }
}

fn feed(session: &mut ServerConnection, mut bytes: &[u8]) -> Result<(), rustls::Error> {
    session.process_new_packets()?;
    while !bytes.is_empty() {
        read(session.read_tls(&mut bytes))?;
        session.process_new_packets()?;
    }
    Ok(())
}

/// Reading from memory fails only where a client has sent more than may wait.
fn read(result: io::Result<usize>) -> Result<(), rustls::Error> {
    let full = |error: io::Error| rustls::Error::General(error.to_string());
    result.map(drop).map_err(full)
}

fn drain(session: &mut ServerConnection, reply: &mut Vec<u8>) {
    while session.wants_write() && session.write_tls(reply).is_ok() {}
}
