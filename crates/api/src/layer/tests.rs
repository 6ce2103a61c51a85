//! Each layer by itself, and what they make of each other's answers.

use super::{
    Answer, Choice, Compression, Cors, Hosts, Layer, Layers, Limit, Met, Preflight, Request, Secure,
};
use crate::exchange::Chunk;

#[derive(Default)]
struct Asked {
    method: &'static str,
    path: &'static [u8],
    query: &'static [u8],
    fields: Vec<(&'static str, &'static str)>,
    secure: bool,
    length: Option<u64>,
}

impl Asked {
    fn with(fields: &[(&'static str, &'static str)]) -> Self {
        Self {
            path: b"/",
            fields: fields.to_vec(),
            ..Self::default()
        }
    }

    fn options(mut self, fields: &[(&'static str, &'static str)]) -> Self {
        self.method = "OPTIONS";
        self.fields.extend(fields);
        self
    }
}

impl Request for Asked {
    fn method(&self) -> &str {
        self.method
    }

    fn raw_path(&self) -> &[u8] {
        self.path
    }

    fn query(&self) -> &[u8] {
        self.query
    }

    fn field(&self, name: &[u8]) -> Option<&[u8]> {
        let found = self.fields.iter().find(|field| field.0.as_bytes() == name);
        found.map(|field| field.1.as_bytes())
    }

    fn each(&self, name: &[u8], visit: &mut dyn FnMut(&[u8])) {
        for field in &self.fields {
            if field.0.as_bytes() == name {
                visit(field.1.as_bytes());
            }
        }
    }

    fn is_secure(&self) -> bool {
        self.secure
    }

