//! Sets of request methods. Knows the standard names; a table gives numbers to all others it is told of.

use smallvec::SmallVec;

/// The methods that need no registration, in the order in which `Allow` lists them.
const STANDARD: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// A set of methods, as one word. Its members mean something only together with the [`Methods`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MethodSet(u64);

impl MethodSet {
    /// Whether a request with this one method belongs to the set.
    pub fn contains(self, method: Self) -> bool {
        self.0 & method.0 != 0
    }
}

/// Why a method cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// RFC 9110 allows token characters only.
    #[error("{0:?} is no HTTP method: letters, digits and !#$%&'*+-.^_`|~ only")]
    NotAToken(String),
    /// A word has 64 bits, nine of them taken.
    #[error("more than 55 methods beside the standard ones")]
    TooMany,
}

/// The names of all methods a table of routes knows.
#[derive(Debug, Default)]
pub struct Methods {
    others: Vec<Box<str>>,
}

impl Methods {
    /// The set of `names`; unknown ones are learnt. Names are case-sensitive, as RFC 9110 has them.
    pub fn register<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<MethodSet, MethodError> {
        let mut set = 0;
        for name in names {
            set |= match self.find(name) {
                MethodSet(0) => self.learn(name)?.0,
                known => known.0,
            };
        }
        Ok(MethodSet(set))
    }

    /// The set with this method in it; the empty one if no route has it.
    pub fn find(&self, name: &str) -> MethodSet {
        let known = STANDARD.iter().position(|standard| *standard == name);
        let number = known.or_else(|| {
            Some(STANDARD.len() + self.others.iter().position(|other| **other == *name)?)
        });
        MethodSet(number.map_or(0, |number| 1 << number))
    }

    /// The names in `set`, in a fixed order.
    pub fn names(&self, set: MethodSet) -> impl Iterator<Item = &str> {
        let all = STANDARD
            .into_iter()
            .chain(self.others.iter().map(|other| &**other));
        all.enumerate()
            .filter(move |(number, _)| set.0 & (1 << number) != 0)
            .map(|(_, name)| name)
    }

    /// What the `Allow` field says of `set`.
    pub fn allow(&self, set: MethodSet) -> String {
        self.names(set).collect::<SmallVec<[&str; 9]>>().join(", ")
    }

    fn learn(&mut self, name: &str) -> Result<MethodSet, MethodError> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(MethodError::NotAToken(name.to_owned()));
        }
        let number = STANDARD.len() + self.others.len();
        if number == 64 {
            return Err(MethodError::TooMany);
        }
        self.others.push(name.into());
        Ok(MethodSet(1 << number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_contains_what_it_was_made_of() {
        let mut methods = Methods::default();
        let set = methods.register(["POST", "GET", "PROPFIND"]).unwrap();
        assert!(set.contains(methods.find("GET")) && set.contains(methods.find("PROPFIND")));
        assert!(!set.contains(methods.find("HEAD")) && !set.contains(methods.find("get")));
        assert!(!set.contains(methods.find("MKCOL")), "nobody registered it");
        assert_eq!(methods.allow(set), "GET, POST, PROPFIND");
    }

    #[test]
    fn refuses_what_is_no_token_and_what_does_not_fit() {
        let mut methods = Methods::default();
        for bad in ["", "GE T", "G\r\n", "Ä"] {
            assert_eq!(
                methods.register([bad]),
                Err(MethodError::NotAToken(bad.into()))
            );
        }
        for number in 0..55 {
            methods.register([&*format!("M{number}")]).unwrap();
        }
        assert_eq!(methods.register(["ONE-MORE"]), Err(MethodError::TooMany));
    }
}
