//! What the api can be told. A field is set by `HOSHU_API_<FIELD>`.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Largest body of a REST request, in bytes. More lets larger thing models in, and a
    /// stranger with a token fill more memory.
    pub body_limit: usize,
    /// Largest message of a gRPC request, in bytes.
    pub message_limit: usize,
    /// How long a service may take to answer, in seconds. A set may wait 30 s for its device.
    pub answer_seconds: u64,
    /// How long a request's body may take to come in, in seconds.
    pub body_seconds: u64,
    /// Connections at one time, of REST and of gRPC each; one more waits in the accept queue.
    pub connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            message_limit: 4 * 1024 * 1024,
            answer_seconds: 40,
            body_seconds: 30,
            connections: 4096,
        }
    }
}
