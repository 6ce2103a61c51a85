//! The binary itself, as a user starts it.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_native-example");

fn start() -> (Running, String) {
    start_as(Command::new(BINARY).arg("127.0.0.1:0"))
}

fn start_as(command: &mut Command) -> (Running, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let output = child.stdout.take().unwrap();
    let running = Running(child);
    BufReader::new(output).read_line(&mut line).unwrap();
    let address = line.trim().rsplit_once("http://").unwrap().1.to_owned();
    (running, address)
}

fn ask(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn get(address: &str, target: &str) -> (String, String) {
    ask(
        address,
        &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
    )
}

#[test]
fn every_route_answers() {
    let (_running, address) = start();
    for (target, body) in [
        ("/", "Hello, World!"),
        ("/hello/you", "Hello, you!"),
        ("/hello/J%C3%BCrgen?greeting=Servus", "Servus, Jürgen!"),
        ("/axum", "an axum router"),
        ("/axum/twice/21", "42"),
    ] {
        let (head, answered) = get(&address, target);
        assert!(head.starts_with("HTTP/1.1 200 "), "{target}: {head}");
        assert_eq!(answered, body);
    }
    let (head, _) = get(&address, "/nowhere");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[test]
fn a_body_is_streamed_through() {
    let (_running, address) = start();
    let (head, body) = ask(
        &address,
        "POST /upper HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello",
    );
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "HELLO");
}

/// CPU time of a process so far, in clock ticks.
fn ticks(process: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn running_out_of_file_descriptors_is_survived_without_a_busy_loop() {
    let limited = format!("ulimit -n 24; exec {BINARY} 127.0.0.1:0");
    let (running, address) = start_as(Command::new("sh").args(["-c", &limited]));
    let crowd: Vec<TcpStream> = (0..60)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    let before = ticks(&running.0);
    std::thread::sleep(Duration::from_secs(1));
    let spent = ticks(&running.0) - before;
    assert!(
        spent <= 5,
        "{spent} ticks of CPU in a second without a request"
    );
    drop(crowd);
    let (head, _) = get(&address, "/");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}
