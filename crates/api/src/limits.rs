//! Sizes that a client may not exceed. Knows neither time-outs nor connections.

/// Bounds on what is parsed of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request target; longer ones are refused with 414.
    pub target: u16,
    /// Bytes of one header or trailer line, name and value together; longer ones are refused with 431.
    pub field: u16,
    /// Lines of a header or trailer section; more are refused with 431.
    pub fields: u16,
    /// Bytes of all header lines together; more are refused with 431.
    pub header: u32,
    /// Bytes of all trailer lines together; more are refused with 431.
    pub trailer: u32,
    /// Bytes of chunk extensions in one body; more are refused with 400.
    pub chunk_extensions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            target: 16 * 1024,
            field: 16 * 1024,
            fields: 100,
            header: 64 * 1024,
            trailer: 16 * 1024,
            chunk_extensions: 16 * 1024,
        }
    }
}
