//! Addresses there and back.

use data_bridge_abi::Address;
use std::net::SocketAddr;

#[test]
fn addresses_cross_unchanged() {
    for text in [
        "127.0.0.1:80",
        "0.0.0.0:0",
        "[2001:db8::7]:443",
        "[::ffff:1.2.3.4]:1",
    ] {
        let address: SocketAddr = text.parse().unwrap();
        assert_eq!(Address::from(address).to_socket_addr(), Some(address));
    }
    assert_eq!(Address::UNKNOWN.to_socket_addr(), None);
}