    fn body_length(&self) -> Option<u64> {
        self.length
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An answer as text: its status, its fields, its body.
fn shown(answer: &Answer<'_>) -> String {
    let mut lines = vec![answer.status.to_string()];
    let fields = answer.fields.iter();
    lines.extend(fields.map(|(name, value)| format!("{}: {}", text(name), text(value))));
    lines.push(text(answer.body.as_slice()));
    lines.join("\n")
}

/// What becomes of a request.
fn met(layer: &dyn Layer, asked: &Asked) -> String {
    match layer.meet(asked) {
        Met::Passes => "passes".to_owned(),
        Met::Leaves => "leaves".to_owned(),
        Met::Answers(answer) => shown(&answer),
    }
}

/// What becomes of an answer with these fields; nothing where the app has to send it.
fn amended(
    layer: &dyn Layer,
    asked: &Asked,
    fields: &[(&str, &str)],
    body: &str,
) -> Option<String> {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut answer = Answer::new(200, fields, Chunk::Borrowed(body.as_bytes()));
    layer.amend(asked, &mut answer).then(|| shown(&answer))
}

fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn cors() -> Cors {
    let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    Cors {
        all: false,
        origins: lines(&["https://a"]),
        has_pattern: false,
        by_name: false,
        fields: vec![field("access-control-allow-credentials", "true")],
        preflight: Preflight {
            fields: vec![field("access-control-max-age", "600")],
            by_name: true,
            methods: lines(&["GET"]),
            all_headers: false,
            headers: lines(&["accept", "x-one"]),
            private_network: false,
        },
    }
}

const LISTED: &[(&str, &str)] = &[("origin", "https://a")];
const OTHER: &[(&str, &str)] = &[("origin", "https://b")];

#[test]
fn cors_names_a_listed_origin_and_says_that_it_matters() {
    let given = [("vary", "Accept"), ("X-Field", "kept"), ("Vary", "Cookie")];
    let answered = amended(&cors(), &Asked::with(LISTED), &given, "x").unwrap();
    let fields = "vary: Accept, Cookie, Origin\nX-Field: kept";
    let named = "access-control-allow-credentials: true\naccess-control-allow-origin: https://a";
    assert_eq!(answered, format!("200\n{fields}\n{named}\nx"));
    let answered = amended(&cors(), &Asked::with(OTHER), &[], "x").unwrap();
    assert_eq!(
        answered,
        "200\naccess-control-allow-credentials: true\nvary: Origin\nx"
    );
    let answered = amended(&cors(), &Asked::with(&[]), &[], "x").unwrap();
    assert_eq!(answered, "200\nvary: Origin\nx");
}

#[test]
fn cors_for_all_names_an_origin_only_where_it_has_to() {
    let mut all = Cors {
        all: true,
        fields: Vec::new(),
        ..cors()
    };
    let star = [
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-origin", "x"),
    ];
    let asked = Asked::with(OTHER);
    let answered = amended(&all, &asked, &star[..1], "").unwrap();
    assert_eq!(
        answered,
        "200\nAccess-Control-Allow-Origin: *\nvary: Origin\n"
    );
    all.by_name = true;
    let answered = amended(&all, &asked, &star, "").unwrap();
    assert_eq!(
        answered,
        "200\naccess-control-allow-origin: https://b\nvary: Origin\n"
    );
}

#[test]
fn a_preflight_is_answered_with_all_that_is_refused() {
    let get = ("access-control-request-method", "GET");
    let fields = ("access-control-request-headers", "X-One , accept");
    let near = ("access-control-request-private-network", "true");
    let asked = Asked::with(LISTED).options(&[get, fields]);
    let told = "200\naccess-control-max-age: 600\ncontent-type: text/plain; charset=utf-8";
    assert_eq!(
        met(&cors(), &asked),
        format!("{told}\naccess-control-allow-origin: https://a\nOK")
    );
    let put = ("access-control-request-method", "PUT");
    let unknown = ("access-control-request-headers", "accept,x-two");
    let refused = met(&cors(), &Asked::with(OTHER).options(&[put, unknown, near]));
    assert!(refused.starts_with("400\n"), "{refused}");
    assert!(
        refused.ends_with("\nDisallowed CORS origin, method, headers, private-network"),
        "{refused}"
    );
    let mut all = cors();
    all.preflight.all_headers = true;
    all.preflight.private_network = true;
    let told = met(&all, &Asked::with(LISTED).options(&[get, unknown, near]));
    assert!(
        told.contains("\naccess-control-allow-headers: accept,x-two\n"),
        "{told}"
    );
    assert!(
        told.contains("\naccess-control-allow-private-network: true\n"),
        "{told}"
    );
}

#[test]
fn what_a_pattern_or_python_decides_is_the_apps() {
    let pattern = Cors {
        has_pattern: true,
        ..cors()
    };
    assert_eq!(met(&pattern, &Asked::with(OTHER)), "leaves");
    assert_eq!(met(&pattern, &Asked::with(LISTED)), "passes");
    let asked = [
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "X-Ö"),
    ];
    assert_eq!(met(&cors(), &Asked::with(LISTED).options(&asked)), "leaves");
    assert_eq!(
        met(&cors(), &Asked::with(LISTED).options(&asked[1..])),
        "passes"
    );
    assert_eq!(
        met(&cors(), &Asked::with(&[]).options(&asked[..1])),
        "passes"
    );
}

#[test]
fn hosts_are_ours_or_refused_or_unclear() {
    let hosts = Hosts::new(["a.org", "*.b.org", "www.c.org"].map(str::to_owned), true);
    let host = |name| met(&hosts, &Asked::with(&[("host", name)]));
    for ours in ["a.org", "A.ORG:80", "x.b.org", "x.y.b.org:8000"] {
        assert_eq!(host(ours), "passes", "{ours}");
    }
    for unclear in [
        "c.org",
        "[::1]",
        "a.org:",
        "a.org:080",
        "a.org:99999",
        "a_b",
        "",
        "ä",
    ] {
        assert_eq!(host(unclear), "leaves", "{unclear}");
    }
    assert_eq!(met(&hosts, &Asked::with(&[])), "leaves");
    let refused = "400\ncontent-type: text/plain; charset=utf-8\nInvalid host header";
    assert_eq!(host("b.org"), refused);
    assert_eq!(host("xb.org"), refused);
    let unsent = Hosts::new(["www.c.org".to_owned()], false);
    assert_eq!(met(&unsent, &Asked::with(&[("host", "c.org")])), refused);
}

#[test]
fn a_plain_url_is_redirected_as_it_is() {
    let asked = |host, path: &'static str, query: &'static str| Asked {
        path: path.as_bytes(),
        query: query.as_bytes(),
        ..Asked::with(&[("host", host)])
    };
    let to = |location: &str| format!("307\nlocation: {location}\n");
    assert_eq!(
        met(&Secure, &asked("A.org:80", "/x~y", "")),
        to("https://a.org/x~y")
    );
    assert_eq!(
        met(&Secure, &asked("A.org:81", "/", "a=%20")),
        to("https://A.org:81/?a=%20")
    );
    for (path, query) in [
        ("//x", ""),
        ("/%20", ""),
        ("/", "<"),
        ("*", ""),
        ("/", "\""),
    ] {
        assert_eq!(
            met(&Secure, &asked("a.org", path, query)),
            "leaves",
            "{path}?{query}"
        );
    }
    assert_eq!(met(&Secure, &Asked::with(&[])), "leaves");
    let secure = Asked {
        secure: true,
        ..Asked::with(&[])
    };
    assert_eq!(met(&Secure, &secure), "passes");
}

#[test]
fn a_bound_passes_bodies_of_known_lengths() {
    for (length, passes) in [(Some(10), true), (Some(11), false), (None, false)] {
        let asked = Asked {
            length,
            ..Asked::with(&[])
        };
        assert_eq!(met(&Limit(10), &asked) == "passes", passes, "{length:?}");
    }
}

fn gzip() -> Compression {
    let excluded = ["image/*", "application/grpc", "text/x"].map(str::to_owned);
    Compression::new(Choice::Gzip, 9, 20..2000, excluded.to_vec())
}

fn inflated(compressed: &[u8]) -> Vec<u8> {
    let mut stream = zlib_rs::Inflate::new(true, 31);
    let mut out = vec![0; 1 << 16];
    stream
        .decompress(compressed, &mut out, zlib_rs::InflateFlush::Finish)
        .unwrap();
    out.truncate(usize::try_from(stream.total_out()).unwrap());
    out
}

#[test]
fn gzip_compresses_again_and_again() {
    let (layer, asked) = (gzip(), Asked::with(&[("accept-encoding", "br, gzip")]));
    for length in [20_usize, 1999, 500] {
        let body: Vec<u8> = (0..length)
            .map(|at| u8::try_from(at * at % 251).unwrap())
            .collect();
        let given = [(&b"content-length"[..], &b"1"[..])];
        let mut answer = Answer::new(200, given, Chunk::Borrowed(&body));
        assert!(layer.amend(&asked, &mut answer));
        assert_eq!(inflated(answer.body.as_slice()), body);
        let told = format!(
            "content-length: {}\nvary: Accept-Encoding\ncontent-encoding: gzip",
            answer.body.len()
        );
        assert!(shown(&answer).contains(&told));
    }
}

#[test]
fn what_is_not_compressed() {
    let (layer, asked) = (gzip(), Asked::with(&[("accept-encoding", "gzip")]));
    let long = "x".repeat(20);
    let with = |name, value| amended(&layer, &asked, &[(name, value)], &long).unwrap();
    for (name, value) in [
        ("content-encoding", "br"),
        ("Content-Type", "Image/png; a=b"),
        ("content-type", "application/grpc+x"),
        ("content-type", "text/x"),
    ] {
        assert_eq!(with(name, value), format!("200\n{name}: {value}\n{long}"));
    }
    assert!(with("content-type", "text/xy").contains("content-encoding: gzip"));
    assert_eq!(amended(&layer, &asked, &[], "short").unwrap(), "200\nshort");
    let identity = amended(&layer, &Asked::with(&[]), &[], &long).unwrap();
    assert_eq!(identity, format!("200\nvary: Accept-Encoding\n{long}"));
    // A thread's.
    assert_eq!(amended(&layer, &asked, &[], &"x".repeat(2000)), None);
}

#[test]
fn the_encoding_that_the_client_likes_best() {
    let offered = ["br", "gzip"].map(|name| (name.to_owned(), 5)).to_vec();
    let layer = Compression::new(Choice::Best(offered), 6, 0..1000, Vec::new());
    let body = "x".repeat(100);
    let answered = |accepted: &'static str| {
        let fields = [
            ("accept-encoding", accepted),
            ("accept-encoding", "zstd;q=1"),
        ];
        match amended(&layer, &Asked::with(&fields), &[], &body) {
            None => "the app's",
            Some(answer) if answer.contains("content-encoding: gzip") => "gzip",
            Some(_) => "none",
        }
    };
    for (accepted, expected) in [
        ("gzip", "gzip"),
        ("gzip, br", "the app's"),
        ("gzip, br;q=0.9", "gzip"),
        ("BR ; Q=0.5", "the app's"),
        ("*", "the app's"),
        ("*, br;q=0", "gzip"),
        ("*;q=0", "none"),
        ("gzip;q=x", "none"),
        ("", "none"),
    ] {
        assert_eq!(answered(accepted), expected, "{accepted}");
    }
}

