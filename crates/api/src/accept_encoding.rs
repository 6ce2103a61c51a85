//! Which content codings a client takes (RFC 9110, 12.5.3). Knows no codec.

/// How much a client likes each coding that it names.
pub(crate) struct Weights(Vec<(String, f64)>);

impl Weights {
    /// Reads fields of `Accept-Encoding`.
    pub(crate) fn of<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut weights = Self(Vec::new());
        fields.into_iter().for_each(|field| weights.read(field));
        weights
    }

    /// Reads one more field.
    pub(crate) fn read(&mut self, field: &[u8]) {
        for item in String::from_utf8_lossy(field).split(',') {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let name = name.trim().to_ascii_lowercase();
            self.0.push((name, weight(parameters)));
        }
    }

    /// The last weight of a name counts, or that of `*`.
    pub(crate) fn get(&self, name: &str) -> f64 {
        let named = |wanted: &str| self.0.iter().rev().find(|(given, _)| given == wanted);
        named(name)
            .or_else(|| named("*"))
            .map_or(0.0, |found| found.1)
    }
}

fn weight(parameters: &str) -> f64 {
    for parameter in parameters.split(';') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("q") {
            return value.trim().parse().unwrap_or(0.0);
        }
    }
    1.0
}
