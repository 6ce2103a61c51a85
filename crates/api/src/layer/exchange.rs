//! A request that our server received, as layers see it.

use super::Request;
use crate::exchange::Exchange;

impl Request for Exchange {
    fn method(&self) -> &str {
        self.head().method()
    }

    fn raw_path(&self) -> &[u8] {
        self.head().raw_path()
    }

    fn query(&self) -> &[u8] {
        self.head().query()
    }

    fn field(&self, name: &[u8]) -> Option<&[u8]> {
        self.head().get(name)
    }

    fn each(&self, name: &[u8], visit: &mut dyn FnMut(&[u8])) {
        for (given, value) in self.head().headers() {
            if given.eq_ignore_ascii_case(name) {
                visit(value);
            }
        }
    }

    fn is_secure(&self) -> bool {
        Self::is_secure(self)
    }

    fn body_length(&self) -> Option<u64> {
        self.incoming().remaining()
    }
}
