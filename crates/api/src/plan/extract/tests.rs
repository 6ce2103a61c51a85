use super::*;
use crate::plan::Scalar;
use crate::route::RoutePattern;

fn param(source: Source, scalar: Scalar, required: bool) -> Param {
    Param {
        source,
        scalar,
        many: false,
        required,
    }
}

fn names(names: &[&str]) -> Box<[Box<str>]> {
    names.iter().map(|name| Box::from(*name)).collect()
}

fn query(name: &str) -> Source {
    Source::Query(names(&[name]))
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

struct Listed<'a>(&'a [(&'a str, &'a str)]);

impl Fields for Listed<'_> {
    fn each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        for (name, value) in self.0 {
            visit(name.as_bytes(), value.as_bytes());
        }
    }
}

fn read(params: &[Param], query: &str, fields: &[(&str, &str)]) -> Result<Vec<Value>, Refusal> {
    let path = "/items/7";
    let captures = RoutePattern::parse("/items/{id}")
        .unwrap()
        .captures(path)
        .unwrap();
    let request = Request {
        path,
        query: query.as_bytes(),
        fields: &Listed(fields),
    };
    extract(params, request, &captures).map(Values::into_vec)
}

fn extracted(line: &str) -> Result<Vec<Value>, Refusal> {
    let params = [
        param(Source::Path(0), Scalar::Int, true),
        param(query("q"), Scalar::Str, true),
        param(query("limit"), Scalar::Int, false),
    ];
    read(&params, line, &[])
}

#[test]
fn takes_path_and_query() {
    assert_eq!(
        extracted("q=a+b&limit=3&other=%20"),
        Ok(vec![Value::Int(7), text("a b"), Value::Int(3)])
    );
    assert_eq!(
        extracted("q=x"),
        Ok(vec![Value::Int(7), text("x"), Value::Default])
    );
    assert_eq!(
        extracted("q=x&q=y&%71="),
        Ok(vec![Value::Int(7), text(""), Value::Default]),
        "the last one counts"
    );
}

#[test]
fn refuses_what_is_missing_or_unreadable_and_leaves_the_doubtful_undecided() {
    for query in ["", "limit=3", "q=%FF", "q=x&ä=1"] {
        assert_eq!(extracted(query), Err(Refusal), "{query}");
    }
    assert_eq!(
        extracted("q=x&limit=1_0").map(|mut values| values.pop()),
        Ok(Some(Value::Undecided("1_0".into())))
    );
}

#[test]
fn lists_take_all_values_of_the_preferred_name() {
    let many = Param {
        many: true,
        ..param(
            Source::Query(names(&["tag", "label"])),
            Scalar::Unknown,
            false,
        )
    };
    let all = |line: &str| read(std::slice::from_ref(&many), line, &[]);
    let list = |texts: &[&str]| Value::Many(texts.iter().map(|text| Box::from(*text)).collect());
    assert_eq!(all("label=x&tag=a&tag=b"), Ok(vec![list(&["a", "b"])]));
    assert_eq!(all("label=x&label=y"), Ok(vec![list(&["x", "y"])]));
    assert_eq!(all("other=1"), Ok(vec![Value::Default]));
}

#[test]
fn the_first_header_and_the_last_cookie_count() {
    let params = [
        param(Source::Header(names(&["x-token"])), Scalar::Str, true),
        param(Source::Cookie(names(&["sid"])), Scalar::Str, false),
    ];
    let fields = [
        ("X-Token", "a"),
        ("x-token", "b"),
        ("Cookie", "sid=1; other; sid=2"),
    ];
    assert_eq!(read(&params, "", &fields), Ok(vec![text("a"), text("2")]));
    assert_eq!(read(&params, "", &[("cookie", "sid=1")]), Err(Refusal));
    let quoted = [("x-token", "a"), ("cookie", "sid=\"1\"")];
    assert_eq!(read(&params, "", &quoted), Err(Refusal));
}

#[test]
fn json_is_what_says_so_plainly() {
    for yes in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;x",
    ] {
        assert!(is_json(Some(yes.as_bytes())), "{yes}");
    }
    for no in [
        "",
        "text/json",
        "application/jsonp",
        "application/problem+json",
        "application/json x",
    ] {
        assert!(!is_json(Some(no.as_bytes())), "{no}");
    }
    assert!(!is_json(None));
}