#[test]
fn layers_answer_through_those_outside_of_them() {
    let hosts = || Box::new(Hosts::new(["a.org".to_owned()], true));
    let asked = Asked::with(&[
        ("host", "b.org"),
        ("origin", "https://b"),
        ("accept-encoding", "gzip"),
    ]);
    let inside = Layers::new(vec![Box::new(cors()), hosts()]);
    let Met::Answers(answer) = inside.meet(&asked) else {
        panic!("not answered");
    };
    assert!(shown(&answer).contains("vary: Origin"));
    let outside = Layers::new(vec![hosts(), Box::new(cors())]);
    let Met::Answers(answer) = outside.meet(&asked) else {
        panic!("not answered");
    };
    assert!(!shown(&answer).contains("vary"));
    // What is outside leaves it: so does the whole.
    let threaded = Compression::new(Choice::Gzip, 9, 1..2, Vec::new());
    let left = Layers::new(vec![Box::new(threaded), hosts()]);
    assert!(matches!(left.meet(&asked), Met::Leaves));
    assert!(matches!(Layers::default().meet(&asked), Met::Passes));
}

#[test]
fn an_answer_is_amended_from_the_inside() {
    let asked = Asked::with(&[("origin", "https://a"), ("accept-encoding", "gzip")]);
    let layers = Layers::new(vec![Box::new(cors()), Box::new(gzip())]);
    let mut answer = Answer::new(200, [], Chunk::Owned("x".repeat(100).into()));
    assert!(layers.amend(&asked, &mut answer) && !layers.is_empty());
    assert!(shown(&answer).contains("vary: Accept-Encoding, Origin"));
}

