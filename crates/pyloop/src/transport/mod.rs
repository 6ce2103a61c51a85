//! Transports. `stream` is what Python sees; `read`, `write` and `close` are its three lives; `endpoint` is the socket
//! under it, `receiver` the protocol above it, `watch` its tie to the poller, `outgoing` and `flow` its write buffer;
//! `clients` are a server's. `feed` and `tls` are the fast ways through asyncio's own protocols, `reads`, `reading`,
//! `supply` and `handover` those of a `StreamReader`, `original` and `attributes` what they look at. `datagram` is the transport of whole
//! messages; with `stream` it shares `opening`, `waiter`, `input` and `pressure`.

mod attributes;
mod clients;
mod close;
mod datagram;
mod endpoint;
mod feed;
mod flow;
mod handover;
mod input;
mod lent;
mod opening;
mod original;
mod outgoing;
mod pressure;
mod read;
mod reading;
mod reads;
mod receiver;
mod stream;
mod supply;
mod tie;
mod tls;
mod waiter;
mod watch;
mod write;

pub use close::os_error;
pub use datagram::DatagramTransport;
pub use endpoint::{Endpoint, Kind, bare_class, fileno, transport_socket};
pub use reading::StreamRead;
pub use reads::StreamReads;
pub use stream::{Origin, StreamTransport};
