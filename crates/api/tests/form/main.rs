//! Multipart forms through the public face: cut anywhere they are the same, and what is no form is refused.

#![allow(clippy::unwrap_used)]

use api::form::multipart::{Event, Multipart};
use api::form::{Limits, Refusal};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    files: 2.0,
    fields: 2.0,
    field_size: 16,
};

/// A part as a whole.
#[derive(Debug, PartialEq, Clone)]
enum Part {
    Field(String, Vec<u8>),
    File(String, String, Vec<u8>),
}

fn read(pieces: &[&[u8]]) -> Result<Vec<Part>, Refusal> {
    read_with("b", pieces, LIMITS)
}

fn read_with(boundary: &str, pieces: &[&[u8]], limits: Limits) -> Result<Vec<Part>, Refusal> {
    let mut form = Multipart::new(boundary.as_bytes(), limits)?;
    let mut parts = Vec::new();
    let mut file = None;
    for piece in pieces {
        let mut events = Vec::new();
        form.feed(piece, &mut events)?;
        for event in events {
            match event {
                Event::Field { name, value } => parts.push(Part::Field(text(&name), value)),
                Event::File { name, filename, .. } => {
                    file = Some((text(&name), text(&filename), Vec::new()));
                }
                Event::Data(range) => extend(&mut file, &piece[range]),
                Event::Held(held) => extend(&mut file, &held),
                Event::FileEnd => {
                    let (name, filename, data) = file.take().unwrap();
                    parts.push(Part::File(name, filename, data));
                }
            }
        }
    }
    Ok(parts)
}

fn extend(file: &mut Option<(String, String, Vec<u8>)>, data: &[u8]) {
    assert!(!data.is_empty());
    file.as_mut().unwrap().2.extend_from_slice(data);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn field(name: &str, value: &str) -> Part {
    Part::Field(name.into(), value.into())
}

const BODY: &[u8] = b"\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b\r\n\
    content-disposition:form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n\
    \r\n--\r\n--bc\r\n--b\r\r\n--b-\r\n--b \t\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--b--\r\nepilogue";

#[test]
fn fields_and_files() {
    let expected = vec![
        field("a", "one"),
        Part::File(
            "f".into(),
            "x.txt".into(),
            b"\r\n--\r\n--bc\r\n--b\r\r\n--b-".to_vec(),
        ),
        field("b", ""),
    ];
    assert_eq!(read(&[BODY]), Ok(expected.clone()));
    for cut in 0..=BODY.len() {
        let (first, second) = BODY.split_at(cut);
        assert_eq!(read(&[first, second]), Ok(expected.clone()), "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = BODY.chunks(1).collect();
    assert_eq!(read(&bytes), Ok(expected));
}

#[test]
fn what_is_no_form() {
    let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    for body in [
        "-a\r\n",
        "--c\r\n",
        "--b\n",
        "--b\rx",
        "--b-x",
        "--b \r\n",
        "--b\r\nno colon\r\n\r\n",
        "--b\r\n: x\r\n\r\n",
        "--b\r\na(: x\r\n\r\n",
        "--b\r\na: x\rb\r\n\r\n",
        "--b\r\n\rx",
        &format!("{part}x\r\n--b x\r\n"),
        &format!("{part}x\r\n--b \rx\r\n"),
        &format!("--b\r\nname: {}\r\n\r\n", "a".repeat(4096 + 128 - 5)),
        &format!("--b\r\n{}\r\n", "a: b\r\n".repeat(9)),
        &format!(
            "--b\r\n{}\r\n",
            format!("a:{}\r\n", "b".repeat(4000)).repeat(5)
        ),
    ] {
        assert_eq!(read(&[body.as_bytes()]), Err(Refusal::Syntax), "{body:.80}");
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert_eq!(read(&bytes), Err(Refusal::Syntax), "{body:.80}");
    }
    let long = "b".repeat(257);
    assert_eq!(read_with(&long, &[], LIMITS), Err(Refusal::Syntax));
}

#[test]
fn what_ends_early_has_no_part_for_it() {
    assert_eq!(
        read(&[b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx"]),
        Ok(vec![])
    );
    assert_eq!(read(&[b"--b--"]), Ok(vec![]));
    assert_eq!(read(&[b""]), Ok(vec![]));
    assert_eq!(read(&[b"\r\nnothing of it"]), Ok(vec![]));
}

#[test]
fn every_part_has_a_name() {
    assert_eq!(read(&[b"--b\r\n\r\n"]), Err(Refusal::Name));
    assert_eq!(
        read(&[b"--b\r\nContent-Disposition: form-data\r\n\r\n"]),
        Err(Refusal::Name)
    );
}

#[test]
fn there_are_limits() {
    let field =
        |value: &str| format!("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{value}\r\n");
    let file = "--b\r\nContent-Disposition: form-data; name=a; filename=\r\n\r\n".to_owned()
        + &"x".repeat(17)
        + "\r\n";
    let whole =
        |parts: &[String]| read(&[(parts.concat() + "--b--").as_bytes()]).map(|parts| parts.len());
    let empty = field("");
    assert_eq!(whole(&[empty.clone(), empty.clone()]), Ok(2));
    assert_eq!(
        whole(&[empty.clone(), empty.clone(), empty]),
        Err(Refusal::Fields)
    );
    assert_eq!(whole(&[file.clone(), file.clone()]), Ok(2));
    assert_eq!(
        whole(&[file.clone(), file.clone(), file]),
        Err(Refusal::Files)
    );
    assert_eq!(whole(&[field(&"x".repeat(16))]), Ok(1));
    assert_eq!(whole(&[field(&"x".repeat(17))]), Err(Refusal::FieldSize));
}

/// Text that is likely to look like a delimiter.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        Just(&b"\r\n--b"[..]),
        Just(&b"\r\n--"[..]),
        Just(&b"\r"[..]),
        Just(&b"\n"[..]),
        Just(&b"-"[..]),
        Just(&b"b"[..]),
        Just(&b"x"[..]),
    ];
    proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_form_may_be_cut_anywhere(data in data(), cuts in proptest::collection::vec(0usize..200, 0..5)) {
        let mut body = b"--b\r\nContent-Disposition: form-data; name=a; filename=c\r\n\r\n".to_vec();
        body.extend(data);
        body.extend(b"\r\n--b--");
        let whole = read(&[&body]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect();
        prop_assert_eq!(read(&pieces), whole);
    }

    #[test]
    fn anything_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&[&body]);
    }
}