/// The text of a head that was given once, and what becomes of a body in these parts.
fn encoded(layers: &Layers, asked: &Asked, length: Option<usize>, parts: &[&str]) -> String {
    let given = [(&b"content-length"[..], &b"7"[..])];
    let mut head = Answer::new(200, given, Chunk::Borrowed(&[]));
    let encoder = layers.amend_head(asked, &mut head, length);
    let mut lines = vec![shown(&head)];
    if let Some(mut encoder) = encoder {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend(encoder.compress(part.as_bytes(), false).unwrap());
            // What has come so far can be read.
            let mut stream = zlib_rs::Inflate::new(true, 31);
            let mut out = vec![0; 1 << 16];
            let flush = zlib_rs::InflateFlush::SyncFlush;
            stream.decompress(&bytes, &mut out, flush).unwrap();
            out.truncate(usize::try_from(stream.total_out()).unwrap());
            assert!(out.ends_with(part.as_bytes()));
        }
        bytes.extend(encoder.compress(b"", true).unwrap());
        lines.push(text(&inflated(&bytes)));
    }
    lines.join("\n")
}

#[test]
fn an_answer_that_is_given_once_is_encoded_as_it_comes() {
    let layers = Layers::new(vec![Box::new(gzip()), Box::new(cors()), Box::new(gzip())]);
    let asked = Asked::with(&[("accept-encoding", "gzip")]);
    let told = "vary: Accept-Encoding, Origin\ncontent-encoding: gzip";
    let long = "y".repeat(5000);
    assert_eq!(
        encoded(&layers, &asked, None, &["one", &long]),
        format!("200\n{told}\n\none{long}")
    );
    // The length stands until it is known anew.
    let whole = encoded(&layers, &asked, Some(3000), &["whole"]);
    assert_eq!(whole, format!("200\ncontent-length: 7\n{told}\n\nwhole"));
    let plain = "200\ncontent-length: 7\nvary: Origin\n";
    assert_eq!(encoded(&layers, &asked, Some(0), &["never"]), plain);
}

#[test]
fn what_is_given_once_is_encoded_as_the_client_likes() {
    let offered = ["br", "gzip"].map(|name| (name.to_owned(), 5)).to_vec();
    let layers = Layers::new(vec![Box::new(Compression::new(
        Choice::Best(offered),
        6,
        0..1000,
        vec!["text/x".to_owned()],
    ))]);
    for (accepted, expected) in [("gzip", Some("gzip")), ("gzip, br", Some("br")), ("", None)] {
        let asked = Asked::with(&[("accept-encoding", accepted)]);
        assert!(layers.amends_all(&asked), "{accepted}");
        let mut answer = Answer::new(200, [], Chunk::Borrowed(&[]));
        let encoder = layers.amend_head(&asked, &mut answer, None);
        assert_eq!(encoder.is_some(), expected.is_some());
        let encoding = answer.first(b"content-encoding");
        assert_eq!(encoding, expected.map(str::as_bytes));
    }
    let head = |kind: &'static [u8]| {
        Answer::new(200, [(&b"content-type"[..], kind)], Chunk::Borrowed(&[]))
    };
    assert!(layers.waits(&head(b"text/y")) && !layers.waits(&head(b"text/x")));
}
